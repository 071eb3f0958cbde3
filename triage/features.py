"""The features of the risk model, one definition for serving, training and batch: features.yaml says what each is, `encode` how it
becomes a number.

A feature is a fact, a red flag, an aggregate of links, an attribute of the claim, or a count of these. What an investigation
answered is never one. Unknown, conflict and sets are NaN; an interval is its midpoint, and of an open one the known end.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from knowledge_graph.rules import Words
from triage.columns import NAN, spread
from triage.facts import Fact, Facts
from triage.flags import WEIGHT, flag_columns, flag_values
from triage.observation import Observation, Source
from triage.values import Interval, OneOf

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["WEIGHT", "Feature", "FeatureSet", "encode", "flag_columns", "flag_values", "scalar"]
_SHAPES = {"number": float, "bool": lambda value: float(bool(value)), "count": float}
"""What the encodings mean; `values` turns any of them into a place in that list."""


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Counted(_Data):
    """How many of the facts `of` certainly have `value`; null counts those that are unknown."""

    value: bool | None
    of: tuple[str, ...]


class Origin(_Data):
    """Where a feature comes from: exactly one of these."""

    fact: str | None = None
    flag: str | None = None
    links: str | None = None
    claim: Literal["plan", "condition"] | None = None
    count: Counted | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(part is not None for part in (self.fact, self.flag, self.links, self.claim, self.count)) != 1:
            raise ValueError("from 须恰有一项 / `from` names exactly one origin")
        return self

    @property
    def column(self) -> str:
        """The column it stands in, of a frame or of one claim's values; empty for a count."""
        if self.flag is not None:
            return WEIGHT if self.flag == "weight" else f"flag.{self.flag}"
        return self.fact or (f"links.{self.links}" if self.links else self.claim or "")


class Feature(_Data):
    """One entry of features.yaml."""

    name: str
    from_: Origin = Field(alias="from")
    encode: Literal["number", "bool", "category", "count"]
    values: tuple[str | int, ...] = ()
    monotone: Literal[-1, 0, 1] = 0
    group: str
    zh: str
    en: str
    source: str

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.encode == "category" and (not self.values or self.monotone):
            raise ValueError(f"{self.name}: category 须有 values 且无 monotone / a category has values and no direction")
        if (self.from_.fact or "").startswith("inv."):
            raise ValueError(f"{self.name}: 调查结论不得作为特征 / an investigation's answer is never a feature")
        return self


class ReasonGroup(Words):
    """Features shown to a person as one reason."""

    id: str


class _File(_Data):
    groups: tuple[ReasonGroup, ...]
    features: tuple[Feature, ...]


def encode(feature: Feature, value: Any) -> float:
    """One value as the model's number; None, and a value the list does not have, is NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NAN
    if feature.values:
        return float(feature.values.index(value)) if value in feature.values else NAN
    return _SHAPES[feature.encode](value)


def scalar(fact: Fact) -> Any:
    """The one value of a fact, the midpoint of an interval (its known end where one is open), else None. What an investigation told
    is not known here."""
    possible = fact.possible
    if possible is None or fact.conflict or isinstance(possible, OneOf):
        return None
    if any(isinstance(s, Observation) and s.source is Source.INVESTIGATION for s in fact.sources):
        return None
    if not isinstance(possible, Interval):
        return possible
    if possible.low is None or possible.high is None:
        return possible.low if possible.high is None else possible.high
    return (possible.low + possible.high) / 2 if isinstance(possible.low, int | float) else None


@dataclass(frozen=True)
class FeatureSet:
    """The contract between what is trained and what is served: names and order, directions, categories, reason groups, and a digest
    of all that changes a number (a better wording does not)."""

    features: tuple[Feature, ...]
    groups: Mapping[str, Words]
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        decides = [f.model_dump(mode="json", exclude={"zh", "en", "source", "group"}, by_alias=True) for f in self.features]
        text = json.dumps(decides, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        object.__setattr__(self, "digest", hashlib.sha256(text.encode()).hexdigest())

    @classmethod
    def load(cls) -> FeatureSet:
        """The shipped features.yaml, read once."""
        return _shipped()

    @classmethod
    def from_text(cls, text: str) -> FeatureSet:
        """A feature set out of the text of a features.yaml. Raises ValueError naming the feature."""
        given = _File.model_validate(yaml.safe_load(text))
        groups = {g.id: Words(zh=g.zh, en=g.en) for g in given.groups}
        names = [f.name for f in given.features]
        if len(set(names)) != len(names) or any(":" in name for name in names):
            raise ValueError("features.yaml: 特征名重复或含冒号 / a feature's name is taken or holds a colon")
        lost = [f.name for f in given.features if f.group not in groups]
        if lost:
            raise ValueError(f"features.yaml: {lost}: 未知分组 / unknown group")
        return cls(given.features, groups)

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of the model's columns."""
        return tuple(f.name for f in self.features)

    @property
    def monotone(self) -> tuple[int, ...]:
        """Direction of each feature: 1, 0 or -1."""
        return tuple(f.monotone for f in self.features)

    @property
    def categorical(self) -> tuple[str, ...]:
        """Names of the features whose numbers have no order."""
        return tuple(f.name for f in self.features if f.encode == "category")

    def row(self, facts: Facts, flags: Mapping[str, float], links: Mapping[str, float], condition: str = "") -> list[float]:
        """One claim's features. `flags` are columns as `flag_values` gives them, `links` as `triage.case_graph` does,
        `condition` the covered condition claimed."""
        attributes = {"plan": facts.plan.id, "condition": condition}
        given = {**flags, **links, **{key: value for key, value in attributes.items() if value}}

        def known(name: str) -> Any:
            """A fact that the rulebook does not have is unknown."""
            return scalar(facts.get(name)) if name in facts.knowledge.facts else None

        def value_of(origin: Origin) -> Any:
            return known(origin.fact) if origin.fact else given.get(origin.column)

        return [self._count(f, known) if f.from_.count else encode(f, value_of(f.from_)) for f in self.features]

    def _count(self, feature: Feature, value_of: Callable[[str], Any]) -> float:
        counted = feature.from_.count
        assert counted is not None
        return float(sum(value_of(name) is counted.value for name in counted.of))

    def matrix(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """(rows, features) float64 from columns named by fact id, `flag.<rule>`, `links.<kind>.<aggregate>`, `plan`, `condition`.
        A column that is not there is unknown throughout."""
        made = np.full((frame.height, len(self.features)), np.nan)
        for place, feature in enumerate(self.features):
            counted = feature.from_.count
            if counted is not None:
                made[:, place] = sum((_is(frame, name, counted.value) for name in counted.of), np.zeros(frame.height))
            elif feature.from_.column in frame.columns:
                made[:, place] = _encoded(feature, frame[feature.from_.column])
        return made

    def named(self, row: Iterable[float]) -> dict[str, float | None]:
        """A row by feature name; None where it is unknown."""
        return {name: None if math.isnan(value) else value for name, value in zip(self.names, row, strict=True)}


@cache
def _shipped() -> FeatureSet:
    return FeatureSet.from_text(resources.files("triage").joinpath("features.yaml").read_text(encoding="utf-8"))


def _is(frame: pl.DataFrame, name: str, value: bool | None) -> NDArray[np.float64]:
    if name not in frame.columns:
        return np.full(frame.height, float(value is None))
    column = frame[name]
    hit = column.is_null() if value is None else (column == value).fill_null(value=False)
    return hit.cast(float).to_numpy()


def _encoded(feature: Feature, column: pl.Series) -> NDArray[np.float64]:
    """`encode` on a column: numbers without a list are themselves, anything else goes through `encode` once per distinct value."""
    if not feature.values and column.dtype.is_numeric() and feature.encode in ("number", "count"):
        return column.cast(float).fill_null(NAN).to_numpy()
    return spread(column, lambda values: [encode(feature, value) for value in values])
