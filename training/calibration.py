"""From a model's raw margin to a probability: two numbers, fitted on claims the model has not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triage.bundle import Calibration

Floats = NDArray[np.float64]


def platt(margin: Floats, wrong: Floats, weight: Floats | None = None) -> Calibration:
    """The sigmoid p = 1 / (1 + exp(a * margin + b)) of greatest likelihood (Platt 1999), by Newton's method; margins, wrong (0 or 1)
    and weights (n,). A slope that is not falling in `a` means the margin tells nothing: then a flat, barely falling one is kept."""
    weights = np.ones(len(margin)) if weight is None else weight
    centre, scale = float(np.average(margin, weights=weights)), float(margin.std()) or 1.0
    design = np.column_stack([(margin - centre) / scale, np.ones(len(margin))])
    rate = float(np.clip(np.average(wrong, weights=weights), 1e-6, 1 - 1e-6))
    found = np.array([0.0, np.log(rate / (1 - rate))])
    for _ in range(100):
        chance = _chance(design @ found)
        gradient = design.T @ (weights * (wrong - chance)) - 1e-6 * found
        curvature = (design * (weights * chance * (1 - chance))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        found = found + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-10:
            break
    if found[0] <= 0:
        found = np.array([0.0, np.log(rate / (1 - rate))])
    slope = max(float(found[0]) / scale, 1e-6)
    return Calibration(a=-slope, b=-(float(found[1]) - slope * centre))


def probabilities(margin: Floats, calibration: Calibration) -> Floats:
    """The probabilities (n,) of margins (n,)."""
    return _chance(-(calibration.a * margin + calibration.b))


def _chance(odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -500.0, 500.0))), dtype=np.float64)
