"""A desk on a real database in a temporary folder, and the worked claims."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from knowledge_graph.loader import Knowledge, load
from triage.bundle import Bundle
from triage.cases import load_cases
from triage.claim import Claim
from triage.desk import Desk
from triage.reading import Reader
from triage.store import open_store

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


def desk(folder: Path, *, gate: bool = True, now: datetime = NOW) -> Desk:
    """A desk; `gate` opens the gate with the test bundle."""
    knowledge, reader = shipped()
    return Desk(open_store(database(folder)), knowledge, reader, Bundle.load(OPEN_GATE) if gate else None, lambda: now)


@cache
def case(name: str) -> Claim:
    """The claim of a named case."""
    return load_cases()[name].claim
