"""A backup: every row of one moment in one file, whatever database it came from, with its digest, its counts and the audit chain's
head. Sealed papers stay sealed in it. Restoring fills an empty store only, and believes nothing it cannot check."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Date, Table, Text, func, insert, select, text, type_coerce

from triage.store import tables as t
from triage.store.audit import broken, head
from triage.store.errors import StoreError
from triage.store.store import Store

FORMAT = 1
BATCH = 500


class BadBackup(StoreError):
    """A file that is no whole backup, or that does not fit the store."""


def _raw(column: Column[Any]) -> Any:
    """The column as it lies in the database, sealed where it is sealed."""
    return type_coerce(column, Text()).label(column.name) if isinstance(column.type, t.SealedText) else column


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    ordered = select(*map(_raw, table.c)).order_by(*table.primary_key.columns)
    for row in connection.execution_options(yield_per=BATCH).execute(ordered).mappings():
        yield {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def revision(connection: Connection) -> str:
    """The migration the database stands at."""
    return MigrationContext.configure(connection).get_current_revision() or ""


@contextmanager
def _snapshot(store: Store) -> Iterator[Connection]:
    """All tables as of one moment."""
    with store.reading() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        yield connection


def back_up(store: Store, path: Path) -> dict[str, Any]:
    """Writes the backup and returns its last line: {revision, head, rows by table, sha256}. Raises StoreUnavailable, OSError."""
    seen = hashlib.sha256()
    counts: dict[str, int] = {}
    partial = path.with_name(path.name + ".part")

    def line(out: IO[str], data: Mapping[str, Any]) -> None:
        written = json.dumps(data, ensure_ascii=False, sort_keys=True) + "\n"
        seen.update(written.encode("utf-8", "surrogatepass"))
        out.write(written)

    with _snapshot(store) as connection, gzip.open(partial, "wt", encoding="utf-8", errors="surrogatepass") as out:
        line(out, {"backup": "claim-triage", "format": FORMAT, "revision": revision(connection)})
        for table in t.metadata.sorted_tables:
            counts[table.name] = 0
            for row in _rows(connection, table):
                counts[table.name] += 1
                line(out, {"table": table.name, "row": row})
        last = {"end": True, "head": head(connection), "rows": counts, "sha256": seen.hexdigest()}
        out.write(json.dumps(last, sort_keys=True) + "\n")
    partial.replace(path)
    return last


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every line of a backup that is whole: digest and counts are checked before the last is given. Raises BadBackup."""
    seen = hashlib.sha256()
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="surrogatepass") as lines:
            for written in lines:
                data = json.loads(written)
                if data.get("end"):
                    if data["sha256"] != seen.hexdigest():
                        break
                    yield data
                    return
                seen.update(written.encode("utf-8", "surrogatepass"))
                yield data
    except (OSError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise _damaged(path) from error
    raise _damaged(path)


def _damaged(path: Path) -> BadBackup:
    return BadBackup(f"{path}: 备份不完整或已被改动，请换一份", f"{path}: the backup is incomplete or was altered: use another one")


def check(path: Path) -> dict[str, Any]:
    """The last line of a whole backup. Raises BadBackup."""
    first: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for data in _lines(path):
        first = first or data
        last = data
    if first.get("backup") != "claim-triage" or first.get("format") != FORMAT or not last.get("end"):
        raise _damaged(path)
    return {**last, "revision": first["revision"]}


def restore(store: Store, path: Path) -> dict[str, Any]:
    """Fills an empty store from a backup, whole or not at all, and verifies the audit chain. Raises BadBackup, StoreUnavailable."""
    last = check(path)
    with store.writing() as connection:
        _check_empty(connection, last["revision"])
        connection.execute(t.store_setting.delete())
        _fill(connection, path)
        _check_restored(connection, path, last)
    return last


def _check_empty(connection: Connection, made_at: str) -> None:
    if connection.execute(select(func.count()).select_from(t.claim)).scalar_one():
        raise BadBackup("目标案件库不为空，请指定一个新库", "the store to restore into is not empty: name a new one")
    if revision(connection) != made_at:
        raise BadBackup(
            f"备份来自库结构版本 {made_at}，与本程序不同，请用同版本程序恢复后再升级",
            f"the backup was made at schema {made_at}: restore it with the program of that version, then upgrade",
        )


def _fill(connection: Connection, path: Path) -> None:
    named = {table.name: table for table in t.metadata.sorted_tables}
    waiting: list[dict[str, Any]] = []
    current: Table | None = None
    for data in _lines(path):
        table = named.get(data.get("table", ""))
        if waiting and (table is not current or len(waiting) == BATCH):
            _insert(connection, current, waiting)
            waiting = []
        current = table
        if table is not None:
            waiting.append(data["row"])


def _insert(connection: Connection, table: Table | None, rows: list[dict[str, Any]]) -> None:
    """Values go in as they lay in the other database: what was sealed is not sealed twice."""
    assert table is not None
    dates = [c.name for c in table.c if isinstance(c.type, Date)]
    plain = Table(
        table.name, t.metadata.__class__(), *(Column(c.name, Text() if isinstance(c.type, t.SealedText) else c.type) for c in table.c)
    )
    for row in rows:
        row.update({name: date.fromisoformat(row[name]) for name in dates if row[name] is not None})
    connection.execute(insert(plain), rows)


def _check_restored(connection: Connection, path: Path, last: Mapping[str, Any]) -> None:
    counted = {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in t.metadata.sorted_tables}
    if counted != last["rows"] or head(connection) != last["head"] or next(broken(connection), None) is not None:
        raise _damaged(path)
    if connection.dialect.name == "postgresql":
        _go_on_counting(connection)


def _go_on_counting(connection: Connection) -> None:
    """PostgreSQL numbers new rows from a sequence of its own, which rows put in with their numbers do not move."""
    for table in t.metadata.sorted_tables:
        if "id" in table.c:
            highest = select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery()
            connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), highest, False)))
