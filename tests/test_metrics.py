"""Numbers that judge a score: equal to scikit-learn's where it has them, right on cases done by hand, calibrated intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from training.calibration import platt, probabilities
from training.comparison import share_difference
from training.costs import Prices, cost, saved_at, worthwhile
from training.exchangeability import shift
from training.metrics import (
    Ranked,
    auc,
    average_precision,
    calibration_bins,
    calibration_error,
    calibration_line,
    clearance,
    resampled,
    share,
)
from triage.bundle import calibrated

CASES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(1, 4)), min_size=4, max_size=60)


@settings(deadline=None)
@given(CASES)
def test_ranking_equals_scikit_learn(cases: list[tuple[int, int, int]]) -> None:
    """AUC and average precision with ties and weights."""
    score, wrong, weight = (np.array(column, dtype=float) for column in zip(*cases, strict=True))
    if 0 < wrong.sum() < len(wrong):
        assert auc(score, wrong, weight) == pytest.approx(roc_auc_score(wrong, score, sample_weight=weight))
        assert average_precision(score, wrong, weight) == pytest.approx(average_precision_score(wrong, score, sample_weight=weight))
    else:
        assert np.isnan(auc(score, wrong, weight))


def test_capacity_takes_ties_as_if_drawn() -> None:
    """Investigating a quarter of four claims of one score catches a quarter of the wrong ones on average."""
    ranked = Ranked.of(np.zeros(4), np.array([1.0, 1.0, 0.0, 0.0]))
    assert ranked.at_capacity(0.25) == pytest.approx((0.5, 0.25))
    best = Ranked.of(np.array([4.0, 3.0, 2.0, 1.0]), np.array([1.0, 1.0, 0.0, 0.0]))
    assert best.at_capacity(0.5) == (1.0, 1.0)


def test_calibration_error_of_a_constant_is_its_distance() -> None:
    """One bin, since claims of one score are never told apart."""
    wrong = np.array([1.0] * 30 + [0.0] * 70)
    assert len(calibration_bins(np.full(100, 0.2), wrong)) == 1
    assert calibration_error(np.full(100, 0.2), wrong) == pytest.approx(0.1)


def test_platt_equals_logistic_regression_and_the_served_formula() -> None:
    """Without a penalty; weights count; one margin gives what the service computes."""
    drawn = np.random.default_rng(0)
    margin, weight = drawn.normal(-2, 1.5, 3_000), drawn.random(3_000) + 0.5
    wrong = (drawn.random(3_000) < 1 / (1 + np.exp(-(0.7 * margin - 0.3)))).astype(float)
    ours = platt(margin, wrong, weight)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(margin[:, None], wrong, sample_weight=weight)
    assert -ours.a == pytest.approx(theirs.coef_[0, 0], rel=1e-3)
    assert -ours.b == pytest.approx(theirs.intercept_[0], rel=1e-3)
    assert probabilities(margin[:1], ours)[0] == pytest.approx(calibrated(float(margin[0]), ours), rel=1e-12)
    intercept, slope = calibration_line(probabilities(margin, ours), wrong, weight)
    assert (intercept, slope) == pytest.approx((0, 1), abs=0.01)


def test_a_margin_that_tells_nothing_still_calibrates() -> None:
    """A constant or contrary margin gives the rate itself, with a slope that does not turn round."""
    wrong = np.array([1.0] * 20 + [0.0] * 80)
    for margin in (np.zeros(100), np.concatenate([np.full(20, -1.0), np.full(80, 1.0)])):
        found = platt(margin, wrong)
        assert found.a < 0
        assert probabilities(margin, found).mean() == pytest.approx(0.2, abs=0.02)


def test_clearance_is_the_largest_share_within_alpha() -> None:
    """Counted by hand; a threshold takes all claims of one score."""
    score, wrong = np.array([0.1, 0.2, 0.3, 0.3, 0.4]), np.array([0.0, 0.0, 1.0, 0.0, 0.0])
    assert clearance(score, wrong, np.array([0.0, 0.2, 0.25])).tolist() == [0.4, 1.0, 1.0]


def test_intervals_cover() -> None:
    """Ninety-five of a hundred resampled intervals hold the true mean, give or take chance."""
    drawn, hits = np.random.default_rng(4), 0
    for seed in range(60):
        x = drawn.normal(size=150)
        found = resampled(150, lambda w, x=x: {"mean": float(np.average(x, weights=w))}, resamples=100, seed=seed)["mean"]  # type: ignore[misc]
        hits += found.low <= 0 <= found.high
    assert hits >= 51
    assert share(0, 100).high == pytest.approx(0.0362, abs=1e-3)


def test_costs_by_hand() -> None:
    """Half investigated at 100, of two refusable claims of 1,000 one is missed."""
    look, refused, amount = np.array([True, True, False, False]), np.array([1.0, 0.0, 1.0, 0.0]), np.full(4, 1_000.0)
    found = cost(look, refused, amount, Prices(100.0, 20.0))
    assert (found.investigation, found.delay, found.wrong_payments) == (50.0, 10.0, 250.0)
    assert (found.total, found.investigated, found.caught) == (310.0, 0.5, 0.5)
    assert worthwhile(np.array([0.11, 0.13]), np.full(2, 1_000.0), Prices(100.0, 20.0)).tolist() == [False, True]
    assert saved_at(np.array([0.9, 0.1, 0.8, 0.2]), refused, 1.0) == 0.5


def test_a_shift_is_found_and_no_shift_is_not() -> None:
    """Scores of the same law rarely reach the limit; a law that moved does within some hundred claims."""
    drawn = np.random.default_rng(6)
    rung = [shift(drawn.beta(1, 9, 300), drawn.beta(1, 9, 300), level=0.05, seed=s).at is not None for s in range(40)]
    assert sum(rung) <= 5
    moved = shift(drawn.beta(1, 9, 500), drawn.beta(2, 9, 500), level=0.05)
    assert moved.at is not None
    assert moved.at < 400


def test_a_share_difference_has_the_width_asked_for() -> None:
    """Half of it is the normal quantile times the standard error."""
    mine, theirs = np.arange(400) % 2 == 0, np.arange(400) % 4 == 0
    for confidence, quantile in ((0.8, 1.2816), (0.95, 1.9600), (0.999, 3.2905)):
        found = share_difference(mine, theirs, confidence=confidence)
        error = float((mine.astype(float) - theirs).std()) / 20
        assert (found.high - found.low) / 2 == pytest.approx(quantile * error, abs=1e-4)
