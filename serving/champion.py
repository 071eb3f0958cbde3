"""Which model version serves: follows the registry's `champion` alias, and loads a version only after it was tried elsewhere.

The alias is read from MLflow's SQLite file, read-only, so that polling is cheap and MLflow need not run or even be there. A version
that cannot be verified is refused and the old one keeps serving; so it does while the registry is away. Both are said in /readyz.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from serving.unforeseen import note
from triage.aliases import CHAMPION, Aliases, Pinned, RegistryAway
from triage.bundle import Bundle, BundleError
from triage.bundle_check import Trial, verified

RETRY_SECONDS = 30.0
"""A refused version is tried again this much later: its files may have been mended."""
log = logging.getLogger(__name__)


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

    def __init__(self, aliases: Aliases, *, alias: str = CHAMPION, every: float = 0.25) -> None:
        self.bundle: Bundle | None = None
        self.condition = Condition()
        self._aliases, self._alias, self._every = aliases, alias, every
        self._served: Pinned | None = None
        self._refused: tuple[Pinned, float] | None = None
        self._stop = threading.Event()
        self._trial: Trial | None = None

    def beside(self, alias: str) -> Champion:
        """A follower of another alias of the same registry."""
        return Champion(self._aliases, alias=alias, every=self._every)

    def look(self) -> bool:
        """One look at the alias: whether `bundle` changed. Never raises for a bad bundle or an absent registry."""
        try:
            pinned = self._aliases.of(self._alias)
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
            return self._serve(pinned, verified(pinned.folder, pinned.digest, trial=self._trial))
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
                self._prepare()
                if self.look():
                    take(self.bundle)
            except Exception as error:  # noqa: BLE001 - whatever it is, the alias is looked at again
                note(error)
        if self._trial is not None:
            self._trial.drop()

    def _prepare(self) -> None:
        """Keeps a process ready for the next bundle, once there is a registry from which one may come."""
        if self.condition.seen and (self._trial is None or not self._trial.waits):
            self._trial = Trial()
