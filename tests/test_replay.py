"""Stored decisions come out the same from stored inputs alone, in another process, after the rulebook was edited; a changed byte is found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge_graph.loader import SHIPPED
from tests.databases import Database
from tests.desks import case, desk
from triage.actions import DecisionForm

NAMES = ("worked-approve", "worked-decline", "worked-investigate", "birads-4a-before-insurer-asked", "waiting-interval")


@pytest.fixture
def filled(place: Database) -> Database:
    """A database that holds some claims and decisions."""
    at_desk = desk(place)
    for name in NAMES:
        at_desk.submit(case(name), actor="desk")
    at_desk.decide("worked-decline", DecisionForm(action="accept"), actor="审核员甲")
    return place


def replayed(place: Database, *arguments: str) -> tuple[int, list[dict[str, str]]]:
    """`triage replay` in a process of its own."""
    code = "from triage.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "replay", "--database", place.url, "--json", *(arguments or ("--all",))],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_a_new_process_finds_every_suggestion_identical(filled: Database) -> None:
    assert replayed(filled) == (0, [])
    assert replayed(filled, "worked-approve") == (0, [])


def test_replay_survives_an_edit_of_the_shipped_rulebook(filled: Database, tmp_path: Path) -> None:
    edited = tmp_path / "edited" / "knowledge_graph"
    shutil.copytree(SHIPPED.parent, edited)
    rules = edited / "data" / "rules" / "second_review.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("300000", "250000"), encoding="utf-8")
    plans = edited / "data" / "plans.yaml"
    plans.write_text(plans.read_text(encoding="utf-8").replace("waiting_days: 90", "waiting_days: 900"), encoding="utf-8")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); import knowledge_graph; assert 'edited' in knowledge_graph.__file__; from triage.cli import main; main()"
    arguments = [sys.executable, "-c", code, str(edited.parent), "replay", "--all", "--database", filled.url]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical" in done.stdout


@pytest.mark.parametrize(
    ("statement", "claim"),
    [
        ("UPDATE observation SET body = replace(body, '\"value\":3', '\"value\":2') WHERE claim_id = 'worked-approve'", "worked-approve"),
        ("UPDATE observation SET body = replace(body, 'present', 'negated') WHERE claim_id = 'worked-decline'", "worked-decline"),
        (
            "UPDATE suggestion SET body = replace(body, 'investigate', 'recommend_pay') WHERE claim_id = 'worked-investigate'",
            "worked-investigate",
        ),
        (
            "UPDATE suggestion SET inputs = replace(inputs, '2021-03-01', '2021-03-02') WHERE claim_id = 'worked-investigate'",
            "worked-investigate",
        ),
        (
            "UPDATE audit SET actor = 'somebody' WHERE seq = (SELECT min(seq) FROM audit WHERE claim_id = 'worked-decline')",
            "worked-decline",
        ),
        ("UPDATE document SET text = replace(text, '浸润', '原位') WHERE claim_id = 'worked-approve'", "worked-approve"),
        ("DELETE FROM observation WHERE claim_id = 'worked-decline' AND kind = 'finding'", "worked-decline"),
    ],
)
def test_an_altered_byte_is_reported_with_its_claim(filled: Database, statement: str, claim: str) -> None:
    changed = filled.execute(statement)
    assert changed > 0
    problems = desk(filled).replay()
    assert claim in {p["claim_id"] for p in problems}
    assert all(p["problem"] and p["claim_id"] for p in problems)


def test_an_altered_rulebook_is_reported_with_every_claim_judged_by_it(filled: Database) -> None:
    filled.execute("UPDATE rulebook_snapshot SET texts = replace(texts, '90', '91')")
    assert {p["claim_id"] for p in desk(filled).replay()} == set(NAMES)


def test_a_missing_audit_row_is_reported(filled: Database) -> None:
    filled.execute("DELETE FROM audit WHERE seq = 2")
    assert desk(filled).replay() != []
