"""Scoring one claim: the service's scorer beside `mlflow.pyfunc` of the same registered model."""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd

from tests.bench.timing import cpu_ms
from tests.bundling import bundle, rows
from training.registry import SERVED
from triage.risk import Scorer

TIMES = 5.0
"""As many times faster than MLflow's wrapper the scorer must be."""


def main() -> int:
    """Prints both times and their ratio; 1 when it is below its limit or the two disagree."""
    x, _ = rows(1)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = bundle(Path(folder) / "bundle", trees=300)
        kept = Path(folder) / "model"
        mlflow.pyfunc.save_model(kept, python_model=str(SERVED), artifacts={"bundle": f"{folder}/bundle"}, pip_requirements=["lightgbm"])
        wrapped = mlflow.pyfunc.load_model(str(kept))
        scorer, row, frame = Scorer(made), list(x[0]), pd.DataFrame(x, columns=list(made.features))
        ours, theirs = cpu_ms(lambda: scorer.score(row)), cpu_ms(lambda: wrapped.predict(frame))
        same = np.isclose(scorer.score(row), wrapped.predict(frame)[0], rtol=0, atol=1e-12)
    ratio = theirs / ours
    print(f"one row: scorer {ours * 1000:.1f} us, mlflow.pyfunc {theirs * 1000:.1f} us CPU; {ratio:.0f} times faster, at least {TIMES:g}")
    return 0 if ratio >= TIMES and same else 1


if __name__ == "__main__":
    sys.exit(main())
