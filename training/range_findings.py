"""Does each headline keep its sign when an assumption is wrong? The whole chain again, small, at both ends of every range."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from training import baselines, ceilings
from training.cost_findings import ways_of
from training.costs import chosen as priced
from training.costs import cost, prices, saved_at
from training.findings import Grid, Section, asked, at_least, exact
from training.metrics import average_precision
from training.model import fit
from training.world.assumptions import Assumptions
from training.world.make import make_world
from training.world_rows import from_world
from triage.features import FeatureSet

HEADLINES: Mapping[str, tuple[str, str]] = {
    "above_rules": ("平均精度高于仅规则", "average precision above rules only"),
    "link_gain": ("关联特征有提升", "links help"),
    "cheaper_than_rules": ("总成本低于仅规则", "total cost below rules only"),
    "cheaper_than_everything": ("总成本低于全部调查", "total cost below investigating everything"),
    "saves": ("查获相当时节省调查", "saves investigations at equal caught breaches"),
}


@dataclass(frozen=True)
class End:
    """One end of one assumption with the headlines found there; each should be above 0."""

    name: str
    value: float
    found: Mapping[str, float]

    @property
    def turned(self) -> tuple[str, ...]:
        """Headlines whose sign turned."""
        return tuple(name for name, value in self.found.items() if not value > 0)


def headlines(assumptions: Assumptions, claims: int, seed: int) -> dict[str, float]:
    """Trained on the first part of a world and tried on the rest of it."""
    features, dataset = FeatureSet.load(), from_world(make_world(claims, seed, assumptions))
    fitted = fit(dataset, features, seed=seed)
    later = np.concatenate([fitted.split.certify, fitted.split.test])
    held = dataset.take(later[dataset.propensity[later] > 0])
    scores = baselines.scores(dataset, fitted, held, features, seed=seed)
    ap = {name: average_precision(score, held.truth) for name, score in scores.items()}
    passes = np.flatnonzero(held.lane != "rules")
    some, chance, score = held.take(passes), ceilings.latent(held)[passes], scores["links"][passes]
    amount, price = some.attributes["amount"].to_numpy(), prices(assumptions.values)
    total = {name: cost(way, chance, amount, price).total for name, way in ways_of(some, score, chance, amount, price).items()}
    return {
        "above_rules": ap["links"] - ap["rules"],
        "link_gain": ap["links"] - ap["claim_only"],
        "cheaper_than_rules": total["rules"] - total["links"],
        "cheaper_than_everything": total["everything"] - total["links"],
        "saves": saved_at(score, chance, priced("equal_caught")),
    }


def _tried(one: tuple[str, float, int, int]) -> End:
    name, value, claims, seed = one
    return End(name, value, headlines(Assumptions.load().with_(**{name: value}), claims, seed))


def ends(names: list[str], claims: int, seed: int, *, workers: int = 1) -> Iterator[End]:
    """Both ends of each assumption, in order; several at a time with `workers` processes."""
    ranges = Assumptions.load().names()
    asked_of = [(name, value, claims, seed) for name in names for value in ranges[name]]
    if workers < 2:
        yield from map(_tried, asked_of)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_tried, asked_of)


def range_section(seed: int, *, full: bool, workers: int, progress: Callable[[str], None]) -> Section:
    """All assumptions with `full`, else those of evaluation.yaml."""
    names = list(Assumptions.load().names()) if full else list(asked("key_ends"))
    found = []
    for end in ends(names, int(asked("end_claims")), seed + 1_000, workers=workers):
        found.append(end)
        progress(f"假设端点 {len(found)}/{2 * len(names)} {end.name} / ends of assumptions")
    lines = []
    for name, (zh, en) in HEADLINES.items():
        least = min(found, key=lambda end: end.found[name])
        line = at_least(
            f"ends_{name}",
            f"{zh}：{2 * len(names)}个端点中的最小值",
            f"{en}: least of {2 * len(names)} ends",
            exact(least.found[name]),
            0.0,
        )
        lines.append(line)
    rows = tuple((end.name, end.value, *(end.found[name] for name in HEADLINES)) for end in found)
    grid = Grid("ends", "假设端点", "ends of assumptions", ("assumption", "value", *HEADLINES), rows)
    return Section("ranges", "各假设范围两端的结论", "headlines at the ends of the assumptions", tuple(lines), (grid,))
