"""Whether the audit lane contradicts the certificate: a test that may be looked at after every claim, and a test of a fresh sample.

Pure arithmetic on what audited claims turned out to be: it knows neither who they were nor how they were scored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True)
class Evidence:
    """`wrong` of `n` audited claims under the threshold, in the order their answers came; `peak` is the largest e-value on the way."""

    n: int
    wrong: int
    peak: float
    limit: float

    @property
    def alarmed(self) -> bool:
        """Whether the true rate above alpha is shown: by Ville's inequality wrongly so with probability at most 1 / limit."""
        return self.peak >= self.limit


@cache
def _chosen() -> tuple[float, tuple[float, ...]]:
    data = yaml.safe_load((Path(__file__).parent / "alarm.yaml").read_text(encoding="utf-8"))
    return float(data["level"]["default"]), tuple(float(m) for m in data["alternatives"]["default"])


def evidence(answers: Iterable[bool], alpha: float) -> Evidence:
    """Mixture of likelihood ratios of rates above `alpha` against it, claim by claim (Wald 1945); True is a wrong release."""
    level, multiples = _chosen()
    rates = [min(m * alpha, (1 + alpha) / 2) for m in multiples]
    logs, n, wrong, peak = [0.0] * len(rates), 0, 0, 1.0
    for answer in answers:
        n, wrong = n + 1, wrong + answer
        for i, rate in enumerate(rates):
            logs[i] += math.log(rate / alpha) if answer else math.log((1 - rate) / (1 - alpha))
        peak = max(peak, sum(math.exp(min(value, 700.0)) for value in logs) / len(logs))
    return Evidence(n, wrong, peak, 1 / level)


def tail(n: int, wrong: int, alpha: float) -> float:
    """P(at most `wrong` of `n` | rate alpha), exact: small when the sample shows that the rate is below alpha."""
    logs = (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + _power(alpha, k, n) for k in range(wrong + 1))
    return min(1.0, math.fsum(math.exp(value) for value in logs))


def _power(alpha: float, k: int, n: int) -> float:
    return k * math.log(alpha) + (n - k) * math.log1p(-alpha)


def needed(wrong: int, alpha: float, delta: float) -> int:
    """The smallest sample that shows a rate of at most `alpha` at level `delta` with `wrong` wrong among it."""
    low, high = wrong, max(wrong, 1)
    while tail(high, wrong, alpha) > delta:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tail(middle, wrong, alpha) <= delta else (middle, high)
    return high
