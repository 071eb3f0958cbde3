"""The evaluation itself: the trial knows the truth of its draws, costs and ranges are what they say, and a report is plain data."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from rich.console import Console

from tests.rows import SMALL, dataset, fitted, full
from training import ceilings
from training.cost_findings import cost_section
from training.error_findings import error_section
from training.evaluate import Trial, curves, deployed, paid_as_right, ranking_section, selection_section
from training.evaluate_cli import show
from training.findings import Report, at_least, exact
from training.gate_findings import gate_section, pool_of
from training.pictures import of_report
from training.range_findings import HEADLINES, ends
from training.trial import ALL, Pool, kept, rung
from training.world.assumptions import Assumptions
from triage.features import FeatureSet


@pytest.fixture(scope="module")
def made() -> Trial:
    """A small model with the held-out claims of another world."""
    model = fitted()
    held = deployed(dataset(2), model)
    return Trial(full(), model, held, held, FeatureSet.load(), Assumptions.load(), 1)


def test_a_pool_whose_truth_is_known_keeps_the_promise() -> None:
    """In each of four groups thresholds break alpha no more often than delta and its noise; much of the best is released."""
    drawn = np.random.default_rng(0)
    scores = drawn.random(40_000)
    pool = Pool(scores, scores**3, np.array(["a", "b", "c", "d"])[drawn.integers(0, 4, 40_000)])
    found = kept(pool, alpha=0.05, delta=0.1, labels=8_000, draws=60)
    assert [one.group for one in found] == [ALL, "a", "b", "c", "d"]
    assert all(one.violations.value <= 0.1 + 1.645 * np.sqrt(0.09 / 60) for one in found)
    assert found[0].best == pytest.approx(0.2 ** (1 / 3), abs=0.02)
    assert found[0].of_best > 0.85


def test_an_audit_lane_that_contradicts_rings() -> None:
    """Wrong answers at three times alpha; only drawn claims at or below the limit are heard."""
    drawn, n = np.random.default_rng(1), 3_000
    heard = drawn.random(n) < 0.3
    worse = rung(np.zeros(n), (drawn.random(n) < 0.15).astype(float), heard, np.zeros(n), 0.05)
    same = rung(np.zeros(n), (drawn.random(n) < 0.04).astype(float), heard, np.zeros(n), 0.05)
    assert worse.alarmed
    assert not same.alarmed
    assert worse.n == heard.sum()
    assert rung(np.ones(n), np.ones(n), heard, np.zeros(n), 0.05).n == 0


def test_the_sections_hold_what_was_promised(made: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranking beside ceilings, selective labels, costs and errors by group; shown, drawn and written as JSON."""
    monkeypatch.setattr("training.evaluate.asked", _small)
    monkeypatch.setattr("training.cost_findings.asked", _small)
    best = ceilings.reachable(ceilings.seen_in_full(dataset(3)), made.features, SMALL, links=True)
    limits = {"ceiling": best.score(made.held.X), "ceiling_unlinked": made.scores["claim_only"]}
    ranking = ranking_section(made, limits)
    report = Report(12_000, 1, (ranking, selection_section(made), cost_section(made), error_section(made)), curves(made, limits, ranking))
    assert report.value("oracle").value > report.value("average_precision").value > report.value("prevalence").value
    assert 0 < report.value("investigations_saved").value < 1
    assert report.value("gap_closed").value < 1
    told = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert told["simulated"] is True
    console = Console(record=True, width=200)
    show(report, console)
    assert "simulated" in console.export_text()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = of_report(report)
    assert len(drawn) == 6
    assert all(png.startswith(b"\x89PNG") and len(png) > 5_000 for png in drawn.values())


def test_the_gate_section_tries_groups_and_hears_the_shifted_world(made: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a few draws: violations, release and the alarms, each a line."""
    monkeypatch.setattr("training.gate_findings.asked", _small)
    found = {line.id: line.value.value for line in gate_section(made, 6_000).lines}
    assert found["groups_tried"] >= 2
    assert 0 <= found["released"] <= 1
    assert found["shift_alarm"] > found["same_alarm"]
    assert np.all(pool_of(made, made.held).chance <= 1)


def test_an_end_of_an_assumption_tries_every_headline() -> None:
    """Low and high, in order, with the same names."""
    found = list(ends(["signal_strength"], 5_000, 4))
    assert [end.value for end in found] == list(Assumptions.load().names()["signal_strength"])
    assert all(set(end.found) == set(HEADLINES) for end in found)
    assert all("above_rules" not in end.turned for end in found)


def test_claims_taken_for_right_are_those_nobody_saw() -> None:
    """The mistake touches released claims alone, not those that rules declined."""
    rows = dataset()
    wrong = paid_as_right(rows)
    changed = np.isnan(rows.y) & ~np.isnan(wrong.y)
    assert set(rows.lane[changed].tolist()) == {"released"}


def test_a_missed_target_is_told() -> None:
    """Lines know their target; a report knows what it missed."""
    assert at_least("x", "x", "x", exact(0.5), 0.6).passed is False
    assert at_least("x", "x", "x", exact(0.7), 0.6).passed is True


def _small(name: str) -> object:
    from training.findings import asked

    return {"resamples": 30, "draws": 10, "audit_labels": 3_000}.get(name, asked(name))
