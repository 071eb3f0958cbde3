"""Two scores of the same claims: which is better beyond noise, how well each is calibrated, and where they disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from training.metrics import Ranked, calibration_error, calibration_noise

Floats = NDArray[np.float64]


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
    ours, others = Ranked.of(mine, wrong), Ranked.of(theirs, wrong)
    n = len(wrong)
    gaps = []
    for _ in range(resamples):
        weights = weight * np.bincount(drawn.integers(0, n, n), minlength=n)
        gaps.append(ours.average_precision(weights) - others.average_precision(weights))
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(gaps, [tail, 1 - tail])
    return Difference(ours.average_precision(weight), others.average_precision(weight), float(low), float(high))


def share_difference(mine: NDArray[np.bool_], theirs: NDArray[np.bool_], *, confidence: float) -> Difference:
    """Share of claims each would release, paired; the interval is that of the mean difference (normal)."""
    gap = mine.astype(float) - theirs.astype(float)
    z = float(norm.ppf((1 + confidence) / 2))
    half = z * float(gap.std()) / max(1.0, float(len(gap)) ** 0.5)
    return Difference(float(mine.mean()), float(theirs.mean()), float(gap.mean()) - half, float(gap.mean()) + half)


def calibration_excess(score: Floats, wrong: Floats, weight: Floats, *, resamples: int, seed: int = 1) -> float:
    """The calibration error less what a perfectly calibrated score shows by chance on as many rows; below 0 means none was seen."""
    return calibration_error(score, wrong, weight) - calibration_noise(score, weight, resamples=resamples, seed=seed)
