"""What closed the gate for a group and who reopened it, as kept in the claim store; the newest event of a group is what holds.

An alarm may close; only a person reopens, and a database constraint says so too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from triage.store.audit import append
from triage.store.codec import dumps
from triage.store.tables import gate_event

EVERY_GROUP = "*"
"""Closes and reopens all groups at once."""


def record(
    connection: Connection, group: str, event: str, *, kind: str, actor: str, why: str, bundle: str, evidence: Mapping[str, Any], at: str
) -> None:
    """Keeps an event and its row in the audit log, in the caller's transaction. `event` is closed or reopened, `kind` person or alarm."""
    row = {"group_name": group, "event": event, "actor_kind": kind, "actor": actor, "why": why, "bundle_digest": bundle}
    connection.execute(insert(gate_event), [{**row, "evidence": dumps(dict(evidence)), "created_at": at}])
    append(connection, "gate", at, actor, f"gate_{event}", {"group": group, "why": why, "bundle": bundle, **evidence})


def newest(connection: Connection) -> dict[str, dict[str, Any]]:
    """The last event of every group that ever had one; an event of every group counts for each."""
    found: dict[str, dict[str, Any]] = {}
    for row in connection.execute(select(gate_event).order_by(gate_event.c.id)).mappings():
        if row["group_name"] == EVERY_GROUP:
            found = {key: dict(row) for key in found}
        found[row["group_name"]] = dict(row)
    return found


def states(connection: Connection) -> dict[str, str | None]:
    """Group to why it is closed, or None where it was reopened: plain data that a suggestion keeps among its inputs."""
    return {group: row["why"] if row["event"] == "closed" else None for group, row in newest(connection).items()}


def why_closed(states: Mapping[str, str | None], group: str) -> str | None:
    """Why the group is closed by an alarm or a person; None when it is not. A group without events follows `*`."""
    return states.get(group, states.get(EVERY_GROUP))
