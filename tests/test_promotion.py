"""Promotion: every gate refuses for its own reason on a real registry, and there is always a way back."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import lightgbm as lgb
import mlflow
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.bundling import GROUPS, PLATT, TODAY, bundle, certificate, held_out, rows, running
from training.dataset import Dataset
from training.model_commands import compare_app, mlflow_app, promote_app, rollback_app, server_command
from training.promote import Finding, Judged, Running, examine, make_champion, promote, rollback
from training.registry import HELD_OUT, Data, Registry, RegistryError, Run, Version, rehome
from triage.aliases import CHALLENGER, CHAMPION, PREVIOUS, Aliases
from triage.bundle import Bundle, Group
from triage.risk import Scorer

pytestmark = pytest.mark.filterwarnings("ignore")
"""MLflow warns of itself; ours are errors everywhere else."""


def run(held: Dataset | None = None) -> Run:
    """A run with its held-out rows and one picture."""
    return Run(
        name="trial",
        parameters={"seed": 1},
        metrics={"average_precision": 0.5},
        data=Data("world", "0" * 64, {"command": "triage world make --claims 10 --seed 1"}, 10, 61),
        pictures={"calibration.svg": b"<svg/>"},
        files={HELD_OUT: (held or held_out()).to_bytes(), "model_card.zh.md": "# 模型卡".encode()},
        tags={"simulated": "true"},
    )


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """One registry for all: MLflow takes seconds to make its tables."""
    return Registry(f"sqlite:///{tmp_path_factory.mktemp('mlruns') / 'mlflow.db'}")


@pytest.fixture(scope="module")
def good(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A version that passes."""
    folder = tmp_path_factory.mktemp("good") / "bundle"
    bundle(folder, "good")
    return registry.record(run(), folder)


@pytest.fixture
def champion(registry: Registry, good: Version) -> Iterator[Version]:
    """The good version serves; aliases are taken away afterwards."""
    registry.set_alias(CHAMPION, good.number)
    yield good
    for alias in (CHAMPION, CHALLENGER, PREVIOUS):
        registry.drop_alias(alias)


def recorded(registry: Registry, folder: Path, *, held: Dataset | None = None, **changes: Any) -> Version:
    """A version made of a changed bundle."""
    bundle(folder / "bundle", **changes)
    return registry.record(run(held), folder / "bundle")


def refused(registry: Registry, version: Version, now: Running | None = None, today: date = TODAY) -> dict[str, Finding]:
    """The gates that refuse, by name."""
    return {f.gate: f for f in examine(registry, version, now or running(), today) if not f.passed}


def test_a_first_version_passes_the_same_gates_and_serves(registry: Registry, good: Version) -> None:
    """There is no shortcut for the first."""
    found = promote(registry, good, running(), TODAY, by="li")
    assert [f.gate for f in found] == ["golden", "features", "reader", "certificate", "quality", "groups", "calibration", "latency"]
    assert all(f.passed for f in found), found
    assert registry.version(CHAMPION).number == good.number
    registry.drop_alias(CHAMPION)


def test_what_is_recorded_can_be_found_again(registry: Registry, good: Version) -> None:
    """Metrics, files, tags, and a bundle of the pinned digest whose path holds wherever the folder goes."""
    assert good.metrics["average_precision"] == 0.5
    assert registry.file(good, "pictures/calibration.svg").read_bytes() == b"<svg/>"
    assert good.tags["simulated"] == "true"
    assert good.load().digest == good.digest
    assert not Path(good.tags["bundle_path"]).is_absolute()


def test_nothing_recorded_is_a_pickle(registry: Registry, good: Version) -> None:
    """Text, JSON, Parquet and pictures only."""
    assert not [p for p in registry.home.rglob("*") if p.suffix in (".pkl", ".pickle", ".joblib", ".cloudpickle")]


def test_mlflow_gives_the_probabilities_of_the_bundle(registry: Registry, good: Version) -> None:
    """`mlflow.pyfunc.load_model` runs the scorer of the service."""
    mlflow.set_registry_uri(registry.uri)
    mlflow.set_tracking_uri(registry.uri)
    held, loaded = held_out(5), good.load()
    answer = mlflow.pyfunc.load_model(f"models:/claim-triage-risk/{good.number}").predict(pd.DataFrame(held.X, columns=list(held.names)))
    scorer = Scorer(loaded)
    assert [float(v) for v in answer] == [scorer.score(row) for row in held.X]


def test_a_blind_challenger_is_refused_for_its_quality(registry: Registry, champion: Version, tmp_path: Path) -> None:
    """And for its groups: it is worse in both."""
    found = refused(registry, recorded(registry, tmp_path, name="blind", blind=True))
    assert {"quality", "groups"} <= set(found)
    assert "below the champion" in found["quality"].en
    assert "低于冠军" in found["quality"].zh


def test_a_challenger_that_is_worse_for_one_group_is_refused(registry: Registry, champion: Version, tmp_path: Path) -> None:
    """It knows the second group by a column and learned nothing of it; the first group alone would let it pass."""
    held = held_out(4_000)
    held.X[:, 0] = held.groups == GROUPS[1]
    weak = recorded(registry, tmp_path, name="weak", held=held, model=blind_to_some())
    found = refused(registry, weak)["groups"].en
    assert GROUPS[1] in found
    assert GROUPS[0] not in found


def blind_to_some() -> str:
    """A model whose training outcomes were shuffled where column 0 is 1."""
    x, y = rows(8_000)
    drawn = np.random.default_rng(3)
    some = drawn.random(len(y)) < 0.5
    x[:, 0] = some
    y[some] = drawn.permutation(y[some])
    settings = {"objective": "binary", "num_leaves": 15, "num_threads": 1, "verbosity": -1}
    return str(lgb.train(settings, lgb.Dataset(x, y, feature_name=list(running().names)), 30).model_to_string())


def test_a_badly_calibrated_challenger_is_refused(registry: Registry, tmp_path: Path) -> None:
    """Twice the log-odds ranks as well and promises too much."""
    steep = PLATT.model_copy(update={"a": -3.0})
    found = refused(registry, recorded(registry, tmp_path, name="steep", calibration=steep))
    assert list(found) == ["calibration"]
    assert "limit" in found["calibration"].en


@pytest.mark.parametrize("held", [None, certificate(groups={}), certificate(overall=None)], ids=["none", "no group", "not over all"])
def test_without_a_certified_group_there_is_no_promotion(registry: Registry, tmp_path: Path, held: Any) -> None:
    """It could release nothing."""
    found = refused(registry, recorded(registry, tmp_path, certificate=held))
    assert "labels" in found["certificate"].en


def test_a_weak_promise_is_refused(registry: Registry, tmp_path: Path) -> None:
    """Twenty per cent may be wrong: no plan opens its gate for that."""
    found = refused(registry, recorded(registry, tmp_path, certificate=certificate(alpha=0.2)))
    assert "alpha 0.2" in found["certificate"].en


def test_an_expired_certificate_is_refused(registry: Registry, good: Version) -> None:
    """On the day after its last."""
    last = good.load().certificate
    assert last is not None
    assert list(refused(registry, good, today=last.expires_on)) == []
    assert "no longer valid" in refused(registry, good, today=last.expires_on + timedelta(days=1))["certificate"].en


def test_changed_rules_features_or_reader_are_refused(registry: Registry, good: Version) -> None:
    """A model is promoted only into the code it was trained for; each gate names what changed."""
    now = running()
    other = "f" * 64
    assert "train again" in refused(registry, good, replace(now, features=other))["features"].en
    assert now.names[0] in refused(registry, good, replace(now, names=now.names[1:]))["features"].en
    assert "reader" in refused(registry, good, replace(now, reader=other))["reader"].en
    changed = {**now.rules, "mutual-aid-reference": other}
    assert "mutual-aid-reference" in refused(registry, good, replace(now, rules=changed))["certificate"].en


def test_a_much_slower_challenger_is_refused(registry: Registry, champion: Version, tmp_path: Path) -> None:
    """Eight hundred trees against thirty."""
    found = refused(registry, recorded(registry, tmp_path, name="slow", trees=800))
    assert "times the champion's" in found["latency"].en


def test_a_bundle_altered_in_the_registry_is_judged_no_further(registry: Registry, tmp_path: Path) -> None:
    """Nothing loads it, so nothing else can be said of it."""
    version = recorded(registry, tmp_path)
    model = version.bundle / "model.txt"
    model.write_bytes(model.read_bytes().replace(b"leaf_value=", b"leaf_value=-", 1))
    found = refused(registry, version)
    assert list(found) == ["golden"]
    assert "altered" in found["golden"].en


def test_a_refused_challenger_changes_no_alias(registry: Registry, champion: Version, tmp_path: Path) -> None:
    """The champion serves on, the challenger stays one."""
    blind = recorded(registry, tmp_path, name="blind", blind=True)
    registry.set_alias(CHALLENGER, blind.number)
    before = registry.aliases()
    assert not all(f.passed for f in promote(registry, blind, running(), TODAY, by="li"))
    assert registry.aliases() == before


def test_rollback_brings_the_previous_one_back_and_again(registry: Registry, champion: Version, tmp_path: Path) -> None:
    """The aliases change places, and the service reads the same."""
    newer = recorded(registry, tmp_path, name="newer", trees=60)
    registry.set_alias(CHALLENGER, newer.number)
    make_champion(registry, newer, by="li", at=TODAY)
    assert registry.aliases() == {CHAMPION: newer.number, PREVIOUS: champion.number}
    assert rollback(registry, by="li", at=TODAY).number == champion.number
    assert registry.aliases() == {CHAMPION: champion.number, PREVIOUS: newer.number}
    served = Aliases.at(registry.uri).of(CHAMPION)
    assert served is not None
    assert Bundle.load(served.folder, digest=served.digest).name == "good"


def test_there_is_nothing_to_roll_back_to_before_a_second_champion(registry: Registry, champion: Version) -> None:
    """It says so."""
    with pytest.raises(RegistryError, match="previous"):
        rollback(registry, by="li", at=TODAY)


def test_a_moved_registry_is_said_and_mended(registry: Registry, good: Version, tmp_path: Path) -> None:
    """The service reads it where it is; MLflow needs its paths rewritten."""
    there = tmp_path / "moved"
    shutil.copytree(registry.home, there)
    uri = f"sqlite:///{there / 'mlflow.db'}"
    registry.set_alias(CHALLENGER, good.number)
    with pytest.raises(RegistryError, match="--moved"):
        Registry(uri)
    assert rehome(uri) > 0
    moved = Registry(uri).version(str(good.number))
    assert moved.bundle.is_relative_to(there)
    assert moved.load().digest == good.digest
    registry.drop_alias(CHALLENGER)


def test_only_sqlite_is_a_registry(tmp_path: Path) -> None:
    """MLflow's file store and servers are not what the service reads."""
    with pytest.raises(RegistryError, match="sqlite"):
        Registry(str(tmp_path))


def test_group_rows_of_a_certificate_are_what_is_released() -> None:
    """A claim of a group without a threshold is never released."""
    held = held_out(4)
    promise = certificate(groups={GROUPS[0]: Group(threshold=0.05, n=400, wrong=4, bound=0.03)})
    only = Bundle("x", "demonstration", 0.1, promise, "0" * 64)
    assert Judged(only, np.array([0.01, 0.01, 0.06, 0.01])).released(held).tolist() == [True, False, False, False]


def test_mlflows_pages_are_for_this_machine_only(registry: Registry) -> None:
    """On loopback, answering to no other host name, without telemetry."""
    command = server_command(registry, 5001)
    given = dict(zip(command[4::2], command[5::2], strict=True))
    assert given["--host"] == "127.0.0.1"
    assert given["--allowed-hosts"] == "127.0.0.1:5001,localhost:5001"
    assert given["--backend-store-uri"] == registry.uri
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


@pytest.mark.parametrize("command", [promote_app, rollback_app, compare_app, mlflow_app], ids=["promote", "rollback", "compare", "mlflow"])
def test_a_mistyped_registry_is_said_and_none_is_made(tmp_path: Path, command: Any) -> None:
    """Only training makes one."""
    told = CliRunner(env={"TRIAGE_MLFLOW": f"sqlite:///{tmp_path / 'none' / 'mlflow.db'}"}).invoke(command, [])
    assert told.exit_code == 1
    assert "没有模型登记库" in told.output
    assert "triage train" in told.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["junk.db", "file/mlflow.db"])
def test_a_registry_that_cannot_be_opened_is_said(tmp_path: Path, address: str) -> None:
    """A file that is no database, a folder that is a file."""
    (tmp_path / "junk.db").write_text("hello", encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RegistryError, match="cannot be opened or written"):
        Registry(f"sqlite:///{tmp_path / address}")


def test_a_version_that_is_not_there_is_said_with_those_that_are(registry: Registry, champion: Version) -> None:
    """By number and alias."""
    with pytest.raises(RegistryError, match=rf"{champion.number} \({CHAMPION}\)"):
        registry.version("999")


def test_lost_rows_or_rules_are_said_at_the_prompt(registry: Registry, good: Version, tmp_path: Path) -> None:
    """Held-out rows that are no longer a table; a rulebook that is none."""
    spoilt = recorded(registry, tmp_path, name="spoilt")
    registry.file(spoilt, HELD_OUT).write_text("hello", encoding="utf-8")
    runner = CliRunner(env={"TRIAGE_MLFLOW": registry.uri, "TRIAGE_DATABASE": f"sqlite:///{tmp_path / 'none.db'}"})
    told = runner.invoke(compare_app, [str(good.number), str(spoilt.number)])
    assert (told.exit_code, "训练数据" in told.output) == (1, True), told.output
    told = runner.invoke(promote_app, [str(good.number), "--rulebook", str(tmp_path / "none")])
    assert (told.exit_code, "规则库" in told.output) == (1, True), told.output


def test_one_decision_at_a_time(registry: Registry, champion: Version) -> None:
    """Another process waits while this one promotes, and is then held against the champion it made."""
    with registry.deciding(), (registry.home / "deciding.lock").open("w") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_promoting_waits_for_another_decision(registry: Registry, champion: Version, tmp_path: Path) -> None:
    """So does rolling back."""
    newer = recorded(registry, tmp_path, name="newer", trees=60)
    registry.set_alias(PREVIOUS, newer.number)
    works = (lambda: promote(registry, newer, running(), TODAY, by="li"), lambda: rollback(registry, by="li", at=TODAY))
    for work in works:
        with ThreadPoolExecutor(1) as pool:
            with registry.deciding():
                waiting = pool.submit(work)
                with pytest.raises(TimeoutError):
                    waiting.result(timeout=1)
            waiting.result(timeout=60)
