"""Reading and writing a claim's rows: the desk says what happens, this says where it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select

from knowledge_graph.loader import Knowledge
from triage.case_graph import Link, settings
from triage.casefile import Paper
from triage.claim import Claim, Document
from triage.observation import FindingMention, Observation
from triage.store import tables as t
from triage.store.codec import dumps, sha256, statement_from, statement_json
from triage.store.errors import ClaimNotFound
from triage.store.locks import hold

TELLING = frozenset({"doctor", "pathology_number", *settings()["shared_contact"]})
"""Kinds of links of which `linked_observations` says something."""

Statement = Observation | FindingMention


def fact_types(knowledge: Knowledge) -> dict[str, str]:
    """The type of every fact, by which values read back."""
    return {name: definition.type for name, definition in knowledge.facts.items()}


def claim_row(connection: Connection, claim_id: str) -> Mapping[str, Any]:
    """The claim's row; raises ClaimNotFound. In a transaction that writes, nobody else changes the claim until its end."""
    wanted = select(t.claim).where(t.claim.c.claim_id == claim_id)
    if connection.get_execution_options().get("writes"):
        wanted = wanted.with_for_update()
    row = connection.execute(wanted).mappings().first()
    if row is None:
        raise ClaimNotFound(claim_id)
    return dict(row)


def exists(connection: Connection, claim_id: str) -> bool:
    """Whether the id is taken."""
    return connection.execute(select(t.claim.c.claim_id).where(t.claim.c.claim_id == claim_id)).first() is not None


def form_of(claim: Claim) -> str:
    """The claim as filed, without its documents' texts: those are kept once, as documents."""
    return dumps(claim.model_dump(mode="json", exclude={"documents"}))


def filed_claim(row: Mapping[str, Any]) -> Claim:
    """The claim from its stored form."""
    return Claim.model_validate(json.loads(row["form"]))


def insert_claim(connection: Connection, claim: Claim, *, drawn: bool, at: str) -> None:
    """The claim and its membership episodes."""
    row = {
        "claim_id": claim.claim_id,
        "plan": claim.plan,
        "filed_on": claim.filed_on,
        "member_id": claim.member.member_id,
        "diagnosis_claimed": claim.diagnosis_claimed,
        "form": form_of(claim),
        "released": False,
        "drawn_for_audit": drawn,
        "disputed": False,
        "created_at": at,
        "updated_at": at,
    }
    connection.execute(insert(t.claim), [row])
    episodes = [{"claim_id": claim.claim_id, "member_id": claim.member.member_id, **m.model_dump()} for m in claim.member.memberships]
    if episodes:
        connection.execute(insert(t.membership_episode), episodes)


def update_claim(connection: Connection, claim_id: str, **values: Any) -> None:
    """Changes columns of the claim's row."""
    if values:
        connection.execute(t.claim.update().where(t.claim.c.claim_id == claim_id).values(**values))


def count_documents(connection: Connection, claim_id: str) -> int:
    """How many documents the claim has; the next one's number is one more."""
    return len(connection.execute(select(t.document.c.number).where(t.document.c.claim_id == claim_id)).all())


def insert_document(connection: Connection, claim_id: str, number: int, document: Document, paper: Paper, *, origin: str, at: str) -> None:
    """One paper, text as filed, with its hash."""
    row = {
        "claim_id": claim_id,
        "document_id": paper.document,
        "number": number,
        "origin": origin,
        "given_type": document.evidence_type,
        "evidence_type": paper.evidence_type,
        "basis": paper.basis,
        "readable": paper.readable,
        "text": document.text,
        "content_hash": sha256(document.text),
        "received_on": document.received_on,
        "issued_by": document.issued_by,
        "created_at": at,
    }
    connection.execute(insert(t.document), [row])


def insert_statements(
    connection: Connection, claim_id: str, statements: Iterable[Statement], *, actor: str, at: str, reason: str = ""
) -> None:
    """Observations and findings, in order; a row is never changed afterwards."""
    rows = []
    for statement in statements:
        body = dumps(statement_json(statement))
        kind = "finding" if isinstance(statement, FindingMention) else "observation"
        rows.append(
            {
                "claim_id": claim_id,
                "kind": kind,
                "body": body,
                "content_hash": sha256(body),
                "actor": actor,
                "reason": reason,
                "created_at": at,
            }
        )
    if rows:
        connection.execute(insert(t.observation), rows)


def statement_rows(connection: Connection, claim_id: str) -> Sequence[Mapping[str, Any]]:
    """The claim's observation rows in the order they were made."""
    found = connection.execute(select(t.observation).where(t.observation.c.claim_id == claim_id).order_by(t.observation.c.id)).mappings()
    return [dict(r) for r in found]


def statements_of(
    rows: Iterable[Mapping[str, Any]], types: Mapping[str, str]
) -> tuple[tuple[Observation, ...], tuple[FindingMention, ...]]:
    """Rows as observations and findings."""
    read = [statement_from(json.loads(row["body"]), types) for row in rows]
    return tuple(s for s in read if isinstance(s, Observation)), tuple(s for s in read if isinstance(s, FindingMention))


def documents_of(connection: Connection, claim_id: str) -> Sequence[Mapping[str, Any]]:
    """The claim's documents in the order filed."""
    found = connection.execute(select(t.document).where(t.document.c.claim_id == claim_id).order_by(t.document.c.number)).mappings()
    return [dict(r) for r in found]


def papers_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Paper, ...]:
    """Documents as the checklist counts them."""
    return tuple(Paper(r["document_id"], r["evidence_type"], r["basis"], bool(r["readable"])) for r in rows)


def replace_links(connection: Connection, links: Sequence[Link], at: str) -> None:
    """Adds the links a claim did not carry yet; those it carries keep the time they were first seen. One that becomes early (its
    first diagnosis became known after filing) is a second row, `again`: early from now on and not before."""
    if not links:
        return
    told = select(t.link.c.kind, t.link.c.link_key, t.link.c.early).where(t.link.c.claim_id == links[0].claim_id)
    carried: dict[tuple[str, str], bool] = {}
    for r in connection.execute(told):
        carried[r.kind, r.link_key] = carried.get((r.kind, r.link_key), False) or bool(r.early)
    rows = [
        {
            "claim_id": k.claim_id,
            "kind": k.kind,
            "link_key": k.key,
            "member_id": k.member_id,
            "early": k.early,
            "again": (k.kind, k.key) in carried,
            "seen_at": at,
        }
        for k in links
        if (k.kind, k.key) not in carried or (k.early and not carried[k.kind, k.key])
    ]
    if rows:
        connection.execute(insert(t.link), rows)


def links_as_of(connection: Connection, own: Sequence[Link], at: str) -> list[Link]:
    """Links of other claims to the same doctor, contact or report, seen no later than `at`; hospitals have too many to say anything."""
    telling = [k for k in own if k.kind in TELLING]
    if not telling:
        return []
    same = or_(*(and_(t.link.c.kind == k.kind, t.link.c.link_key == k.key) for k in telling))
    found = connection.execute(select(t.link).where(same, t.link.c.seen_at <= at, t.link.c.claim_id != own[0].claim_id)).mappings()
    return [
        Link(r["kind"], r["link_key"], r["claim_id"], r["member_id"], date.fromisoformat(r["seen_at"][:10]), bool(r["early"]))
        for r in found
    ]


def insert_outcome(connection: Connection, claim_id: str, *, refused: bool, at: str) -> None:
    """What an investigated claim came to: from now on the past of its doctor, hospital and contacts."""
    connection.execute(insert(t.outcome), [{"claim_id": claim_id, "refused": refused, "known_at": at}])


def keep_rulebook(connection: Connection, knowledge: Knowledge, at: str) -> None:
    """Stores the rulebook's texts once per digest, so that replay survives an edit."""
    wanted = select(t.rulebook_snapshot.c.digest).where(t.rulebook_snapshot.c.digest == knowledge.digest)
    if connection.execute(wanted).first() is not None:
        return
    hold(connection, "rulebook")
    if connection.execute(wanted).first() is None:
        connection.execute(
            insert(t.rulebook_snapshot), [{"digest": knowledge.digest, "texts": dumps(dict(knowledge.texts)), "created_at": at}]
        )


def send(connection: Connection, claim_id: str, topic: str, body: Mapping[str, Any], at: str) -> None:
    """An outbox row, kept or lost together with what it tells."""
    connection.execute(insert(t.outbox), [{"claim_id": claim_id, "topic": topic, "body": dumps(body), "created_at": at}])
