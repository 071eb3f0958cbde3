"""Is the certificate's promise kept? One trained model, many fresh draws of claims with fresh investigations, each certified anew.

The draws come from a pool of held-out simulated claims, whose true rates are known exactly: how often a certified threshold breaks
alpha, and how much is released of what that score could release at best.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.boosting import Floats
from training.certificate import Certificates, certify, sequences
from training.metrics import Estimate, share
from triage.alarm import Evidence, evidence

ALL = "*"
"""All groups together."""


@dataclass(frozen=True)
class Pool:
    """Claims that pass all rules: scores, the chance that an investigation refuses each, and groups (n,)."""

    scores: Floats
    chance: Floats
    groups: NDArray[np.str_]

    def of(self, name: str) -> NDArray[np.bool_]:
        """Claims of a group (n,)."""
        return np.ones(len(self.scores), dtype=bool) if name == ALL else self.groups == name

    def only(self, names: Iterable[str]) -> Pool:
        """The claims of some groups."""
        mine = np.isin(self.groups, list(names))
        return Pool(self.scores[mine], self.chance[mine], self.groups[mine])


@dataclass(frozen=True)
class Kept:
    """Of one group: the share of draws whose threshold truly broke alpha, the share of claims released on average, the best possible
    with that score, and the share of draws that certified anything."""

    group: str
    violations: Estimate
    released: float
    best: float
    certified: float

    @property
    def of_best(self) -> float:
        """Released as a share of the best possible; NaN when nothing could be."""
        return self.released / self.best if self.best > 0 else float("nan")


class _Truth:
    """Rates and shares of a pool at any threshold, by group."""

    def __init__(self, pool: Pool, names: Iterable[str]) -> None:
        self._parts = {}
        for name in names:
            mine = pool.of(name)
            order = np.argsort(pool.scores[mine], kind="stable")
            self._parts[name] = pool.scores[mine][order], np.concatenate([[0.0], np.cumsum(pool.chance[mine][order])])

    def at(self, name: str, threshold: float) -> tuple[float, float]:
        """(rate, share released) of a group at a threshold."""
        scores, chances = self._parts[name]
        below = int(np.searchsorted(scores, threshold, side="right"))
        return (float(chances[below]) / below if below else 0.0), below / max(len(scores), 1)

    def best(self, name: str, alpha: float) -> float:
        """The largest share that any threshold releases at a rate of at most alpha."""
        scores, chances = self._parts[name]
        ends = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1) + 1
        return float(np.max(ends[chances[ends] / ends <= alpha], initial=0)) / max(len(scores), 1)


def kept(pool: Pool, *, alpha: float, delta: float, labels: int, draws: int, seed: int = 0) -> list[Kept]:
    """For all claims under one threshold, and for each group: what `draws` certificates of `labels` claims came to."""
    names = [str(name) for name in np.unique(pool.groups)]
    truth = _Truth(pool, [ALL, *names])
    drawn = np.random.default_rng(seed)
    limits: dict[str, list[float | None]] = {name: [] for name in (ALL, *names)}
    for _ in range(draws):
        found = _certificates(pool, drawn, alpha, delta, labels)
        limits[ALL].append(found.overall.threshold if found.overall else None)
        for name in names:
            row = found.groups.get(name)
            limits[name].append(row.threshold if row else None)
    return [_kept(name, limits[name], truth, alpha) for name in (ALL, *names)]


def _certificates(pool: Pool, drawn: np.random.Generator, alpha: float, delta: float, labels: int) -> Certificates:
    """Fresh claims to fix the thresholds on, and fresh ones to prove them."""
    before, asked = drawn.integers(0, len(pool.scores), (2, labels))
    answers = [(drawn.random(labels) < pool.chance[rows]).astype(float) for rows in (before, asked)]
    rows = {str(name): int(n) for name, n in zip(*np.unique(pool.groups[asked], return_counts=True), strict=True)}
    tested = sequences(pool.scores[before], answers[0], pool.groups[before], alpha=alpha, rows=rows)
    return certify(pool.scores[asked], answers[1], pool.groups[asked], tested, alpha, delta)


def _kept(name: str, limits: list[float | None], truth: _Truth, alpha: float) -> Kept:
    rates = [truth.at(name, limit) if limit is not None else (0.0, 0.0) for limit in limits]
    broken = sum(rate > alpha for rate, _ in rates)
    given = sum(limit is not None for limit in limits) / len(limits)
    return Kept(name, share(broken, len(limits)), float(np.mean([s for _, s in rates])), truth.best(name, alpha), given)


def rung(scores: Floats, wrong: Floats, drawn: NDArray[np.bool_], limits: Floats, alpha: float) -> Evidence:
    """What the audit lane says: of claims in their order, those drawn for audit and at or below their group's limit (all (n,))."""
    heard = drawn & (scores <= limits)
    return evidence((bool(answer) for answer in wrong[heard]), alpha)
