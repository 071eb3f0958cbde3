"""Two versions side by side: their metrics, the same held-out claims, and the claims of the store the second scored in shadow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from training.comparison import precision_difference, share_difference
from training.dataset import Dataset
from training.promote import Judged, chosen, judged
from training.registry import HELD_OUT, Registry, Version
from triage.store.tables import shadow_score

SHOWN = 10


@dataclass(frozen=True)
class Comparison:
    """`metrics` by name as (first, second); the held-out claims both were scored on; `shadow` where the second ran beside the first."""

    first: int
    second: int
    metrics: Mapping[str, tuple[float | None, float | None]]
    held_out: Mapping[str, Any]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    shadow: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def compare(registry: Registry, first: Version, second: Version, connection: Connection | None = None) -> Comparison:
    """Both on the rows the second was judged on. Raises BundleError, RegistryError."""
    held = Dataset.load(registry.file(second, HELD_OUT))
    one, two = judged(first.load(), held), judged(second.load(), held)
    released = one.released(held), two.released(held)
    names = sorted({*first.metrics, *second.metrics})
    return Comparison(
        first.number,
        second.number,
        {name: (first.metrics.get(name), second.metrics.get(name)) for name in names},
        _on_held_out(one, two, held),
        tuple(held.claim_id[released[0] & ~released[1]][:SHOWN].tolist()),
        tuple(held.claim_id[released[1] & ~released[0]][:SHOWN].tolist()),
        {} if connection is None else shadowed(connection, second.digest),
    )


def _on_held_out(one: Judged, two: Judged, held: Dataset) -> dict[str, Any]:
    confidence = chosen("confidence")
    precision = precision_difference(two.scores, one.scores, held.y, held.weight, confidence=confidence, resamples=int(chosen("resamples")))
    mine, theirs = two.released(held), one.released(held)
    share = share_difference(mine, theirs, confidence=confidence)
    return {
        "claims": len(held.y),
        "average_precision": {"first": precision.theirs, "second": precision.mine, "interval": [precision.low, precision.high]},
        "released": {"first": share.theirs, "second": share.mine, "interval": [share.low, share.high]},
        "wrong_among_released": {"first": _share(held.y[theirs]), "second": _share(held.y[mine])},
        "released_by_first_only": int(np.sum(theirs & ~mine)),
        "released_by_second_only": int(np.sum(mine & ~theirs)),
        "mean_absolute_difference": float(np.mean(np.abs(one.scores - two.scores))),
    }


def _share(values: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    return float(values.mean()) if len(values) else None


def shadowed(connection: Connection, digest: str) -> dict[str, Any]:
    """What the store holds of that bundle's scores beside those that served: how many, how far apart, and the claims furthest apart."""
    wanted = select(shadow_score).where(shadow_score.c.bundle_digest == digest, shadow_score.c.champion_score.is_not(None))
    found = [dict(row) for row in connection.execute(wanted).mappings()]
    last = {row["claim_id"]: row for row in sorted(found, key=lambda row: row["suggestion_id"])}
    apart = sorted(last.values(), key=lambda row: -abs(row["score"] - row["champion_score"]))
    return {
        "claims": len(last),
        "mean_absolute_difference": _share(np.array([abs(r["score"] - r["champion_score"]) for r in apart])),
        "furthest": [{"claim_id": r["claim_id"], "served": r["champion_score"], "shadow": r["score"]} for r in apart[:SHOWN]],
    }


def lines(found: Comparison) -> Iterator[str]:
    """The comparison in words."""
    yield f"{'':<52} {'v' + str(found.first):>10} {'v' + str(found.second):>10}"
    for name, (one, two) in found.metrics.items():
        if not name.endswith(("_low", "_high")):
            yield f"{name:<52} {_number(one)} {_number(two)}"
    told = found.held_out
    yield f"同一批留出案件 {told['claims']} 件 / the same held-out claims:"
    for key, zh in (("average_precision", "平均精度"), ("released", "放行比例"), ("wrong_among_released", "放行中有误")):
        row = told[key]
        gap = " ({:+.3f} … {:+.3f})".format(*row["interval"]) if "interval" in row else ""
        yield f"  {key + ' ' + zh:<50} {_number(row['first'])} {_number(row['second'])}{gap}"
    yield f"  仅前者放行 / only v{found.first} releases: {told['released_by_first_only']} {' '.join(found.only_first)}"
    yield f"  仅后者放行 / only v{found.second} releases: {told['released_by_second_only']} {' '.join(found.only_second)}"
    if found.shadow:
        yield f"案件库影子评分 {found.shadow['claims']} 件 / scored in shadow on the store: {found.shadow['claims']}"
        for row in found.shadow["furthest"]:
            yield f"  {row['claim_id']:<50} {_number(row['served'])} {_number(row['shadow'])}"


def _number(value: float | None) -> str:
    return f"{'-':>10}" if value is None else f"{value:10.4f}"
