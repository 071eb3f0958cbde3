"""What a run says of its model on the claims held out: numbers with their intervals, beside the baselines, by group.

Only what the plan itself could see is used, so that a run on real claims and one on simulated ones are read alike; how far the
model is from the best possible takes simulated truth, and is `triage evaluate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from training import baselines
from training.boosting import Floats
from training.certificate import Certificates
from training.costs import prices
from training.dataset import Dataset, DatasetError
from training.metrics import Estimate, Ranked, resampled, standard
from training.model import Fitted
from training.world.assumptions import Assumptions
from triage.features import FeatureSet

MODEL = "links"
"""The model's own name among the baselines."""


@dataclass(frozen=True)
class Judgement:
    """`held` are the labelled claims of the test slice, without latent truth; `scores` of them by the model and each baseline (n,)."""

    held: Dataset
    scores: Mapping[str, Floats]
    metrics: Mapping[str, float]
    ranked: Mapping[str, Estimate]

    def pictures(self, *, simulated: bool) -> dict[str, bytes]:
        """Precision and recall, calibration, clearance, cost, drift and ablation, by file name; prices are those assumed of the world."""
        from training.pictures import of_scores

        return of_scores(
            self.scores,
            self.held.y,
            amount=self.held.attributes["amount"].to_numpy() if "amount" in self.held.attributes.columns else None,
            price=prices(Assumptions.load().values),
            filed_on=self.held.filed_at.astype("datetime64[D]").astype(np.float64),
            ranked=self.ranked,
            simulated=simulated,
        )


def judge(dataset: Dataset, fitted: Fitted, proven: Certificates, *, seed: int, threads: int, resamples: int = 200) -> Judgement:
    """Scores the test slice with the model and the baselines, and measures. Raises DatasetError unless it holds both labels."""
    test = fitted.split.test
    held = replace(dataset.take(test[dataset.labelled[test]]), latent=None)
    if not 0 < held.y.sum() < len(held):
        raise DatasetError(
            f"测试时段有标签的案件 {len(held)} 件，其中拒赔 {held.y.sum():.0f} 件，须两类都有，请积累标签"
            f" / the test's time slice holds {len(held)} labelled claims, {held.y.sum():.0f} of them refused; both kinds are needed: gather more"
        )
    scores = baselines.scores(dataset, fitted, held, FeatureSet.load(), seed=seed, threads=threads)
    weight = np.minimum(held.weight, fitted.choices["max_weight"])
    own = standard(scores[MODEL], held.y, weight, capacity=fitted.choices["capacity"], resamples=resamples)
    ranked = {f"ap_{name}": Ranked.of(score, held.y) for name, score in scores.items()}
    beside = resampled(
        len(held), lambda w: {name: one.average_precision(w) for name, one in ranked.items()}, resamples=resamples, weight=weight
    )
    metrics: dict[str, float] = {}
    for name, found in {**own, **beside}.items():
        metrics |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    metrics |= _released(held, scores[MODEL], proven) | _by_group(held, scores[MODEL], weight)
    ranked_by = {name.removeprefix("ap_"): found for name, found in beside.items()}
    return Judgement(held, scores, {name: value for name, value in metrics.items() if np.isfinite(value)}, ranked_by)


def _released(held: Dataset, score: Floats, proven: Certificates) -> dict[str, float]:
    """The share of claims passing all rules that the certificate releases, and how many of the labelled among them are wrong."""
    able = held.passes_rules
    released = able & (score <= proven.thresholds(held.groups))
    wrong = float(np.average(held.y[released], weights=held.weight[released])) if released.any() else 0.0
    share = float(np.average(released[able], weights=held.weight[able])) if able.any() else 0.0
    return {"released": share, "wrong_among_released": wrong, "groups_certified": float(sum(r is not None for r in proven.groups.values()))}


def _by_group(held: Dataset, score: Floats, weight: Floats) -> dict[str, float]:
    found = {}
    for name in np.unique(held.groups):
        mine = held.groups == name
        key = str(name).replace(":", ".")
        found[f"group.{key}.average_precision"] = Ranked.of(score[mine], held.y[mine]).average_precision(weight[mine])
        found[f"group.{key}.claims"] = float(mine.sum())
    return found
