"""One LightGBM model out of a matrix: deterministic, with directions and categories, stopped by a later slice. It knows no claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from training.choices import Choices

Floats = NDArray[np.float64]
_LIGHTGBM = ("learning_rate", "feature_fraction", "bagging_fraction", "lambda_l2")
_WHOLE = ("num_leaves", "min_data_in_leaf", "max_bin")


@dataclass(frozen=True)
class Rows:
    """`x` (n, k), `wrong` (n,) 0 or 1, `weight` (n,)."""

    x: Floats
    wrong: Floats
    weight: Floats

    @classmethod
    def of(cls, x: Floats, wrong: Floats, weight: Floats | None = None) -> Rows:
        """Equal weights where none are given."""
        return cls(x, wrong, np.ones(len(wrong)) if weight is None else weight)


@dataclass(frozen=True)
class Columns:
    """What the model knows of its columns: `names` without ':', `monotone` directions, `categorical` names."""

    names: tuple[str, ...]
    monotone: tuple[int, ...] = ()
    categorical: tuple[str, ...] = ()


@dataclass(frozen=True)
class Boosted:
    """A model as LightGBM text; `gain` is each feature's share of the total gain, `rounds` its trees."""

    text: str
    rounds: int
    gain: Mapping[str, float]
    booster: Any = field(repr=False, compare=False)

    def margin(self, x: Floats, threads: int = 1) -> Floats:
        """Log-odds (n,) of rows (n, k), before calibration."""
        return np.asarray(self.booster.predict(x, raw_score=True, num_threads=threads), dtype=np.float64)


def parameters(columns: Columns, choices: Choices, *, seed: int, threads: int) -> dict[str, Any]:
    """LightGBM's parameters; the same ones give the same trees whatever the machine's number of cores."""
    given: dict[str, Any] = {name: choices[name] for name in _LIGHTGBM}
    given |= {name: int(choices[name]) for name in _WHOLE}
    given |= {"objective": "binary", "metric": "binary_logloss", "verbosity": -1, "seed": seed, "num_threads": threads}
    given |= {"deterministic": True, "force_row_wise": True, "bagging_freq": 1, "feature_pre_filter": False}
    if any(columns.monotone):
        given |= {"monotone_constraints": list(columns.monotone)}
    return given


def boost(
    train: Rows,
    columns: Columns,
    choices: Choices,
    *,
    stop: Rows | None = None,
    rounds: int | None = None,
    seed: int = 0,
    threads: int = 1,
    extra: Mapping[str, Any] | None = None,
) -> Boosted:
    """Trains on `train`; with `stop` it ends when that slice no longer gains, and keeps the best number of trees."""
    given = {**parameters(columns, choices, seed=seed, threads=threads), **(extra or {})}
    data = _dataset(train, columns, given)
    valid = [_dataset(stop, columns, given, reference=data)] if stop is not None else []
    patience: list[Any] = [lightgbm.early_stopping(int(choices["patience"]), verbose=False)] if valid else []
    most = rounds or int(choices["max_rounds"])
    booster = lightgbm.train(given, data, num_boost_round=most, valid_sets=valid, callbacks=patience)
    best = booster.best_iteration if valid and booster.best_iteration > 0 else booster.num_trees()
    return restored(booster.model_to_string(num_iteration=best), columns.names)


def restored(text: str, names: Sequence[str]) -> Boosted:
    """A model from its text; never shown text from elsewhere, which may crash LightGBM."""
    booster = lightgbm.Booster(model_str=text)
    gain = np.asarray(booster.feature_importance(importance_type="gain"), dtype=np.float64)
    whole = float(gain.sum()) or 1.0
    return Boosted(text, int(booster.num_trees()), {name: float(g) / whole for name, g in zip(names, gain, strict=True)}, booster)


def _dataset(rows: Rows, columns: Columns, given: Mapping[str, Any], reference: Any = None) -> Any:
    return lightgbm.Dataset(
        rows.x,
        label=rows.wrong,
        weight=rows.weight,
        feature_name=list(columns.names),
        categorical_feature=list(columns.categorical),
        reference=reference,
        params=dict(given),
    )
