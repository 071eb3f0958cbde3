"""A registry small enough for quick tests: the three tables of MLflow's database that the service reads."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from triage.aliases import MODEL, Aliases


class SmallRegistry:
    """Versions and aliases; test_promotion reads MLflow's own by the same code."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "mlflow.db"
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute("CREATE TABLE registered_models (name TEXT, workspace TEXT)")
            connection.execute("CREATE TABLE registered_model_aliases (workspace TEXT, name TEXT, alias TEXT, version INTEGER)")
            connection.execute("CREATE TABLE model_version_tags (workspace TEXT, name TEXT, version INTEGER, key TEXT, value TEXT)")
            connection.execute("INSERT INTO registered_models VALUES (?, 'default')", (MODEL,))
        self.aliases = Aliases.at(f"sqlite:///{self.database}")
        self.versions = 0

    def add(self, folder: Path, digest: str) -> int:
        """A version whose bundle lies in `folder`."""
        self.versions += 1
        tags = {"bundle_path": str(folder), "bundle_digest": digest}
        with closing(sqlite3.connect(self.database)) as connection, connection:
            for key, value in tags.items():
                connection.execute("INSERT INTO model_version_tags VALUES ('default', ?, ?, ?, ?)", (MODEL, self.versions, key, value))
        return self.versions

    def point(self, version: int | None, alias: str = "champion") -> None:
        """The alias points at a version, or at none."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute("DELETE FROM registered_model_aliases WHERE alias = ?", (alias,))
            if version is not None:
                connection.execute("INSERT INTO registered_model_aliases VALUES ('default', ?, ?, ?)", (MODEL, alias, version))
