"""Rows of small simulated worlds, made once for all tests of the model."""

from __future__ import annotations

from functools import cache

import numpy as np

from training.ceilings import seen_in_full
from training.choices import Choices
from training.dataset import Dataset
from training.model import Fitted, fit
from training.world.make import make_world
from training.world.world import World
from training.world_rows import from_world
from triage.features import FeatureSet

CLAIMS = 12_000
SMALL = Choices.load(learning_rate=0.1, max_rounds=80, patience=10)


@cache
def world(seed: int = 1, claims: int = CLAIMS) -> World:
    """A world."""
    return make_world(claims, seed)


@cache
def dataset(seed: int = 1, claims: int = CLAIMS) -> Dataset:
    """Its rows."""
    return from_world(world(seed, claims))


@cache
def full(seed: int = 1) -> Dataset:
    """Its claims that no rule declines, all investigated."""
    return seen_in_full(dataset(seed))


@cache
def fitted() -> Fitted:
    """A model of the first world, with every claim investigated."""
    return fit(full(), FeatureSet.load(), choices=SMALL)


def of_columns(x: np.ndarray, rows: Dataset) -> Dataset:
    """The same claims described by other columns (n, k) alone."""
    from dataclasses import replace

    return replace(rows, names=tuple(f"c{i}" for i in range(x.shape[1])), X=x.astype(np.float64))
