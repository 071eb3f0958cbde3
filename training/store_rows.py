"""The claim store's decided claims as rows to learn from: what the last suggestion before any investigation knew, corrections
included, and what the investigation came to. The chance of having been looked at follows from how that suggestion was routed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from knowledge_graph.loader import Knowledge
from training.dataset import Dataset, DatasetError
from training.labels import ZONE, LabelRow, label_rows
from triage.features import FeatureSet
from triage.store import Store
from triage.store.tables import claim, suggestion

SPECIFIC = frozenset({"certified", "audit", "score_above_threshold", "flag_weight", "group_not_certified"})
"""Codes of a gate that looked at the claim; with any other it was closed to all of them, as in a shadow period."""


@dataclass(frozen=True)
class _Row:
    """One decided claim."""

    label: LabelRow
    features: Mapping[str, float | None]
    said: Mapping[str, Any]
    drawn: bool
    audit_rate: float | None
    filed_at: datetime
    attributes: Mapping[str, Any]

    @property
    def passes(self) -> bool:
        return bool(self.said["gate"].get("passes_rules"))

    @property
    def lane(self) -> str:
        """As the simulated world names them."""
        why = self.said["gate"]["why"]
        if not self.passes:
            return "rules"
        if why not in SPECIFIC:
            return "shadow"
        if self.drawn:
            return "audit"
        return "released" if why == "certified" else "risk"


def from_store(store: Store, knowledge: Knowledge, as_of: datetime | None = None) -> Dataset:
    """Claims decided by `as_of` (default: all). Raises DatasetError when none holds today's features, StoreUnavailable."""
    features = FeatureSet.load()
    limit = None if as_of is None else (as_of if as_of.tzinfo else as_of.replace(tzinfo=ZONE)).astimezone(ZONE)
    decided = [row for row in label_rows(store) if limit is None or row.decided_on <= limit.date()]
    with store.reading() as connection:
        rows = sorted(_rows(connection, decided, features), key=lambda row: (row.filed_at, row.label.claim_id))
    if not rows:
        raise DatasetError(
            "案件库中没有可用于训练的已决案件：需要调查后的决定，且建议须由当前特征集算出"
            " / the store holds no decided claim to learn from: it takes decisions after an investigation, and suggestions by today's features"
        )
    return _dataset(rows, features, knowledge)


def _rows(connection: Connection, decided: list[LabelRow], features: FeatureSet) -> Iterator[_Row]:
    for label in decided:
        found = _basis(connection, label)
        if found is None:
            continue
        inputs, body = json.loads(found.inputs), json.loads(found.body)
        told = inputs.get("assessment") or {}
        if told.get("features_digest") != features.digest:
            continue
        row = connection.execute(select(claim).where(claim.c.claim_id == label.claim_id)).one()
        rate = (told.get("bundle") or {}).get("audit_rate")
        drawn = bool(inputs["drawn_for_audit"])
        yield _Row(label, told["features"], body, drawn, rate, _local(row.created_at), _attributes(row.plan, body, told))


def _basis(connection: Connection, label: LabelRow) -> Any:
    """The suggestion of the label row: the last that knew nothing of an investigation."""
    if label.facts_from_suggestion is None:
        return None
    of_claim = (suggestion.c.claim_id == label.claim_id, suggestion.c.digest == label.facts_from_suggestion)
    return connection.execute(select(suggestion).where(*of_claim).order_by(suggestion.c.id.desc())).first()


def _local(at: str) -> datetime:
    return datetime.fromisoformat(at).astimezone(ZONE).replace(tzinfo=None)


def _attributes(plan: str, body: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What errors are broken down by, as strings; the amount where the suggestion named one."""

    def value(fact: str) -> Any:
        return body["facts"].get(fact, {}).get("value")

    age, level = value("age_at_diagnosis"), value("hospital.level")
    conditions = FeatureSet.load()
    place = told["features"].get("condition")
    listed = next((f.values for f in conditions.features if f.name == "condition"), ())
    return {
        "plan": plan,
        "condition": str(listed[int(place)]) if place is not None and listed else "?",
        "sex": str(value("member.sex") or "?"),
        "age": _band(age),
        "region": "?",
        "hospital_level": "?" if level is None else str(level),
        "amount": float(body.get("amount") or math.nan),
        "flag_weight": float(told["features"].get("risk.flag_weight") or 0.0),
    }


def _band(age: Any) -> str:
    if not isinstance(age, int | float):
        return "?"
    return next((name for limit, name in ((30, "<30"), (40, "30-39"), (50, "40-49"), (60, "50-59")) if age < limit), ">=60")


def _dataset(rows: list[_Row], features: FeatureSet, knowledge: Knowledge) -> Dataset:
    lane = np.array([row.lane for row in rows])
    passes = np.array([row.passes for row in rows])
    audit = np.array([_audit_rate(row, knowledge) for row in rows])
    matrix = [[math.nan if (v := row.features.get(name)) is None else float(v) for name in features.names] for row in rows]
    known = np.array([row.label.label is not None for row in rows])
    decided = [datetime.combine(row.label.decided_on, datetime.min.time()) for row in rows]
    return Dataset(
        names=features.names,
        X=np.array(matrix, dtype=np.float64),
        claim_id=np.array([row.label.claim_id for row in rows]),
        y=np.array([math.nan if row.label.label is None else float(row.label.label) for row in rows]),
        propensity=np.where(_would_release(rows), audit, 1.0),
        drawn=np.where(passes, np.where(lane == "shadow", 1.0, audit), 0.0),
        investigated=np.array([row.label.investigated for row in rows]),
        passes_rules=passes,
        groups=np.array([str(row.said["gate"]["group"]) for row in rows]),
        lane=lane,
        filed_at=np.array([row.filed_at for row in rows], dtype="datetime64[us]"),
        label_known_at=np.where(known, np.array(decided, dtype="datetime64[us]"), np.datetime64("NaT", "us")),
        attributes=pl.DataFrame([dict(row.attributes) for row in rows]),
    )


def _would_release(rows: list[_Row]) -> NDArray[np.bool_]:
    """Whether the gate, but for the draw, would have released each claim (n,): only these were looked at by chance alone."""
    return np.array([row.passes and row.said["gate"]["why"] in ("certified", "audit") for row in rows])


def _audit_rate(row: _Row, knowledge: Knowledge) -> float:
    """The bundle's by which the claim was drawn; where none was kept the plan's. A plan without a gate investigates everything."""
    if row.audit_rate is not None:
        return row.audit_rate
    plan = knowledge.plans.get(str(row.attributes["plan"]))
    return plan.gate.audit_rate if plan is not None and plan.gate is not None else 1.0
