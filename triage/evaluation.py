"""From stored rows to a stored suggestion, and back again: what was computed once can be computed from the store alone.

`inputs` is everything a suggestion rests on: the form, the ids of its observation rows, what the registry and the links said at
that time, the claim's state, what the model made of it (features, score, reasons, certificate), the rulebook's digest and `today`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from knowledge_graph.loader import Knowledge
from triage.assembly import registry
from triage.assessment import Assessment, Given, Named, Scoring
from triage.bundle import Certificate, Group
from triage.casefile import CaseFile, Paper
from triage.claim import Claim
from triage.observation import Observation
from triage.pipeline import suggest
from triage.rows import statements_of
from triage.store.codec import paper_json, statement_from, statement_json
from triage.suggestion import ENGINE, Suggestion


def inputs_of(
    row: Mapping[str, Any],
    form: Mapping[str, Any],
    statements: Sequence[Mapping[str, Any]],
    papers: Sequence[Paper],
    links: Sequence[Observation],
    *,
    knowledge: Knowledge,
    reader: str,
    today: date,
    types: Mapping[str, str],
) -> dict[str, Any]:
    """The inputs of a suggestion as plain data, but for what the model makes of them (`evaluate`)."""
    observations, _ = statements_of(statements, types)
    looked_up = (*registry(Claim.model_validate(form), knowledge, observations), *links)
    return {
        "claim": dict(form),
        "statements": [r["id"] for r in statements],
        "looked_up": [statement_json(o) for o in looked_up],
        "papers": [paper_json(p) for p in papers],
        "rounds": row["rounds"],
        "released": bool(row["released"]),
        "investigated": row["investigation"] == "closed",
        "drawn_for_audit": bool(row["drawn_for_audit"]),
        "disputed": bool(row["disputed"]),
        "rulebook": knowledge.digest,
        "reader": reader,
        "engine": ENGINE,
        "today": today.isoformat(),
    }


def case_file(inputs: Mapping[str, Any], statements: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> CaseFile:
    """The case file the inputs describe; `statements` are the rows they name, in their order."""
    observations, findings = statements_of(statements, types)
    looked_up = tuple(o for d in inputs["looked_up"] if isinstance(o := statement_from(d, types), Observation))
    return CaseFile(
        Claim.model_validate(inputs["claim"]),
        (*observations, *looked_up),
        findings,
        tuple(Paper(*p) for p in inputs["papers"]),
        rounds=inputs["rounds"],
        released=inputs["released"],
        investigated=inputs["investigated"],
        drawn_for_audit=inputs["drawn_for_audit"],
        disputed=inputs["disputed"],
    )


def evaluate(
    inputs: Mapping[str, Any], statements: Sequence[Mapping[str, Any]], knowledge: Knowledge, scoring: Scoring | None, given: Given
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the suggestion as published, the inputs with what the model made of them: `compute` of these gives the same)."""
    suggestion = _suggested(inputs, statements, knowledge, scoring, given)
    told = suggestion.assessment
    named = None if told.bundle is None else {"name": told.bundle.name, "purpose": told.bundle.purpose, "digest": told.bundle.digest}
    return _published(suggestion, inputs), {**inputs, "bundle": named, "assessment": told.to_json()}


def compute(inputs: Mapping[str, Any], statements: Sequence[Mapping[str, Any]], knowledge: Knowledge) -> dict[str, Any]:
    """The suggestion for the inputs, as published: neither a model nor a bundle is needed."""
    return _published(_suggested(inputs, statements, knowledge, recorded(inputs), Given()), inputs)


def recorded(inputs: Mapping[str, Any]) -> Assessment:
    """What the model made of the claim. Inputs up to engine 2 held the constant bundle itself. Raises ValueError, KeyError."""
    if "assessment" in inputs:
        return Assessment.from_json(inputs["assessment"])
    old = inputs["bundle"]
    if old is None:
        return Assessment()
    return Assessment(Named(old["name"], old["purpose"], ""), _old_certificate(old["certificate"]), old["score"], reader=inputs["reader"])


def _old_certificate(old: Mapping[str, Any] | None) -> Certificate | None:
    if old is None:
        return None
    groups = {name: Group(threshold=value) for name, value in old["thresholds"].items()}
    overall = Group(threshold=max(old["thresholds"].values(), default=0.0))
    return Certificate(alpha=old["alpha"], delta=old["delta"], expires_on=old["expires_on"], groups=groups, overall=overall)


def _suggested(
    inputs: Mapping[str, Any],
    statements: Sequence[Mapping[str, Any]],
    knowledge: Knowledge,
    risk: Scoring | Assessment | None,
    given: Given,
) -> Suggestion:
    types = {name: definition.type for name, definition in knowledge.facts.items()}
    return suggest(case_file(inputs, statements, types), knowledge, risk, date.fromisoformat(inputs["today"]), given)


def _published(suggestion: Suggestion, inputs: Mapping[str, Any]) -> dict[str, Any]:
    data = suggestion.to_json()
    data["versions"]["reader"] = inputs["reader"]
    result: dict[str, Any] = json.loads(json.dumps(data, ensure_ascii=False))
    return result
