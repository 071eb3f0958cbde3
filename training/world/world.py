"""A made world: tables of what the plan sees, and apart from them what is true. One row a claim, in order of filing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from training.world.assumptions import Assumptions

if TYPE_CHECKING:
    from training.world.story import Story
    from triage.claim import Claim

TABLES = ("facts", "attributes", "links", "outcomes", "latent", "told", "hospitals")


class NoSuchClaim(KeyError):
    """A claim id that the world does not hold."""


class NoSuchWorld(ValueError):
    """A folder that holds no world."""


@dataclass(frozen=True)
class World:
    """`facts`, `attributes`, `links`, `outcomes` are what the plan sees; `latent` is never a feature; `told` is what papers may say
    beyond the facts (names, dates of other specimens, rounds of papers); `hospitals` are level and ownership as staff look them up."""

    seed: int
    assumptions: Assumptions
    facts: pl.DataFrame
    attributes: pl.DataFrame
    links: pl.DataFrame
    outcomes: pl.DataFrame
    latent: pl.DataFrame
    told: pl.DataFrame
    hospitals: pl.DataFrame

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.facts["claim_id"].to_list())}

    def place(self, claim_id: str) -> int:
        """The row of a claim; raises NoSuchClaim."""
        if claim_id not in self._places:
            raise NoSuchClaim(f"{claim_id}: 此模拟世界没有该案件 / this world holds no such claim")
        return self._places[claim_id]

    def story(self, claim_id: str) -> Story:
        """What the papers of a claim may tell."""
        from training.world.telling import story

        return story(self._row(claim_id), self.assumptions)

    def claim(self, claim_id: str, rounds: int = 0, *, papers: bool = True, style: str | None = None) -> Claim:
        """The claim in the product's format with the papers brought up to a round (2: all)."""
        from training.world.telling import claim

        return claim(self._row(claim_id), self._keys(claim_id), rounds, self.assumptions, papers=papers, style=style)

    def _row(self, claim_id: str) -> dict[str, Any]:
        place = self.place(claim_id)
        return {**self.attributes.row(place, named=True), **self.facts.row(place, named=True), **self.told.row(place, named=True)}

    def _keys(self, claim_id: str) -> dict[str, str]:
        own = self.told.row(self.place(claim_id), named=True)
        return {kind: own[kind] for kind in ("member_id", "phone", "device", "account", "agent", "address") if own[kind] is not None}

    def save(self, folder: Path) -> None:
        """Parquet files and world.json."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in TABLES:
            getattr(self, name).write_parquet(folder / f"{name}.parquet")
        about = {"seed": self.seed, "claims": self.facts.height, "assumptions": dict(self.assumptions.values)}
        (folder / "world.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> World:
        """The world saved there. Raises NoSuchWorld."""
        try:
            about = json.loads((folder / "world.json").read_text(encoding="utf-8"))
            tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in TABLES}
        except (OSError, ValueError) as error:
            raise NoSuchWorld(f"{folder}: 不是模拟世界的目录，请用 triage world make / not a saved world, make one: {error}") from error
        return cls(about["seed"], Assumptions.load().with_(**about["assumptions"]), **tables)

    def at_most(self, claims: int) -> World:
        """The first claims filed, with their links."""
        ids = self.facts["claim_id"].head(claims)
        cut = {n: getattr(self, n).head(claims) for n in ("facts", "attributes", "outcomes", "latent", "told")}
        links = self.links.filter(pl.col("claim_id").is_in(ids.implode()))
        return World(self.seed, self.assumptions, links=links, hospitals=self.hospitals, **cut)
