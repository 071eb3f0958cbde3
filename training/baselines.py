"""What the model must beat, in every run: investigating everything, the red flags alone, a logistic regression, trees without links.

Each gives a score of the same claims, the higher the likelier refused; none sees more than the model does.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

from training.boosting import Floats
from training.dataset import Dataset
from training.model import Fitted, fit, mature, rows_of
from training.world_rows import unlinked
from triage.features import FeatureSet
from triage.flags import WEIGHT

WORDS: Mapping[str, tuple[str, str]] = {
    "everything": ("全部调查", "investigate everything"),
    "rules": ("仅规则（提示权重）", "rules only (flag weight)"),
    "logistic": ("逻辑回归", "logistic regression"),
    "claim_only": ("无关联特征的树", "trees without links"),
    "links": ("含关联特征的树（本模型）", "trees with links (the model)"),
}


def scores(dataset: Dataset, fitted: Fitted, asked: Dataset, features: FeatureSet, *, seed: int = 0, threads: int = 1) -> dict[str, Floats]:
    """Scores (n,) of the claims `asked`, by baseline; all are trained on the dataset the model was fitted on."""
    own = unlinked(features)
    alone = fit(dataset.columns(own), features, seed=seed, choices=fitted.choices, threads=threads)
    return {
        "everything": np.zeros(len(asked)),
        "rules": flag_weight(asked),
        "logistic": logistic(dataset, fitted, asked, features),
        "claim_only": alone.score(asked.columns(own).X, threads),
        "links": fitted.score(asked.X, threads),
    }


def flag_weight(asked: Dataset) -> Floats:
    """The sum of the red flags' weights."""
    return np.asarray(np.nan_to_num(asked.X[:, asked.names.index(WEIGHT)]), dtype=np.float64)


def logistic(dataset: Dataset, fitted: Fitted, asked: Dataset, features: FeatureSet) -> Floats:
    """Log-odds linear in the ranks of the numbers, in whether each is known, and in the categories."""
    known = mature(dataset, fitted.split.trained_at, fitted.choices)
    train = rows_of(known, np.concatenate([fitted.split.train, fitted.split.stop]), fitted.choices, weighted=False)
    model = _pipeline(dataset, features)
    model.fit(train.x, train.wrong)
    return np.asarray(model.predict_proba(asked.X)[:, 1], dtype=np.float64)


def _pipeline(dataset: Dataset, features: FeatureSet) -> Pipeline:
    category = [i for i, name in enumerate(dataset.names) if name in features.categorical]
    number = [i for i in range(len(dataset.names)) if i not in category]
    ranks = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        QuantileTransformer(n_quantiles=200, subsample=20_000, random_state=0),
    )
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value=-1.0), OneHotEncoder(handle_unknown="ignore", sparse_output=False))
    columns = ColumnTransformer([("number", ranks, number), ("category", words, category)])
    return make_pipeline(columns, LogisticRegression(C=0.3, max_iter=300))
