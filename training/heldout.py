"""The rows a version was judged on, kept with its run, so that two versions can be compared on the same claims later."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

FILE = "heldout.parquet"
_OWN = ("claim_id", "group", "wrong", "weight", "passes_rules")


@dataclass(frozen=True)
class HeldOut:
    """`x` (n, k) features by `names`; `wrong` (n,) 0 or 1; `weight` (n,) inverse propensities; `passes_rules` (n,) whether only the
    gate stands between the claim and its release; `group` and `claim_id` (n,) text."""

    names: tuple[str, ...]
    x: NDArray[np.float64]
    wrong: NDArray[np.float64]
    weight: NDArray[np.float64]
    group: NDArray[np.str_]
    claim_id: NDArray[np.str_]
    passes_rules: NDArray[np.bool_]

    def to_bytes(self) -> bytes:
        """As Parquet; the feature columns carry a prefix so that none meets ours."""
        own = {
            "claim_id": self.claim_id.astype(str),
            "group": self.group.astype(str),
            "wrong": self.wrong,
            "weight": self.weight,
            "passes_rules": self.passes_rules,
        }
        frame = pl.DataFrame({**own, **{f"x.{name}": self.x[:, i] for i, name in enumerate(self.names)}})
        kept = io.BytesIO()
        frame.write_parquet(kept, compression="zstd")
        return kept.getvalue()

    @classmethod
    def read(cls, path: Path) -> HeldOut:
        """What `to_bytes` wrote."""
        frame = pl.read_parquet(path)
        columns = [name for name in frame.columns if name not in _OWN]
        return cls(
            names=tuple(name.removeprefix("x.") for name in columns),
            x=frame.select(columns).to_numpy().astype(np.float64),
            wrong=frame["wrong"].to_numpy(),
            weight=frame["weight"].to_numpy(),
            group=frame["group"].to_numpy().astype(np.str_),
            claim_id=frame["claim_id"].to_numpy().astype(np.str_),
            passes_rules=frame["passes_rules"].to_numpy(),
        )
