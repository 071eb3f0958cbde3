"""Decided claims as training rows, honest about who was investigated.

A row's label is whether a full investigation would not have paid. It is known only where there was an investigation, so it is
null for every other claim, whatever was decided. The facts are those known before the investigation: what it found is the answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from triage.store import Store
from triage.store.tables import audit, decision, document, suggestion

ZONE = ZoneInfo("Asia/Shanghai")
FINAL = ("paid", "declined", "withdrawn", "duplicate")
OPENED = ("investigation_opened", "investigation_closed", "decided_investigation_opened")
"""Audit actions by which an investigation begins, or was begun and ended at once."""

LABELS = {"paid": 0, "declined": 1}
"""Of an investigated claim; one that was withdrawn or a duplicate was never answered."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One decided claim. `route_suggested` and `investigated` are as the decision was taken; `facts` (published form) and
    `facts_from_suggestion` (its digest) belong to the last suggestion that knew nothing of an investigation, None without one."""

    claim_id: str
    decided_on: date
    route_suggested: str | None
    outcome: str
    investigated: bool
    label_source: str
    label: int | None
    facts_from_suggestion: str | None
    facts: Mapping[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "decided_on": self.decided_on.isoformat()}


def label_rows(store: Store) -> Iterator[LabelRow]:
    """A row for every claim with a final decision, by claim id; of several such decisions the last. Raises StoreUnavailable."""
    with store.reading() as connection:
        wanted = select(decision).where(decision.c.outcome.in_(FINAL)).order_by(decision.c.id)
        final = {row.claim_id: row for row in connection.execute(wanted)}
        for claim_id in sorted(final):
            yield _label_row(connection, final[claim_id])


def _label_row(connection: Connection, decided: Row[Any]) -> LabelRow:
    wanted = select(suggestion).where(suggestion.c.claim_id == decided.claim_id).order_by(suggestion.c.id)
    suggested = connection.execute(wanted).all()
    basis = next((s for s in suggested if s.id == decided.suggestion_id), None)
    before = _before_investigation(connection, decided.claim_id, suggested)
    investigated = basis is not None and bool(json.loads(basis.inputs)["investigated"])
    return LabelRow(
        claim_id=decided.claim_id,
        decided_on=datetime.fromisoformat(decided.decided_at).astimezone(ZONE).date(),
        route_suggested=json.loads(basis.body)["route"] if basis else None,
        outcome=decided.outcome,
        investigated=investigated,
        label_source="investigation" if investigated else "none",
        label=LABELS.get(decided.outcome) if investigated else None,
        facts_from_suggestion=before.digest if before else None,
        facts=json.loads(before.body)["facts"] if before else None,
    )


def _before_investigation(connection: Connection, claim_id: str, suggested: Sequence[Any]) -> Any:
    """The last suggestion made before an investigation was opened, with no fact resting on an investigation's result."""
    wanted = select(audit.c.at).where(audit.c.claim_id == claim_id, audit.c.action.in_(OPENED))
    opened = min((datetime.fromisoformat(at) for at in connection.execute(wanted).scalars()), default=None)
    of_results = select(document.c.document_id).where(document.c.claim_id == claim_id, document.c.origin == "investigation")
    papers = frozenset(connection.execute(of_results).scalars())
    for row in reversed(suggested):
        early = opened is None or datetime.fromisoformat(row.created_at) <= opened
        if early and not _knows_result(json.loads(row.body)["facts"], papers):
            return row
    return None


def _knows_result(facts: Mapping[str, Any], papers: frozenset[str]) -> bool:
    sources = (source for fact in facts.values() for source in fact["sources"])
    return any(source["source"] == "investigation" or source.get("document") in papers for source in sources)
