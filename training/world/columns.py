"""Columns of the world while it is being made: plain arrays, one place a claim, with one way of saying "unknown" per kind.

Dates are days since 1970-01-01. An unknown date, count or code is NA, an unknown yes or no is -1, an unknown measure is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray

from knowledge_graph.rules import FactDefinition

Array = NDArray[Any]
Table = dict[str, Array]
"""Named columns of equal length."""

NA = -(2**31) + 1
EPOCH = date(1970, 1, 1)


@cache
def shipped(name: str) -> Any:
    """A data file of this package (without .yaml)."""
    return yaml.safe_load(resources.files("training.world").joinpath(f"{name}.yaml").read_text(encoding="utf-8"))


def day(on: date) -> int:
    """A date as days since 1970-01-01."""
    return (on - EPOCH).days


def stage_rng(seed: int, stage: int) -> np.random.Generator:
    """One generator for each stage, so that a change in one stage leaves the draws of the others alone."""
    return np.random.default_rng([seed, stage])


def pick(rng: np.random.Generator, weights: Sequence[float] | Array, n: int) -> NDArray[np.int64]:
    """n places drawn by weight."""
    w = np.asarray(weights, dtype=float)
    edges = np.cumsum(w) / w.sum()
    return np.asarray(np.minimum(np.searchsorted(edges, rng.random(n), side="right"), len(w) - 1))


def pick_by(rng: np.random.Generator, weights: Array, group: Array) -> NDArray[np.int64]:
    """A place drawn for every element of `group` by that row of `weights` (groups, places); rows sum to anything above 0."""
    edges = np.cumsum(weights, axis=1)
    edges /= edges[:, -1:]
    u = rng.random(len(group))
    return np.asarray(np.minimum((u[:, None] >= edges[group]).sum(axis=1), weights.shape[1] - 1))


def chance(rng: np.random.Generator, p: float | Array, n: int) -> NDArray[np.bool_]:
    """n independent yes or no."""
    return np.asarray(rng.random(n) < p)


def lognormal(rng: np.random.Generator, shape: Mapping[str, float], n: int) -> NDArray[np.float64]:
    """n draws by median and sigma, cut off at `most` and `least` where given."""
    drawn = shape["median"] * np.exp(shape["sigma"] * rng.standard_normal(n))
    return np.clip(drawn, shape.get("least", 0.0), shape.get("most", np.inf))


def maybe(known: Array, value: Array, *, none: int = -1) -> Array:
    """`value` where known, unknown elsewhere."""
    return np.where(known, value, none)


def full_years(start: Array, end: Array) -> NDArray[np.int64]:
    """Anniversaries passed from day to day, counted by the calendar (as triage.derive.full_years)."""
    first, last = start.astype("datetime64[D]"), end.astype("datetime64[D]")
    months = last.astype("datetime64[M]").astype(int) - first.astype("datetime64[M]").astype(int)
    day_first = (first - first.astype("datetime64[M]")).astype(int)
    day_last = (last - last.astype("datetime64[M]")).astype(int)
    return np.asarray((months - (day_last < day_first)) // 12)


def _masked(name: str, array: Array, unknown: Array, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    series = pl.Series(name, np.where(unknown, 0, array)).cast(dtype)
    return pl.select(pl.when(pl.Series(~unknown)).then(series)).to_series().rename(name)


def days(name: str, array: Array) -> pl.Series:
    """A column of dates."""
    return _masked(name, array.astype(np.int32), array == NA, pl.Int32).cast(pl.Date)


def flags(name: str, array: Array) -> pl.Series:
    """A column of yes and no."""
    return _masked(name, array == 1, array == -1, pl.Boolean)


def counts(name: str, array: Array) -> pl.Series:
    """A column of whole numbers."""
    return _masked(name, array, array == NA, pl.Int64)


def measures(name: str, array: Array) -> pl.Series:
    """A column of measured numbers."""
    return _masked(name, array, np.isnan(array), pl.Float64)


def words(name: str, array: Array, values: Sequence[str]) -> pl.Series:
    """A column of words from places in `values`; a place below 0 is unknown."""
    table = pl.Series(name, list(values) or [""], dtype=pl.String)
    taken = table.gather(np.maximum(array, 0).astype(np.uint32))
    return pl.select(pl.when(pl.Series(array >= 0)).then(taken)).to_series().rename(name)


def as_fact(definition: FactDefinition, array: Array, values: Sequence[str]) -> pl.Series:
    """A column typed by the facts library; `values` are the words that places stand for."""
    if definition.type == "date":
        return days(definition.id, array)
    if definition.type == "bool":
        return flags(definition.id, array)
    if definition.type == "int":
        return counts(definition.id, array)
    if definition.type == "number":
        return measures(definition.id, array.astype(float))
    return words(definition.id, array, values)
