"""What the model registry's aliases point at, read from MLflow's SQLite file without MLflow: read-only, and cheap enough to poll."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

MODEL = "claim-triage-risk"
CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
DEFAULT = "sqlite:///mlruns/mlflow.db"

_ALIAS = """
SELECT a.version, t.key, t.value FROM registered_model_aliases a
LEFT JOIN model_version_tags t ON t.workspace = a.workspace AND t.name = a.name AND t.version = a.version
WHERE a.workspace = 'default' AND a.name = ? AND a.alias = ?
"""


class RegistryAway(Exception):
    """The registry cannot be read now; the message says why."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The version an alias points at: its number, its bundle's folder and the digest it was registered with."""

    version: int
    folder: Path
    digest: str


@dataclass(frozen=True, slots=True)
class Aliases:
    """The aliases of one registry."""

    database: Path

    @classmethod
    def at(cls, uri: str) -> Aliases:
        """From a sqlite:/// address. Raises ValueError for any other."""
        if not uri.startswith("sqlite:///"):
            raise ValueError(f"mlflow {uri}: 只支持 sqlite:///… / only sqlite:///… is supported")
        return cls(Path(uri.removeprefix("sqlite:///")).resolve())

    def of(self, name: str) -> Pinned | None:
        """What an alias points at; None where it points at nothing. Raises RegistryAway when that cannot be known."""
        try:
            with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True, timeout=2)) as connection:
                rows = connection.execute(_ALIAS, (MODEL, name)).fetchall()
                known = connection.execute("SELECT 1 FROM registered_models WHERE name = ?", (MODEL,)).fetchone()
        except sqlite3.Error as error:
            raise RegistryAway(f"{self.database}: {error}") from error
        if known is None:
            raise RegistryAway(f"{self.database}: 没有登记的模型 / holds no registered model")
        if not rows:
            return None
        tags = {key: value for _, key, value in rows}
        return Pinned(int(rows[0][0]), self.database.parent / tags.get("bundle_path", ""), tags.get("bundle_digest", ""))
