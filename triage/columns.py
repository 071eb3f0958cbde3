"""Columns of a frame by their distinct values, so that what holds of one claim is applied to many without saying it twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

NAN = math.nan
"""Unknown, among numbers."""


def spread(column: pl.Series, of_values: Callable[[Sequence[Any]], Sequence[float]]) -> NDArray[np.float64]:
    """A function of distinct values laid over a column."""
    codes, values = distinct(column)
    return np.asarray(of_values(values), dtype=float)[codes]


def distinct(column: pl.Series) -> tuple[NDArray[np.int64], list[Any]]:
    """Every row's place in the list of distinct values; null and NaN are one value, None."""
    clean = column.fill_nan(None) if column.dtype.is_float() else column
    values = clean.unique(maintain_order=True)
    order = values.to_list()
    if clean.dtype.is_nested() or not order:
        raise ValueError(f"{column.name}: 空列或嵌套列 / an empty or nested column")
    places = clean.to_frame("value").join(values.to_frame("value").with_row_index("place"), on="value", how="left", nulls_equal=True)
    return places["place"].to_numpy().astype(np.int64), order
