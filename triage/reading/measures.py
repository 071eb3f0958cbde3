"""Numbers with their units as pathologists and radiologists print them: extents in mm, percentages, node ratios."""

from __future__ import annotations

import re

from triage.values import Interval

_LENGTH = r"(?:cm|mm|厘米|毫米|公分|㎝|㎜)"
_TIMES = r"\s{0,2}(?:[×xX*]|乘)\s{0,2}"
SIZE = re.compile(
    rf"(?=\d)(?<![\d.])(?P<a>\d{{1,3}}(?:\.\d{{1,2}})?)\s{{0,2}}(?P<u1>{_LENGTH})?(?:{_TIMES}(?P<b>\d{{1,3}}(?:\.\d{{1,2}})?)\s{{0,2}}(?P<u2>{_LENGTH})?)?"
    rf"(?:{_TIMES}(?P<c>\d{{1,3}}(?:\.\d{{1,2}})?))?\s{{0,2}}(?P<u3>{_LENGTH})?"
)
_MM = {"cm": 10.0, "厘米": 10.0, "公分": 10.0, "㎝": 10.0, "mm": 1.0, "毫米": 1.0, "㎜": 1.0}
RATIO = re.compile(r"(?=\d)(?<![\d/.])(?P<p>\d{1,2})\s{0,1}/\s{0,1}(?P<n>\d{1,2})(?![\d/]|\.\d)")
_PERCENT = re.compile(
    r"(?P<sign>[<>≥≤＜＞]|约|大于|小于|>=|<=)?\s{0,2}(?P<a>\d{1,3}(?:\.\d)?)\s{0,2}%?\s{0,2}(?:[-~～至]\s{0,2}(?P<b>\d{1,3})\s{0,2})?%"
)


def extent_mm(match: re.Match[str]) -> float | None:
    """The greatest of the printed extents in mm; None without a unit."""
    unit = match["u3"] or match["u2"] or match["u1"]
    if unit is None:
        return None
    numbers = [float(match[k]) for k in ("a", "b", "c") if match[k]]
    return round(max(numbers) * _MM[unit.lower()], 2)


def percent(text: str) -> float | int | Interval | None:
    """A percentage, or the interval a range or an inequality leaves."""
    match = _PERCENT.search(text)
    if match is None:
        return None
    low = _number(match["a"])
    if match["b"]:
        high = _number(match["b"])
        return Interval(min(low, high), max(low, high)) if low != high else low
    if match["sign"] in ("<", "＜", "小于", "≤", "<="):
        return Interval(0, low if match["sign"] in ("≤", "<=") else max(low - 0.1, 0))
    if match["sign"] in (">", "＞", "大于", "≥", ">="):
        return Interval(low, 100) if low < 100 else low
    return low if low <= 100 else None


def _number(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() else value
