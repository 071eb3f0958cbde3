"""Whether new claims still look like the certificate's: a test on their scores that may be looked at after every claim.

A conformal martingale: each score's rank among all before it is uniform as long as claims are exchangeable (Vovk, Gammerman, Shafer
2005); the Simple Jumper bets that it is not (Vovk and others 2021, "Retrain or not retrain"). No label is needed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

JUMP = 0.01
"""How often the bet changes its mind (the authors' value)."""


@dataclass(frozen=True, slots=True)
class Shift:
    """After `n` new claims the largest wealth so far, and the claim (from 1) at which it first reached `limit`; None when never. By
    Ville's inequality a stream that did not change reaches it with probability at most 1 / limit."""

    n: int
    peak: float
    limit: float
    at: int | None


def shift(sample: NDArray[np.float64], scores: Iterable[float], *, level: float, seed: int = 0) -> Shift:
    """Bets on `scores` in their order against the scores of the certificate's sample (m,). Ties are broken at random (`seed`)."""
    before = sorted(float(s) for s in sample)
    drawn = np.random.default_rng(seed)
    wealth = {-1.0: 1 / 3, 0.0: 1 / 3, 1.0: 1 / 3}
    n, peak, at = 0, 1.0, None
    for n, score in enumerate(scores, 1):
        above = len(before) - bisect_right(before, score)
        ties = bisect_right(before, score) - bisect_left(before, score) + 1
        place = (above + float(drawn.random()) * ties) / (len(before) + 1)
        insort(before, float(score))
        total = sum(wealth.values())
        mixed = {bet: (1 - JUMP) * held + JUMP * total / 3 for bet, held in wealth.items()}
        wealth = {bet: held * (1 + bet * (place - 0.5)) for bet, held in mixed.items()}
        peak = max(peak, sum(wealth.values()))
        at = n if at is None and peak >= 1 / level else at
    return Shift(n, peak, 1 / level, at)
