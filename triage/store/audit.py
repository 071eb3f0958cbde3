"""The audit log: every row carries the hash of the one before it, so that no row can be changed or dropped unseen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, insert, select

from triage.store.codec import dumps, sha256
from triage.store.locks import hold
from triage.store.tables import audit

GENESIS = "0" * 64


def append(connection: Connection, claim_id: str, at: str, actor: str, action: str, payload: dict[str, Any]) -> None:
    """Adds a row at the chain's end, in the caller's transaction."""
    hold(connection, "audit")
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    seq, previous = (last.seq + 1, last.hash) if last is not None else (1, GENESIS)
    row = {"seq": seq, "claim_id": claim_id, "at": at, "actor": actor, "action": action, "payload": dumps(payload), "previous": previous}
    connection.execute(insert(audit), [{**row, "hash": sha256(dumps(row))}])


def broken(connection: Connection) -> Iterator[tuple[str, str]]:
    """(claim, problem) for every row that was altered, rewritten or left out."""
    before, number, accepted = "", 0, {GENESIS}
    for row in connection.execute(select(audit).order_by(audit.c.seq)).mappings():
        number += 1
        content = {key: row[key] for key in ("seq", "claim_id", "at", "actor", "action", "payload", "previous")}
        whole = sha256(dumps(content))
        if row["seq"] != number:
            yield row["claim_id"], f"审计第{number}行缺失 / audit row {number} is missing"
            number = row["seq"]
        elif whole == row["hash"] and row["previous"] not in accepted:
            yield before or row["claim_id"], f"审计第{number - 1}行被改写 / audit row {number - 1} was rewritten"
        if whole != row["hash"]:
            yield row["claim_id"], f"审计第{number}行被改动 / audit row {number} was altered"
        before, accepted = row["claim_id"], {row["hash"], whole}


def head(connection: Connection) -> str:
    """The chain's end as "number:hash". Printed and kept elsewhere, it shows later whether rows were cut off or all was rewritten."""
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    return f"{last.seq}:{last.hash}" if last is not None else f"0:{GENESIS}"


def follows(connection: Connection, anchor: str) -> bool:
    """Whether the chain still holds the head that was printed before. Raises ValueError when `anchor` is no head."""
    number, _, expected = anchor.strip().partition(":")
    if len(expected) != len(GENESIS):
        raise ValueError(anchor)
    if int(number) == 0:
        return expected == GENESIS
    return connection.execute(select(audit.c.hash).where(audit.c.seq == int(number))).scalar() == expected
