"""What the service does by itself between requests: closes the gate on an alarm, and scores with the challenger in shadow."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sqlalchemy import func, select

from serving.champion import Champion
from serving.unforeseen import note
from triage import audit_lane, shadow
from triage.desk import Desk
from triage.risk import Scorer
from triage.store.errors import StoreError
from triage.store.tables import outcome

log = logging.getLogger(__name__)


def _at(desk: Desk) -> str:
    return desk.clock().isoformat(timespec="microseconds")


class Watch:
    """One round every few seconds, in a thread of its own; a failure waits for the next round and never meets a request."""

    def __init__(self, desk: Callable[[], Desk], challenger: Champion | None, *, every: float = 2.0) -> None:
        self._desk, self._challenger, self._every = desk, challenger, every
        self._scorer: Scorer | None = None
        self._after = 0
        self._answers: tuple[str, int] = ("", -1)
        self._stop = threading.Event()

    def round(self) -> None:
        """One look at the audit lane and at the claims the challenger has not scored. Raises StoreError."""
        self._alarm()
        self._score()

    def _alarm(self) -> None:
        """Only when there is a new answer or another bundle."""
        desk = self._desk()
        if desk.bundle is None:
            return
        with desk.store.reading() as connection:
            now = (desk.bundle.digest, int(connection.execute(select(func.max(outcome.c.id))).scalar_one() or 0))
        if now == self._answers:
            return
        for group in audit_lane.ring(desk.store, desk.bundle, _at(desk)):
            log.warning("the gate of %s was closed by the audit lane", group)
        self._answers = now

    def _score(self) -> None:
        desk = self._desk()
        if self._challenger is None:
            return
        if self._challenger.look():
            bundle = self._challenger.bundle
            self._scorer = None if bundle is None else Scorer(bundle)
            self._after = 0 if self._scorer is None else shadow.begin_after(desk.store, self._scorer)
        if self._scorer is not None:
            self._after = shadow.score_next(desk.store, self._scorer, self._after, _at(desk))

    def follow(self) -> threading.Thread:
        """Rounds in a thread of its own until `stop`."""
        thread = threading.Thread(target=self._run, name="watch", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Ends `follow`."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.round()
            except StoreError as error:
                log.warning("no round of the watch: %s", error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next round is tried
                note(error)
