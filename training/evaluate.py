"""Is the model as good as the claims allow? Everything the project promises of it, measured on simulated worlds it has not seen.

One world to train on, one held out, and as many as the ceiling needs; every number comes with its interval. Simulated throughout:
what a number would be on real claims is not known, which is why each headline is tried at the ends of every assumption.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import count
from multiprocessing import get_context
from typing import Any

import numpy as np

from training import baselines, ceilings
from training.boosting import Floats
from training.cost_findings import cost_section
from training.costs import prices
from training.dataset import Dataset
from training.error_findings import error_section
from training.findings import Grid, Report, Section, asked, at_least, at_most, exact, named
from training.gate_findings import gate_section
from training.metrics import Ranked, calibration_error, calibration_noise, resampled, standard
from training.model import Fitted, Weighting, fit
from training.range_findings import range_section
from training.world.assumptions import Assumptions
from training.world.make import make_world
from training.world_rows import from_world
from triage.features import FeatureSet

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """A model and the held-out claims it is judged on: those filed after it was trained and that no rule declines. `dataset` and `held`
    know what our reader, staff and reviewers know; `perfect` are the held-out claims with the facts a perfect reader would have."""

    dataset: Dataset
    fitted: Fitted
    held: Dataset
    perfect: Dataset
    features: FeatureSet
    assumptions: Assumptions
    seed: int
    threads: int = 1
    read: int = 0
    workers: int = 1

    @cached_property
    def scores(self) -> Mapping[str, Floats]:
        """The model's and the baselines' scores of the held-out claims."""
        return baselines.scores(self.dataset, self.fitted, self.held, self.features, seed=self.seed, threads=self.threads)

    @cached_property
    def oracle(self) -> Floats:
        """The latent chance of refusal."""
        return ceilings.latent(self.held)


def worlds(claims: int, seed: int, assumptions: Assumptions, workers: int = 1) -> Iterator[Dataset]:
    """Worlds with seeds from `seed` on, as rows; `workers` of them are made at a time."""
    made = partial(_world, claims, dict(assumptions.changed()))
    if workers < 2:
        yield from map(made, count(seed))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for start in count(seed, workers):
            yield from pool.map(made, range(start, start + workers))


def _world(claims: int, changed: dict[str, float], seed: int) -> Dataset:
    return from_world(make_world(claims, seed, Assumptions.load().with_(**changed)))


def trial(
    claims: int,
    seed: int,
    *,
    assumptions: Assumptions | None = None,
    read: int = 0,
    threads: int = 1,
    workers: int = 1,
    progress: Progress = lambda _: None,
) -> Trial:
    """Trains on the world of `seed` and holds out the one after it. With `read` 0 both are read perfectly, else the papers of that many
    claims of each are read for real and the others know no more than those."""
    assumed, features = assumptions or Assumptions.load(), FeatureSet.load()
    progress("训练用世界 / the world to train on")
    dataset = from_world(make_world(claims, seed, assumed), read=read, workers=workers)
    fitted = fit(dataset, features, seed=seed, threads=threads)
    progress("留出的世界 / the world held out")
    other = make_world(claims, seed + 1, assumed)
    perfect = from_world(other)
    held = perfect if read == 0 else from_world(other, read=read, workers=workers)
    return Trial(dataset, fitted, deployed(held, fitted), deployed(perfect, fitted), features, assumed, seed, threads, read, workers)


def deployed(world: Dataset, fitted: Fitted) -> Dataset:
    """Claims of a world filed after the model was trained, that no rule declines."""
    return world.take(np.flatnonzero((world.filed_at >= fitted.split.trained_at) & (world.propensity > 0)))


def evaluate(
    claims: int, seed: int, *, full: bool = False, read: int = 0, threads: int = 1, workers: int = 1, progress: Progress = lambda _: None
) -> Report:
    """The whole evaluation. `full` tries every assumption at both ends; otherwise a few."""
    made = trial(claims, seed, read=read, threads=threads, workers=workers, progress=progress)
    limits = ceiling_scores(made, claims, progress, workers)
    progress("排序与校准 / ranking and calibration")
    sections = [ranking_section(made, limits), selection_section(made)]
    progress("证书与闸门 / certificate and gate")
    sections.append(gate_section(made, claims))
    sections += [cost_section(made), error_section(made)]
    sections.append(range_section(seed, full=full, workers=workers, progress=progress))
    return Report(claims, seed, tuple(sections), curves(made, limits, sections[0]))


# ---- ranking


def ceiling_scores(made: Trial, claims: int, progress: Progress, workers: int = 1) -> dict[str, Floats]:
    """Scores of the held-out claims by the reachable ceilings, with and without links."""
    labels = ceilings.TIMES * int(made.dataset.labelled[made.fitted.split.train].sum())
    everything = ceilings.gathered(worlds(claims, made.seed + 100, made.assumptions, workers), labels, progress)
    found = {}
    for name, links in (("ceiling", True), ("ceiling_unlinked", False)):
        best = ceilings.reachable(everything, made.features, made.fitted.choices, links=links, threads=made.threads)
        found[name] = best.score(made.perfect.columns(best.columns.names).X, made.threads)
    return found


def ranking_section(made: Trial, limits: Mapping[str, Floats]) -> Section:
    """Average precision, precision at capacity and calibration beside the baselines and the ceilings."""
    truth, capacity = made.held.truth, made.fitted.choices["capacity"]
    every = {**made.scores, **limits, "oracle": made.oracle}
    ranked = {name: Ranked.of(score, truth) for name, score in every.items()}

    def measure(weights: Floats) -> dict[str, float]:
        ap = {name: one.average_precision(weights) for name, one in ranked.items()}
        at = {name: one.at_capacity(capacity, weights)[0] for name, one in ranked.items()}
        ratios = {
            "share_of_ceiling": ap["links"] / ap["ceiling"],
            "link_gain": ap["links"] / ap["claim_only"] - 1,
            "ceiling_link_gain": ap["ceiling"] / ap["ceiling_unlinked"] - 1,
            "share_of_oracle_precision": at["links"] / at["oracle"],
            "share_of_ceiling_precision": at["links"] / at["ceiling"],
            "oracle_precision": at["oracle"],
        }
        return {**{f"ap_{name}": value for name, value in ap.items()}, **ratios}

    found = resampled(len(truth), measure, resamples=int(asked("resamples")))
    own = standard(made.scores["links"], truth, capacity=capacity, resamples=int(asked("resamples")))
    noise = exact(calibration_noise(made.scores["links"]))
    apart = found["ap_links"].low > found["ap_claim_only"].high
    gain = at_least("link_gain", "关联特征的相对提升", "relative gain by link features", found["link_gain"], asked("link_gain"))
    lines = (
        *named([("prevalence", "应拒比例", "share that should be refused", exact(float(truth.mean())))]),
        *named([("average_precision", "平均精度", "average precision", own["average_precision"]), ("auc", "AUC", "AUC", own["auc"])]),
        *named([("ceiling", "可达上限的平均精度", "average precision of the reachable ceiling", found["ap_ceiling"])]),
        *named([("ceiling_unlinked", "无关联特征的上限", "ceiling without links", found["ap_ceiling_unlinked"])]),
        *named([("oracle", "潜在神谕的平均精度", "average precision of the latent oracle", found["ap_oracle"])]),
        at_least(
            "share_of_ceiling", "占可达上限的比例", "share of the reachable ceiling", found["share_of_ceiling"], asked("share_of_ceiling")
        ),
        replace(gain, passed=bool(gain.passed and apart), target=f"{gain.target}, 区间分离 / intervals apart"),
        *named([("ceiling_link_gain", "上限处关联特征的提升", "gain by links at the ceiling", found["ceiling_link_gain"])]),
        *named(
            [
                (
                    "precision_at_capacity",
                    f"容量{capacity:.0%}时的精度",
                    f"precision at {capacity:.0%} capacity",
                    own["precision_at_capacity"],
                )
            ]
        ),
        *named([("oracle_precision", "神谕在该容量的精度", "the oracle's precision there", found["oracle_precision"])]),
        at_least(
            "share_of_oracle_precision",
            "该精度与神谕之比",
            "that precision over the oracle's",
            found["share_of_oracle_precision"],
            asked("share_of_oracle_precision"),
        ),
        *named(
            [("share_of_ceiling_precision", "该精度与可达上限之比", "over the reachable ceiling's", found["share_of_ceiling_precision"])]
        ),
        at_most("ece", "期望校准误差", "expected calibration error", own["ece"], asked("calibration_error")),
        *named([("ece_noise", "完美校准时的抽样噪声", "what a calibrated score shows by chance", noise)]),
    )
    rows = tuple(
        (*baselines.WORDS[name], found[f"ap_{name}"], found[f"ap_{name}"].value / found["ap_ceiling"].value) for name in baselines.WORDS
    )
    grid = Grid("baselines", "基线", "baselines", ("zh", "en", "average_precision", "share_of_ceiling"), rows)
    return Section("ranking", "排序与校准", "ranking and calibration", lines, (grid,))


# ---- selective labels


def selection_section(made: Trial) -> Section:
    """What happens when nobody asks who was investigated: the same claims and trees, labels and weights taken four ways."""
    ways: dict[str, tuple[str, str, Dataset, Weighting]] = {
        "naive_paid": ("把未调查当作应付", "claims not investigated taken for right", paid_as_right(made.dataset), "none"),
        "naive_seen": ("只看已调查、不加权", "investigated claims only, unweighted", made.dataset, "none"),
        "weighted_trees": ("树与校准均加权", "trees and calibration weighted", made.dataset, "all"),
        "ours": ("树不加权、校准加权（本模型）", "calibration weighted (ours)", made.dataset, "calibration"),
    }
    truth, rows = made.held.truth, []
    for name, (zh, en, dataset, weighting) in ways.items():
        model = made.fitted if name == "ours" else _again(made, dataset, weighting)
        score = model.score(made.held.X, made.threads)
        found = standard(score, truth, capacity=made.fitted.choices["capacity"], resamples=100)
        rows.append((zh, en, found["average_precision"], calibration_error(score, truth), float(score.mean() - truth.mean())))
    grid = Grid(
        "selection", "选择性标签", "selective labels", ("zh", "en", "average_precision", "ece", "mean_score_less_rate"), tuple(rows)
    )
    latent = made.held.latent
    assert latent is not None
    wrong = (~latent["payable"].to_numpy()).astype(float)
    found_share = float(truth[wrong == 1].mean())
    lines = named(
        [
            ("true_rate", "真实不应付比例", "share truly not payable", exact(float(wrong.mean()))),
            ("detection", "调查能查实的比例", "share of these an investigation shows", exact(found_share)),
            ("assumed_detection", "证书所假设的查实比例", "share the certificate assumes", exact(made.fitted.choices["detection"])),
        ]
    )
    return Section("selection", "选择性标签与漏检", "selective labels and imperfect detection", lines, (grid,))


def _again(made: Trial, dataset: Dataset, weighting: Weighting) -> Fitted:
    return fit(dataset, made.features, seed=made.seed, choices=made.fitted.choices, threads=made.threads, weighting=weighting)


def paid_as_right(dataset: Dataset) -> Dataset:
    """The mistake: claims that nobody investigated, counted as rightly paid."""
    unseen = ~dataset.investigated & (dataset.propensity > 0)
    known = np.where(unseen, dataset.filed_at, dataset.label_known_at)
    return replace(dataset, y=np.where(unseen, 0.0, dataset.y), investigated=dataset.investigated | unseen, label_known_at=known)


# ---- pictures


def curves(made: Trial, limits: Mapping[str, Floats], ranking: Section) -> dict[str, Any]:
    """What the pictures are drawn from."""
    every = {**made.scores, "ceiling": limits["ceiling"], "oracle": made.oracle}
    rows = zip(baselines.WORDS, ranking.grids[0].rows, strict=True)
    return {
        "scores": every,
        "truth": made.held.truth,
        "amount": made.held.attributes["amount"].to_numpy(),
        "chance": made.oracle,
        "price": prices(made.assumptions.values),
        "filed_at": made.held.filed_at.astype("datetime64[D]").astype(np.float64),
        "ranked": {name: row[2] for name, row in rows},
    }
