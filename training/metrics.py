"""How good a score is: ranking, calibration, what a limited capacity catches and what a threshold releases, each with an interval.

Everything takes weights, so that claims investigated at random can stand for those that were not. It knows nothing of claims.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from training.calibration import platt

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
BINS = 15
"""Equally filled bins of the calibration error, as is usual."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_json(self) -> dict[str, float]:
        """Plain data."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Ranked:
    """Claims in falling order of a score (n,), made once and asked for any weights; `ends` are the last places of equal scores."""

    order: NDArray[np.intp]
    ends: NDArray[np.intp]
    wrong: Floats

    @classmethod
    def of(cls, score: Floats, wrong: Floats) -> Ranked:
        """Scores and wrong (0 or 1), both (n,)."""
        order = np.argsort(-score, kind="stable")
        falling = score[order]
        return cls(order, np.append(np.flatnonzero(np.diff(falling)), len(score) - 1), wrong[order])

    def _cumulated(self, weight: Floats | None) -> tuple[Floats, Floats]:
        weights = np.ones(len(self.order)) if weight is None else weight[self.order]
        return np.cumsum(weights * self.wrong)[self.ends], np.cumsum(weights)[self.ends]

    def curve(self, weight: Floats | None = None) -> tuple[Floats, Floats]:
        """Recall and precision at every distinct score, from the highest on."""
        caught, seen = self._cumulated(weight)
        precision = np.divide(caught, seen, out=np.zeros_like(caught), where=seen > 0)
        return caught / max(float(caught[-1]), 1e-300), precision

    def average_precision(self, weight: Floats | None = None) -> float:
        """Sum over distinct scores of precision times gained recall; NaN without a wrong claim."""
        caught, seen = self._cumulated(weight)
        if caught[-1] <= 0:
            return float("nan")
        precision = np.divide(caught, seen, out=np.zeros_like(caught), where=seen > 0)
        return float(np.sum(precision * np.diff(caught, prepend=0.0)) / caught[-1])

    def auc(self, weight: Floats | None = None) -> float:
        """The chance that a wrong claim scores above a right one, ties half; NaN when there is only one kind."""
        caught, seen = self._cumulated(weight)
        passed = seen - caught
        if caught[-1] <= 0 or passed[-1] <= 0:
            return float("nan")
        gained, lost = np.diff(caught, prepend=0.0), np.diff(passed, prepend=0.0)
        return float(1 - np.sum(gained * (passed - lost / 2)) / (caught[-1] * passed[-1]))

    def at_capacity(self, share: float, weight: Floats | None = None) -> tuple[float, float]:
        """Precision and recall when the highest `share` of claims is investigated; of equal scores a part, as if drawn."""
        caught, seen = self._cumulated(weight)
        room = share * seen[-1]
        held = float(np.interp(room, np.concatenate([[0.0], seen]), np.concatenate([[0.0], caught])))
        return held / room, held / max(float(caught[-1]), 1e-300)


def average_precision(score: Floats, wrong: Floats, weight: Floats | None = None) -> float:
    """Of scores (n,)."""
    return Ranked.of(score, wrong).average_precision(weight)


def auc(score: Floats, wrong: Floats, weight: Floats | None = None) -> float:
    """Of scores (n,)."""
    return Ranked.of(score, wrong).auc(weight)


def calibration_bins(score: Floats, wrong: Floats, weight: Floats | None = None, bins: int = BINS) -> NDArray[np.float64]:
    """(bins, 3): mean score, share wrong and weight of equally filled bins; claims of one score are never told apart."""
    weights = np.ones(len(score)) if weight is None else weight
    order = np.argsort(score, kind="stable")
    edges = np.searchsorted(score[order], np.quantile(score, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf"), side="right")
    parts = [part for part in np.split(order, edges) if len(part) and weights[part].sum() > 0]
    rows = [(np.average(score[p], weights=weights[p]), np.average(wrong[p], weights=weights[p]), weights[p].sum()) for p in parts]
    return np.array(rows, dtype=np.float64)


def calibration_error(score: Floats, wrong: Floats, weight: Floats | None = None) -> float:
    """Expected calibration error: mean of |mean score - share wrong| over `calibration_bins`, by weight."""
    bins = calibration_bins(score, wrong, weight)
    return float(np.average(np.abs(bins[:, 0] - bins[:, 1]), weights=bins[:, 2]))


def calibration_noise(score: Floats, weight: Floats | None = None, *, resamples: int = 50, seed: int = 1) -> float:
    """The calibration error that a perfectly calibrated score shows by chance on as many claims."""
    drawn = np.random.default_rng(seed)
    return float(np.mean([calibration_error(score, (drawn.random(len(score)) < score).astype(float), weight) for _ in range(resamples)]))


def calibration_line(score: Floats, wrong: Floats, weight: Floats | None = None) -> tuple[float, float]:
    """Intercept and slope of the log-odds of `wrong` on those of the score: 0 and 1 for a calibrated one (Cox 1958)."""
    clipped = np.clip(score, 1e-9, 1 - 1e-9)
    fitted = platt(np.log(clipped / (1 - clipped)), wrong, weight)
    return -fitted.b, -fitted.a


def resampled(
    n: int, measure: Callable[[Floats], Mapping[str, float]], *, resamples: int = 200, seed: int = 1, weight: Floats | None = None
) -> dict[str, Estimate]:
    """Each number `measure` gives for weights (n,), with its 95 % interval by resampling claims (Efron 1979)."""
    drawn = np.random.default_rng(seed)
    base = np.ones(n) if weight is None else weight
    values = [measure(base * np.bincount(drawn.integers(0, n, n), minlength=n)) for _ in range(resamples)]
    found = measure(base)
    return {name: _estimate(value, np.array([v[name] for v in values])) for name, value in found.items()}


def _estimate(value: float, draws: Floats) -> Estimate:
    if np.all(np.isnan(draws)):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def share(hits: int, n: int) -> Estimate:
    """A share of `n` with its exact 95 % interval (Clopper and Pearson 1934)."""
    low = float(beta.ppf(0.025, hits, n - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0
    return Estimate(hits / n if n else float("nan"), low, high)


def clearance(score: Floats, wrong: Floats, alphas: Floats) -> Floats:
    """For each alpha the largest share of claims (n,) that could be released, lowest scores first, at a rate of at most alpha: what a
    perfect knowledge of the risk at each threshold would allow. A threshold takes all claims of one score."""
    order = np.argsort(score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    seen = ends + 1
    rate = np.cumsum(wrong[order])[ends] / seen
    return np.array([float(np.max(seen[rate <= alpha], initial=0)) / len(score) for alpha in alphas])


def standard(
    score: Floats, wrong: Floats, weight: Floats | None = None, *, capacity: float, resamples: int = 200, seed: int = 1
) -> dict[str, Any]:
    """AUC, average precision, precision and recall at `capacity` and the calibration error of scores (n,), each an Estimate."""
    ranked = Ranked.of(score, wrong)

    def measure(weights: Floats) -> dict[str, float]:
        precision, recall = ranked.at_capacity(capacity, weights)
        ap, area = ranked.average_precision(weights), ranked.auc(weights)
        return {"auc": area, "average_precision": ap, "precision_at_capacity": precision, "recall_at_capacity": recall}

    found = resampled(len(score), measure, resamples=resamples, seed=seed, weight=weight)
    error = resampled(
        len(score), lambda w: {"ece": calibration_error(score, wrong, w)}, resamples=min(resamples, 50), seed=seed, weight=weight
    )
    return {**found, **error}
