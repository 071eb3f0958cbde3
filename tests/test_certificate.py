"""The certificate: exact tests in a fixed order, its promise kept over many samples, and what an alpha costs in labels."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from mapie.risk_control import BinaryClassificationController
from mapie.risk_control.risks import BinaryRisk
from scipy.stats import binom

from training import certificate
from training.certificate import OVERALL, certify, clean_labels, labels_needed, plan, prove, sequence, sequences, thinned, upper_bound

ALPHA, DELTA = 0.05, 0.1


def drawn(generator: np.random.Generator, n: int, tilt: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores that are true probabilities: risk is score cubed, so that low scores are safe."""
    score = generator.random(n)
    return score, (generator.random(n) < score**tilt).astype(float)


def rate_below(threshold: float, tilt: float = 3.0) -> float:
    """The true rate of wrong claims at or below a threshold of `drawn`: the mean of u^tilt below it."""
    return float(threshold**tilt / (tilt + 1))


def test_a_bound_and_its_test_are_two_sides_of_one_coin() -> None:
    """The exact p-value is at most delta where, and only where, the upper bound is at most alpha."""
    for n in (1, 30, 200, 1_000):
        for wrong in {0, 1, n // 40, n // 10, n}:
            assert (certificate.p_value(wrong, n, ALPHA) <= DELTA) == (upper_bound(wrong, n, DELTA) <= ALPHA)


def test_testing_stops_at_the_first_threshold_that_is_not_proven() -> None:
    """A later threshold that would pass by luck is never looked at."""
    scores = np.concatenate([np.full(100, 0.1), np.full(20, 0.2), np.full(1_000, 0.3)])
    wrong = np.concatenate([np.zeros(100), np.ones(20), np.zeros(1_000)])
    found = prove(scores, wrong, np.array([0.1, 0.2, 0.3]), alpha=ALPHA, delta=DELTA, detection=0.7)
    assert found is not None
    assert (found.threshold, found.n, found.wrong, found.tested) == (0.1, 100, 0, 2)
    assert found.bound == pytest.approx(upper_bound(0, 100, DELTA))
    assert found.bound_truth == pytest.approx(found.bound / 0.7)


def test_too_small_a_sample_proves_nothing() -> None:
    """Forty-four clean claims are one too few for five per cent at a tenth."""
    assert prove(np.zeros(44), np.zeros(44), np.zeros(1), alpha=ALPHA, delta=DELTA, detection=1.0) is None
    assert prove(np.zeros(45), np.zeros(45), np.zeros(1), alpha=ALPHA, delta=DELTA, detection=1.0) is not None
    assert prove(np.empty(0), np.empty(0), np.zeros(1), alpha=ALPHA, delta=DELTA, detection=1.0) is None


def test_the_sequence_starts_where_the_training_split_is_surest() -> None:
    """Neither at a handful of claims nor past the rate promised."""
    scores, wrong = drawn(np.random.default_rng(0), 5_000)
    thresholds = sequence(scores, wrong, alpha=ALPHA, rows=1_000)
    assert np.all(np.diff(thresholds) > 0)
    assert 0.1 < thresholds[0] < 0.5


def test_the_promise_holds_in_every_group_over_three_hundred_samples() -> None:
    """One model, fresh samples: rates above alpha in at most delta + 1.645 standard errors of them, and
    some seven tenths of the best possible is released from 400 labels a group."""
    generator = np.random.default_rng(1)
    names = np.array(["a", "b", "c", "d"])
    train, wrong = drawn(generator, 4_000)
    fixed = sequences(train, wrong, generator.choice(names, 4_000), alpha=ALPHA, rows=dict.fromkeys(names.tolist(), 400))
    broken, shares = dict.fromkeys(names, 0), []
    for _ in range(300):
        scores, bad = drawn(generator, 1_600)
        found = certify(scores, bad, np.repeat(names, 400), fixed, ALPHA, DELTA, joint=False)
        for name, row in found.groups.items():
            broken[name] += row is not None and rate_below(row.threshold) > ALPHA
            shares.append(row.threshold if row else 0.0)
    assert max(broken.values()) / 300 <= DELTA + 1.645 * math.sqrt(DELTA * (1 - DELTA) / 300)
    assert np.mean(shares) > 0.7 * (4 * ALPHA) ** (1 / 3)


def test_groups_are_proven_together_at_a_share_of_delta() -> None:
    """A joint certificate asks more of each group than one of its own."""
    scores, wrong, groups = np.zeros(200), np.zeros(200), np.repeat(["a", "b", "c", "d"], 50)
    fixed = {name: np.zeros(1) for name in ("a", "b", "c", "d", OVERALL)}
    assert all(row is None for row in certify(scores, wrong, groups, fixed, ALPHA, DELTA).groups.values())
    alone = certify(scores, wrong, groups, fixed, ALPHA, DELTA, joint=False)
    assert all(row is not None for row in alone.groups.values())
    assert alone.overall is not None
    assert alone.thresholds(np.array(["a", "nobody"])).tolist() == [0.0, -1.0]


def test_mapie_agrees() -> None:
    """Its fixed sequence, given the same thresholds, has our p-values and stops where we stop; it rounds n * (k / n) up, which now and
    then counts one wrong claim more than there is."""
    scores, wrong = drawn(np.random.default_rng(3), 2_000)
    grid = np.linspace(0.3, 0.95, 60)

    def released(x: np.ndarray, limit: float) -> np.ndarray:
        return (x[:, 0] <= limit).astype(int)

    risk = BinaryRisk(lambda y, _: y == 1, lambda _, p: p == 1, higher_is_better=False)
    theirs = BinaryClassificationController(
        lambda x: np.column_stack([x[:, 0], 1 - x[:, 0]]),
        risk,
        target_level=ALPHA,
        confidence_level=1 - DELTA,
        best_predict_param_choice=risk,
        list_predict_params=1 - grid,
        fwer_method="fixed_sequence",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.calibrate(scores[:, None], wrong.astype(int))
    ours = prove(scores, wrong, grid, alpha=ALPHA, delta=DELTA, detection=1.0)
    counts = [int((scores <= t).sum()) for t in grid]
    bad = [int(wrong[scores <= t].sum()) for t in grid]
    exact = np.array([certificate.p_value(k, n, ALPHA) for k, n in zip(bad, counts, strict=True)])
    assert theirs.p_values is not None
    more = np.array([certificate.p_value(k + 1, n, ALPHA) for k, n in zip(bad, counts, strict=True)])
    rounded = ~np.isclose(theirs.p_values.ravel(), exact, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(theirs.p_values.ravel()[rounded], more[rounded], rtol=1e-6)
    assert rounded.mean() < 0.1
    assert ours is not None
    assert ours.threshold == pytest.approx(1 - np.min(theirs.valid_predict_params))
    assert released(scores[:, None], ours.threshold).sum() == ours.n


def test_one_per_cent_for_four_groups_takes_368_clean_claims_each() -> None:
    """The design's number, and the exact test agrees with it."""
    needs = plan(0.01, 0.1, ["a", "b", "c", "d"], 0.0)
    assert [need.clean for need in needs] == [368] * 4
    assert needs[0].labels == 368
    assert math.isinf(needs[0].months)
    assert float(binom.cdf(0, 368, 0.01)) <= 0.025 < float(binom.cdf(0, 367, 0.01))


def test_a_rate_near_alpha_costs_many_labels_and_one_above_never_ends() -> None:
    """The plan says how many months, and says never where it is never."""
    half = labels_needed(0.01, 0.025, 0.005)
    assert half is not None
    assert half > 3 * clean_labels(0.01, 0.025)
    [need] = plan(0.01, 0.025, {"a": 500.0}, 0.005, audit_rate=0.1)
    assert need.months == pytest.approx(half / 50)
    [never] = plan(0.01, 0.025, {"a": 500.0}, 0.01)
    assert math.isinf(never.months)


def test_thinning_gives_every_claim_of_a_lane_the_same_chance() -> None:
    """Claims investigated more often than others no longer weigh more: the rate found is the population's."""
    generator = np.random.default_rng(5)
    n = 60_000
    risky = generator.random(n) < 0.3
    wrong = generator.random(n) < np.where(risky, 0.2, 0.01)
    propensity = np.where(risky, 1.0, 0.1)
    seen = generator.random(n) < propensity
    kept = thinned(propensity[seen], np.repeat("audit", int(seen.sum())), generator.random(int(seen.sum())))
    assert wrong[seen].mean() > 0.12
    assert wrong[seen][kept].mean() == pytest.approx(0.3 * 0.2 + 0.7 * 0.01, abs=0.012)
    assert kept[~risky[seen]].all()
