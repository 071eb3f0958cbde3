"""Small true bundles for tests: a LightGBM model of the shipped features on invented rows, made in a second."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl

from tests.desks import shipped
from training.dataset import Dataset
from training.promote import Running
from triage.bundle import Bundle, Calibration, Certificate, Golden, Group, Sample, calibrated, write_bundle
from triage.features import FeatureSet

TODAY = date(2021, 3, 1)
GROUPS = ("mutual-aid-reference:under_40", "mutual-aid-reference:from_40")
PLATT = Calibration(a=-1.0, b=0.0)


@cache
def running() -> Running:
    """What this installation runs."""
    return Running.of(shipped()[0])


@cache
def decisive() -> tuple[int, ...]:
    """Three columns without a direction that hold numbers: they decide."""
    features = FeatureSet.load()
    free = [i for i, n in enumerate(features.names) if features.monotone[i] == 0 and n not in features.categorical]
    return tuple(free[:3])


def rows(n: int, seed: int = 1) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Invented features (n, k) and outcomes (n,), by a logistic law of three columns: about one in nine is wrong."""
    features, drawn = FeatureSet.load(), np.random.default_rng(seed)
    x = drawn.normal(size=(n, len(features.names)))
    x[:, [features.names.index(name) for name in features.categorical]] = drawn.integers(0, 2, (n, len(features.categorical)))
    a, b, c = decisive()
    margin = -3.5 + 2.0 * x[:, a] + x[:, b] - x[:, c]
    return x, (drawn.random(n) < 1 / (1 + np.exp(-margin))).astype(float)


@cache
def booster(trees: int = 30, seed: int = 1, blind: bool = False) -> str:
    """A trained model's text; a `blind` one has seen shuffled outcomes."""
    x, y = rows(4_000, seed)
    y = np.random.default_rng(0).permutation(y) if blind else y
    settings = {"objective": "binary", "num_leaves": 15, "num_threads": 1, "verbosity": -1, "seed": seed, "deterministic": True}
    names = list(FeatureSet.load().names)
    return str(lgb.train(settings, lgb.Dataset(x, y, feature_name=names), trees).model_to_string())


def bundle(folder: Path, name: str = "trial", *, trees: int = 30, seed: int = 1, blind: bool = False, **changes: Any) -> Bundle:
    """A demonstration bundle certified for two groups; `changes` replace what `write_bundle` is given."""
    model = changes.pop("model", None) or booster(trees, seed, blind)
    platt = changes.get("calibration", PLATT)
    x, _ = rows(5, 9)
    margins = lgb.Booster(model_str=model).predict(x, raw_score=True, num_threads=1)
    golden = Golden(rows=tuple(tuple(map(float, row)) for row in x), scores=tuple(calibrated(float(m), platt) for m in np.asarray(margins)))
    now = running()
    given: dict[str, Any] = {
        "name": name,
        "purpose": "demonstration",
        "created_on": TODAY,
        "model": model,
        "features": now.names,
        "features_digest": now.features,
        "reader_digest": now.reader,
        "rules": now.rules,
        "calibration": platt,
        "audit_rate": 0.1,
        "golden": golden,
        "certificate": certificate(),
        **changes,
    }
    return write_bundle(folder, **given)


def certificate(**changes: Any) -> Certificate:
    """A year of validity at alpha 5 % for two groups."""
    group = Group(threshold=0.05, n=400, wrong=4, bound=0.03, bound_truth=0.05)
    given: dict[str, Any] = {
        "alpha": 0.05,
        "delta": 0.10,
        "issued_on": TODAY,
        "expires_on": TODAY.replace(year=TODAY.year + 1),
        "groups": dict.fromkeys(GROUPS, group),
        "overall": group,
        "population": "tests",
        "sample": Sample(lane="audit", seed=1),
        **changes,
    }
    return Certificate(**given)


def held_out(n: int = 2_000, seed: int = 5) -> Dataset:
    """Claims of the same law that no model has seen, all investigated."""
    x, y = rows(n, seed)
    day, yes = np.datetime64("2021-01-01", "us"), np.ones(n, dtype=bool)
    return Dataset(
        names=tuple(FeatureSet.load().names),
        X=x,
        claim_id=np.array([f"c-{i}" for i in range(n)]),
        y=y,
        propensity=np.ones(n),
        drawn=np.ones(n),
        investigated=yes,
        passes_rules=yes,
        groups=np.array(GROUPS)[np.arange(n) % 2],
        lane=np.full(n, "shadow"),
        filed_at=np.full(n, day),
        label_known_at=np.full(n, day),
        attributes=pl.DataFrame({"sex": ["F"] * n, "amount": [100_000.0] * n}),
    )


def claims(n: int = 6_000, seed: int = 2) -> Dataset:
    """Claims of the same law, one every six hours, all investigated in a shadow period and answered after thirty days."""
    held = held_out(n, seed)
    filed = np.datetime64("2018-01-01", "us") + np.arange(n) * np.timedelta64(6, "h")
    group = np.array(GROUPS)[(held.X[:, decisive()[1]] > 0).astype(int)]
    return replace(held, filed_at=filed, label_known_at=filed + np.timedelta64(30, "D"), groups=group)
