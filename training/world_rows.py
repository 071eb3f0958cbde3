"""A simulated world as rows to learn from: either by facts as a perfect reader would have them, or by the papers as ours reads them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from knowledge_graph.loader import Knowledge, load
from training.dataset import Dataset, Floats, Texts
from triage.features import FeatureSet, flag_columns
from triage.link_columns import link_columns

if TYPE_CHECKING:
    from training.world.world import World

AGE_BANDS = (30, 40, 50, 60)
"""Where errors are broken down by age."""


@cache
def rulebook() -> Knowledge:
    """The shipped rulebook, read once."""
    return load()


def from_world(world: World, *, links: bool = True, knowledge: Knowledge | None = None, read: int = 0, workers: int = 1) -> Dataset:
    """Every claim of a world; without `links` nothing of other claims is known. With `read` 0 the facts are a perfect reader's; else
    the papers of that many claims are read for real and the others know no more than such a claim does (`training.read_rows`)."""
    features = FeatureSet.load()
    columns = columns_of(world, knowledge or rulebook())
    matrix = features.matrix(columns if read == 0 else as_read(world, columns, read, workers, knowledge or rulebook()))
    return dataset_of(world, matrix, features.names if links else unlinked(features), features, knowledge)


def as_read(world: World, columns: pl.DataFrame, read: int, workers: int, knowledge: Knowledge) -> pl.DataFrame:
    """The columns with what our reader, staff and reviewers leave unknown, and the red flags that are then raised."""
    from training.read_rows import read_world, taking_after

    rows = np.sort(np.random.default_rng((world.seed, read)).choice(len(columns), min(read, len(columns)), replace=False))
    readings = read_world(world, rows.tolist(), columns, workers=workers)
    return flag_columns(taking_after(columns, readings, world.seed), knowledge)


def columns_of(world: World, knowledge: Knowledge) -> pl.DataFrame:
    """The world's facts with the past of linked entities as of each filing, and the red flags they raise."""
    past = link_columns(world.links, world.outcomes)
    told = [name for name in past.columns if name in world.facts.columns and name != "claim_id"]
    joined = world.facts.drop(told).join(past, on="claim_id", how="left", maintain_order="left")
    return flag_columns(joined, knowledge)


def unlinked(features: FeatureSet) -> tuple[str, ...]:
    """The features that a claim tells by itself: no links, and no sum of flags that counts them."""
    return tuple(f.name for f in features.features if not f.from_.links and f.from_.flag != "weight")


def dataset_of(world: World, matrix: Floats, names: Sequence[str], features: FeatureSet, knowledge: Knowledge | None = None) -> Dataset:
    """The dataset of a world whose feature matrix (n, k) is given."""
    seen = world.outcomes
    known = seen["investigated"].to_numpy() & seen["refused"].is_not_null().to_numpy()
    refused = seen["refused"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    propensity = seen["propensity"].to_numpy()
    passes = seen["passes_rules"].to_numpy() & ~_flagged(world, knowledge or rulebook())
    shadow = seen["lane"].to_numpy() == "shadow"
    return Dataset(
        names=tuple(names),
        X=matrix[:, [features.names.index(name) for name in names]],
        claim_id=_texts(world.facts["claim_id"]),
        y=np.where(known, refused, np.nan),
        propensity=propensity,
        drawn=np.where(passes, np.where(shadow, 1.0, world.assumptions["audit_rate"]), 0.0),
        investigated=seen["investigated"].to_numpy(),
        passes_rules=passes,
        groups=groups_of(world, knowledge or rulebook()),
        lane=_texts(seen["lane"]),
        filed_at=seen["filed_at"].to_numpy().astype("datetime64[us]"),
        label_known_at=seen["label_known_at"].to_numpy().astype("datetime64[us]"),
        attributes=_attributes(world),
        latent=world.latent,
    )


def _flagged(world: World, knowledge: Knowledge) -> NDArray[np.bool_]:
    """Whether red flags alone send a claim to a person (n,): no certificate speaks of those, as no gate would open for them."""
    limits = {name: float(plan.flag_weights.person) for name, plan in knowledge.plans.items()}
    limit = world.facts["plan"].replace_strict(list(limits), list(limits.values()), return_dtype=pl.Float64).to_numpy()
    return np.asarray(world.outcomes["flag_weight"].to_numpy() >= limit)


def groups_of(world: World, knowledge: Knowledge) -> Texts:
    """plan:under_40 or plan:from_40, as `triage.gate.group_of` names them (n,)."""
    plans, age = world.facts["plan"].to_numpy(), world.facts["age_at_diagnosis"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    found = np.empty(len(plans), dtype=object)
    for plan in np.unique(plans):
        split = knowledge.plans[plan].parameters["gate_age_split"]
        named = np.where(np.isnan(age), "unknown", np.where(age < split, f"under_{split:g}", f"from_{split:g}"))
        mine = plans == plan
        found[mine] = [f"{plan}:{name}" for name in named[mine]]
    return found.astype(np.str_)


def _attributes(world: World) -> pl.DataFrame:
    """What errors are broken down by, and the amount."""
    told, facts = world.attributes, world.facts
    labels = np.array(["<30", "30-39", "40-49", "50-59", ">=60"])
    bands = labels[np.searchsorted(AGE_BANDS, told["age"].to_numpy(), side="right")]
    level = told["hospital_level"].cast(pl.String)
    return pl.DataFrame(
        {
            "plan": facts["plan"],
            "condition": facts["condition"],
            "sex": told["sex"],
            "age": pl.Series(bands.tolist()),
            "region": told["region"],
            "hospital_level": level,
            "amount": told["amount"].cast(pl.Float64),
            "flag_weight": world.outcomes["flag_weight"].cast(pl.Float64),
        }
    )


def _texts(column: pl.Series) -> NDArray[np.str_]:
    return column.cast(pl.String).to_numpy().astype(np.str_)
