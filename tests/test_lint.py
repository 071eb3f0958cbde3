"""The linter finds every planted fault, says what to do, and has nothing to say of the shipped rulebook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from knowledge_graph.cli import rules_app
from knowledge_graph.errors import MalformedFile
from knowledge_graph.lint import check
from knowledge_graph.loader import load, load_texts, rulebook_text

FAULTS = yaml.safe_load((Path(__file__).parent / "rulebooks" / "faults.yaml").read_text(encoding="utf-8"))["faults"]
CODES = ("icd10.csv", "procedures.csv", "chapters.csv")


def planted(fault: dict[str, Any]) -> dict[str, str]:
    """The shipped texts with a fault; without the code tables, which no fault concerns."""
    texts = {n: t for n, t in rulebook_text().items() if n not in CODES}
    for change in (fault, fault.get("also")):
        if change is not None:
            data = yaml.safe_load(texts[change["file"]])
            records = data[change["list"]]
            record = next(r for r in records if r["id"] == change.get("id", change.get("copy")))
            if "copy" in change:
                records.append({**record, **change["set"]})
            else:
                record.update(change["set"])
            texts[change["file"]] = yaml.safe_dump(data, allow_unicode=True)
    return texts


def test_the_shipped_rulebook_is_in_order() -> None:
    assert check(load()) == []


def test_at_least_twenty_five_faults_are_planted() -> None:
    assert len({f["name"] for f in FAULTS}) == len(FAULTS) >= 25


@pytest.mark.parametrize("fault", FAULTS, ids=[f["name"] for f in FAULTS])
def test_a_planted_fault_is_found_with_what_to_do(fault: dict[str, Any]) -> None:
    messages = check(load_texts(planted(fault)))
    found = [m for m in messages if m.id == fault["expect"] and fault["says"] in m.en]
    assert found, messages
    assert all(re.search("[\u4e00-\u9fff]", m.zh) and re.search("[:,]", m.en) for m in found)


@pytest.mark.parametrize("name", ["dead-rule", "version-gap", "english-missing"])
def test_a_bad_rulebook_fails_at_the_prompt(tmp_path: Path, name: str) -> None:
    fault = next(f for f in FAULTS if f["name"] == name)
    for file, text in planted(fault).items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(rules_app, ["check", "--rulebook", str(tmp_path)])
    assert done.exit_code == 1
    assert fault["expect"] in done.output
    assert fault["says"] in done.output


def test_a_few_rules_may_override_their_row_and_no_more() -> None:
    texts = {n: t for n, t in rulebook_text().items() if n not in CODES}
    data = yaml.safe_load(texts["rules/conditions.yaml"])
    for rule in data["rules"][:20]:
        rule["overrides"] = {"false": "human_review"}
    messages = check(load_texts({**texts, "rules/conditions.yaml": yaml.safe_dump(data, allow_unicode=True)}))
    assert any("one rule in ten" in m.en for m in messages)


def test_a_plan_that_does_not_split_its_groups_is_refused() -> None:
    """Else the first claim would find out."""
    texts = rulebook_text()
    texts["plans.yaml"] = texts["plans.yaml"].replace(", gate_age_split: 40", "", 1)
    with pytest.raises(MalformedFile, match=r"plans\.yaml.*gate_age_split"):
        load_texts(texts)
