"""What a fact can hold: one value, an interval, or a finite set of values it may be one of.

Intervals are closed; a missing end is open. Dates are calendar days in Asia/Shanghai. Everything here is immutable and
has one JSON form, so that a stored observation reads back equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

Scalar: TypeAlias = bool | int | float | str | date


@dataclass(frozen=True, slots=True)
class Interval:
    """All values from `low` to `high`, ends included; None leaves that end open."""

    low: Any = None
    high: Any = None

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"an interval must not end before it starts: {self.low} > {self.high}")

    @property
    def is_point(self) -> bool:
        return self.low is not None and self.low == self.high

    def meet(self, other: Interval) -> Interval | None:
        """The common part, or None where there is none."""
        low = _latest(self.low, other.low)
        high = _earliest(self.high, other.high)
        return None if low is not None and high is not None and low > high else Interval(low, high)


def _latest(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else max(a, b)


def _earliest(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else min(a, b)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Exactly one of a finite set, which one is not known."""

    values: frozenset[Scalar]


EITHER = OneOf(frozenset({True, False}))
"""A yes or no that is not known."""

Value: TypeAlias = Scalar | Interval | OneOf


def to_json(value: Value | None) -> Any:
    """Plain data: dates as ISO text, an interval as {from, to}, a set as {one_of: [...]}."""
    if isinstance(value, Interval):
        return {"from": to_json(value.low), "to": to_json(value.high)}
    if isinstance(value, OneOf):
        return {"one_of": [to_json(v) for v in sorted(value.values, key=str)]}
    return value.isoformat() if isinstance(value, date) else value


def from_json(data: Any, kind: str) -> Any:
    """The inverse of `to_json`; `kind` is a fact's type (only `date` reads differently)."""
    if isinstance(data, dict) and set(data) == {"from", "to"}:
        return Interval(from_json(data["from"], kind), from_json(data["to"], kind))
    if isinstance(data, dict) and set(data) == {"one_of"}:
        return OneOf(frozenset(from_json(v, kind) for v in data["one_of"]))
    return date.fromisoformat(data) if kind == "date" and isinstance(data, str) else data
