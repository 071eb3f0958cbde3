"""The cheapest order in which open questions can be answered until the outcome cannot change, worked out exactly.

A question has a few kinds of answers with their shares. A step asks for some items of one sort at once; after each step the claim is
decided if every answer to what is left leads to the same end. The price of a plan is what its steps cost on average, a step that is no
longer needed costing nothing. Known here: numbers alone, nothing of claims.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

STAFF, CLAIMANT, INVESTIGATOR = 0, 1, 2
"""Sorts of items in the order they are turned to: what staff can look up, what papers tell, what only a visit finds."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something to ask for: `answers` is a bit for each question it answers, `cost` in CNY (asking again included), `days` it takes."""

    id: str
    sort: int
    answers: int
    cost: float
    days: float


@dataclass(frozen=True, slots=True)
class Step:
    """Items asked for at once; `price` in CNY with the days of waiting, `needed` the probability that it is still needed."""

    items: tuple[Item, ...]
    price: float
    needed: float


@dataclass(frozen=True, slots=True)
class Found:
    """Steps in order, their price on average, and the probability that the claim is decided at the end."""

    steps: tuple[Step, ...]
    price: float
    decided: float


@dataclass(slots=True)
class Search:
    """`shares[q]` are the shares of question q's kinds of answers, `ends` the end for each combination of them (one axis a question),
    `rounds` how often the claimant may be asked, `day_price` CNY for a day of waiting."""

    shares: Sequence[Sequence[float]]
    ends: NDArray[np.int64]
    items: Sequence[Item]
    rounds: int
    day_price: float
    _pivotal: int | None = None
    _open: dict[int, float] = field(default_factory=dict)
    _best: dict[tuple[int, int, int], tuple[float, tuple[Item, ...] | None]] = field(default_factory=dict)

    def pivotal(self) -> int:
        """A bit for each question whose answer alone changes the end in some combination."""
        if self._pivotal is None:
            self._pivotal = sum(1 << q for q in range(len(self.shares)) if (self.ends.max(axis=q) != self.ends.min(axis=q)).any())
        return self._pivotal

    def undecided(self, known: int) -> float:
        """The probability that the end is still open when the questions `known` are answered."""
        if known not in self._open:
            rest = tuple(q for q in range(len(self.shares)) if not known >> q & 1)
            open_ = (self.ends.max(axis=rest) != self.ends.min(axis=rest)) if rest else np.zeros(self.ends.shape, dtype=bool)
            weight = np.ones(())
            for q, share in enumerate(self.shares):
                if known >> q & 1:
                    weight = np.multiply.outer(weight, np.asarray(share))
            self._open[known] = float((weight * open_).sum())
        return self._open[known]

    def price(self, items: Sequence[Item]) -> float:
        """What a step costs: its items, and the longest wait."""
        return sum(i.cost for i in items) + self.day_price * max(i.days for i in items)

    def cheapest(self) -> Found:
        """The plan of least price; every question that matters is asked in the end unless the claim is decided before."""
        steps: list[Step] = []
        known, sort, rounds = 0, STAFF, self.rounds
        while (chosen := self._from(known, sort, rounds)[1]) is not None:
            steps.append(Step(chosen, self.price(chosen), self.undecided(known)))
            known, sort, rounds = self._after(known, chosen, rounds)
        return Found(tuple(steps), self._from(0, STAFF, self.rounds)[0], 1 - self.undecided(known))

    def _after(self, known: int, chosen: tuple[Item, ...], rounds: int) -> tuple[int, int, int]:
        for item in chosen:
            known |= item.answers
        return known, chosen[0].sort, rounds - (chosen[0].sort == CLAIMANT)

    def _from(self, known: int, sort: int, rounds: int) -> tuple[float, tuple[Item, ...] | None]:
        """The least price from here on and the first step; no step where the claim is decided or nothing more can be asked."""
        key = (known, sort, rounds)
        if key not in self._best:
            best: tuple[float, tuple[Item, ...] | None] = (0.0, None)
            if self.undecided(known) > _NOTHING:
                options = [(self._through(known, c, rounds), c) for c in self._choices(known, sort, rounds)]
                best = min(options, key=lambda o: o[0], default=best)
            self._best[key] = best
        return self._best[key]

    def _through(self, known: int, chosen: tuple[Item, ...], rounds: int) -> float:
        return self.price(chosen) * self.undecided(known) + self._from(*self._after(known, chosen, rounds))[0]

    def _choices(self, known: int, sort: int, rounds: int) -> Iterator[tuple[Item, ...]]:
        """Every step that asks something new: of one sort, no item of it idle. A later sort is turned to only when nothing that matters is
        left to ask of this one."""
        asks = self.pivotal() & ~known
        for later in range(sort, INVESTIGATOR + 1):
            useful = [i for i in self.items if i.sort == later and i.answers & asks]
            if not useful or (later == CLAIMANT and rounds == 0):
                continue
            for count in range(1, len(useful) + 1):
                yield from (c for c in combinations(useful, count) if _none_idle(c, asks))
            return


_NOTHING = 1e-12
"""Rounding of sums of probabilities."""


def _none_idle(chosen: tuple[Item, ...], asks: int) -> bool:
    """Whether every item answers something that the others of the step do not."""
    for item in chosen:
        others = 0
        for other in chosen:
            others |= other.answers if other is not item else 0
        if not item.answers & asks & ~others:
            return False
    return True
