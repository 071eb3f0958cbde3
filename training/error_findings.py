"""For whom the model errs: ranking, calibration and releases by plan, condition, age, sex, region and hospital level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.findings import Grid, Section, exact, named
from training.metrics import Ranked, clearance, resampled, share

if TYPE_CHECKING:
    from training.evaluate import Trial

ASPECTS = ("plan", "condition", "age", "sex", "region", "hospital_level")
LEAST = 20
"""Refusable claims below which a group's average precision is noise and is not shown."""


def error_section(made: Trial) -> Section:
    """One grid an aspect: claims, share refusable, average precision, mean score less rate, and of the released how many were wrong."""
    limit = released_limit(made)
    grids = tuple(_grid(made, aspect, limit) for aspect in ASPECTS)
    gaps = [abs(row[4].value) for grid in grids for row in grid.rows if row[4] is not None]
    lines = named([("worst_gap", "各组平均分与实际之差的最大值", "largest gap of mean score and rate in any group", exact(max(gaps)))])
    return Section("errors", "各组误差", "errors by group", lines, grids)


def released_limit(made: Trial) -> float:
    """The threshold that would release at the demonstration's alpha at best, over all claims."""
    score = made.scores["links"]
    part = float(clearance(score, made.oracle, np.array([made.fitted.choices["alpha"]]))[0])
    return float(np.quantile(score, part, method="inverted_cdf")) if part > 0 else -1.0


def _grid(made: Trial, aspect: str, limit: float) -> Grid:
    values = made.held.attributes[aspect].cast(str).fill_null("?").to_numpy()
    score, truth = made.scores["links"], made.held.truth
    rows = []
    for value in sorted(set(values)):
        mine = values == value
        if truth[mine].sum() < LEAST:
            continue
        ranked, own, wrong = Ranked.of(score[mine], truth[mine]), score[mine], truth[mine]
        found = resampled(
            len(own),
            lambda w, r=ranked, s=own, t=wrong: {"ap": r.average_precision(w), "gap": float(np.average(s - t, weights=w))},  # type: ignore[misc]
            resamples=60,
        )
        out = own <= limit
        rows.append(
            (
                str(value),
                len(own),
                float(wrong.mean()),
                found["ap"],
                found["gap"],
                float(out.mean()),
                share(int(wrong[out].sum()), int(out.sum())),
            )
        )
    columns = ("value", "claims", "rate", "average_precision", "mean_score_less_rate", "released", "wrong_of_released")
    return Grid(f"errors_{aspect}", f"按{aspect}", f"by {aspect}", columns, tuple(rows))
