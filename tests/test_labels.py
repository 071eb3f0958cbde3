"""Labels for training: only an investigated claim has one, and its facts are those from before the investigation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from typer.testing import CliRunner

from knowledge_graph.loader import load
from training.cli import labels_app
from training.labels import LabelRow, label_rows
from triage.actions import Correction, DecisionForm, Investigation
from triage.claim import Claim, InvestigationResult
from triage.desk import Desk
from triage.reading import Reader
from triage.route import Route
from triage.store import open_store

WORKED = yaml.safe_load((Path(__file__).parent / "cases" / "worked-approve.yaml").read_text(encoding="utf-8"))["claim"]
FOUND_NOTHING = (
    InvestigationResult(task="t1", result="true"),
    InvestigationResult(task="t2", result="false"),
    InvestigationResult(task="t5", result="true", evidence_type="interview_record", text="面访笔录 姓名：林某 性别：女 本人接受面访"),
)
PAY = DecisionForm(action="override", route=Route.RECOMMEND_PAY, reason_code="trial", second_actor="wang")
CLOSE = DecisionForm(action="close", reason_code="withdrawn")


class Clock:
    """A second later at every look; starts an hour before midnight in Shanghai."""

    def __init__(self) -> None:
        self.now = datetime(2020, 11, 1, 23, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a store of this test alone."""
    return f"sqlite:///{tmp_path / 'claims.db'}"


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    """A desk with the gate closed."""
    knowledge = load()
    store = open_store(url)
    yield Desk(store, knowledge, Reader.from_knowledge(knowledge), None, Clock())
    store.engine.dispose()


def file_claim(desk: Desk, name: str = "c-1", **changes: Any) -> dict[str, Any]:
    """A whole, consistent claim is filed; gives its suggestion."""
    filed: dict[str, Any] = desk.submit(Claim.model_validate({**WORKED, "claim_id": name, **changes}), actor="li")["suggestion"]
    return filed


def investigate(desk: Desk, name: str = "c-1", results: tuple[InvestigationResult, ...] = FOUND_NOTHING) -> None:
    """An investigation is opened and closed with its results."""
    desk.add_investigation(name, Investigation(), actor="li")
    desk.add_investigation(name, Investigation(results=results, close=True), actor="li")


def only_row(desk: Desk) -> LabelRow:
    """The one row there is."""
    [row] = label_rows(desk.store)
    return row


def test_an_investigated_and_paid_claim_is_labelled_zero(desk: Desk) -> None:
    """The visit found nothing that kept it from being paid."""
    file_claim(desk)
    investigate(desk)
    desk.decide("c-1", DecisionForm(action="accept"), actor="li")
    row = only_row(desk)
    assert (row.outcome, row.route_suggested, row.investigated, row.label_source, row.label) == (
        "paid",
        "recommend_pay",
        True,
        "investigation",
        0,
    )


def test_an_investigated_and_declined_claim_is_labelled_one(desk: Desk) -> None:
    """Here an earlier breach was found."""
    file_claim(desk)
    investigate(desk, results=(*FOUND_NOTHING[:1], InvestigationResult(task="t2", result="true"), *FOUND_NOTHING[2:]))
    desk.decide("c-1", DecisionForm(action="accept"), actor="li")
    row = only_row(desk)
    assert (row.outcome, row.investigated, row.label) == ("declined", True, 1)


def test_a_withdrawn_claim_gives_no_answer(desk: Desk) -> None:
    """Not even after an investigation."""
    file_claim(desk)
    investigate(desk)
    desk.decide("c-1", CLOSE, actor="li")
    row = only_row(desk)
    assert (row.outcome, row.investigated, row.label) == ("withdrawn", True, None)


def test_without_an_investigation_there_is_no_label(desk: Desk) -> None:
    """A claim paid without one says nothing about what a visit would have found."""
    file_claim(desk)
    desk.decide("c-1", PAY, actor="li")
    row = only_row(desk)
    assert (row.outcome, row.route_suggested, row.investigated, row.label_source, row.label) == ("paid", "investigate", False, "none", None)


def test_an_investigation_that_was_never_closed_gives_no_label(desk: Desk) -> None:
    """Opened is not done."""
    file_claim(desk)
    desk.add_investigation("c-1", Investigation(), actor="li")
    desk.decide("c-1", PAY, actor="li")
    assert only_row(desk).label is None


def test_an_investigation_after_the_decision_gives_no_label(desk: Desk) -> None:
    """The decision did not know it."""
    file_claim(desk)
    desk.decide("c-1", PAY, actor="li")
    investigate(desk)
    assert only_row(desk).investigated is False


def test_an_undecided_claim_has_no_row(desk: Desk) -> None:
    """Accepting that it be investigated is not the end of a claim."""
    file_claim(desk)
    desk.decide("c-1", DecisionForm(action="accept"), actor="li")
    assert list(label_rows(desk.store)) == []


def test_facts_found_by_the_investigation_are_left_out(desk: Desk) -> None:
    """What was found is the answer, not something to learn from: answers, papers and what a person entered meanwhile."""
    filed = file_claim(desk)
    desk.decide("c-1", DecisionForm(action="accept"), actor="li")
    desk.add_observation("c-1", Correction(fact="review.many_platforms", value=True, reason="told by phone"), actor="li")
    investigate(desk)
    desk.decide("c-1", DecisionForm(action="close", reason_code="withdrawn"), actor="li")
    assert only_row(desk).facts == filed["facts"]


def test_a_claim_filed_with_results_has_no_facts_from_before(desk: Desk) -> None:
    """Nothing was ever known of it without them."""
    file_claim(desk, investigation=[{"task": "t1", "result": "true"}])
    desk.decide("c-1", PAY, actor="li")
    row = only_row(desk)
    assert (row.facts, row.facts_from_suggestion) == (None, None)


def test_export_writes_a_line_a_claim(desk: Desk, url: str, tmp_path: Path) -> None:
    """JSONL with every key, the day in Asia/Shanghai, and nothing for undecided claims."""
    filed = file_claim(desk)
    file_claim(desk, "c-2")
    desk.decide("c-1", PAY, actor="li")
    out = tmp_path / "labels.jsonl"
    result = CliRunner().invoke(labels_app, ["export", "--database", url, "--out", str(out)])
    assert result.exit_code == 0, result.output
    [line] = [json.loads(text) for text in out.read_text(encoding="utf-8").splitlines()]
    assert len(line.pop("facts_from_suggestion")) == 64
    assert line == {
        "claim_id": "c-1",
        "decided_on": "2020-11-01",
        "route_suggested": "investigate",
        "outcome": "paid",
        "investigated": False,
        "label_source": "none",
        "label": None,
        "facts": filed["facts"],
    }


def test_a_mistyped_path_makes_no_empty_store(tmp_path: Path) -> None:
    """The export refuses and names the URL."""
    missing = tmp_path / "nothing.db"
    result = CliRunner().invoke(labels_app, ["export", "--database", f"sqlite:///{missing}", "--out", str(tmp_path / "o")])
    assert result.exit_code == 2
    assert not missing.exists()
