"""The risk model: split by time, deterministic, with directions kept, calibrated, and honest about who was investigated."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.rows import SMALL, dataset, fitted, full
from training import baselines
from training.choices import Choices, described
from training.dataset import Dataset, DatasetError
from training.metrics import average_precision, calibration_error
from training.model import Split, columns_of, fit, mature
from training.world_rows import unlinked
from triage.features import FeatureSet


def test_slices_follow_each_other_in_time() -> None:
    """Train, stop, calibrate, certify and test share nothing and no slice reaches back into the one before."""
    rows = dataset()
    split = Split.by_time(rows, SMALL)
    parts = (split.train, split.stop, split.calibrate, split.certify, split.test)
    assert np.array_equal(np.concatenate(parts), np.arange(len(rows)))
    for before, after in itertools.pairwise(parts):
        assert rows.filed_at[before].max() <= rows.filed_at[after].min()
    assert split.trained_at == rows.filed_at[split.certify[0]]
    with pytest.raises(DatasetError, match="order"):
        Split.by_time(rows.take(np.arange(len(rows))[::-1]), SMALL)


def test_labels_known_later_are_not_learnt_from() -> None:
    """At a moment only the answers given by then count, and none of claims filed so lately that only quick ones are in."""
    rows = dataset()
    moment = rows.filed_at[len(rows) // 2]
    known = mature(rows, moment, SMALL)
    assert np.all(rows.label_known_at[known.labelled] <= moment)
    assert np.all(rows.filed_at[known.labelled] <= moment - np.timedelta64(60, "D"))
    assert known.labelled.sum() > 500


def test_directions_are_kept() -> None:
    """Raising a feature that can only raise the risk never lowers a score, and the other way round."""
    features, model = FeatureSet.load(), fitted()
    rows = full().X[:300].copy()
    before = model.boosted.margin(rows)
    for place, direction in enumerate(features.monotone):
        if direction:
            moved = rows.copy()
            moved[:, place] = np.nan_to_num(moved[:, place]) + 0.0
            more = moved.copy()
            more[:, place] += 5.0
            change = model.boosted.margin(more) - model.boosted.margin(moved)
            assert np.all(change * direction >= -1e-9), features.names[place]
    assert before.shape == (300,)


def test_scores_are_calibrated_and_beat_the_baselines() -> None:
    """On another world the error is small and the model ranks above rules, claim-only trees and a logistic regression, or equals them."""
    other = full(2)
    scores = baselines.scores(full(), fitted(), other, FeatureSet.load())
    ap = {name: average_precision(score, other.truth) for name, score in scores.items()}
    assert set(ap) == set(baselines.WORDS)
    assert calibration_error(scores["links"], other.truth) < 0.03
    assert ap["everything"] == pytest.approx(other.truth.mean())
    assert ap["links"] > ap["claim_only"] > ap["rules"] > ap["everything"]
    assert ap["links"] > ap["logistic"] - 0.02


def test_claims_nobody_looked_at_are_not_taken_for_right() -> None:
    """Counting them as paid rightly puts every probability far too low; weighing the calibration does not."""
    rows, other = dataset(), full(2)
    unseen = ~rows.investigated & (rows.propensity > 0)
    naive = replace(
        rows,
        y=np.where(unseen, 0.0, rows.y),
        investigated=rows.investigated | unseen,
        label_known_at=np.where(unseen, rows.filed_at, rows.label_known_at),
    )
    wrong = fit(naive, FeatureSet.load(), choices=SMALL, weighting="none").score(other.X).mean()
    right = fit(rows, FeatureSet.load(), choices=SMALL).score(other.X).mean()
    assert wrong < 0.8 * other.truth.mean()
    assert right == pytest.approx(other.truth.mean(), rel=0.2)


def test_too_little_to_learn_from_is_said() -> None:
    """A handful of labels, or only one kind, is refused in both languages with the remedy."""
    rows = full()
    for few in (rows.take(np.arange(100)), replace(rows, y=np.zeros(len(rows)))):
        with pytest.raises(DatasetError, match=r"影子期.*shadow period"):
            fit(few, FeatureSet.load(), choices=SMALL)


def test_rows_come_back_from_a_file(tmp_path: Path) -> None:
    """Every array, attribute and latent column, with the same digest."""
    rows = dataset().take(np.arange(500))
    rows.save(tmp_path / "rows.parquet")
    back = Dataset.load(tmp_path / "rows.parquet")
    assert back.digest() == rows.digest()
    assert back.names == rows.names
    assert back.latent is not None
    assert rows.latent is not None
    assert back.latent.equals(rows.latent)
    assert back.attributes.equals(rows.attributes)
    assert replace(rows, y=1 - rows.y).digest() != rows.digest()


def test_propensities_and_lanes_fit_together() -> None:
    """Claims drawn at random pass the rules and were investigated; a shadow claim stands for itself, an audited one for one in the rate."""
    rows = dataset()
    assert np.all(rows.investigated[rows.at_random])
    assert np.all(rows.drawn[rows.lane == "shadow"][rows.passes_rules[rows.lane == "shadow"]] == 1.0)
    assert set(rows.drawn[(rows.lane == "audit") & rows.passes_rules].tolist()) == {0.1}
    seen = rows.weight[rows.labelled & (rows.lane != "rules")].sum()
    assert seen == pytest.approx((rows.lane != "rules").sum(), rel=0.05)


def test_without_links_nothing_of_other_claims_is_known() -> None:
    """Neither an aggregate nor the flags' sum, which counts some of them."""
    names = unlinked(FeatureSet.load())
    assert not [name for name in names if name.startswith("links.")]
    assert "risk.flag_weight" not in names
    assert columns_of(dataset().columns(names), FeatureSet.load()).names == names


def test_every_choice_says_where_it_comes_from() -> None:
    """Range, words and source; a number that there is not is refused by name."""
    for name, entry in described().items():
        assert entry["low"] <= entry["default"] <= entry["high"], name
        assert all(entry[key] for key in ("zh", "en", "source", "confidence")), name
    with pytest.raises(KeyError, match="no_such"):
        Choices.load(no_such=1.0)
