"""What was computed of a claim's risk, as plain data: features, score, the reasons for it, and what a certificate is held against.

Pure: whatever scores is given as `Scoring`. The record is stored with a suggestion, which replays from it without a model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pydantic import TypeAdapter

from triage.bundle import Bundle, Certificate, Digests, Purpose
from triage.facts import Facts
from triage.features import Feature, FeatureSet


class Scoring(Protocol):
    """Something that scores a row of features under a bundle (`triage.risk.Scorer`)."""

    @property
    def bundle(self) -> Bundle: ...
    def score(self, row: Sequence[float]) -> float: ...
    def contributions(self, row: Sequence[float]) -> list[float]: ...


@dataclass(frozen=True, slots=True)
class Given:
    """What the core is told about the time of scoring: aggregates of links, the reader's digest, and by group why the gate was closed
    by an alarm or a person (None: reopened; `*` is every group)."""

    links: Mapping[str, float] = field(default_factory=dict)
    reader: str = ""
    closed: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """The bundle that scored; `audit_rate` is the chance by which its claims were drawn, None in records that did not keep it."""

    name: str
    purpose: Purpose
    digest: str
    digests: Digests | None = None
    audit_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One feature of a reason: its value in words, as the model saw it, and what it adds to the log-odds."""

    feature: str
    zh: str
    en: str
    value: float | None
    adds: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Features of one group and what they add together: above 0 raises the risk, below lowers it."""

    group: str
    zh: str
    en: str
    adds: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """The record. `score` is None without a bundle or where it could not be computed; `features_digest` and `reader` are those of the
    program that scored."""

    bundle: Named | None = None
    certificate: Certificate | None = None
    score: float | None = None
    features: Mapping[str, float | None] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    links: Mapping[str, float | None] = field(default_factory=dict)
    features_digest: str = ""
    reader: str = ""
    closed: Mapping[str, str | None] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back equal."""
        data: dict[str, Any] = _RECORD.dump_python(self, mode="json")
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Assessment:
        """The record again. Raises ValueError where the data are no such record."""
        return _RECORD.validate_python(data)


_RECORD = TypeAdapter(Assessment)


def assess(
    scoring: Scoring | None, features: FeatureSet, facts: Facts, flags: Mapping[str, float], condition: str, given: Given
) -> Assessment:
    """Features always, for a later training; score and reasons where a bundle can give them. A score that fails is None."""
    row = features.row(facts, flags, given.links, condition)
    links = {name: None if math.isnan(value) else value for name, value in given.links.items()}
    unscored = Assessment(
        features=features.named(row), links=links, features_digest=features.digest, reader=given.reader, closed=dict(given.closed)
    )
    if scoring is None:
        return unscored
    bundle = scoring.bundle
    score, reasons = _scored(scoring, features, row)
    named = Named(bundle.name, bundle.purpose, bundle.digest, bundle.digests, bundle.audit_rate)
    return replace(unscored, bundle=named, certificate=bundle.certificate, score=score, reasons=reasons)


def _scored(scoring: Scoring, features: FeatureSet, row: Sequence[float]) -> tuple[float | None, tuple[Reason, ...]]:
    bundle = scoring.bundle
    if bundle.score is None and (bundle.features != features.names or (bundle.digests and bundle.digests.features != features.digest)):
        return None, ()
    try:
        score, adds = scoring.score(row), scoring.contributions(row)
    except (ValueError, RuntimeError):
        return None, ()
    return (score, reasons_of(features, row, adds)) if 0 <= score <= 1 else (None, ())


def reasons_of(features: FeatureSet, row: Sequence[float], adds: Sequence[float]) -> tuple[Reason, ...]:
    """Contributions to the log-odds grouped as people are shown them, the heaviest first."""
    groups: dict[str, list[Part]] = {}
    for feature, value, added in zip(features.features, row, adds, strict=False):
        if added:
            zh, en = in_words(feature, value)
            part = Part(feature.name, zh, en, None if math.isnan(value) else value, added)
            groups.setdefault(feature.group, []).append(part)
    made = [_reason(features, name, parts) for name, parts in groups.items()]
    return tuple(sorted(made, key=lambda reason: (-abs(reason.adds), reason.group)))


def _reason(features: FeatureSet, name: str, parts: list[Part]) -> Reason:
    """One group in words, with the features that push as it does."""
    total = math.fsum(part.adds for part in parts)
    ordered = sorted(parts, key=lambda part: (-abs(part.adds), part.feature))
    telling = [p for p in ordered if p.adds * total > 0][:3]
    words, raises = features.groups[name], total > 0
    zh = f"{words.zh}{'提高' if raises else '降低'}风险：{'；'.join(p.zh for p in telling)}"
    en = f"{words.en} {'raises' if raises else 'lowers'} the risk: {'; '.join(p.en for p in telling)}"
    return Reason(name, zh, en, total, tuple(ordered))


def in_words(feature: Feature, value: float) -> tuple[str, str]:
    """A feature and its value in both languages."""
    if math.isnan(value):
        return f"{feature.zh}未知", f"{feature.en} unknown"
    if feature.encode == "bool":
        return f"{feature.zh}：{'是' if value else '否'}", f"{feature.en}: {'yes' if value else 'no'}"
    shown = str(feature.values[int(value)]) if feature.values else f"{value:.4g}"
    return f"{feature.zh} {shown}", f"{feature.en} {shown}"
