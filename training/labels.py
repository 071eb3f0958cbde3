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
from triage.store.tables import claim, decision, document, suggestion

ZONE = ZoneInfo("Asia/Shanghai")
FINAL = ("paid", "declined", "withdrawn", "duplicate")
LABELS = {"paid": 0, "declined": 1}
"""Of an investigated claim; one that was withdrawn or a duplicate was never answered."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One decided claim. `route_suggested` is what the decision was taken on; `facts` (published form) and
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
    """A row for every claim with a final decision, by claim id. Raises StoreUnavailable."""
    with store.reading() as connection:
        final = {row.claim_id: row for row in _final_decisions(connection)}
        for row in connection.execute(select(claim.c.claim_id, claim.c.investigation).order_by(claim.c.claim_id)).all():
            if row.claim_id in final:
                yield _label_row(connection, final[row.claim_id], investigated=row.investigation == "closed")


def _final_decisions(connection: Connection) -> Sequence[Row[Any]]:
    """In order, so that the last one of a claim prevails."""
    wanted = select(decision).where(decision.c.outcome.in_(FINAL)).order_by(decision.c.id)
    return connection.execute(wanted).all()


def _label_row(connection: Connection, decided: Row[Any], *, investigated: bool) -> LabelRow:
    suggested = _suggestions(connection, decided.claim_id)
    basis = next((s for s in suggested if s.id == decided.suggestion_id), None)
    before = _before_investigation(connection, decided.claim_id, suggested)
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


def _suggestions(connection: Connection, claim_id: str) -> Sequence[Any]:
    wanted = select(suggestion.c.id, suggestion.c.digest, suggestion.c.body).where(suggestion.c.claim_id == claim_id)
    return connection.execute(wanted.order_by(suggestion.c.id)).all()


def _before_investigation(connection: Connection, claim_id: str, suggested: Sequence[Any]) -> Any:
    """The last suggestion up to the one an investigation was opened on, with no fact resting on an investigation's result."""
    opened = connection.execute(
        select(decision.c.suggestion_id).where(decision.c.claim_id == claim_id, decision.c.outcome == "investigation_opened")
    ).scalars()
    limit = min((i for i in opened if i is not None), default=None)
    papers = frozenset(
        connection.execute(
            select(document.c.document_id).where(document.c.claim_id == claim_id, document.c.origin == "investigation")
        ).scalars()
    )
    earlier = [s for s in suggested if limit is None or s.id <= limit]
    return next((s for s in reversed(earlier) if not _knows_result(json.loads(s.body)["facts"], papers)), None)


def _knows_result(facts: Mapping[str, Any], papers: frozenset[str]) -> bool:
    sources = (source for fact in facts.values() for source in fact["sources"])
    return any(source["source"] == "investigation" or source.get("document") in papers for source in sources)
