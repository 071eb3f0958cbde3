"""How good a score of these claims can be: the latent truth, and the same learner given twenty times the labels and perfect reading.

Only simulated worlds have ceilings. The distance of a model to them is a number; the distance to perfection is not its fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from training.boosting import Floats
from training.choices import Choices
from training.dataset import Dataset, concatenated
from training.model import Fitted, fit
from training.world_rows import unlinked
from triage.features import FeatureSet

TIMES = 20


def latent(asked: Dataset) -> Floats:
    """The chance of refusal given everything that is true (n,): no score of observables can beat it, but by luck."""
    assert asked.latent is not None
    return np.asarray(asked.latent["p_refused"].to_numpy(), dtype=np.float64)


def seen_in_full(dataset: Dataset) -> Dataset:
    """The claims that no rule declines, as if every one had been investigated at once."""
    opened = dataset.take(np.flatnonzero(dataset.propensity > 0))
    everything = np.ones(len(opened), dtype=bool)
    return replace(opened, y=opened.truth, investigated=everything, propensity=np.ones(len(opened)), label_known_at=opened.filed_at.copy())


def gathered(worlds: Iterator[Dataset], labels: int, progress: Callable[[str], None] = lambda _: None) -> Dataset:
    """Fully investigated claims of as many worlds as give so many labels, joined world after world in the order of their filing."""
    parts: list[Dataset] = []
    while sum(len(p) for p in parts) < labels:
        parts.append(seen_in_full(next(worlds)))
        progress(f"上限所需标签 {sum(len(p) for p in parts)}/{labels} / labels for the ceiling")
    whole = concatenated(parts)
    order = np.argsort(whole.filed_at, kind="stable")
    return whole.take(order)


def reachable(everything: Dataset, features: FeatureSet, choices: Choices, *, links: bool, seed: int = 0, threads: int = 1) -> Fitted:
    """The same learner on `gathered` claims; four fifths of the time to train on, as nothing has to be certified."""
    names = everything.names if links else unlinked(features)
    generous = Choices({**choices.values, "share_train": 0.8, "share_stop": 0.1, "share_calibrate": 0.08, "share_certify": 0.01})
    return fit(everything.columns(names), features, seed=seed, choices=generous, threads=threads, weighting="none")
