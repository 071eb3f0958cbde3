"""From stored rows to a stored suggestion, and back again: what was computed once can be computed from the store alone.

`inputs` is everything a suggestion rests on: the form, the ids of its observation rows, what the registry and the links said at
that time, the claim's state, the bundle, the rulebook's digest and `today`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from knowledge_graph.loader import Knowledge
from triage.assembly import registry
from triage.bundle import Bundle
from triage.casefile import CaseFile, Paper
from triage.claim import Claim
from triage.observation import Observation
from triage.pipeline import suggest
from triage.rows import statements_of
from triage.store.codec import paper_json, statement_from, statement_json
from triage.suggestion import ENGINE

_BUNDLE = TypeAdapter(Bundle)


def inputs_of(
    row: Mapping[str, Any],
    form: Mapping[str, Any],
    statements: Sequence[Mapping[str, Any]],
    papers: Sequence[Paper],
    links: Sequence[Observation],
    *,
    knowledge: Knowledge,
    reader: str,
    bundle: Bundle | None,
    today: date,
    types: Mapping[str, str],
) -> dict[str, Any]:
    """The inputs of a suggestion as plain data."""
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
        "bundle": None if bundle is None else _BUNDLE.dump_python(bundle, mode="json"),
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


def compute(inputs: Mapping[str, Any], statements: Sequence[Mapping[str, Any]], knowledge: Knowledge) -> dict[str, Any]:
    """The suggestion for the inputs, as published."""
    types = {name: definition.type for name, definition in knowledge.facts.items()}
    bundle = None if inputs["bundle"] is None else _BUNDLE.validate_python(inputs["bundle"])
    suggestion = suggest(case_file(inputs, statements, types), knowledge, bundle, date.fromisoformat(inputs["today"]))
    data = suggestion.to_json()
    data["versions"]["reader"] = inputs["reader"]
    result: dict[str, Any] = json.loads(json.dumps(data, ensure_ascii=False))
    return result
