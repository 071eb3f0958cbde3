"""Training end to end: from claims to a registered, certified challenger; the first one serves by the same gates as any other."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.bundling import TODAY, claims
from tests.desks import shipped
from training.choices import Choices
from training.registry import HELD_OUT, Registry
from training.sources import Source
from training.train import Terms, seen_at, train
from training.train_commands import train_app
from triage.aliases import CHALLENGER, CHAMPION

pytestmark = pytest.mark.filterwarnings("ignore")
"""MLflow warns of itself; ours are errors everywhere else."""

SOURCE = Source("tests", {"command": "tests.bundling.claims()"}, simulated=True)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """One registry for all."""
    return Registry(f"sqlite:///{tmp_path_factory.mktemp('mlruns') / 'mlflow.db'}")


def test_a_run_leaves_a_certified_bundle_its_rows_and_a_card_in_both_languages(registry: Registry, tmp_path: Path) -> None:
    """The bundle serves; the card says that its numbers are simulated."""
    knowledge = shipped()[0]
    version = train(registry, claims(), knowledge, source=SOURCE, today=TODAY, seed=1, bundle_out=tmp_path / "out")
    made = version.load()
    assert registry.aliases()[CHALLENGER] == version.number
    assert made.certificate is not None
    terms = Terms.of(knowledge)
    assert (made.certificate.alpha, made.certificate.delta, made.audit_rate) == (terms.alpha, terms.delta, terms.audit_rate)
    assert (made.purpose, made.certificate.simulated) == ("demonstration", True)
    assert registry.file(version, HELD_OUT).stat().st_size > 0
    assert "simulated" in registry.file(version, "model_card.en.md").read_text(encoding="utf-8")
    assert "模拟" in registry.file(version, "model_card.zh.md").read_text(encoding="utf-8")
    assert version.metrics["average_precision_low"] > version.metrics["ap_everything"]
    for name in ("precision_recall", "calibration", "clearance", "cost", "drift", "ablation"):
        assert registry.file(version, f"pictures/{name}.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out" / "bundle.json").is_file()


def test_the_same_seed_gives_the_same_bundle(registry: Registry, tmp_path: Path) -> None:
    """To the byte, whatever ran before."""
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        train(registry, claims(3_000), shipped()[0], source=SOURCE, today=TODAY, seed=3, bundle_out=folder)
    one, two = ({p.name: p.read_bytes() for p in folder.iterdir()} for folder in folders)
    assert one == two


def test_the_first_version_serves_and_the_second_waits(registry: Registry, tmp_path: Path) -> None:
    """At the prompt, from a prepared dataset."""
    for alias in (CHAMPION, CHALLENGER):
        registry.drop_alias(alias)
    claims().save(tmp_path / "claims.parquet")
    runner = CliRunner(env={"TRIAGE_MLFLOW": registry.uri})
    asked = ["--dataset", str(tmp_path / "claims.parquet"), "--json", "--seed"]
    first = json.loads(runner.invoke(train_app, [*asked, "1"], catch_exceptions=False).stdout)
    second = json.loads(runner.invoke(train_app, [*asked, "2"]).stdout)
    assert (first["champion"], second["champion"]) == (True, False)
    assert registry.aliases() == {CHAMPION: first["version"], CHALLENGER: second["version"]}
    assert "already" in runner.invoke(train_app, ["--if-none"]).output


def test_too_few_labels_are_said_with_the_remedy(registry: Registry, tmp_path: Path) -> None:
    """Nothing is registered."""
    claims(150).save(tmp_path / "claims.parquet")
    before = len(registry.versions())
    told = CliRunner(env={"TRIAGE_MLFLOW": registry.uri}).invoke(train_app, ["--dataset", str(tmp_path / "claims.parquet")])
    assert told.exit_code == 1
    assert "shadow period" in told.output
    assert "影子期" in told.output
    assert len(registry.versions()) == before


def test_a_mistyped_store_is_said(tmp_path: Path) -> None:
    """And neither a store nor a registry is made."""
    given = {"TRIAGE_MLFLOW": f"sqlite:///{tmp_path / 'mlflow.db'}", "TRIAGE_DATABASE": f"sqlite:///{tmp_path / 'none.db'}"}
    told = CliRunner(env=given).invoke(train_app, ["--from", "store"])
    assert told.exit_code == 1
    assert "no such claim store" in told.output
    assert list(tmp_path.iterdir()) == []


def test_what_is_typed_wrongly_is_said_before_anything_is_made(tmp_path: Path) -> None:
    """A label without a table, a file that is no dataset or not there, a bundle's folder that is there: each named in both languages."""
    (tmp_path / "junk.parquet").write_text("hello", encoding="utf-8")
    runner = CliRunner(env={"TRIAGE_MLFLOW": f"sqlite:///{tmp_path / 'none' / 'mlflow.db'}"})
    for arguments, words in (
        (["--label", "bad"], "go with --table"),
        (["--dataset", str(tmp_path / "junk.parquet")], "junk.parquet: 不是保存过的训练数据"),
        (["--dataset", str(tmp_path / "gone.parquet")], "gone.parquet: 不是保存过的训练数据"),
        (["--table", str(tmp_path / "gone.csv"), "--label", "bad"], "gone.csv: 无法读取"),
        (["--bundle-out", str(tmp_path)], "name a new folder"),
    ):
        told = runner.invoke(train_app, arguments)
        assert told.exit_code in (1, 2), arguments
        assert words in told.output.replace("\n", ""), told.output
        assert isinstance(told.exception, SystemExit)
    assert not (tmp_path / "none").exists()


def test_a_bundle_that_cannot_be_written_registers_nothing(registry: Registry, tmp_path: Path) -> None:
    """The place is named."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    claims(3_000).save(tmp_path / "claims.parquet")
    before = len(registry.versions())
    asked = ["--dataset", str(tmp_path / "claims.parquet"), "--bundle-out", str(tmp_path / "file" / "b")]
    told = CliRunner(env={"TRIAGE_MLFLOW": registry.uri}).invoke(train_app, asked)
    assert told.exit_code == 1
    assert "no model was registered" in told.output
    assert len(registry.versions()) == before


def test_as_of_a_day_nothing_later_is_seen() -> None:
    """Neither a claim filed after it, nor a label that came after it, nor the quick answers of the last weeks: not even by the
    certificate or the test."""
    given, choices = claims(), Choices.load()
    day = given.filed_at[len(given) // 2].astype(datetime)
    seen = seen_at(given, day, choices)
    assert len(seen) == len(given) // 2 + 1
    labelled = seen.filed_at[seen.labelled]
    assert labelled.max() <= np.datetime64(day) - np.timedelta64(int(choices["mature_days"]), "D")
    assert seen.label_known_at[seen.labelled].max() <= np.datetime64(day)


def test_as_of_a_day_at_the_prompt(registry: Registry, tmp_path: Path) -> None:
    """A day in the middle of the claims trains on those before it, and says so where they are too few."""
    claims().save(tmp_path / "claims.parquet")
    runner = CliRunner(env={"TRIAGE_MLFLOW": registry.uri})
    asked = ["--dataset", str(tmp_path / "claims.parquet"), "--as-of"]
    told = runner.invoke(train_app, [*asked, "2020-06-01", "--json"], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    few = runner.invoke(train_app, [*asked, "2018-02-01"])
    assert (few.exit_code, "gather more labels" in few.output) == (1, True), few.output
