"""What MLflow runs when somebody loads a registered version: the bundle's own scorer, so that MLflow and the service agree.

MLflow copies this text beside the bundle and executes it there (a model from code: nothing is pickled). It gives probabilities.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from triage.bundle import Bundle
from triage.risk import Scorer


class RiskModel(PythonModel):
    """Rows of features in the bundle's order to the probability that a full investigation would not have paid."""

    def load_context(self, context: Any) -> None:
        """Loads the bundle; its digests are checked before LightGBM sees a byte. Raises BundleError."""
        bundle = Bundle.load(Path(context.artifacts["bundle"]))
        self.names = list(bundle.features)
        self.scorer = Scorer(bundle)

    # No type hints: MLflow would take them for a schema and warn that they are none.
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, ARG002
        """One probability for each row of a data frame (columns by name) or of an array (columns by position)."""
        frame = model_input[self.names] if hasattr(model_input, "columns") else model_input
        return [self.scorer.score(row) for row in getattr(frame, "to_numpy", lambda: frame)()]


set_model(RiskModel())
