"""Observations, findings and papers as JSON and back, exactly: what replay rebuilds must equal what was judged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from triage.casefile import Paper
from triage.observation import Assertion, FindingMention, Observation, Source, Span, Why
from triage.values import from_json, to_json


def dumps(data: Any) -> str:
    """One text per value: sorted keys, no blanks."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256(text: str) -> str:
    """Of the UTF-8 bytes, in hex; a lone surrogate counts as it is."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def rows_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """Over every column of rows, in order; a body counts by the hash stored beside it."""
    plain = [{k: v.isoformat() if isinstance(v, date) else v for k, v in row.items() if k != "body"} for row in rows]
    return sha256(dumps(plain))


def _span(span: Span | None) -> list[Any] | None:
    return None if span is None else [span.document, span.start, span.end, span.quote]


def statement_json(statement: Observation | FindingMention) -> dict[str, Any]:
    """Every field of either kind."""
    shared = {
        "source": statement.source.value,
        "assertion": statement.assertion.value,
        "evidence_type": statement.evidence_type,
        "event_on": to_json(statement.event_on),
        "span": _span(statement.span),
        "section": statement.section,
        "reader": statement.reader,
        "document": statement.document,
    }
    if isinstance(statement, FindingMention):
        return {**shared, "finding": statement.finding, "side": statement.side, "grade": statement.grade}
    why = statement.why.value if statement.why is not None else None
    return {
        **shared,
        "fact": statement.fact,
        "value": to_json(statement.value),
        "basis": statement.basis,
        "why": why,
        "actor": statement.actor,
    }


def _shared(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": Source(data["source"]),
        "assertion": Assertion(data["assertion"]),
        "evidence_type": data["evidence_type"],
        "event_on": from_json(data["event_on"], "date"),
        "span": None if data["span"] is None else Span(*data["span"]),
        "section": data["section"],
        "reader": data["reader"],
        "document": data["document"],
    }


def statement_from(data: Mapping[str, Any], types: Mapping[str, str]) -> Observation | FindingMention:
    """The inverse of `statement_json`; `types` maps a fact to its type."""
    if "finding" in data:
        return FindingMention(finding=data["finding"], side=data["side"], grade=data["grade"], **_shared(data))
    why = Why(data["why"]) if data["why"] is not None else None
    value = from_json(data["value"], types.get(data["fact"], "text"))
    return Observation(fact=data["fact"], value=value, basis=data["basis"], why=why, actor=data["actor"], **_shared(data))


def paper_json(paper: Paper) -> list[Any]:
    """Its four fields."""
    return [paper.document, paper.evidence_type, paper.basis, paper.readable]
