"""Training rows know what reading, staff and reviewers know, and no more."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.worlds import small_world
from training.read_rows import Readings, read_world, taking_after
from training.world_rows import columns_of, from_world, rulebook
from triage.features import FeatureSet

FEATURES = FeatureSet.load()


@pytest.fixture(scope="module")
def columns() -> pl.DataFrame:
    """The world's columns, links and flags included."""
    return columns_of(small_world(), rulebook())


@pytest.fixture(scope="module")
def readings(columns: pl.DataFrame) -> Readings:
    """Thirty claims gone through for real."""
    return read_world(small_world(), range(0, 3_000, 100), columns)


def test_read_claims_know_less_than_a_perfect_reader_and_little_that_is_wrong(columns: pl.DataFrame, readings: Readings) -> None:
    """Of what both know, nearly all agrees: counts of unknown facts and the length of a complaint aside."""
    perfect = FEATURES.matrix(columns)[readings.rows]
    apart = {"papers.unknown", "risk.flag_weight", "history.complaint_duration_days", "days_joined_to_complaint"}
    kept = [n not in apart for n in FEATURES.names]
    both = ~np.isnan(perfect) & ~np.isnan(readings.features)
    agree = np.abs(perfect - readings.features) < 1e-6
    assert np.isnan(readings.features).mean() > np.isnan(perfect).mean()
    assert (agree | ~both)[:, kept].mean() > 0.95
    assert (both & agree)[:, kept].sum() > 500


def test_most_claims_that_pass_all_rules_still_do_once_read(readings: Readings) -> None:
    world = small_world().outcomes["passes_rules"].to_numpy()[readings.rows]
    assert (readings.passes & world).sum() >= 0.6 * world.sum()


def test_links_are_those_of_the_columns(columns: pl.DataFrame, readings: Readings) -> None:
    names = [f.name for f in FEATURES.features if f.from_.links]
    places = [FEATURES.names.index(n) for n in names]
    perfect = FEATURES.matrix(columns)[readings.rows]
    assert np.array_equal(perfect[:, places], readings.features[:, places], equal_nan=True)


def test_every_claim_lacks_exactly_what_a_read_one_of_its_condition_lacked(columns: pl.DataFrame, readings: Readings) -> None:
    taken = taking_after(columns, readings, 1)
    lost = {name for facts in readings.lacking for name in facts}
    assert taken.drop(lost).equals(columns.drop(lost))
    for row, lacking in zip(readings.rows.tolist(), readings.lacking, strict=True):
        assert lacking == {n for n in lost if columns[n][row] is not None and taken[n][row] is None}
    patterns = {(columns["condition"][int(r)], facts) for r, facts in zip(readings.rows, readings.lacking, strict=True)}
    row = int(np.flatnonzero(columns["condition"].to_numpy() == "malignancy_severe")[-1])
    known = {n for n in lost if columns[n][row] is not None}
    gone = frozenset(n for n in known if taken[n][row] is None)
    assert any(condition == "malignancy_severe" and gone == facts & known for condition, facts in patterns)


def test_several_processes_read_the_same(columns: pl.DataFrame, readings: Readings) -> None:
    again = read_world(small_world(), readings.rows[:6].tolist(), columns, workers=2)
    assert np.array_equal(again.features, readings.features[:6], equal_nan=True)
    assert again.lacking == readings.lacking[:6]


def test_a_perfect_reader_is_asked_for_with_zero() -> None:
    world = small_world().at_most(400)
    perfect, read = from_world(world), from_world(world, read=20)
    assert np.isnan(read.X).mean() > np.isnan(perfect.X).mean()
    assert np.array_equal(perfect.y, read.y, equal_nan=True)
