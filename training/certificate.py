"""Which thresholds a fresh sample proves: fixed-sequence Learn-then-Test with exact binomial tests, overall and per group.

The thresholds and their order are fixed on the training split, from the safest on; testing stops at the first that is not proven
(Angelopoulos, Bates, Candès, Jordan, Lei 2021, "Learn then Test"; Bauer 1991 for the fixed sequence). The sample must be claims
whose investigation was drawn at random, out of those that pass all rules. It knows nothing of models or claims, only their scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom

Floats = NDArray[np.float64]
OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class Certified:
    """Release up to `threshold`: `wrong` of `n` sampled claims at or below it should not have been paid. `bound` is the least alpha
    the same sequence would have proven up to there; `bound_truth` the rate of real breaches it allows when an investigation finds
    the share `detection` of them. `tested` counts the tests made, `p_value` is the last one passed."""

    threshold: float
    n: int
    wrong: int
    bound: float
    bound_truth: float
    tested: int
    p_value: float


@dataclass(frozen=True, slots=True)
class Certificates:
    """By group the certified threshold, None where not even the safest was proven; `overall` is one threshold for all claims, proven
    at level `delta` by itself. With `joint`, the promises of all groups hold together with probability 1 - delta."""

    alpha: float
    delta: float
    joint: bool
    overall: Certified | None
    groups: Mapping[str, Certified | None]

    def thresholds(self, groups: NDArray[np.str_]) -> Floats:
        """The threshold of each claim's group (n,), -1 where there is none."""
        limits = {name: row.threshold for name, row in self.groups.items() if row is not None}
        return np.array([limits.get(str(name), -1.0) for name in groups], dtype=np.float64)


def p_value(wrong: int, n: int, alpha: float) -> float:
    """P(at most `wrong` of `n` | rate alpha), exact; 1 without a sample."""
    return float(binom.cdf(wrong, n, alpha)) if n else 1.0


def upper_bound(wrong: int, n: int, delta: float) -> float:
    """The one-sided upper confidence bound on a rate at level `delta` (Clopper and Pearson 1934); 1 without a sample."""
    return 1.0 if wrong >= n else float(beta.ppf(1 - delta, wrong + 1, n - wrong))


def levels(delta: float, groups: int, *, joint: bool) -> float:
    """The level each group is tested at: all promises together (Bonferroni) or each by itself."""
    return delta / max(1, groups) if joint else delta


def sequence(scores: Floats, wrong: Floats, *, alpha: float, rows: int, size: int = 200) -> Floats:
    """The thresholds to test, rising (m,), out of quantiles of training-split scores (n,). The first is the one that a sample of
    `rows` claims would most surely prove at the rates seen there: a lower one holds too few claims to prove anything."""
    if not len(scores):
        return np.empty(0)
    grid = np.unique(np.quantile(scores, np.linspace(1 / size, 1, size), method="inverted_cdf"))
    ordered = np.argsort(scores, kind="stable")
    below = np.searchsorted(scores[ordered], grid, side="right")
    bad = np.concatenate([[0.0], np.cumsum(wrong[ordered])])[below]
    expected = np.maximum(1, np.round(below / len(scores) * rows))
    rate = (bad + 0.5) / (below + 1)
    start = int(np.argmin(binom.cdf(np.floor(expected * rate), expected, alpha)))
    return np.asarray(grid[start:], dtype=np.float64)


def sequences(
    scores: Floats, wrong: Floats, groups: NDArray[np.str_], *, alpha: float, rows: Mapping[str, int], size: int = 200
) -> dict[str, Floats]:
    """A sequence for every group and one over all, from the training split; `rows` are the sample's sizes, by group."""
    found = {}
    for name in sorted(set(groups.tolist())):
        mine = groups == name
        found[str(name)] = sequence(scores[mine], wrong[mine], alpha=alpha, rows=rows.get(str(name), 0), size=size)
    return {**found, OVERALL: sequence(scores, wrong, alpha=alpha, rows=sum(rows.values()), size=size)}


def prove(scores: Floats, wrong: Floats, thresholds: Floats, *, alpha: float, delta: float, detection: float) -> Certified | None:
    """The last threshold of the sequence before the first that the sample does not prove; None when the first is not proven."""
    ordered = np.argsort(scores, kind="stable")
    counts = np.searchsorted(scores[ordered], thresholds, side="right")
    bad = np.concatenate([[0.0], np.cumsum(wrong[ordered])])[counts].astype(int)
    passed = np.where(counts > 0, binom.cdf(bad, np.maximum(counts, 1), alpha), 1.0) <= delta
    last = int(np.argmin(passed)) if not passed.all() else len(passed)
    if last == 0:
        return None
    bound = float(np.max(beta.ppf(1 - delta, bad[:last] + 1, counts[:last] - bad[:last])))
    n, k, threshold = int(counts[last - 1]), int(bad[last - 1]), float(thresholds[last - 1])
    return Certified(threshold, n, k, min(bound, alpha), min(1.0, bound / detection), min(last + 1, len(passed)), p_value(k, n, alpha))


def certify(
    scores: Floats,
    wrong: Floats,
    groups: NDArray[np.str_],
    thresholds: Mapping[str, Floats],
    alpha: float,
    delta: float,
    *,
    detection: float = 1.0,
    joint: bool = True,
) -> Certificates:
    """Certificates of a random sample: scores, wrong (0 or 1) and groups (n,); `thresholds` by group as `sequences` gives them."""
    names = [name for name in thresholds if name != OVERALL]
    level = levels(delta, len(names), joint=joint)
    rows = {}
    for name in names:
        mine = groups == name
        rows[name] = prove(scores[mine], wrong[mine], thresholds[name], alpha=alpha, delta=level, detection=detection)
    overall = prove(scores, wrong, thresholds[OVERALL], alpha=alpha, delta=delta, detection=detection) if OVERALL in thresholds else None
    return Certificates(alpha, delta, joint, overall, rows)


def thinned(propensity: Floats, lane: NDArray[np.str_], draws: Floats) -> NDArray[np.bool_]:
    """Which claims (n,) form a sample in which all had the same chance: each is kept with the least propensity of its lane over its
    own (rejection sampling), so that the binomial test stays exact. `draws` (n,) are uniform numbers of a seeded generator."""
    least = np.ones(len(propensity))
    for name in set(lane.tolist()):
        mine = lane == name
        least[mine] = propensity[mine].min()
    return np.asarray(draws * propensity < least)


# ---- how many labels an alpha costs


@dataclass(frozen=True, slots=True)
class Need:
    """For one group: `clean` labels when none is wrong, `labels` when they are wrong at `rate`, with chance `power` to be proven;
    `months` of the audit lane for `labels`, infinite when nothing proves it."""

    group: str
    clean: int
    labels: int
    months: float


def clean_labels(alpha: float, level: float) -> int:
    """The least sample that proves `alpha` when none of it is wrong: (1 - alpha)^n <= level."""
    return math.ceil(math.log(level) / math.log1p(-alpha))


def labels_needed(alpha: float, level: float, rate: float, power: float = 0.8) -> int | None:
    """The least sample proving `alpha` with chance `power` when claims are wrong at `rate`; None when `rate` is not below `alpha`."""
    if rate >= alpha:
        return None
    low, high = clean_labels(alpha, level) - 1, clean_labels(alpha, level)
    while not _proves(high, alpha, level, rate, power):
        low, high = high, high * 2
        if high > 2**27:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _proves(middle, alpha, level, rate, power) else (middle, high)
    return high


def _proves(n: int, alpha: float, level: float, rate: float, power: float) -> bool:
    most = int(binom.ppf(level, n, alpha))
    most = most if binom.cdf(most, n, alpha) <= level else most - 1
    return most >= 0 and float(binom.cdf(most, n, rate)) >= power


def plan(
    alpha: float, delta: float, groups: Mapping[str, float] | Sequence[str], rate: float, *, audit_rate: float = 1.0, power: float = 0.8
) -> list[Need]:
    """What certifying `groups` together takes: `groups` maps each to its claims a month under the threshold (a plain list: unknown),
    `rate` is the share of those claims that is really wrong, `audit_rate` the share investigated at random."""
    level = levels(delta, len(groups), joint=True)
    monthly = groups if isinstance(groups, Mapping) else dict.fromkeys(groups, 0.0)
    labels = labels_needed(alpha, level, rate, power)
    clean = clean_labels(alpha, level)
    return [Need(name, clean, labels or 0, _months(labels, flow * audit_rate)) for name, flow in monthly.items()]


def _months(labels: int | None, monthly: float) -> float:
    return labels / monthly if labels is not None and monthly > 0 else math.inf
