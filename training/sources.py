"""Where a training run's rows come from, and the words to make them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from triage.bundle import Purpose

if TYPE_CHECKING:
    from knowledge_graph.loader import Knowledge
    from training.dataset import Dataset


@dataclass(frozen=True)
class Source:
    """A name, the words to make the rows again, and whether they are simulated."""

    name: str
    origin: Mapping[str, str]
    simulated: bool

    @property
    def purpose(self) -> Purpose:
        """Simulated claims certify nothing real."""
        return "demonstration" if self.simulated else "certified"


def from_world(claims: int, seed: int, shadow_months: int | None = None, *, read: int = 0, workers: int = 1) -> tuple[Dataset, Source]:
    """A simulated world's claims; without `shadow_months` everything was investigated so far, as before any model serves. The papers of
    `read` claims are read for real, and the others know no more than those do; with 0 all are read perfectly."""
    from training.world.assumptions import Assumptions
    from training.world.make import make_world
    from training.world_rows import from_world as rows

    assumed = Assumptions.load()
    months = assumed["span_months"] if shadow_months is None else shadow_months
    world = make_world(claims, seed, assumed.with_(shadow_months=months))
    command = f"triage train --from world --claims {claims} --seed {seed} --shadow-months {months:g} --read {read}"
    return rows(world, read=read, workers=workers), Source(f"world-{claims}-{seed}", {"command": command}, simulated=True)


def from_store(url: str, knowledge: Knowledge, as_of: datetime | None) -> tuple[Dataset, Source]:
    """The claim store's decided and corrected claims. Raises DatasetError, StoreError."""
    from sqlalchemy.engine import make_url

    from training.dataset import Dataset
    from triage.store import open_existing

    store = open_existing(url)
    told = make_url(url).render_as_string(hide_password=True)
    day = "now" if as_of is None else f"{as_of:%Y-%m-%d}"
    return Dataset.from_store(store, knowledge, as_of), Source(f"store-{day}", {"store": told, "as_of": day}, simulated=False)


def from_file(path: Path) -> tuple[Dataset, Source]:
    """A dataset that was saved. Nobody vouches for where a file came from, so what is learnt of it is for demonstration, as of a world."""
    from training.dataset import Dataset

    return Dataset.load(path), Source(path.stem, {"file": path.name}, simulated=True)
