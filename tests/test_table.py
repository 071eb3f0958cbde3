"""Learning from anyone's table: what columns become, what is refused and in which words, and that a plain case is learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from training import table_run
from training.table import TableError, read_table
from training.table_columns import Encoded, LeftOut, encoded, ordered
from training.table_run import train_table


def frame(n: int = 900, seed: int = 0) -> pl.DataFrame:
    """Claims by day with an id, two telling columns, an idle one and a label."""
    drawn = np.random.default_rng(seed)
    age, part = drawn.integers(20, 70, n), drawn.choice(["less than 1", "1 to 3", "more than 3"], n)
    odds = -2.5 + 2.0 * (part == "less than 1") + 0.04 * (age - 45)
    return pl.DataFrame(
        {
            "policy": np.arange(n),
            "day": [f"2020-{1 + i * 12 // n:02d}-{1 + i % 28:02d}" for i in range(n)],
            "age": age,
            "years:held": part,
            "make": drawn.choice(["a", "b", "c"], n),
            "city": drawn.choice(["N", "S"], n),
            "fraud": np.where(drawn.random(n) < 1 / (1 + np.exp(-odds)), "Yes", "No"),
        }
    )


def kept(folder: Path, given: pl.DataFrame) -> Path:
    """Written as CSV."""
    given.write_csv(folder / "table.csv")
    return folder / "table.csv"


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (["none", "1 to 7", "8 to 15", "more than 30"], [0, 4, 11.5, 30.5]),
        (["less than 20,000", "20,000 to 29,000", "more than 69,000"], [19_999.5, 24_500, 69_000.5]),
        (["Mar", "January", "Feb"], [3, 1, 2]),
        (["under 6 months", "1 year", "2 to 3 years"], [165, 365, 912.5]),
        (["3万以下", "3万至5万", "5万以上"], [25_000, 40_000, 55_000]),
    ],
)
def test_words_that_stand_for_an_order_become_numbers(levels: list[str], expected: list[float]) -> None:
    """Ranges by their middle, open ones just beyond, months by the calendar, nothing as nothing."""
    found = ordered(levels)
    assert found is not None
    assert [found[level] for level in levels] == pytest.approx(expected)


@pytest.mark.parametrize("levels", [["red", "blue"], ["C50", "D05", "I21"], ["Sedan", "Sport 2", "Van"], ["3A", "2B"]])
def test_names_stay_names(levels: list[str]) -> None:
    """Codes and words have no order."""
    assert ordered(levels) is None


def test_what_is_left_out_is_said() -> None:
    """Running numbers, texts that differ in every row and columns of one value; a category unseen in training is unknown."""
    fitted_on = np.array([True] * 8 + [False] * 2)
    for values in (list(range(10)), [f"note {i}x" for i in range(10)], ["same"] * 10):
        assert isinstance(encoded(pl.Series("c", values), fitted_on, 5), LeftOut)
    found = encoded(pl.Series("c", ["a", "b"] * 4 + ["z", "a"]), fitted_on, 5)
    assert isinstance(found, Encoded)
    assert found.category
    assert np.isnan(found.values[8])
    assert found.values[9] == 0


def test_a_table_is_learnt_judged_and_certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest quarter is the test; the telling column leads; the certificate releases within alpha; the report is plain data."""
    settings = [
        {"num_leaves": 4, "num_rounds": 40, "min_data_in_leaf": 10, "feature_fraction": 1.0, "learning_rate": 0.1, "lambda_l2": 1.0}
    ]
    few = {"settings": [{**settings[0], "max_cat_to_onehot": 4, "cat_l2": 10.0}], "averaged": 1, "seeds": 1, "alphas": [0.2], "blocks": 2}
    monkeypatch.setattr(table_run, "chosen", lambda name: few.get(name))
    report = train_table(kept(tmp_path, frame(2_000)), "fraud", time="day", group="city")
    assert report.rows["test"] == pytest.approx(500, abs=60)
    assert report.found["auc"].value > 0.65
    assert next(iter(report.gain)) == "years_held"
    assert [row.alpha for row in report.clearance] == [0.2]
    assert report.clearance[0].released.value > 0.3
    told = report.to_json()
    assert set(told["certificate"]["groups"]) == {"N", "S"}
    assert any("policy" in w["en"] for w in told["warnings"])


def test_the_split_respects_time_and_blocks(tmp_path: Path) -> None:
    """Nothing of the test was filed before anything trained on; without a time column that is said."""
    found = read_table(kept(tmp_path, frame()), "fraud", time="day")
    assert found.timed
    assert np.all(found.block[found.test] == -1)
    assert np.all(np.diff(found.block[~found.test]) >= 0)
    assert len(np.unique(found.block[~found.test])) == 4
    assert not read_table(tmp_path / "table.csv", "fraud").timed


def refused(folder: Path, given: pl.DataFrame, label: str = "fraud", **columns: str) -> str:
    """What reading says of a table that cannot be learnt from."""
    with pytest.raises(TableError) as caught:
        read_table(kept(folder, given), label, time=columns.get("time"), group=columns.get("group"))
    return str(caught.value)


def test_every_fault_is_named_in_both_languages(tmp_path: Path) -> None:
    """Column, row and remedy: no such column, no label, one label, three labels, no time, too few rows, too many groups."""
    good = frame()
    said = {
        "no column 'guilt'": refused(tmp_path, good, label="guilt"),
        "holds no label": refused(tmp_path, good.with_columns(pl.lit(None).cast(pl.String).alias("fraud"))),
        "throughout": refused(tmp_path, good.with_columns(pl.lit("No").alias("fraud"))),
        "it has 3 values": refused(tmp_path, good.with_columns(pl.col("make").alias("fraud"))),
        "labelled row 1 cannot be parsed": refused(tmp_path, good.with_columns(pl.lit("soon").alias("day")), time="day"),
        "almost one value": refused(tmp_path, good.with_columns(pl.lit("2020-01-01").alias("day")), time="day"),
        "at least 300": refused(tmp_path, good.head(120)),
        "12 at most": refused(tmp_path, good, group="age"),
    }
    for words, message in said.items():
        assert words in message
        assert " / " in message
        assert "table.csv" in message


def test_unlabelled_rows_are_counted_and_not_used(tmp_path: Path) -> None:
    """Never taken for either answer."""
    some = frame().with_columns(pl.when(pl.int_range(pl.len()) % 3 == 0).then(None).otherwise(pl.col("fraud")).alias("fraud"))
    found = read_table(kept(tmp_path, some), "fraud", time="day")
    assert (found.unlabelled, len(found.wrong)) == (300, 600)


def test_the_label_is_no_group(tmp_path: Path) -> None:
    """Groups by the answer would certify anything."""
    with pytest.raises(TableError, match="different columns: fraud, fraud"):
        read_table(kept(tmp_path, frame(400)), "fraud", group="fraud")
