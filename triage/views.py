"""Stored claims as plain data for those who look at them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, and_, or_, select

from triage import rows
from triage.store import tables as t
from triage.store.errors import BadField, ClaimNotFound

FILTERS = ("route", "position", "plan", "status")
_LISTED = ("claim_id", "plan", "member_id", "diagnosis_claimed", "status", "position", "route", "why", "created_at", "updated_at")


def current_suggestion(connection: Connection, claim_id: str) -> dict[str, Any]:
    """{id, digest, data} of the newest suggestion. Raises ClaimNotFound."""
    newest = select(t.suggestion).where(t.suggestion.c.claim_id == claim_id).order_by(t.suggestion.c.id.desc()).limit(1)
    row = connection.execute(newest).mappings().first()
    if row is None:
        raise ClaimNotFound(claim_id)
    return {"id": row["id"], "digest": row["digest"], "data": json.loads(row["body"])}


def claim_view(connection: Connection, claim_id: str) -> dict[str, Any]:
    """The claim, its papers with what was read from each, its suggestion, decisions, requests and timeline."""
    row = rows.claim_row(connection, claim_id)
    current = current_suggestion(connection, claim_id)
    said: dict[str, list[Any]] = {}
    for statement in rows.statement_rows(connection, claim_id):
        body = json.loads(statement["body"])
        said.setdefault(body["document"], []).append({**body, "actor": statement["actor"], "reason": statement["reason"]})
    return {
        "claim_id": claim_id,
        "claim": json.loads(row["form"]),
        "state": {
            k: row[k]
            for k in (
                "status",
                "position",
                "route",
                "why",
                "rounds",
                "released",
                "investigation",
                "drawn_for_audit",
                "disputed",
                "created_at",
                "updated_at",
            )
        },
        "documents": [_document(d, said.get(d["document_id"], [])) for d in rows.documents_of(connection, claim_id)],
        "entered": said.get("", []),
        "suggestion": current["data"],
        "suggestion_digest": current["digest"],
        "decisions": _plain(connection, t.decision, claim_id),
        "requests": [{**r, "papers": json.loads(r["papers"])} for r in _plain(connection, t.request, claim_id)],
        "timeline": [{k: r[k] for k in ("at", "actor", "action")} for r in _plain(connection, t.audit, claim_id)],
    }


def _document(row: Mapping[str, Any], said: list[Any]) -> dict[str, Any]:
    keys = ("document_id", "origin", "given_type", "evidence_type", "basis", "readable", "text", "content_hash", "issued_by", "created_at")
    received = row["received_on"].isoformat() if row["received_on"] else None
    return {**{k: row[k] for k in keys}, "received_on": received, "observations": said}


def _plain(connection: Connection, table: Table, claim_id: str) -> list[dict[str, Any]]:
    order = table.c.seq if "seq" in table.c else table.c.id
    found = connection.execute(select(table).where(table.c.claim_id == claim_id).order_by(order)).mappings()
    return [{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in r.items()} for r in found]


def claims_view(connection: Connection, *, limit: int, cursor: str | None, filters: Mapping[str, str | None]) -> dict[str, Any]:
    """One page of claims, the newest first, and the cursor of the next page."""
    query = select(t.claim).order_by(t.claim.c.created_at.desc(), t.claim.c.claim_id.desc()).limit(limit + 1)
    for name in FILTERS:
        if filters.get(name):
            query = query.where(t.claim.c[name] == filters[name])
    if cursor:
        at, name = _opened(cursor)
        query = query.where(or_(t.claim.c.created_at < at, and_(t.claim.c.created_at == at, t.claim.c.claim_id < name)))
    found = [dict(r) for r in connection.execute(query).mappings()]
    items = [_listed(r) for r in found[:limit]]
    return {"items": items, "next": _sealed(found[limit - 1]) if len(found) > limit else None}


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    member = json.loads(row["form"])["member"]
    return {**{k: row[k] for k in _LISTED}, "filed_on": row["filed_on"].isoformat(), "member_name": member["name"]}


def _sealed(row: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([row["created_at"], row["claim_id"]]).encode()).decode()


def _opened(cursor: str) -> tuple[str, str]:
    try:
        at, name = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        raise BadField("cursor", "游标无效，请从第一页开始", "not a cursor of this list: start from the first page") from error
    return str(at), str(name)
