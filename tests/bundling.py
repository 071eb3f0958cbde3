"""Small true bundles for tests: a LightGBM model of the shipped features on invented rows, made in a second."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from tests.desks import shipped
from training.heldout import HeldOut
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


def rows(n: int, seed: int = 1) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Invented features (n, k) and outcomes (n,): three columns decide, by a logistic law."""
    drawn = np.random.default_rng(seed)
    x = drawn.normal(size=(n, len(FeatureSet.load().names)))
    margin = -2.5 + 1.5 * x[:, 2] + x[:, 3] - x[:, 4]
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
        "population": "tests",
        "sample": Sample(lane="audit", seed=1),
        **changes,
    }
    return Certificate(**given)


def held_out(n: int = 2_000, seed: int = 5) -> HeldOut:
    """Rows of the same law that no model has seen."""
    x, y = rows(n, seed)
    group = np.array(GROUPS)[np.arange(n) % 2]
    names = FeatureSet.load().names
    claim_id = np.array([f"c-{i}" for i in range(n)])
    return HeldOut(tuple(names), x, y, np.ones(n), group, claim_id, np.ones(n, dtype=bool))
