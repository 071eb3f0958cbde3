"""Labels for training: only an investigated claim has one, and its facts are those from before the investigation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from training.cli import labels_app
from training.labels import LabelRow, label_rows
from triage.store import Store, open_store, tables

BEFORE = {"grade": {"state": "known", "value": 2, "sources": [{"source": "document", "document": "d1"}]}}
FOUND = {"grade": {"state": "known", "value": 3, "sources": [{"source": "investigation"}]}}
FROM_PAPER = {"grade": {"state": "known", "value": 3, "sources": [{"source": "document", "document": "d2"}]}}
ENTERED = {"grade": {"state": "known", "value": 3, "sources": [{"source": "reviewer"}]}}
AT = "2020-12-01T23:30:00+08:00"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a store of this test alone."""
    return f"sqlite:///{tmp_path / 'claims.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(url)
    yield opened
    opened.engine.dispose()


def file_claim(
    store: Store, claim_id: str, *, investigation: str = "none", suggestions: tuple[dict[str, Any], ...] = (BEFORE,)
) -> list[int]:
    """Puts a claim with its suggestions into the store and gives the suggestions' ids."""
    with store.writing() as connection:
        connection.execute(
            insert(tables.claim).values(
                claim_id=claim_id,
                plan="mutual-aid-reference",
                filed_on=date(2020, 10, 20),
                member_id="m",
                diagnosis_claimed="乳腺癌",
                form="{}",
                released=False,
                investigation=investigation,
                drawn_for_audit=False,
                disputed=False,
                created_at=AT,
                updated_at=AT,
            )
        )
        known = connection.execute(tables.rulebook_snapshot.select()).first()
        if known is None:
            connection.execute(insert(tables.rulebook_snapshot).values(digest="r", texts="{}", created_at=AT))
        ids = []
        for number, facts in enumerate(suggestions):
            body = json.dumps({"route": "investigate" if number == 0 else "recommend_pay", "facts": facts})
            row = insert(tables.suggestion).values(
                claim_id=claim_id, digest=f"{claim_id}-{number}", body=body, inputs="{}", rulebook_digest="r", created_at=AT
            )
            ids.append(connection.execute(row.returning(tables.suggestion.c.id)).scalar_one())
    return ids


def decide(store: Store, claim_id: str, outcome: str, suggestion_id: int) -> None:
    """Records a person's decision."""
    grounds = {"ground": "x", "ground_on": date(2020, 10, 4), "clause": "x", "plan_version": "v3"} if outcome == "declined" else {}
    with store.writing() as connection:
        connection.execute(
            insert(tables.decision).values(
                claim_id=claim_id,
                suggestion_id=suggestion_id,
                action="accept",
                outcome=outcome,
                actor_kind="person",
                actor="li",
                decided_at=AT,
                **grounds,
            )
        )


def only_row(store: Store) -> LabelRow:
    """The one row there is."""
    [row] = label_rows(store)
    return row


@pytest.mark.parametrize(("outcome", "label"), [("paid", 0), ("declined", 1), ("withdrawn", None)])
def test_an_investigated_claim_is_labelled_by_what_was_decided(store: Store, outcome: str, label: int | None) -> None:
    """Paid is 0, declined is 1; a withdrawn claim gives no answer."""
    [first] = file_claim(store, "c-1", investigation="closed")
    decide(store, "c-1", outcome, first)
    row = only_row(store)
    assert (row.label, row.label_source, row.investigated, row.outcome) == (label, "investigation", True, outcome)


@pytest.mark.parametrize("investigation", ["none", "open"])
def test_without_a_closed_investigation_there_is_no_label(store: Store, investigation: str) -> None:
    """A claim paid or declined without one says nothing about what a visit would have found."""
    [first] = file_claim(store, "c-1", investigation=investigation)
    decide(store, "c-1", "paid", first)
    row = only_row(store)
    assert (row.label, row.label_source, row.investigated) == (None, "none", False)


def test_an_undecided_claim_has_no_row(store: Store) -> None:
    """Opening an investigation is not the end of a claim."""
    [first] = file_claim(store, "c-1", investigation="open")
    decide(store, "c-1", "investigation_opened", first)
    assert list(label_rows(store)) == []


@pytest.mark.parametrize("later", [FOUND, FROM_PAPER])
def test_facts_that_rest_on_the_investigation_are_left_out(store: Store, later: dict[str, Any]) -> None:
    """What the investigation found is the answer, not a feature: the facts are those of the suggestion before it."""
    _, second = file_claim(store, "c-1", investigation="closed", suggestions=(BEFORE, later))
    with store.writing() as connection:
        connection.execute(
            insert(tables.document).values(
                claim_id="c-1",
                document_id="d2",
                number=2,
                origin="investigation",
                evidence_type="interview_record",
                basis="",
                readable=True,
                text="x",
                content_hash="h",
                created_at=AT,
            )
        )
    decide(store, "c-1", "paid", second)
    row = only_row(store)
    assert (row.facts, row.facts_from_suggestion, row.route_suggested) == (BEFORE, "c-1-0", "recommend_pay")


def test_facts_entered_after_an_investigation_was_opened_are_left_out(store: Store) -> None:
    """A reviewer may have entered what the investigator told."""
    first, second = file_claim(store, "c-1", investigation="closed", suggestions=(BEFORE, ENTERED))
    decide(store, "c-1", "investigation_opened", first)
    decide(store, "c-1", "declined", second)
    assert only_row(store).facts == BEFORE


def test_the_last_final_decision_prevails(store: Store) -> None:
    """A declined claim that was disputed and paid counts as paid."""
    [first] = file_claim(store, "c-1", investigation="closed")
    for outcome in ("declined", "disputed", "paid"):
        decide(store, "c-1", outcome, first)
    assert only_row(store).label == 0


def test_export_writes_a_line_a_claim(store: Store, url: str, tmp_path: Path) -> None:
    """JSONL with every key, the day in Asia/Shanghai, and nothing for undecided claims."""
    [first] = file_claim(store, "c-1", investigation="closed")
    file_claim(store, "c-2")
    decide(store, "c-1", "paid", first)
    out = tmp_path / "labels.jsonl"
    result = CliRunner().invoke(labels_app, ["export", "--database", url, "--out", str(out)])
    assert result.exit_code == 0, result.output
    [line] = [json.loads(text) for text in out.read_text(encoding="utf-8").splitlines()]
    assert line == {
        "claim_id": "c-1",
        "decided_on": "2020-12-01",
        "route_suggested": "investigate",
        "outcome": "paid",
        "investigated": True,
        "label_source": "investigation",
        "label": 0,
        "facts_from_suggestion": "c-1-0",
        "facts": BEFORE,
    }


def test_a_mistyped_path_makes_no_empty_store(tmp_path: Path) -> None:
    """The export refuses and names the URL."""
    missing = tmp_path / "nothing.db"
    result = CliRunner().invoke(labels_app, ["export", "--database", f"sqlite:///{missing}", "--out", str(tmp_path / "o")])
    assert result.exit_code == 2
    assert not missing.exists()
