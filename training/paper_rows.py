"""A simulated world by its papers alone: every claim's papers written, read and gone through, in parts that are kept as they are done.

Reading a claim takes some hundredths of a second, a large world hours; a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from knowledge_graph.loader import Knowledge
from training.dataset import Dataset, DatasetError
from training.read_rows import read_world
from training.world_rows import columns_of, dataset_of, rulebook
from triage.features import FeatureSet
from triage.reading import Reader

if TYPE_CHECKING:
    from training.world.world import World

PART = 1_000
"""Claims read between two savings."""
PASSES = "passes_rules"
Progress = Callable[[int, int], None]


def from_papers(world: World, folder: Path, *, workers: int = 1, progress: Progress = lambda *_: None) -> Dataset:
    """The world's claims with the features and the standing their papers give when read. `folder` keeps finished parts and is tied to
    the world, reader and features by a digest. Raises DatasetError when it holds parts of something else."""
    knowledge, features = rulebook(), FeatureSet.load()
    _tie(folder, world, knowledge, features)
    frame = pl.concat(list(_parts(world, folder, columns_of(world, knowledge), workers, progress)))
    rows = dataset_of(world, frame.select(features.names).to_numpy().astype(np.float64), features.names, features)
    passes = rows.passes_rules & frame[PASSES].to_numpy()
    return replace(rows, passes_rules=passes, drawn=np.where(passes, rows.drawn, 0.0))


def _parts(world: World, folder: Path, links: pl.DataFrame, workers: int, progress: Progress) -> Iterator[pl.DataFrame]:
    claims = world.facts.height
    for start in range(0, claims, PART):
        path, stop = folder / f"part-{start:08d}.parquet", min(start + PART, claims)
        if not path.exists():
            _read_part(world, range(start, stop), links, path, workers)
        progress(stop, claims)
        yield pl.read_parquet(path)


def _read_part(world: World, rows: range, links: pl.DataFrame, path: Path, workers: int) -> None:
    """Reads some claims and saves them under a name that only a whole part bears."""
    found = read_world(world, rows, links, workers=workers)
    frame = pl.DataFrame(found.features, schema=list(FeatureSet.load().names), orient="row")
    unfinished = path.with_suffix(".unfinished")
    frame.with_columns(pl.Series(PASSES, found.passes)).write_parquet(unfinished)
    unfinished.replace(path)


def _tie(folder: Path, world: World, knowledge: Knowledge, features: FeatureSet) -> None:
    """Writes what the folder is of, or holds it against what it was of."""
    about: dict[str, Any] = {
        "claims": world.facts.height,
        "seed": world.seed,
        "facts": sha256(world.facts.write_ipc(None).getvalue()).hexdigest(),
        "features": features.digest,
        "rulebook": knowledge.digest,
        "reader": Reader.from_knowledge(knowledge).digest,
    }
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "read.json"
    if kept.exists() and json.loads(kept.read_text(encoding="utf-8")) != about:
        raise DatasetError(
            f"{folder}: 其中是另一个世界、读取器或特征集的结果，请换一个文件夹或删除它"
            " / holds what another world, reader or feature set gave: name another folder, or delete it"
        )
    kept.write_text(json.dumps(about), encoding="utf-8")
