"""How the benchmarks measure: CPU time, median of the rounds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

ROUNDS = 200


def cpu_ms(work: Callable[[], object]) -> float:
    """Median CPU milliseconds of `ROUNDS` calls, after a warm-up."""
    for _ in range(20):
        work()
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        work()
        taken.append((time.process_time_ns() - start) / 1e6)
    return statistics.median(taken)
