"""Learning from a table: settings chosen over blocks of time, margins of several models averaged, calibrated across the blocks, and
certified on half of the test period, whose other half shows what the certificate releases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.boosting import Boosted, Columns, Floats, Rows, boost
from training.calibration import platt, probabilities
from training.certificate import OVERALL, Certificates, Certified, certify, sequences
from training.choices import Choices
from training.metrics import Estimate, auc, average_precision, share, standard
from training.table import ALL, Table, chosen, read_table

Progress = Callable[[str], None]
TELLS_ALL = 0.98
"""A single column that ranks the label this well was probably written after it."""


@dataclass(frozen=True)
class Released:
    """At `alpha`: the certified threshold (None: nothing proven), the share of unseen rows it releases and how many were wrong."""

    alpha: float
    threshold: float | None
    released: Estimate
    wrong: Estimate


@dataclass(frozen=True)
class TableReport:
    """What `triage train --table` found."""

    rows: Mapping[str, int]
    base_rate: float
    settings: tuple[Mapping[str, float], ...]
    found: Mapping[str, Estimate]
    clearance: tuple[Released, ...]
    certificates: Certificates
    gain: Mapping[str, float]
    warnings: tuple[tuple[str, str], ...]
    capacity: float

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        curve = [
            {"alpha": r.alpha, "threshold": r.threshold, "released": r.released.to_json(), "wrong": r.wrong.to_json()}
            for r in self.clearance
        ]
        groups = {name: _certified(row) for name, row in self.certificates.groups.items()}
        return {
            "rows": dict(self.rows),
            "base_rate": self.base_rate,
            "capacity": self.capacity,
            "settings": [dict(setting) for setting in self.settings],
            "metrics": {name: value.to_json() for name, value in self.found.items()},
            "clearance": curve,
            "certificate": {"alpha": self.certificates.alpha, "delta": self.certificates.delta, "groups": groups},
            "gain": dict(self.gain),
            "warnings": [{"zh": zh, "en": en} for zh, en in self.warnings],
        }


def _certified(row: Certified | None) -> dict[str, float] | None:
    return None if row is None else {"threshold": row.threshold, "n": row.n, "wrong": row.wrong, "bound": row.bound}


def train_table(
    path: Path,
    label: str,
    *,
    time: str | None = None,
    group: str | None = None,
    seed: int = 0,
    threads: int = 1,
    choices: Choices | None = None,
    progress: Progress = lambda _: None,
) -> TableReport:
    """Reads, learns and judges; the only call a command needs. Raises TableError."""
    return run(read_table(path, label, time=time, group=group, seed=seed), choices or Choices.load(), seed, threads, progress)


def run(table: Table, choices: Choices, seed: int, threads: int, progress: Progress) -> TableReport:
    """Learns from a table that was read."""
    columns = Columns(table.names, (), table.categorical)
    tried = []
    for number, setting in enumerate(chosen("settings"), 1):
        progress(f"设置 {number}/{len(chosen('settings'))} / setting {number}")
        margins = _across(table, columns, choices, setting, seed, threads)
        tried.append((_blockwise(table, margins), setting, margins))
    best = sorted(tried, key=lambda one: -one[0])[: int(chosen("averaged"))]
    progress("最终模型 / final model")
    train = ~table.test
    models = [m for _, setting, _ in best for m in _models(table, train, columns, choices, setting, seed, threads)]
    margins = np.mean([one for _, _, one in best], axis=0)
    calibration = platt(margins[train], table.wrong[train])
    before = probabilities(margins[train], calibration)
    scores = probabilities(_margin(models, table.x[table.test], threads), calibration)
    settings = tuple(setting for _, setting, _ in best)
    return _judged(table, choices, settings, models, before, scores, seed)


def _settings(choices: Choices, setting: Mapping[str, float]) -> tuple[Choices, int, dict[str, float]]:
    own = {k: v for k, v in setting.items() if k in choices.values}
    return (
        Choices({**choices.values, **own}),
        int(setting["num_rounds"]),
        {"max_cat_to_onehot": int(setting["max_cat_to_onehot"]), "cat_l2": setting["cat_l2"]},
    )


def _models(
    table: Table, rows: NDArray[np.bool_], columns: Columns, choices: Choices, setting: Mapping[str, float], seed: int, threads: int
) -> list[Boosted]:
    own, rounds, extra = _settings(choices, setting)
    train = Rows.of(table.x[rows], table.wrong[rows])
    seeds = range(seed, seed + int(chosen("seeds")))
    return [boost(train, columns, own, rounds=rounds, seed=s, threads=threads, extra=extra) for s in seeds]


def _margin(models: list[Boosted], x: Floats, threads: int) -> Floats:
    return np.asarray(np.mean([model.margin(x, threads) for model in models], axis=0), dtype=np.float64)


def _across(table: Table, columns: Columns, choices: Choices, setting: Mapping[str, float], seed: int, threads: int) -> Floats:
    """Margins (n,) of the training period, each block's by models that have not seen it."""
    margins = np.full(len(table.wrong), np.nan)
    for block in range(int(table.block.max()) + 1):
        held = table.block == block
        models = _models(table, ~table.test & ~held, columns, choices, setting, seed, threads)
        margins[held] = _margin(models, table.x[held], threads)
    return margins


def _blockwise(table: Table, margins: Floats) -> float:
    blocks = [table.block == block for block in range(int(table.block.max()) + 1)]
    return float(np.nanmean([average_precision(margins[b], table.wrong[b]) for b in blocks]))


def _judged(
    table: Table,
    choices: Choices,
    settings: tuple[Mapping[str, float], ...],
    models: list[Boosted],
    before: Floats,
    scores: Floats,
    seed: int,
) -> TableReport:
    wrong, group = table.wrong[table.test], table.group[table.test]
    asked = np.random.default_rng(seed).random(len(wrong)) < 0.5
    rows = {str(name): int(n) for name, n in zip(*np.unique(group[asked], return_counts=True), strict=True)}

    def certified(alpha: float) -> Certificates:
        tested = sequences(before, table.wrong[~table.test], table.group[~table.test], alpha=alpha, rows=rows)
        return certify(scores[asked], wrong[asked], group[asked], tested, alpha, choices["delta"])

    curve = tuple(_released(certified(alpha), scores[~asked], wrong[~asked]) for alpha in chosen("alphas"))
    gain = {name: float(np.mean([m.gain[name] for m in models])) for name in table.names}
    return TableReport(
        rows={"train": int((~table.test).sum()), "test": len(wrong), "certify": int(asked.sum()), "unlabelled": table.unlabelled},
        base_rate=float(wrong.mean()),
        settings=settings,
        found=standard(scores, wrong, capacity=choices["capacity"], seed=seed),
        clearance=curve,
        certificates=certified(choices["alpha"]),
        gain=dict(sorted(gain.items(), key=lambda item: -item[1])),
        warnings=tuple(_warnings(table)),
        capacity=choices["capacity"],
    )


def _released(found: Certificates, scores: Floats, wrong: Floats) -> Released:
    limit = found.overall.threshold if found.overall is not None else None
    out = scores <= limit if limit is not None else np.zeros(len(scores), dtype=bool)
    return Released(found.alpha, limit, share(int(out.sum()), len(out)), share(int(wrong[out].sum()), int(out.sum())))


def _warnings(table: Table) -> list[tuple[str, str]]:
    said = [] if table.timed else [("没有时间列：随机切分，数字会偏乐观", "no time column: split at random, the figures flatter")]
    if table.unlabelled:
        said.append((f"{table.unlabelled} 行没有标签，未使用", f"{table.unlabelled} rows have no label and were not used"))
    said += [(f"未使用列“{c.name}”：{c.zh}", f"column {c.name!r} left out: {c.en}") for c in table.left_out]
    train = ~table.test
    for place, name in enumerate(table.names):
        area = auc(np.nan_to_num(table.x[train, place], nan=-1e300), table.wrong[train])
        if max(area, 1 - area) > TELLS_ALL and name not in table.categorical:
            said.append(
                (
                    f"仅凭列“{name}”就几乎知道答案，它是否写于结论之后？",
                    f"column {name!r} alone nearly tells the label: was it written after it?",
                )
            )
    return said


__all__ = ["ALL", "OVERALL", "Released", "TableReport", "train_table"]
