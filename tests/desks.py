"""A desk on a real database in a temporary folder, and the worked claims."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from knowledge_graph.loader import Knowledge, load
from tests.databases import Database
from triage.bundle import Bundle
from triage.cases import load_cases
from triage.claim import Claim
from triage.desk import Desk
from triage.reading import Reader
from triage.store import Store, open_store

NOW = datetime(2021, 3, 1, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
OPEN_GATE = Path(__file__).parent / "bundles" / "open_gate.yaml"


@cache
def shipped() -> tuple[Knowledge, Reader]:
    """The shipped rulebook and its reader, once for all tests."""
    knowledge = load()
    return knowledge, Reader.from_knowledge(knowledge)


def database(folder: Path) -> str:
    """A database URL in a folder."""
    return f"sqlite:///{folder / 'triage.db'}"


def desk(place: Path | Database, *, gate: bool = True, now: datetime = NOW) -> Desk:
    """A desk on a database, or on one of its own in a folder; `gate` opens the gate with the test bundle."""
    knowledge, reader = shipped()
    url = place.url if isinstance(place, Database) else database(place)
    return Desk(open_store(url), knowledge, reader, Bundle.load(OPEN_GATE) if gate else None, lambda: now)


@cache
def case(name: str) -> Claim:
    """The claim of a named case."""
    return load_cases()[name].claim


class Ticking:
    """A clock that moves a second with every look, and by whole days when told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def days(self, number: int) -> None:
        """Moves the clock on."""
        self.now += timedelta(days=number)


def desk_on(store: Store, *, gate: str = "open", **changes: Any) -> Desk:
    """A desk on a store with the gate open or closed; `clock` or `bundle` may be given."""
    knowledge, reader = shipped()
    given = {"bundle": Bundle.load(OPEN_GATE) if gate == "open" else None, "clock": Ticking(), **changes}
    return Desk(store, knowledge, reader, **given)
