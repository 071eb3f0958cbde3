"""Nothing leaks: no score beats the truth, labels at random teach nothing, nor do ids, order or wording, and no feature sees the future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from tests.rows import SMALL, dataset, fitted, full, of_columns, world
from training.boosting import Columns, Rows, boost
from training.ceilings import latent
from training.dataset import Dataset
from training.documents import masked, write
from training.metrics import Ranked, auc, average_precision, resampled
from training.model import fit
from training.world.world import World
from training.world_rows import columns_of, rulebook
from triage.features import FeatureSet


def noise(rows: Dataset, score: np.ndarray) -> float:
    """Two standard errors of the average precision of a score."""
    ranked = Ranked.of(score, rows.truth)
    found = resampled(len(rows), lambda w: {"ap": ranked.average_precision(w)}, resamples=60)["ap"]
    return (found.high - found.low) / 2


def learnt(rows: Dataset, other: Dataset) -> float:
    """Average precision on other claims of a model trained on all of `rows`, at a fixed number of trees."""
    model = boost(Rows.of(rows.X, rows.y), Columns(rows.names), SMALL, rounds=40)
    return average_precision(model.margin(other.X), other.truth)


def test_no_score_beats_the_oracle() -> None:
    """On another world the model stays below the latent chance of refusal plus two standard errors; the oracle itself passes no more."""
    other = full(2)
    oracle = latent(other)
    best = average_precision(oracle, other.truth)
    mine = fitted().score(other.X)
    assert average_precision(mine, other.truth) <= best + noise(other, oracle)
    assert average_precision(other.truth, other.truth) > best + noise(other, oracle)


def test_permuted_labels_teach_nothing() -> None:
    """Trained on shuffled answers the average precision is the prevalence, within three times its noise."""
    rows, other = full(), full(2)
    shuffled = replace(rows, y=np.random.default_rng(0).permutation(rows.y))
    assert learnt(rows, other) > 2 * other.truth.mean()
    assert learnt(shuffled, other) == pytest.approx(other.truth.mean(), abs=0.03)


def test_ids_order_and_lengths_alone_teach_nothing() -> None:
    """Numbers within ids, the place within the month, the second of the day and the lengths of texts leave a model at prevalence."""
    told = [of_columns(_names_alone(seed), dataset(seed)) for seed in (1, 2)]
    rows, other = (replace(one, y=one.truth).take(one.propensity > 0) for one in told)
    assert learnt(rows, other) == pytest.approx(other.truth.mean(), abs=0.03)


def _names_alone(seed: int) -> np.ndarray:
    made = world(seed)
    ids = made.facts["claim_id"].str.extract(r"(\d+)").cast(pl.Float64)
    members = made.told["member_id"].str.extract(r"(\d+)").cast(pl.Float64)
    texts = [made.attributes[name].cast(pl.String).str.len_chars() for name in ("diagnosis_claimed", "hospital", "city")]
    at = made.attributes["filed_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    months = made.attributes["filed_at"].dt.month_start().to_numpy()
    place = np.arange(len(at)) - np.searchsorted(months, months)
    hospital = [texts[1].to_numpy() % 2]
    return np.column_stack([ids.to_numpy(), members.to_numpy(), texts[2].to_numpy(), *hospital, place, at % 86_400])


def test_two_worlds_cannot_be_told_apart_and_late_claims_can() -> None:
    """A classifier between worlds of two seeds is at chance; between early and late claims it sees the past grow and the drift."""
    one, two = full(1), full(2)
    both = np.vstack([one.X, two.X]), np.concatenate([np.zeros(len(one)), np.ones(len(two))])
    assert _told_apart(*both) == pytest.approx(0.5, abs=0.06)  # each world has rings of its own, whose past marks some claims
    part = len(one) // 4
    edges = np.vstack([one.X[:part], one.X[-part:]]), np.concatenate([np.zeros(part), np.ones(part)])
    assert _told_apart(*edges) > 0.6


def _told_apart(x: np.ndarray, which: np.ndarray) -> float:
    """AUC of a classifier on the half it has not seen."""
    half = np.random.default_rng(0).random(len(which)) < 0.5
    model = boost(Rows.of(x[half], which[half]), Columns(FeatureSet.load().names), SMALL, rounds=30)
    return auc(model.margin(x[~half]), which[~half])


def test_masked_papers_tell_honest_from_ring_no_better_than_chance() -> None:
    """Without names, dates and numbers one pathology report of each ring reads like those of honest claims of the same illness."""
    made = world()
    seen = made.outcomes.select("claim_id", "passes_rules").hstack(made.latent.select("ring_id", "illness", "payable"))
    breast = seen.filter(pl.col("passes_rules") & (pl.col("illness") == "breast"))
    ring = breast.filter(pl.col("ring_id").is_not_null()).unique("ring_id", keep="first", maintain_order=True)["claim_id"].head(50)
    honest = breast.filter(pl.col("ring_id").is_null() & pl.col("payable"))["claim_id"].sample(len(ring), seed=1)
    texts = [_masked(made, name) for name in (*ring, *honest)]
    which = np.repeat([1, 0], len(ring))
    found = HashingVectorizer(analyzer="char", ngram_range=(2, 4), n_features=2**14, alternate_sign=False).transform(texts)
    chance = cross_val_predict(LogisticRegression(C=10.0), found, which, cv=5, method="predict_proba")[:, 1]
    assert len(ring) >= 20
    assert auc(chance, which.astype(float)) < 0.5 + 3 * np.sqrt((2 * len(ring) + 1) / (12 * len(ring) ** 2))


def _masked(made: World, claim_id: str) -> str:
    story = made.story(claim_id)
    return "\n".join(masked(write(story, paper).text, story) for paper in story.papers if paper.evidence_type == "pathology_report")


def test_no_feature_carries_the_model() -> None:
    """No feature has more than three fifths of the gain."""
    gain = fitted().gain
    assert sum(gain.values()) == pytest.approx(1.0)
    assert max(gain.values()) < 0.6


@settings(max_examples=6, deadline=None)
@given(cut=st.floats(0.2, 0.9))
def test_no_feature_sees_anything_later_than_its_time(cut: float) -> None:
    """Of claims filed before a moment no feature changes when later claims vanish and every later answer is turned round."""
    made = world(3, 1_500)
    kept = int(cut * 1_500)
    moment = made.outcomes["filed_at"][kept]
    turned = pl.when(pl.col("label_known_at") >= moment).then(~pl.col("refused")).otherwise(pl.col("refused"))
    changed = replace(made.at_most(kept), outcomes=made.outcomes.head(kept).with_columns(turned.alias("refused")))
    features = FeatureSet.load()
    before = features.matrix(columns_of(made, rulebook()))[:kept]
    np.testing.assert_array_equal(features.matrix(columns_of(changed, rulebook())), before)


def test_no_latent_column_is_a_feature() -> None:
    """The rows' names are those of the shipped features, and the truth's columns are none of them."""
    rows = dataset()
    assert rows.latent is not None
    assert rows.names == FeatureSet.load().names
    assert not set(rows.latent.columns) & set(rows.names)


def test_a_model_is_the_same_again() -> None:
    """The same claims and seed give the same text, byte for byte."""
    assert fit(full(), FeatureSet.load(), choices=SMALL).text == fitted().text
