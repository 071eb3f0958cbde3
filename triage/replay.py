"""Every decision again, from what was stored: the rulebook's texts, the observations, the state and `today`. What differs is named by claim."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from knowledge_graph.errors import KnowledgeError
from knowledge_graph.loader import Knowledge, load_texts, text_digest
from triage.evaluation import compute
from triage.rows import documents_of, statement_rows
from triage.store import tables as t
from triage.store.audit import broken
from triage.store.codec import rows_digest, sha256
from triage.suggestion import ENGINE, canonical

FINAL = ("paid", "declined", "withdrawn", "duplicate")


def replay(connection: Connection, claim_id: str | None) -> list[dict[str, str]]:
    """[{claim_id, problem}] over one claim or all; empty when everything is identical."""
    names = [claim_id] if claim_id else [r.claim_id for r in connection.execute(select(t.claim.c.claim_id).order_by(t.claim.c.created_at))]
    rulebooks = _Rulebooks(connection)
    problems = [{"claim_id": name, "problem": problem} for name in names for problem in _of_claim(connection, name, rulebooks)]
    chain = [{"claim_id": name, "problem": problem} for name, problem in broken(connection)]
    return problems + [p for p in chain if claim_id in (None, p["claim_id"])]


class _Rulebooks:
    """Stored snapshots, each checked and loaded once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loaded: dict[str, Knowledge | None] = {}

    def get(self, digest: str) -> Knowledge | None:
        if digest not in self._loaded:
            self._loaded[digest] = self._load(digest)
        return self._loaded[digest]

    def _load(self, digest: str) -> Knowledge | None:
        stored = self._connection.execute(
            select(t.rulebook_snapshot.c.texts).where(t.rulebook_snapshot.c.digest == digest)
        ).scalar_one_or_none()
        try:
            texts = json.loads(stored or "{}")
            return load_texts(texts) if text_digest(texts) == digest else None
        except (ValueError, AttributeError, KnowledgeError):
            return None


def _of_claim(connection: Connection, claim_id: str, rulebooks: _Rulebooks) -> Iterator[str]:
    statements = {row["id"]: row for row in statement_rows(connection, claim_id)}
    for row in statements.values():
        if sha256(row["body"]) != row["content_hash"]:
            yield f"观察记录 {row['id']} 被改动 / observation {row['id']} was altered"
    for row in documents_of(connection, claim_id):
        if sha256(row["text"]) != row["content_hash"]:
            yield f"材料 {row['document_id']} 被改动 / document {row['document_id']} was altered"
    yield from _rows_as_audited(connection, claim_id)
    yield from _status_as_decided(connection, claim_id)
    audited = _audited(connection, claim_id)
    found = list(connection.execute(select(t.suggestion).where(t.suggestion.c.claim_id == claim_id).order_by(t.suggestion.c.id)).mappings())
    if not found:
        yield "没有任何建议记录 / no suggestion is stored"
    for suggested in found:
        yield from _of_suggestion(dict(suggested), statements, rulebooks, audited)


def _rows_as_audited(connection: Connection, claim_id: str) -> Iterator[str]:
    """Observation and decision rows, column by column, against what the newest audit row says was there."""
    told = _newest_audited(connection, claim_id)
    for key, table, words in (("statements", t.observation, "观察记录"), ("decisions", t.decision, "决定记录")):
        rows = connection.execute(select(table).where(table.c.claim_id == claim_id).order_by(table.c.id)).mappings()
        if key in told and told[key] != rows_digest([dict(row) for row in rows]):
            yield f"{words}与审计记录不符：被改动、增加或删除 / {table.name} rows differ from the audit log: altered, added or removed"


def _status_as_decided(connection: Connection, claim_id: str) -> Iterator[str]:
    """The claim's status is what its last decision made of it."""
    status = connection.execute(select(t.claim.c.status).where(t.claim.c.claim_id == claim_id)).scalar_one_or_none()
    last = select(t.decision.c.outcome).where(t.decision.c.claim_id == claim_id).order_by(t.decision.c.id.desc()).limit(1)
    outcome = connection.execute(last).scalar_one_or_none()
    wanted = outcome if outcome in FINAL else "open"
    if status is not None and status != wanted:
        yield f"案件状态 {status} 与决定不符（应为 {wanted}）/ the claim's status {status} does not follow from its decisions ({wanted})"


def _newest_audited(connection: Connection, claim_id: str) -> Mapping[str, Any]:
    of_claim = t.audit.c.claim_id == claim_id
    for row in connection.execute(select(t.audit.c.payload).where(of_claim).order_by(t.audit.c.seq.desc())):
        try:
            payload = json.loads(row.payload)
        except ValueError:
            continue
        if isinstance(payload, dict) and "statements" in payload:
            return payload
    return {}


def _audited(connection: Connection, claim_id: str) -> set[tuple[str, str]]:
    made = select(t.audit.c.payload).where(t.audit.c.claim_id == claim_id, t.audit.c.action == "suggested")
    found = set()
    for row in connection.execute(made):
        try:
            payload = json.loads(row.payload)
            found.add((payload["suggestion"], payload["inputs"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _of_suggestion(
    row: Mapping[str, Any], statements: Mapping[int, Mapping[str, Any]], rulebooks: _Rulebooks, audited: set[tuple[str, str]]
) -> Iterator[str]:
    name = f"#{row['id']}"
    knowledge = rulebooks.get(row["rulebook_digest"])
    if knowledge is None:
        yield f"规则快照 {row['rulebook_digest'][:12]} 缺失或被改动（建议 {name}）/ rulebook snapshot {row['rulebook_digest'][:12]} is missing or was altered (suggestion {name})"
        return
    if (row["digest"], sha256(row["inputs"])) not in audited:
        yield f"建议 {name} 的输入或结果与审计记录不符 / inputs or result of suggestion {name} differ from the audit log"
    try:
        inputs = json.loads(row["inputs"])
        rows = [statements[i] for i in inputs["statements"]]
        again = canonical(compute(inputs, rows, knowledge)).decode()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"建议 {name} 无法重算：{error} / suggestion {name} cannot be computed again: {error}"
        return
    if again != row["body"]:
        engine = "" if inputs["engine"] == ENGINE else f" (engine {inputs['engine']} then, {ENGINE} now)"
        yield f"建议 {name} 重算结果不同{engine} / suggestion {name} comes out differently{engine}"
