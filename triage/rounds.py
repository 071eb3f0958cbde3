"""Batch requests for papers: one a round, with a due date; a round ends when its papers have come or the date has passed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from knowledge_graph.rules import Plan
from triage import rows
from triage.store import tables as t
from triage.store.codec import dumps


def open_request(connection: Connection, claim_id: str, suggestion: Mapping[str, Any], plan: Plan, today: date, at: str) -> None:
    """Asks for everything missing at once, unless a request is open already."""
    asked = connection.execute(select(t.request.c.id).where(t.request.c.claim_id == claim_id, t.request.c.state == "open")).first()
    if asked is not None:
        return
    number = rows.claim_row(connection, claim_id)["rounds"] + 1
    due = today + timedelta(days=plan.request_due_days)
    papers = [m["evidence_type"] for m in suggestion["missing_evidence"]]
    request = {"claim_id": claim_id, "round": number, "due_on": due, "papers": dumps(papers), "state": "open", "created_at": at}
    connection.execute(insert(t.request), [request])
    rows.send(connection, claim_id, "evidence_requested", {"papers": papers, "due_on": due.isoformat(), "round": number}, at)


def close_rounds(connection: Connection, claim_id: str, today: date) -> None:
    """Ends the open round if every paper it asked for has come, or its due date has passed."""
    open_ = select(t.request).where(t.request.c.claim_id == claim_id, t.request.c.state == "open")
    for request in connection.execute(open_).mappings().all():
        came = {d["evidence_type"] for d in rows.documents_of(connection, claim_id) if d["created_at"] >= request["created_at"]}
        answered = set(json.loads(request["papers"])) <= came
        if not answered and request["due_on"] >= today:
            continue
        state = "answered" if answered else "lapsed"
        connection.execute(t.request.update().where(t.request.c.id == request["id"]).values(state=state))
        rows.update_claim(connection, claim_id, rounds=request["round"])


def due(connection: Connection, today: date) -> list[str]:
    """Open claims whose request fell due before `today`."""
    lapsed = (
        select(t.request.c.claim_id)
        .join(t.claim, t.claim.c.claim_id == t.request.c.claim_id)
        .where(t.request.c.state == "open", t.claim.c.status == "open", t.request.c.due_on < today)
    )
    return sorted({r.claim_id for r in connection.execute(lapsed)})
