"""What MLflow runs when somebody loads a registered version: the bundle's own scorer, so that MLflow and the service agree.

MLflow copies this text beside the bundle and executes it there (a model from code: nothing is pickled). It gives probabilities.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from triage.bundle import Bundle
from triage.risk import Scorer


class RiskModel(PythonModel):
    """Rows of features in the bundle's order to the probability that a full investigation would not have paid."""

    def load_context(self, context: Any) -> None:
        """Loads the bundle; its digests are checked before LightGBM sees a byte. Raises BundleError."""
        bundle = Bundle.load(Path(context.artifacts["bundle"]))
        self.names = list(bundle.features)
        self.scorer = Scorer(bundle)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> list[float]:  # noqa: ARG002
        """One probability for each row; the columns are found by name."""
        return [self.scorer.score(row) for row in model_input[self.names].to_numpy()]


set_model(RiskModel())
