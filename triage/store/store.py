"""Opens the store: engine, pragmas, migrations, and transactions that are kept whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, InterfaceError, InternalError, OperationalError

from triage.store import tables
from triage.store.errors import NoStore, StoreUnavailable
from triage.store.locks import hold

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_MS = 10_000


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _unavailable(error: DBAPIError) -> Exception:
    """A database that cannot be reached or written; a mistake in our own SQL is not that, and stays what it is."""
    if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_ERROR" or not isinstance(
        error, OperationalError | InternalError | InterfaceError
    ):
        return error
    return StoreUnavailable(str(error.orig))


class Store:
    """One database. `writing` and `reading` are the only ways in."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is kept, or on any error nothing. Raises StoreUnavailable."""
        try:
            with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
                yield connection
        except IntegrityError:
            raise
        except (OperationalError, DBAPIError) as error:
            raise _unavailable(error) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view. Raises StoreUnavailable."""
        try:
            with self.engine.connect() as connection, connection.begin():
                yield connection
        except (OperationalError, DBAPIError) as error:
            raise _unavailable(error) from error

    def check_writable(self) -> None:
        """Raises StoreUnavailable when nothing can be written now."""
        with self.writing() as connection:
            connection.execute(tables.store_setting.update().where(tables.store_setting.c.name == "audit_key").values(name="audit_key"))

    def setting(self, name: str) -> str:
        """A setting made when the store was."""
        with self.reading() as connection:
            return str(connection.execute(select(tables.store_setting.c.value).where(tables.store_setting.c.name == name)).scalar_one())


def open_store(url: str) -> Store:
    """Opens the database at a SQLAlchemy URL, makes it where there is none, and brings it to the newest migration.

    Raises StoreUnavailable when it can be neither opened nor, where that is needed, migrated.
    """
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if sqlite and parsed.database and not parsed.database.startswith(("file:", ":memory:")):
        _make_folder(Path(parsed.database).parent)
    engine = create_engine(parsed)
    if sqlite:
        _prepare_sqlite(engine)
    try:
        _migrate(engine)
    except (OperationalError, DBAPIError) as error:
        raise _unavailable(error) from error
    return Store(engine)


def open_existing(url: str) -> Store:
    """`open_store` for one that is there: a mistyped address must not make an empty one. Raises NoStore, StoreUnavailable."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise NoStore("TRIAGE_DATABASE") from error
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise NoStore(parsed.render_as_string(hide_password=True))
    return open_store(url)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(str(error)) from error


def _migrate(engine: Engine) -> None:
    """Only where the database is behind, so that a read-only one still opens."""
    with engine.connect() as connection, connection.begin():
        current = MigrationContext.configure(connection).get_current_revision()
        head = ScriptDirectory.from_config(_config(connection)).get_current_head()
    if current == head:
        return
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        hold(connection, "migration")
        command.upgrade(_config(connection), "head")
        if not connection.execute(text("SELECT count(*) FROM store_setting WHERE name = 'audit_key'")).scalar_one():
            connection.execute(insert(tables.store_setting), [{"name": "audit_key", "value": secrets.token_hex(32)}])
