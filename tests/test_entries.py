"""Whatever people enter about any fact of any claim, however odd, is evaluated, never declines by itself, and replays."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

from knowledge_graph.rules import FactDefinition
from tests.desks import case, desk, shipped
from triage.actions import Correction, DecisionForm, Investigation
from triage.cases import load_cases
from triage.claim import Claim, InvestigationResult, Membership
from triage.desk import Desk
from triage.observation import Why
from triage.route import Route
from triage.store.errors import StoreError

FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)
MEMBERSHIPS: list[tuple[Membership, ...]] = [
    (),
    (Membership(joined_on=LAST, effective_on=LAST),),
    (Membership(joined_on=date(2020, 1, 1), effective_on=date(2019, 1, 1), left_on=date(2018, 1, 1)),),
    (Membership(joined_on=FIRST, effective_on=FIRST), Membership(joined_on=FIRST, effective_on=date(1, 1, 2), left_on=LAST)),
]
ENTRIES: dict[str, list[Any]] = {
    "bool": [True, False, {"one_of": [True, False]}],
    "int": [0, 1, -5, 90, 10**6, {"from": 1, "to": 5}, {"from": None, "to": 3}, {"one_of": [1, 2]}],
    "number": [0, 2.5, -1, {"from": 0, "to": 100.5}, 1e300],
    "date": [
        "2020-01-01",
        "0001-01-01",
        "9999-12-31",
        {"from": "2020-01-01", "to": "2020-02-01"},
        {"from": None, "to": "2020-01-01"},
        {"one_of": ["2020-01-01", "2020-03-01"]},
    ],
    "code": ["1", "left", {"one_of": ["left", "right"]}],
    "text": ["x", "C50", "", {"one_of": ["a", "b"]}],
}


def odd_claim(rng: random.Random, name: str, claim_id: str) -> Claim:
    """A case's claim with dates, episodes or plan nobody expects."""
    filed = case(name)
    member = filed.member.model_copy(
        update={
            "birth_date": rng.choice([filed.member.birth_date] * 4 + [FIRST, LAST, date(2020, 2, 29)]),
            "memberships": rng.choice([filed.member.memberships] * 4 + MEMBERSHIPS),
        }
    )
    changes = {"claim_id": claim_id, "member": member, "plan": rng.choice([filed.plan, "insurer-reference"])}
    return filed.model_copy(update={**changes, "filed_on": rng.choice([filed.filed_on] * 4 + [FIRST, LAST])})


def entry(rng: random.Random, definition: FactDefinition) -> Correction:
    """Something a person may enter about a fact, fitting or not."""
    if rng.random() < 0.3:
        return Correction(fact=definition.id, why=rng.choice(list(Why)), reason="核对")
    listed = list(definition.values) if definition.values and rng.random() < 0.8 else ENTRIES[definition.type]
    return Correction(fact=definition.id, value=rng.choice(listed), reason="核对")


def tried(work: Any) -> None:
    """What is refused is refused in words, never by a crash."""
    said = "done", "done"
    try:
        work()
    except StoreError as error:
        said = error.zh, error.en
    assert all(said)


def live(rng: random.Random, at_desk: Desk, claim_id: str) -> None:
    """Entries, results and decisions in any order."""
    facts = list(shipped()[0].facts.values())
    for _ in range(rng.randint(0, 4)):
        correction = entry(rng, rng.choice(facts))
        tried(lambda c=correction: at_desk.add_observation(claim_id, c, actor=rng.choice("甲乙")))
    results = tuple(
        InvestigationResult(
            task=rng.choice(["t1", "t2", "t5", "zz"]),
            result=rng.choice(["true", "false", "?", None]),
            text=rng.choice([None, "", "左乳结节BI-RADS 4A"]),
        )
        for _ in range(2)
    )
    if rng.random() < 0.5:
        at_desk.add_investigation(claim_id, Investigation(results=results, close=rng.random() < 0.5), actor="调查员")
    form = DecisionForm(
        action=rng.choice(["accept", "override", "dispute"]),
        route=rng.choice(list(Route)),
        reason_code="r",
        second_actor=rng.choice([None, "丙"]),
    )
    tried(lambda: at_desk.decide(claim_id, form, actor="丁"))


def test_whatever_is_entered_is_evaluated_and_replays(tmp_path: Path) -> None:
    rng = random.Random(7)
    at_desk = desk(tmp_path)
    names = list(load_cases())
    for number in range(80):
        claim_id = f"odd-{number}"
        at_desk.submit(odd_claim(rng, rng.choice(names), claim_id), actor="desk")
        live(rng, at_desk, claim_id)
        view = at_desk.claim(claim_id)
        if view["suggestion"]["route"] == "recommend_decline":
            assert view["suggestion"]["position"] == "second_review"
        for decision in view["decisions"]:
            assert decision["outcome"] != "declined" or (decision["actor_kind"] == "person" and decision["ground_on"])
    assert at_desk.replay() == []
