"""The command line as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from knowledge_graph.loader import rulebook_text
from tests.builders import claim_data
from triage.cases import FOLDER, load_cases

WORKED = FOLDER / "worked-approve.yaml"


def triage(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `triage` in a process of its own."""
    code = "from triage.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=folder, timeout=120
    )


def test_suggest_prints_route_reasons_and_gate() -> None:
    done = triage("suggest", WORKED, FOLDER / "worked-decline.yaml", "--today", "2021-03-01")
    assert done.returncode == 0
    assert "worked-approve  investigation -> investigate" in done.stdout
    assert "worked-decline  second_review -> recommend_decline" in done.stdout
    assert "there is no risk model" in done.stdout


def test_suggest_with_a_bundle_as_json() -> None:
    done = triage("suggest", WORKED, "--json", "--bundle", FOLDER.parent / "bundles" / "open_gate.yaml")
    suggestion = json.loads(done.stdout)
    assert (suggestion["route"], suggestion["degraded"][0]["code"]) == ("clear", "test_bundle")


def test_several_files_may_be_claims_linked_to_each_other(tmp_path: Path) -> None:
    cases = load_cases()
    files = []
    for name in ("pathology-number-first", "pathology-number-elsewhere"):
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(cases[name].claim.model_dump_json(), encoding="utf-8")
    first, second = json.loads(triage("suggest", *files, "--json").stdout)
    assert first["facts"]["links.pathology_number_elsewhere"]["value"] is False
    assert second["facts"]["links.pathology_number_elsewhere"]["value"] is True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("claim: [", "YAML"),
        (yaml.dump(claim_data(filed_on="soon")), "filed_on"),
        (yaml.dump(claim_data(surprise=1)), "surprise"),
        (yaml.dump(claim_data(plan="other")), "plan"),
        ("just text", "(claim)"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_field(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    done = triage("suggest", path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "bad.yaml" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("rules/filing.yaml", "- id: member-active", "- id: [member-active", ("rules/filing.yaml",)),
        (
            "rules/filing.yaml",
            "fact: member.active_at_diagnosis",
            "fact: member.no_such",
            ("rules/filing.yaml", "member-active", "member.no_such"),
        ),
        (
            "conditions.yaml",
            "goes_to: malignancy_mild",
            "goes_to: malignancy_severe",
            ("conditions.yaml", "malignancy_severe", "成环"),
        ),
    ],
)
def test_a_malformed_rulebook_is_refused_at_start(tmp_path: Path, name: str, old: str, new: str, said: tuple[str, ...]) -> None:
    for file, text in rulebook_text().items():
        path = tmp_path / "rulebook" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new, 1) if file == name else text, encoding="utf-8")
    for command in ("serve", "suggest"):
        arguments = [command, "--rulebook", tmp_path / "rulebook"] + ([WORKED] if command == "suggest" else ["--port", "0"])
        done = triage(*arguments, folder=tmp_path)
        assert done.returncode != 0
        assert all(word in done.stderr.replace("\n", "") for word in said), done.stderr
        assert "Traceback" not in done.stderr


def test_graph_rules_cases_and_help() -> None:
    assert json.loads(triage("graph", "show", "C50", "--json").stdout)["node"]["kind"] == "Disease"
    assert triage("graph", "show", "nothing").returncode == 1
    assert triage("rules", "check").returncode == 0
    done = triage("cases")
    assert done.returncode == 0
    assert "day-89" in done.stdout
    helped = triage("--help").stdout
    assert all(name in helped for name in ("suggest", "graph", "rules", "serve", "demo", "replay", "cases", "labels"))


def test_demo_can_be_loaded_twice_and_replays(tmp_path: Path) -> None:
    first = triage("demo", folder=tmp_path)
    assert first.returncode == 0
    assert first.stdout.count("->") >= 30
    assert len({line.split("->")[1] for line in first.stdout.splitlines() if "->" in line}) >= 6
    assert triage("demo", folder=tmp_path).stdout.count("kept") == first.stdout.count("->")
    assert "identical" in triage("replay", "--all", folder=tmp_path).stdout
    assert triage("replay", folder=tmp_path).returncode == 2


def test_replaying_a_store_that_is_not_there_proves_nothing(tmp_path: Path) -> None:
    """It is refused with its address, and no empty store is made that would come out identical."""
    done = triage("replay", "--all", "--database", "sqlite:///none.db", folder=tmp_path)
    assert done.returncode == 2
    assert "none.db: 没有该案件库" in done.stderr
    assert list(tmp_path.iterdir()) == []
