"""The gate over time: the audit lane closes it by itself, only a person with fresh answers reopens it, and its state is said in words."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from typer.testing import CliRunner

import knowledge_graph
from serving.watch import Watch
from tests.bundling import GROUPS, bundle, certificate
from tests.desks import database, desk_on
from tests.test_labels import FOUND_NOTHING, WORKED
from training.dataset import Dataset
from training.gate_commands import describe, gate_app
from triage import audit_lane, rows, shadow
from triage.actions import DecisionForm, Investigation
from triage.bundle import Bundle, Group
from triage.claim import Claim, InvestigationResult
from triage.desk import Desk
from triage.risk import Scorer
from triage.store import open_store
from triage.store import tables as t

BREACH = (FOUND_NOTHING[0], InvestigationResult(task="t2", result="true"), FOUND_NOTHING[2])
DATA = Path(knowledge_graph.__file__).parent / "data"
LATER = "2021-06-01T09:00:00.000000+08:00"


@pytest.fixture
def promised(tmp_path: Path) -> Bundle:
    """A bundle that would release everyone, and draws everyone for audit."""
    group = Group(threshold=1.0, n=400, wrong=4, bound=0.03)
    return bundle(tmp_path / "bundle", audit_rate=1.0, certificate=certificate(groups=dict.fromkeys(GROUPS, group), overall=group))


@pytest.fixture
def desk(tmp_path: Path, promised: Bundle) -> Desk:
    """A desk with that bundle."""
    return desk_on(open_store(database(tmp_path)), bundle=promised)


def audit_claim(desk: Desk, name: str, results: tuple[InvestigationResult, ...]) -> dict[str, Any]:
    """A claim drawn for audit, investigated with these results and decided; gives the suggestion as filed."""
    filed: dict[str, Any] = desk.submit(Claim.model_validate({**WORKED, "claim_id": name}), actor="li")["suggestion"]
    desk.add_investigation(name, Investigation(results=results, close=True), actor="li")
    desk.decide(name, DecisionForm(action="accept"), actor="li")
    return filed


def fresh(desk: Desk, wrong: int, right: int) -> None:
    """Later answers of claims like c-0, as rows."""
    with desk.store.writing() as connection:
        claim = dict(connection.execute(select(t.claim).where(t.claim.c.claim_id == "c-0")).mappings().one())
        said = dict(connection.execute(select(t.suggestion).where(t.suggestion.c.claim_id == "c-0").limit(1)).mappings().one())
        for n in range(wrong + right):
            name = f"fresh-{n}"
            connection.execute(insert(t.claim), [{**claim, "claim_id": name, "status": "open"}])
            connection.execute(insert(t.suggestion), [{**{k: v for k, v in said.items() if k != "id"}, "claim_id": name}])
            rows.insert_outcome(connection, name, refused=n < wrong, at=LATER)


def test_three_wrong_of_three_close_the_group_and_nothing_is_released_any_more(desk: Desk, promised: Bundle) -> None:
    """The watch of the service does it; the other group stays open."""
    filed = [audit_claim(desk, f"c-{n}", BREACH) for n in range(3)]
    assert {(f["gate"]["why"], f["route"]) for f in filed} == {("audit", "investigate")}
    Watch(lambda: desk, None).round()
    with desk.store.reading() as connection:
        groups = describe(connection, promised, desk.knowledge, desk.clock().date())["groups"]
    group = filed[0]["gate"]["group"]
    assert {g["group"]: g["state"] for g in groups} == {name: "closed" if name == group else "open" for name in GROUPS}
    after = desk.submit(Claim.model_validate({**WORKED, "claim_id": "after"}), actor="li")["suggestion"]
    assert (after["gate"]["why"], after["route"]) == ("gate_closed", "investigate")
    assert desk.replay() == []


def test_right_answers_ring_nothing(desk: Desk, promised: Bundle) -> None:
    """Paid after a full investigation."""
    audit_claim(desk, "c-0", FOUND_NOTHING)
    assert audit_lane.ring(desk.store, promised, LATER) == []


def test_only_fresh_answers_reopen(desk: Desk, promised: Bundle) -> None:
    """Too few do not, and it says how many would; enough do, and the alarm counts anew from there."""
    group = audit_claim(desk, "c-0", BREACH)["gate"]["group"]
    for n in (1, 2):
        audit_claim(desk, f"c-{n}", BREACH)
    assert audit_lane.ring(desk.store, promised, desk.clock().isoformat()) == [group]
    with pytest.raises(audit_lane.ReopeningRefused, match="at least 45"):
        audit_lane.reopen(desk.store, promised, group, by="li", why="x", at=LATER)
    fresh(desk, wrong=0, right=50)
    assert audit_lane.reopen(desk.store, promised, group, by="li", why="fresh sample", at=LATER).n == 50
    assert audit_lane.ring(desk.store, promised, LATER) == []
    with pytest.raises(audit_lane.ReopeningRefused, match="not closed"):
        audit_lane.reopen(desk.store, promised, group, by="li", why="again", at=LATER)


def test_fresh_answers_that_are_wrong_do_not_reopen(desk: Desk, promised: Bundle) -> None:
    """Four wrong of fifty show nothing of the kind."""
    group = audit_claim(desk, "c-0", BREACH)["gate"]["group"]
    for n in (1, 2):
        audit_claim(desk, f"c-{n}", BREACH)
    audit_lane.ring(desk.store, promised, desk.clock().isoformat())
    fresh(desk, wrong=4, right=46)
    with pytest.raises(audit_lane.ReopeningRefused, match="4 wrong"):
        audit_lane.reopen(desk.store, promised, group, by="li", why="x", at=LATER)


def test_a_challenger_scores_in_shadow_without_any_effect(desk: Desk, promised: Bundle, tmp_path: Path) -> None:
    """Every stored suggestion once, beside the score that served; no suggestion, decision or audit row changes."""
    first = desk.submit(Claim.model_validate({**WORKED, "claim_id": "c-0"}), actor="li")["suggestion"]
    before = desk.claim("c-0")
    other = Scorer(bundle(tmp_path / "other", "other", trees=5))
    after = shadow.score_next(desk.store, other, 0, LATER)
    assert shadow.score_next(desk.store, other, 0, LATER) == after
    assert shadow.begin_after(desk.store, other) == after
    with desk.store.reading() as connection:
        [kept] = connection.execute(select(t.shadow_score)).mappings().all()
    row = [float("nan") if v is None else v for v in first["risk"]["features"].values()]
    assert kept["score"] == other.score(row)
    assert kept["champion_score"] == first["risk"]["score"]
    assert desk.claim("c-0") == before


def test_the_state_of_the_gate_at_the_prompt(tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open; closed by a person for all; JSON says who promised what. A closed gate's reason is in both languages."""
    given = {"TRIAGE_DATABASE": database(tmp_path), "TRIAGE_BUNDLE": str(tmp_path / "bundle")}
    runner = CliRunner(env=given)
    expired = runner.invoke(gate_app, ["status"])
    assert "过期" in expired.output
    assert "expired" in expired.output
    assert runner.invoke(gate_app, ["close", "--by", "li", "--why", "演练 / a drill"]).exit_code == 0
    told = json.loads(runner.invoke(gate_app, ["status", "--json"]).output)
    assert (told["state"], told["alpha"]) == ("closed", 0.05)
    refused = runner.invoke(gate_app, ["reopen", GROUPS[0], "--by", "li", "--why", "x"])
    assert refused.exit_code == 1
    assert runner.invoke(gate_app, ["close", "--by", "gate", "--why", "x"]).exit_code == 2


def test_without_a_model_the_gate_is_closed_and_says_so(tmp_path: Path) -> None:
    """There is no registry, and none is made."""
    given = {"TRIAGE_DATABASE": database(tmp_path), "TRIAGE_MLFLOW": f"sqlite:///{tmp_path / 'none' / 'mlflow.db'}"}
    told = CliRunner(env=given).invoke(gate_app, ["status"])
    assert "there is no certificate" in told.output
    assert not (tmp_path / "none").exists()


def test_what_a_promise_costs(tmp_path: Path) -> None:
    """At 1 % for four groups together at 10 %: 368 clean claims each, as the exact binomial has it."""
    asked = ["plan", "--alpha", "0.01", "--delta", "0.1", "--groups", "4", "--monthly", "4000"]
    told = CliRunner(env={"TRIAGE_DATABASE": database(tmp_path)}).invoke(gate_app, asked)
    assert told.exit_code == 0, told.output
    assert "368" in told.output
    assert "months" in told.output


def test_closing_what_is_not_there_is_refused(tmp_path: Path, desk: Desk) -> None:
    """A mistyped group or store would leave the gate open while a person believes it closed; each is named, and nothing is made."""
    given = {"TRIAGE_DATABASE": database(tmp_path), "TRIAGE_BUNDLE": str(tmp_path / "bundle")}
    asked = ["close", "--by", "li", "--why", "x"]
    mistyped = CliRunner(env=given).invoke(gate_app, [*asked, "mutual-aid-reference:under40"])
    assert mistyped.exit_code == 2
    assert "mutual-aid-reference:under_40" in mistyped.output
    elsewhere = {**given, "TRIAGE_DATABASE": f"sqlite:///{tmp_path / 'none.db'}"}
    for command in (asked, ["check"], ["reopen", GROUPS[0], "--by", "li", "--why", "x"]):
        told = CliRunner(env=elsewhere).invoke(gate_app, command)
        assert (told.exit_code, "no such claim store" in told.output, "没有该案件库" in told.output) == (1, True, True), told.output
    assert not (tmp_path / "none.db").exists()
    assert CliRunner(env=given).invoke(gate_app, ["close", "--by", "li", "--why", " "]).exit_code == 2


def test_the_state_of_the_gate_without_a_store_or_with_a_wrong_address_is_said(tmp_path: Path, promised: Bundle) -> None:
    """Nothing was closed yet; and an address that is none is no traceback."""
    given = {"TRIAGE_BUNDLE": str(tmp_path / "bundle"), "TRIAGE_DATABASE": f"sqlite:///{tmp_path / 'none.db'}"}
    told = CliRunner(env=given).invoke(gate_app, ["status"])
    assert told.exit_code == 0
    assert GROUPS[0] in told.output
    assert not (tmp_path / "none.db").exists()
    told = CliRunner(env={**given, "TRIAGE_DATABASE": "nonsense"}).invoke(gate_app, ["close", "--by", "li", "--why", "x"])
    assert (told.exit_code, "TRIAGE_DATABASE" in told.output) == (1, True)


def test_the_state_of_the_gate_is_that_of_the_rulebook_in_use(tmp_path: Path) -> None:
    """A private rulebook changes what the certificate is held against."""
    bundle(tmp_path / "bundle", certificate=certificate(expires_on=date(2099, 1, 1)))
    private = tmp_path / "rules"
    shutil.copytree(DATA, private)
    plans = private / "plans.yaml"
    plans.write_text(plans.read_text(encoding="utf-8").replace("window_days: 180", "window_days: 181"), encoding="utf-8")
    given = {"TRIAGE_BUNDLE": str(tmp_path / "bundle"), "TRIAGE_DATABASE": f"sqlite:///{tmp_path / 'none.db'}"}
    assert "open  " in CliRunner(env=given).invoke(gate_app, ["status"]).output
    told = CliRunner(env={**given, "TRIAGE_RULEBOOK": str(private)}).invoke(gate_app, ["status"])
    assert "the plan's rules are not those certified" in told.output


def test_rows_of_the_store_log_the_chance_by_which_they_were_drawn(desk: Desk) -> None:
    """That of the bundle then in use, not what the plan says today."""
    audit_claim(desk, "c-0", FOUND_NOTHING)
    found = Dataset.from_store(desk.store, desk.knowledge)
    assert found.lane.tolist() == ["audit"]
    assert (found.drawn.tolist(), found.propensity.tolist()) == ([1.0], [1.0])


def test_looking_at_the_audit_lane_holds_up_nobody(desk: Desk, promised: Bundle) -> None:
    """While nothing rings it works beside a transaction that writes."""
    audit_claim(desk, "c-0", FOUND_NOTHING)
    with desk.store.writing():
        assert audit_lane.ring(desk.store, promised, LATER) == []


def test_a_round_that_fails_logs_no_claim(caplog: pytest.LogCaptureFixture) -> None:
    """Kind and place only: a message may hold an id or a patient's words."""

    def failing() -> Desk:
        watch.stop()
        raise RuntimeError("m-7 林某")

    watch = Watch(failing, None, every=0.01)
    watch.follow().join(10)
    assert "unforeseen RuntimeError" in caplog.text
    assert "林某" not in caplog.text
