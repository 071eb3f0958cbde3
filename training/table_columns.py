"""Columns of any table as numbers: amounts, words that stand for an order ("2 to 4", "more than 30", "Jan"), and categories.

What a value becomes depends on the value alone, never on the label. It says in words what it left out and why.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_MONTHS = dict(zip(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), range(1, 13), strict=True))
_DAYS = dict(zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), range(1, 8), strict=True))
_CALENDAR = re.compile(
    r"^(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?"
    r"|mon(day)?|tue(s|sday)?|wed(nesday)?|thu(rs|rsday)?|fri(day)?|sat(urday)?|sun(day)?)$"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MORE, _LESS = re.compile(r"more|over|above|>|以上|超过|大于|及以"), re.compile(r"less|under|below|<|以下|不足|小于|低于")
_NOTHING = frozenset({"none", "new", "no change", "never", "zero", "无", "没有", "从未", "新"})
_UNITS = {"year": 365.0, "年": 365.0, "month": 30.0, "月": 30.0, "week": 7.0, "周": 7.0, "day": 1.0, "天": 1.0}
_SOME = 0.6
"""A column of words is an order when at least so many of its values hold a number; the others must be words for nothing."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """`values` (n,) with NaN for unknown; `category` when the numbers have no order."""

    name: str
    values: Floats
    category: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that is not learnt from, and why."""

    name: str
    zh: str
    en: str


def encoded(column: pl.Series, fitted_on: NDArray[np.bool_], most_levels: int) -> Encoded | LeftOut:
    """One column of n rows; the values of a category are those of the rows `fitted_on` (n,), any other is unknown."""
    name, known = column.name, column.drop_nulls()
    if known.n_unique() < 2:
        return LeftOut(name, "只有一个取值", "holds one value only")
    if column.dtype == pl.Boolean:
        return Encoded(name, _floats(column.cast(pl.Float64)))
    if column.dtype.is_temporal():
        return Encoded(name, _floats(column.cast(pl.Datetime("us")).cast(pl.Int64).cast(pl.Float64)))
    if is_identifier(known):
        return LeftOut(name, "每行不同，视为编号", "differs in every row: taken for an identifier")
    if column.dtype.is_numeric():
        return Encoded(name, _floats(column.cast(pl.Float64)))
    return _words(name, column.cast(pl.String), fitted_on, most_levels)


def is_identifier(known: pl.Series) -> bool:
    """Whether every row has its own whole number out of an unbroken run, or its own text."""
    if known.n_unique() < len(known) or known.dtype.is_float() or known.dtype.is_decimal():
        return False
    if not known.dtype.is_integer():
        return True
    low, high = int(known.min()), int(known.max())  # type: ignore[arg-type]
    return high - low < 2 * len(known)


def _floats(column: pl.Series) -> Floats:
    values = column.fill_null(math.nan).to_numpy().astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _words(name: str, column: pl.Series, fitted_on: NDArray[np.bool_], most_levels: int) -> Encoded | LeftOut:
    levels = sorted(level for level in column.unique().to_list() if level is not None)
    order = ordered(levels)
    if order is not None:
        return Encoded(name, _floats(column.replace_strict(list(order), list(order.values()), default=None, return_dtype=pl.Float64)))
    seen = sorted(level for level in column.filter(pl.Series(fitted_on)).unique().to_list() if level is not None)
    if len(seen) > most_levels:
        return LeftOut(name, f"取值过多（{len(seen)}），视为文本", f"{len(seen)} values: taken for text")
    places = {level: float(place) for place, level in enumerate(seen)}
    if not places:
        return LeftOut(name, "训练期内没有取值", "holds nothing in the training period")
    return Encoded(name, _floats(column.replace_strict(list(places), list(places.values()), default=None, return_dtype=pl.Float64)), True)


def ordered(levels: Iterable[str]) -> dict[str, float] | None:
    """A number for each level where they stand for an order, else None."""
    known = [level.strip() for level in levels if level.strip()]
    calendar = {level: _calendar(level) for level in known}
    if sum(not math.isnan(v) for v in calendar.values()) >= 0.8 * len(known):
        return calendar
    units = {unit for unit in _UNITS if any(unit in level.lower() for level in known)}
    scale = units if len(units) > 1 else set()
    numbers = {level: _number(level.lower().replace(",", ""), scale) for level in known}
    numeric = sum(_NUMBER.search(level) is not None for level in known)
    if numeric < _SOME * len(known) or any(math.isnan(v) for v in numbers.values()) or _codes(known):
        return None
    return numbers


def _codes(levels: Iterable[str]) -> bool:
    """Letters and digits run together, such as C50 or 3A: names, not amounts."""
    return any(re.search(r"[A-Za-z]\d|\d[A-Za-z]", level) for level in levels)


def _calendar(level: str) -> float:
    word = level.strip().lower()
    return float({**_MONTHS, **_DAYS}[word[:3]]) if _CALENDAR.match(word) else math.nan


def _number(level: str, units: set[str]) -> float:
    found = [float(text) for text in _NUMBER.findall(level)]
    if not found:
        return 0.0 if level in _NOTHING else math.nan
    factor = next((_UNITS[unit] for unit in units if unit in level), max((_UNITS[u] for u in units), default=1.0))
    factor *= 10_000.0 if "万" in level else 1.0
    if _MORE.search(level):
        return (found[0] + 0.5) * factor
    if _LESS.search(level):
        return (found[0] - 0.5) * factor
    return sum(found[:2]) / len(found[:2]) * factor
