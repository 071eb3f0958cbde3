"""The cheapest plan equals brute force: over every choice, order and batching of items, every answer walked over."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import numpy as np
import pytest

from triage.plan_search import CLAIMANT, Item, Search


def problem(rng: random.Random, questions: int, items: int) -> Search:
    """A random table of ends, skewed so that some answers decide early."""
    shares = []
    for _ in range(questions):
        raw = [rng.random() + 0.05 for _ in range(rng.choice([2, 2, 3]) if questions < 8 else 2)]
        shares.append([r / sum(raw) for r in raw])
    shape = tuple(len(s) for s in shares)
    ends = np.ones(shape, dtype=np.int64)
    for _ in range(rng.randint(1, 3)):
        where = tuple(rng.randrange(n) if rng.random() < 0.35 else slice(None) for n in shape)
        ends[where] = rng.randrange(3)
    made = [Item(f"i{n}", rng.randrange(3), _bits(rng, questions), rng.randint(0, 50), rng.randint(0, 9)) for n in range(items)]
    return Search(shares, ends, made, rng.choice([1, 2]), rng.choice([0, 1, 10]))


def _bits(rng: random.Random, questions: int) -> int:
    return sum(1 << q for q in rng.sample(range(questions), min(questions, rng.choice([1, 1, 2, 3]))))


def brute_force(search: Search) -> float:
    """The least price, by trying every sequence of steps on every combination of answers."""
    worlds = list(itertools.product(*(range(len(s)) for s in search.shares)))
    share = {w: np.prod([search.shares[q][a] for q, a in enumerate(w)]) for w in worlds}
    end = {w: int(search.ends[w]) for w in worlds}
    matters = {
        q
        for q in range(len(search.shares))
        for w in worlds
        for a in range(len(search.shares[q]))
        if end[w] != end[(*w[:q], a, *w[q + 1 :])]
    }

    def decided(known: frozenset[int]) -> dict[tuple[int, ...], bool]:
        groups: dict[tuple[int, ...], set[int]] = {}
        for w in worlds:
            groups.setdefault(tuple(a for q, a in enumerate(w) if q in known), set()).add(end[w])
        return {w: len(groups[tuple(a for q, a in enumerate(w) if q in known)]) == 1 for w in worlds}

    def least(known: frozenset[int], sort: int, rounds: int) -> float:
        done = decided(known)
        open_ = sum(share[w] for w in worlds if not done[w])
        if open_ < 1e-12:
            return 0.0
        prices = [
            (sum(i.cost for i in c) + search.day_price * max(i.days for i in c)) * open_
            + least(known | {q for i in c for q in _questions(i)}, c[0].sort, rounds - (c[0].sort == CLAIMANT))
            for c in steps(known, sort, rounds)
        ]
        return float(min(prices, default=0.0))

    def steps(known: frozenset[int], sort: int, rounds: int) -> Iterator[tuple[Item, ...]]:
        may = [i.sort for i in search.items if i.sort >= sort and (i.sort != CLAIMANT or rounds) and set(_questions(i)) & matters - known]
        for count in range(1, len(search.items) + 1):
            for chosen in itertools.combinations(search.items, count):
                sorts = {i.sort for i in chosen}
                new = [set(_questions(i)) & matters - known for i in chosen]
                if sorts == {min(may, default=-1)} and all(
                    n - set().union(*(m for j, m in enumerate(new) if j != k)) for k, n in enumerate(new)
                ):
                    yield chosen

    return float(least(frozenset(), 0, search.rounds))


def _questions(item: Item) -> list[int]:
    return [q for q in range(item.answers.bit_length()) if item.answers >> q & 1]


@pytest.mark.parametrize(("questions", "items", "number"), [(3, 4, 150), (5, 5, 60), (8, 5, 12), (12, 5, 2)])
def test_the_price_equals_brute_force(questions: int, items: int, number: int) -> None:
    """Random problems of up to twelve questions."""
    rng = random.Random(questions)
    for _ in range(number):
        search = problem(rng, questions, items)
        assert search.cheapest().price == pytest.approx(brute_force(search))


def test_the_steps_add_up_to_the_price() -> None:
    """What each step costs times how likely it is still needed is the price told."""
    rng = random.Random(4)
    for _ in range(100):
        found = problem(rng, 5, 6).cheapest()
        assert found.price == pytest.approx(sum(s.price * s.needed for s in found.steps))


def test_nothing_is_asked_for_a_claim_that_cannot_change() -> None:
    """One end whatever the answers: no step."""
    search = Search([[0.5, 0.5]], np.zeros(2, dtype=np.int64), [Item("a", 0, 1, 5, 1)], 2, 1)
    assert search.cheapest().steps == ()


def test_what_most_likely_ends_the_matter_for_its_price_comes_first() -> None:
    """Two visits, either of which may end it: the one with the better ratio of price to chance goes first."""
    ends = np.array([[0, 1], [1, 1]], dtype=np.int64)
    dear = Item("dear", 2, 1, 500, 0)
    cheap = Item("cheap", 2, 2, 400, 0)
    found = Search([[0.99, 0.01], [0.92, 0.08]], ends, [dear, cheap], 2, 0).cheapest()
    assert [s.items for s in found.steps] == [(cheap,), (dear,)]
    assert found.price == pytest.approx(400 + 0.92 * 500)
