"""Training beside bare LightGBM on the same rows and parameters, one thread; and `triage train` on claims whose papers have been read.

`python -m tests.bench.training ROWS CLAIMS` takes other sizes than the full ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import lightgbm as lgb

from tests.bundling import claims
from training.boosting import parameters
from training.choices import Choices
from training.dataset import Dataset
from training.model import columns_of, fit
from triage.features import FeatureSet

RATIO = 1.3
"""At most so many times bare LightGBM's time."""
SECONDS = 60.0
"""For `triage train` on the full number of claims, pictures included."""
ROWS, CLAIMS, ROUNDS = 1_000_000, 100_000, 100
SHARES = {"share_train": 0.94, "share_stop": 0.02, "share_calibrate": 0.02, "share_certify": 0.01}


def beside(rows: int) -> float:
    """Seconds of the whole fit (slices, training, calibration) over those of bare LightGBM on the training slice."""
    dataset = claims(rows)
    choices = Choices.load(max_rounds=ROUNDS, patience=ROUNDS, **SHARES)
    started = time.perf_counter()
    fitted = fit(dataset, FeatureSet.load(), seed=1, choices=choices)
    ours = time.perf_counter() - started
    theirs = bare(dataset, choices, len(fitted.split.train))
    print(f"{rows} x {len(dataset.names)}, {ROUNDS} rounds, one thread: fit {ours:.1f} s, LightGBM alone {theirs:.1f} s")
    return ours / theirs


def bare(dataset: Dataset, choices: Choices, rows: int) -> float:
    """Seconds of LightGBM on the first `rows` claims with the same parameters and a validation slice."""
    columns = columns_of(dataset, FeatureSet.load())
    given = parameters(columns, choices, seed=1, threads=1)
    started = time.perf_counter()
    names: dict[str, Any] = {"feature_name": list(columns.names), "categorical_feature": list(columns.categorical)}
    data = lgb.Dataset(dataset.X[:rows], dataset.y[:rows], params=given, **names)
    later = lgb.Dataset(dataset.X[rows : rows + rows // 50], dataset.y[rows : rows + rows // 50], reference=data, params=given)
    lgb.train(given, data, ROUNDS, valid_sets=[later])
    return time.perf_counter() - started


def command(claims_to_learn: int) -> float:
    """Seconds of `triage train` on a prepared dataset, registry and pictures included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "claims.parquet"
        claims(claims_to_learn).save(path)
        asked = [sys.executable, "-c", "from triage.cli import main; main()", "train", "--dataset", str(path), "--threads", "1"]
        environment = {**os.environ, "PYTHONPATH": os.getcwd(), "TRIAGE_MLFLOW": f"sqlite:///{folder}/mlflow.db"}
        started = time.perf_counter()
        subprocess.run(asked, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started


def main(rows: int = ROWS, claims_to_learn: int = CLAIMS) -> int:
    """Prints both figures; 1 when a limit is passed."""
    ratio = beside(rows)
    print(f"  ratio {ratio:.2f}, limit {RATIO:g}")
    seconds = command(claims_to_learn)
    print(f"triage train on {claims_to_learn} claims: {seconds:.1f} s, limit {SECONDS:g} s")
    return 1 if ratio > RATIO or seconds >= SECONDS else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
