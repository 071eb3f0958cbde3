"""Two scores of the same claims: which is better beyond noise, how well each is calibrated, and where they disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 15
"""Equally filled bins of the calibration error, as is usual."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Claims in falling order of a score; `ends` are the last positions of runs of equal scores. Average precision for any weights."""

    order: NDArray[np.intp]
    ends: NDArray[np.intp]

    @classmethod
    def of(cls, score: Floats) -> Ranking:
        """Scores (n,)."""
        order = np.argsort(-score, kind="stable")
        falling = score[order]
        return cls(order, np.append(np.flatnonzero(np.diff(falling)), len(score) - 1))

    def average_precision(self, wrong: Floats, weight: Floats) -> float:
        """Sum over distinct scores of precision times gained recall; `wrong` (n,) 0 or 1, `weight` (n,) at least 0. NaN without positives."""
        weights = weight[self.order]
        caught = np.cumsum(weights * wrong[self.order])[self.ends]
        seen = np.cumsum(weights)[self.ends]
        if caught[-1] <= 0:
            return float("nan")
        precision = np.divide(caught, seen, out=np.zeros_like(caught), where=seen > 0)
        return float(np.sum(precision * np.diff(caught, prepend=0.0)) / caught[-1])


@dataclass(frozen=True, slots=True)
class Difference:
    """`mine` less `theirs`, with the interval of the paired bootstrap."""

    mine: float
    theirs: float
    low: float
    high: float

    @property
    def worse(self) -> bool:
        """Whether mine is below theirs beyond noise."""
        return self.high < 0

    def __str__(self) -> str:
        return f"{self.mine:.3f} : {self.theirs:.3f} ({self.low:+.3f} … {self.high:+.3f})"


def precision_difference(
    mine: Floats, theirs: Floats, wrong: Floats, weight: Floats, *, confidence: float, resamples: int, seed: int = 1
) -> Difference:
    """Average precision of two scores on the same rows (n,), resampled together."""
    drawn = np.random.default_rng(seed)
    ours, others = Ranking.of(mine), Ranking.of(theirs)
    n = len(wrong)
    gaps = []
    for _ in range(resamples):
        weights = weight * np.bincount(drawn.integers(0, n, n), minlength=n)
        gaps.append(ours.average_precision(wrong, weights) - others.average_precision(wrong, weights))
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(gaps, [tail, 1 - tail])
    return Difference(ours.average_precision(wrong, weight), others.average_precision(wrong, weight), float(low), float(high))


def share_difference(mine: NDArray[np.bool_], theirs: NDArray[np.bool_], *, confidence: float) -> Difference:
    """Share of claims each would release, paired; the interval is that of the mean difference (normal)."""
    gap = mine.astype(float) - theirs.astype(float)
    z = {0.9: 1.645, 0.95: 1.96, 0.99: 2.576}.get(confidence, 1.96)
    half = z * float(gap.std()) / max(1.0, float(len(gap)) ** 0.5)
    return Difference(float(mine.mean()), float(theirs.mean()), float(gap.mean()) - half, float(gap.mean()) + half)


def calibration_error(score: Floats, wrong: Floats, weight: Floats) -> float:
    """Expected calibration error over equally filled bins: mean of |mean score - observed share| by weight."""
    order = np.argsort(score, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    gaps = [abs(float(np.sum(weight[p] * (score[p] - wrong[p])))) for p in parts]
    return float(sum(gaps) / np.sum(weight))


def calibration_excess(score: Floats, wrong: Floats, weight: Floats, *, resamples: int, seed: int = 1) -> float:
    """The calibration error less what a perfectly calibrated score shows by chance on as many rows; below 0 means none was seen."""
    drawn = np.random.default_rng(seed)
    chance = [calibration_error(score, (drawn.random(len(score)) < score).astype(float), weight) for _ in range(resamples)]
    return calibration_error(score, wrong, weight) - float(np.mean(chance))
