"""Which model version serves: follows the registry's `champion` alias, and loads a version only after it was tried elsewhere.

The alias is read from MLflow's SQLite file, read-only, so that polling is cheap and MLflow need not run or even be there. A version
that cannot be verified is refused and the old one keeps serving; so it does while the registry is away. Both are said in /readyz.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from triage.bundle import Bundle, BundleError
from triage.bundle_check import verified

MODEL = "claim-triage-risk"
RETRY_SECONDS = 30.0
"""A refused version is tried again this much later: its files may have been mended."""
log = logging.getLogger(__name__)

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
class Registry:
    """MLflow's registry as the service reads it."""

    database: Path

    @classmethod
    def at(cls, uri: str) -> Registry:
        """From a sqlite:/// address. Raises ValueError for any other."""
        if not uri.startswith("sqlite:///"):
            raise ValueError(f"mlflow {uri}: 只支持 sqlite:///… / only sqlite:///… is supported")
        return cls(Path(uri.removeprefix("sqlite:///")))

    def alias(self, name: str) -> Pinned | None:
        """What an alias points at; None where it points at nothing. Raises RegistryAway."""
        try:
            with closing(sqlite3.connect(f"file:{self.database.resolve()}?mode=ro", uri=True, timeout=2)) as connection:
                rows = connection.execute(_ALIAS, (MODEL, name)).fetchall()
                known = connection.execute("SELECT 1 FROM registered_models WHERE name = ?", (MODEL,)).fetchone()
        except sqlite3.Error as error:
            raise RegistryAway(f"{self.database}: {error}") from error
        if known is None:
            raise RegistryAway(f"{self.database}: 没有登记的模型 / holds no registered model")
        tags = {key: value for _, key, value in rows}
        if not rows:
            return None
        return Pinned(int(rows[0][0]), self.database.resolve().parent / tags.get("bundle_path", ""), tags.get("bundle_digest", ""))


@dataclass(frozen=True, slots=True)
class Condition:
    """What health says of the model: the version served, the one refused and why, and whether the registry answers."""

    version: int | None = None
    refused: int | None = None
    why: str = ""
    away: str = ""
    seen: bool = False

    def degraded(self) -> list[str]:
        """The parts that do not work as they should."""
        refused = ["bundle_refused"] if self.refused is not None else []
        return [*refused, *(["mlflow_unavailable"] if self.away and self.seen else [])]


class Champion:
    """Follows an alias: `bundle` is the one that serves, verified, and `condition` what health says of it."""

    def __init__(self, registry: Registry, *, alias: str = "champion", every: float = 0.5) -> None:
        self.bundle: Bundle | None = None
        self.condition = Condition()
        self._registry, self._alias, self._every = registry, alias, every
        self._served: Pinned | None = None
        self._refused: tuple[Pinned, float] | None = None
        self._stop = threading.Event()

    def look(self) -> bool:
        """One look at the alias: whether `bundle` changed. Never raises for a bad bundle or an absent registry."""
        try:
            pinned = self._registry.alias(self._alias)
        except RegistryAway as error:
            self.condition = replace(self.condition, away=str(error))
            return False
        if pinned is None:
            return self._serve(None, None)
        if pinned == self._served:
            self._refused = None
            self.condition = Condition(version=pinned.version, seen=True)
            return False
        self.condition = replace(self.condition, away="", seen=True)
        return not self._lately_refused(pinned) and self._try(pinned)

    def _lately_refused(self, pinned: Pinned) -> bool:
        return self._refused is not None and self._refused[0] == pinned and time.monotonic() < self._refused[1]

    def _try(self, pinned: Pinned) -> bool:
        try:
            return self._serve(pinned, verified(pinned.folder, pinned.digest))
        except BundleError as error:
            self._refused = (pinned, time.monotonic() + RETRY_SECONDS)
            self.condition = replace(self.condition, refused=pinned.version, why=str(error))
            log.warning("version %s refused: %s", pinned.version, error)
            return False

    def _serve(self, pinned: Pinned | None, bundle: Bundle | None) -> bool:
        changed = self._served != pinned
        self.bundle, self._served, self._refused = bundle, pinned, None
        self.condition = Condition(version=pinned.version if pinned else None, seen=True)
        if changed:
            log.info("version %s serves", pinned.version if pinned else "none")
        return changed

    def follow(self, take: Callable[[Bundle | None], None]) -> threading.Thread:
        """Looks every `every` seconds in a thread of its own until `stop`, and gives each change of `bundle` to `take`."""
        thread = threading.Thread(target=self._run, args=(take,), name=f"follow-{self._alias}", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Ends `follow`."""
        self._stop.set()

    def _run(self, take: Callable[[Bundle | None], None]) -> None:
        while not self._stop.wait(self._every):
            try:
                if self.look():
                    take(self.bundle)
            except Exception:
                log.exception("the alias could not be followed")
