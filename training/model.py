"""The risk model: LightGBM on the early claims, stopped and calibrated on later ones, weighed so that those nobody looked at count too.

The claims are split by the time they were filed: train, stop, calibrate, certify, test. What is learnt or chosen comes from the
first three; the certificate's claims and the test's are never looked at here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from training.boosting import Boosted, Columns, Floats, Rows, boost
from training.calibration import platt, probabilities
from training.choices import Choices
from training.dataset import Dataset, DatasetError
from triage.bundle import Calibration

if TYPE_CHECKING:
    from triage.features import FeatureSet

Weighting = Literal["none", "calibration", "all"]
LEAST = 200
"""Labelled claims to train on at least; below that early stopping and calibration are noise."""


@dataclass(frozen=True)
class Split:
    """Row numbers of the dataset, in time order; `trained_at` is when the certificate's first claim was filed: labels that came later
    were not there to learn from."""

    train: NDArray[np.int64]
    stop: NDArray[np.int64]
    calibrate: NDArray[np.int64]
    certify: NDArray[np.int64]
    test: NDArray[np.int64]
    trained_at: np.datetime64

    @classmethod
    def by_time(cls, dataset: Dataset, choices: Choices) -> Split:
        """Cuts by the shares of model.yaml. Raises DatasetError when the rows are not in time order."""
        if np.any(np.diff(dataset.filed_at) < np.timedelta64(0, "us")):
            raise DatasetError("案件须按报案时间排序 / the claims must be in the order they were filed")
        shares = np.cumsum([choices[f"share_{part}"] for part in ("train", "stop", "calibrate", "certify")])
        parts = np.split(np.arange(len(dataset)), (shares * len(dataset)).astype(int))
        train, stop, calibrate, certify, test = parts
        trained_at = dataset.filed_at[certify[0]] if len(certify) else np.datetime64("NaT", "us")
        return cls(train, stop, calibrate, certify, test, trained_at)


@dataclass(frozen=True)
class Fitted:
    """A trained model with its calibration and the split it came from."""

    boosted: Boosted
    calibration: Calibration
    columns: Columns
    split: Split
    choices: Choices
    seed: int

    @property
    def text(self) -> str:
        """LightGBM's own text form."""
        return self.boosted.text

    @property
    def gain(self) -> Mapping[str, float]:
        """Each feature's share of the gain."""
        return self.boosted.gain

    def score(self, x: Floats, threads: int = 1) -> Floats:
        """Calibrated probabilities (n,) of rows (n, k)."""
        return probabilities(self.boosted.margin(x, threads), self.calibration)


def columns_of(dataset: Dataset, features: FeatureSet | None) -> Columns:
    """Directions and categories of the dataset's features; none known without a feature set."""
    if features is None:
        return Columns(dataset.names)
    direction = dict(zip(features.names, features.monotone, strict=True))
    categorical = set(features.categorical)
    return Columns(dataset.names, tuple(direction.get(n, 0) for n in dataset.names), tuple(n for n in dataset.names if n in categorical))


def rows_of(dataset: Dataset, rows: NDArray[np.int64], choices: Choices, *, weighted: bool) -> Rows:
    """The labelled claims among `rows`; weighted, each counts one over its chance of being investigated, up to `max_weight`."""
    labelled = rows[dataset.labelled[rows]]
    weight = np.minimum(dataset.weight[labelled], choices["max_weight"]) if weighted else np.ones(len(labelled))
    return Rows(dataset.X[labelled], dataset.y[labelled], weight)


def fit(
    dataset: Dataset,
    features: FeatureSet | None = None,
    *,
    seed: int = 0,
    choices: Choices | None = None,
    threads: int = 1,
    weighting: Weighting = "calibration",
    extra: Mapping[str, Any] | None = None,
) -> Fitted:
    """Trains on the dataset as known when the certificate's first claim was filed.

    `weighting` says where inverse propensities count. Who was investigated depended on red flags, which are features: given them the
    trees are right without weights, and sharper; the overall level of the probabilities is not, so the calibration is weighted.
    Raises DatasetError when too few claims are labelled or all alike.
    """
    chosen = choices or Choices.load()
    split, columns = Split.by_time(dataset, chosen), columns_of(dataset, features)
    known = mature(dataset, split.trained_at, chosen)
    train, stop = (rows_of(known, part, chosen, weighted=weighting == "all") for part in (split.train, split.stop))
    later = rows_of(known, np.concatenate([split.stop, split.calibrate]), chosen, weighted=weighting != "none")
    _enough(train, stop, later)
    boosted = boost(train, columns, chosen, stop=stop, seed=seed, threads=threads, extra=extra)
    calibration = platt(boosted.margin(later.x, threads), later.wrong, later.weight)
    return Fitted(boosted, calibration, columns, split, chosen, seed)


def mature(dataset: Dataset, as_of: np.datetime64, choices: Choices) -> Dataset:
    """The dataset as known at `as_of`, without labels of claims filed so lately that only the quick answers are in."""
    late = dataset.filed_at > as_of - np.timedelta64(int(choices["mature_days"]), "D")
    known = dataset.known(as_of)
    return replace(known, y=np.where(late, np.nan, known.y))


def _enough(train: Rows, *later: Rows) -> None:
    if len(train.wrong) < LEAST or any(not 0 < part.wrong.sum() < len(part.wrong) for part in (train, *later)):
        raise DatasetError(
            f"可训练的已调查案件 {len(train.wrong)} 件，至少需要 {LEAST} 件且各时段须同时有赔付与拒赔，请积累影子期标签"
            f" / {len(train.wrong)} investigated claims to train on; at least {LEAST} are needed, paid and refused in every time slice:"
            " gather more labels in a shadow period"
        )
