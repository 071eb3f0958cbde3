"""Claims as rows to learn from: features, whether a full investigation would not have paid, and with what chance it was looked at.

Rows come from the simulated world or from the real store; either way a claim has a label only where it was investigated, and the
features are what was known when it was filed or first reviewed. Latent truth, where a world has it, is kept apart and never a feature.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

if TYPE_CHECKING:
    from datetime import datetime

    from knowledge_graph.loader import Knowledge
    from training.world.world import World
    from triage.store import Store

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]
Times = NDArray[np.datetime64]
_PLAIN = ("claim_id", "y", "propensity", "drawn", "investigated", "passes_rules", "groups", "lane", "filed_at", "label_known_at")
RANDOM_LANES = ("shadow", "audit")
"""Lanes whose claims were investigated by a draw, not for what they look like."""


class DatasetError(Exception):
    """Rows that cannot be learnt from; the message names what is missing and the remedy."""


@dataclass(frozen=True)
class Dataset:
    """n claims in the order they were filed. `X` (n, k) float64 by `names`, NaN unknown; `y` (n,) 1 when a full investigation would
    not have paid, 0 when it would, NaN where nobody looked; `propensity` the logged chance of being investigated for whatever reason,
    `drawn` that of being investigated by a draw (1 in a shadow period, else the audit rate), 0 where the rules decide; `passes_rules` whether only the gate stands between the claim and its release; `groups` as `triage.gate.group_of`; times in microseconds, NaT
    where a label is not known; `attributes` what errors are broken down by; `latent` the truth of a simulated world, else None."""

    names: tuple[str, ...]
    X: Floats
    claim_id: Texts
    y: Floats
    propensity: Floats
    drawn: Floats
    investigated: Bools
    passes_rules: Bools
    groups: Texts
    lane: Texts
    filed_at: Times
    label_known_at: Times
    attributes: pl.DataFrame
    latent: pl.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def weight(self) -> Floats:
        """1 / propensity (n,): what an investigated claim stands for (Horvitz and Thompson 1952)."""
        return np.asarray(1.0 / np.clip(self.propensity, 1e-6, 1.0), dtype=np.float64)

    @property
    def labelled(self) -> Bools:
        """Investigated, with an answer (n,)."""
        return np.asarray(self.investigated & ~np.isnan(self.y))

    @property
    def at_random(self) -> Bools:
        """Labelled by a draw (n,): the claims a certificate may rest on."""
        return np.asarray(self.labelled & np.isin(self.lane, RANDOM_LANES))

    @property
    def truth(self) -> Floats:
        """Simulated worlds only: 1 where a full investigation would refuse (n,), looked at or not. Raises DatasetError elsewhere."""
        if self.latent is None:
            raise DatasetError("真实案件没有潜在真相，请用模拟世界 / real claims have no latent truth: use a simulated world")
        return self.latent["would_be_refused"].cast(pl.Float64).to_numpy()

    def known(self, as_of: np.datetime64) -> Dataset:
        """The same claims with the labels that were known at `as_of`."""
        known = self.label_known_at <= as_of
        return replace(self, y=np.where(known, self.y, np.nan))

    def take(self, rows: NDArray[Any]) -> Dataset:
        """Some claims, by index or mask."""
        part = {name: getattr(self, name)[rows] for name in ("X", *_PLAIN)}
        at = np.flatnonzero(rows) if rows.dtype == bool else rows
        latent = None if self.latent is None else self.latent[at]
        return Dataset(names=self.names, attributes=self.attributes[at], latent=latent, **part)

    def columns(self, names: tuple[str, ...]) -> Dataset:
        """The same claims with some of the features."""
        return replace(self, names=names, X=self.X[:, [self.names.index(name) for name in names]])

    def digest(self) -> str:
        """SHA-256 over all that is learnt from."""
        held = hashlib.sha256(repr(self.names).encode())
        for name in ("X", *_PLAIN):
            column = getattr(self, name)
            held.update("\0".join(column.tolist()).encode() if column.dtype.kind == "U" else np.ascontiguousarray(column).tobytes())
        return held.hexdigest()

    @classmethod
    def from_world(cls, world: World, *, links: bool = True) -> Dataset:
        """A simulated world's claims (`training.world_rows`)."""
        from training.world_rows import from_world

        return from_world(world, links=links)

    @classmethod
    def from_store(cls, store: Store, knowledge: Knowledge, as_of: datetime | None = None) -> Dataset:
        """The real store's decided claims (`training.store_rows`). Raises DatasetError."""
        from training.store_rows import from_store

        return from_store(store, knowledge, as_of)

    # ---- files

    def to_bytes(self) -> bytes:
        """As one Parquet file: features prefixed x., attributes a., latent z."""
        own = {name: getattr(self, name) for name in _PLAIN}
        features = {f"x.{name}": self.X[:, place] for place, name in enumerate(self.names)}
        told = {f"a.{column.name}": column for column in self.attributes}
        hidden = {f"z.{column.name}": column for column in self.latent} if self.latent is not None else {}
        kept = io.BytesIO()
        pl.DataFrame({**own, **features, **told, **hidden}).write_parquet(kept, compression="zstd")
        return kept.getvalue()

    def save(self, path: Path) -> None:
        """Writes `to_bytes`."""
        path.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote. Raises DatasetError for any other file."""
        try:
            return cls._of(pl.read_parquet(path))
        except (OSError, pl.exceptions.PolarsError) as error:
            cause = str(error).partition("\n")[0]
            raise DatasetError(
                f"{path}: 不是保存过的训练数据，请重新训练或换一个文件 / holds no dataset saved before: train again or name another file: {cause}"
            ) from error

    @classmethod
    def _of(cls, frame: pl.DataFrame) -> Self:
        parts = {mark: [c for c in frame.columns if c.startswith(mark)] for mark in ("x.", "a.", "z.")}
        told, hidden = (frame.select(parts[m]).rename(lambda name: name[2:]) for m in ("a.", "z."))
        own = {name: _array(frame[name]) for name in _PLAIN}
        matrix = frame.select(parts["x."]).to_numpy().astype(np.float64)
        names = tuple(name[2:] for name in parts["x."])
        return cls(names=names, X=matrix, attributes=told, latent=hidden if parts["z."] else None, **own)


def _array(column: pl.Series) -> NDArray[Any]:
    if column.dtype == pl.String:
        return column.to_numpy().astype(np.str_)
    return column.to_numpy().astype("datetime64[us]") if column.dtype.is_temporal() else column.to_numpy()


def concatenated(parts: list[Dataset]) -> Dataset:
    """Several datasets of the same features as one, in the order given."""
    first = parts[0]
    arrays = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(first) if f.name in ("X", *_PLAIN)}
    latent = None if first.latent is None else pl.concat([p.latent for p in parts if p.latent is not None])
    return Dataset(names=first.names, attributes=pl.concat([p.attributes for p in parts]), latent=latent, **arrays)
