"""What an evaluation says: numbers with intervals, beside what was asked of them, as plain data that a terminal or a file can show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

from training.metrics import Estimate


@cache
def _entries() -> Mapping[str, Mapping[str, Any]]:
    data: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
        resources.files("training").joinpath("evaluation.yaml").read_text(encoding="utf-8")
    )
    return data


def asked(name: str) -> Any:
    """A number of evaluation.yaml."""
    return _entries()[name]["default"]


@dataclass(frozen=True, slots=True)
class Line:
    """One finding; `target` in words and whether it was met, both empty where nothing was asked."""

    id: str
    zh: str
    en: str
    value: Estimate
    target: str = ""
    passed: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        told = {"id": self.id, "zh": self.zh, "en": self.en, **self.value.to_json()}
        return told if self.passed is None else {**told, "target": self.target, "passed": self.passed}


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table: one row of words and numbers a case."""

    id: str
    zh: str
    en: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        rows = [{c: v.to_json() if isinstance(v, Estimate) else v for c, v in zip(self.columns, row, strict=True)} for row in self.rows]
        return {"id": self.id, "zh": self.zh, "en": self.en, "rows": rows}


@dataclass(frozen=True, slots=True)
class Section:
    """Findings that belong together."""

    id: str
    zh: str
    en: str
    lines: tuple[Line, ...]
    grids: tuple[Grid, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "id": self.id,
            "zh": self.zh,
            "en": self.en,
            "lines": [line.to_json() for line in self.lines],
            "grids": [grid.to_json() for grid in self.grids],
        }


@dataclass(frozen=True)
class Report:
    """A whole evaluation; `curves` holds what pictures are drawn from. Everything in it is simulated."""

    claims: int
    seed: int
    sections: tuple[Section, ...]
    curves: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def missed(self) -> tuple[Line, ...]:
        """Lines whose target was not met."""
        return tuple(line for section in self.sections for line in section.lines if line.passed is False)

    def value(self, name: str) -> Estimate:
        """The number of a line by its id. Raises KeyError."""
        return {line.id: line.value for section in self.sections for line in section.lines}[name]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        told = {"simulated": True, "claims": self.claims, "seed": self.seed, "sections": [s.to_json() for s in self.sections]}
        found: dict[str, Any] = _without_nan(told)
        return found


def _without_nan(value: Any) -> Any:
    """The same with null where a number could not be told: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def at_least(name: str, zh: str, en: str, value: Estimate, least: float) -> Line:
    """A number that should not be below `least`."""
    return Line(name, zh, en, value, f">= {least:g}", bool(value.value >= least))


def at_most(name: str, zh: str, en: str, value: Estimate, most: float) -> Line:
    """A number that should not be above `most`."""
    return Line(name, zh, en, value, f"<= {most:g}", bool(value.value <= most))


def exact(value: float) -> Estimate:
    """A number without an interval."""
    return Estimate(value, value, value)


def named(pairs: Sequence[tuple[str, str, str, Estimate]]) -> tuple[Line, ...]:
    """Lines of which nothing is asked."""
    return tuple(Line(*pair) for pair in pairs)
