"""What two transactions must not do at the same time, where the database lets several write at once (PostgreSQL)."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, func, select


def hold(connection: Connection, what: str) -> None:
    """Waits until no other transaction holds `what`, and holds it to the end of this one. SQLite lets one write at a time anyway."""
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(number)))
