"""Facts that a paper gives as a number behind a label, with its unit; laboratory values as multiples of their printed upper limit.

Labels, units and plausible ranges are data (`quantities.yaml`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from triage.observation import Assertion
from triage.reading.page import Page
from triage.reading.vocabulary import resource

_NUMBER = r"(?P<sign>[<>≤≥])?\s?(?<![\d.])(?P<v>\d{1,5}(?:\.\d{1,4})?)(?![\d.]|\s?年)"
_RANGE = re.compile(
    r"(?<![\d.])(?P<low>\d{1,4}(?:\.\d{1,4})?)\s?[-~至]{1,2}\s?(?P<high>\d{1,5}(?:\.\d{1,4})?)(?![\d.])|[<≤]\s?(?P<only>\d{1,5}(?:\.\d{1,4})?)"
)
_RANGE_WITHIN = 48
"""Characters after a value in which its reference range stands."""
_MOVED = 1.2
"""Ratio of the highest to the lowest value of a marker from which it counts as changing (rise or fall of more than 20 %)."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One labelled number: its pattern, the factor of each unit, what is plausible, which of several counts."""

    fact: str
    found: re.Pattern[str]
    factors: tuple[tuple[re.Pattern[str], float], ...]
    least: float
    most: float
    whole: bool
    fraction: bool
    pick: str
    unless: re.Pattern[str] | None
    also: frozenset[str]


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(resource("quantities.yaml"))
    return loaded


@cache
def quantities() -> tuple[Quantity, ...]:
    """All of the resource."""
    return tuple(_quantity(entry, _data()["between"]) for entry in _data()["quantities"])


def _quantity(entry: Mapping[str, Any], between: str) -> Quantity:
    units = entry["unit"]
    named = "|".join(u for u in units if u)
    unit = rf"(?P<unit>{named})" if "" not in units else rf"(?P<unit>{named})?"
    factors = tuple((re.compile(u), float(f)) for u, f in units.items() if u)
    unless = entry.get("unless")
    return Quantity(
        entry["fact"],
        re.compile(rf"(?:{entry['label']})(?:{between}){_NUMBER}\s?(?:↑|↓|h|l)?\s?{unit}"),
        factors,
        entry["least"],
        entry["most"],
        entry.get("whole", False),
        entry.get("fraction", False),
        entry.get("pick", "first"),
        re.compile(unless) if unless else None,
        frozenset(entry.get("also", ())),
    )


def read_quantities(page: Page, supplied: frozenset[str]) -> None:
    """Observes each labelled number the paper may supply."""
    for quantity in quantities():
        if quantity.fact in supplied or page.evidence_type in quantity.also or not page.evidence_type:
            _read(page, quantity)
    _read_multiples(page, supplied)


def _read(page: Page, quantity: Quantity) -> None:
    if quantity.unless is not None and quantity.unless.search(page.lower):
        return
    found = [(value, match) for match in quantity.found.finditer(page.lower) if (value := _value(quantity, match)) is not None]
    found = [f for f in found if page.assertion(*f[1].span("v")) not in (Assertion.FAMILY, Assertion.HYPOTHETICAL)]
    if found and not page.has_said(quantity.fact):
        value, match = _picked(found, quantity.pick)
        page.observe(quantity.fact, value, match.start(), match.end(), event_on=page.own_date)


def _value(quantity: Quantity, match: re.Match[str]) -> float | int | None:
    value = float(match["v"])
    if quantity.fraction and 0 < value < 1 and match["unit"] is None:
        value *= 100
    factor = next((f for unit, f in quantity.factors if match["unit"] and unit.fullmatch(match["unit"])), 1.0)
    value = round(value * factor, 2)
    if not quantity.least <= value <= quantity.most:
        return None
    return int(value) if value.is_integer() else None if quantity.whole else value


def _picked(found: list[tuple[Any, re.Match[str]]], pick: str) -> tuple[Any, re.Match[str]]:
    if pick in ("min", "max"):
        return (min if pick == "min" else max)(found, key=lambda f: f[0])
    return found[-1] if pick == "last" else found[0]


@cache
def _multiples() -> tuple[tuple[str, re.Pattern[str], frozenset[str]], ...]:
    return tuple(
        (e["fact"], re.compile(rf"(?<![a-z])(?:{e['label']})[^\d\n。;<>]{{0,16}}?{_NUMBER}"), frozenset(e.get("also", ())))
        for e in _data()["multiples"]
    )


def _read_multiples(page: Page, supplied: frozenset[str]) -> None:
    for fact, found, also in _multiples():
        if fact in supplied or page.evidence_type in also or not page.evidence_type:
            values = list(_times(page, found))
            if values:
                highest, match = max(values, key=lambda v: v[0])
                page.observe(fact, highest, match.start(), match.end(), event_on=page.own_date)
                _observe_change(page, fact, values)


def _times(page: Page, found: re.Pattern[str]) -> Iterator[tuple[float, re.Match[str]]]:
    """Values as multiples of the upper end of the range printed behind them; a value without a range says nothing."""
    limit = None
    for match in found.finditer(page.lower):
        limit = _upper_limit(page.lower, match.end()) or limit
        if limit:
            yield round(float(match["v"]) / limit, 2), match


def _upper_limit(lower: str, at: int) -> float | None:
    line = lower.find("\n", at)
    stop = min(at + _RANGE_WITHIN, len(lower) if line < 0 else line)
    found = _RANGE.search(lower, at, stop)
    return float(found["high"] or found["only"]) if found else None


def _observe_change(page: Page, fact: str, values: list[tuple[float, re.Match[str]]]) -> None:
    """A marker that moved between two values, one of them above the limit, is changing."""
    numbers = [v for v, _ in values]
    if fact == "lab.ctn_x_uln" and len(numbers) > 1 and max(numbers) > 1 and max(numbers) >= _MOVED * min(numbers):
        page.observe("cardiac.marker_dynamic_change", True, values[0][1].start(), values[-1][1].end(), event_on=page.own_date)


def kidney_stage(filtration: float) -> int | None:
    """The stage of chronic kidney disease of an eGFR in ml/min/1.73 m2; None outside the bands."""
    return next((int(stage) for stage, (least, below) in _data()["kidney"].items() if least <= filtration < below), None)
