"""The gate: closed for every reason it has, each by name; a score decides only through it, and what is missing never opens it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_graph.loader import Knowledge, load_texts
from tests.desks import case, shipped
from triage.assembly import assemble
from triage.assessment import Assessment, Named
from triage.bundle import Certificate, Closed, Digests, Group
from triage.casefile import CaseFile
from triage.gate import WORDS
from triage.pipeline import suggest
from triage.rules_digest import rules_digest
from triage.suggestion import Suggestion

TODAY = date(2021, 3, 1)
PLAN = "mutual-aid-reference"
GROUP = Group(threshold=0.05, n=400, wrong=4, bound=0.03, bound_truth=0.05)
GROUPS = {f"{PLAN}:{band}": GROUP for band in ("under_40", "from_40")}


@cache
def filed(name: str = "worked-approve") -> CaseFile:
    """A worked claim as read."""
    return assemble(case(name), *shipped())


def sha(letter: str) -> str:
    """Any digest."""
    return letter * 64


def digests(**changes: Any) -> Digests:
    """What the shipped rulebook's certificate would name."""
    rules = {PLAN: rules_digest(shipped()[0], PLAN)}
    return Digests(**{"model": sha("a"), "features": sha("b"), "reader": sha("c"), "rules": rules, **changes})


def certified(**changes: Any) -> Certificate:
    """Valid on the day, for both groups of the plan."""
    fields: dict[str, Any] = {
        "alpha": 0.05,
        "delta": 0.10,
        "issued_on": date(2021, 1, 1),
        "expires_on": TODAY,
        "groups": GROUPS,
        "overall": GROUP,
        "digests": digests(),
    }
    return Certificate(**{**fields, **changes})


def assessment(**changes: Any) -> Assessment:
    """A low score under a valid certificate."""
    fields: dict[str, Any] = {
        "bundle": Named("b", "certified", sha("d"), digests()),
        "certificate": certified(),
        "score": 0.01,
        "features_digest": sha("b"),
        "reader": sha("c"),
    }
    return Assessment(**{**fields, **changes})


def suggested(told: Assessment, *, name: str = "worked-approve", knowledge: Knowledge | None = None, **state: Any) -> Suggestion:
    """The suggestion for a worked claim with that assessment."""
    return suggest(replace(filed(name), **state), knowledge or shipped()[0], told, TODAY)


def test_it_opens_when_nothing_closes_it() -> None:
    """On the last day of the certificate, at the threshold itself."""
    opened = suggested(assessment(score=0.05))
    assert (opened.gate.open, opened.gate.code, opened.routed.route.value) == (True, "certified", "clear")


@pytest.mark.parametrize(
    ("code", "told", "state"),
    [
        ("no_model", Assessment(), {}),
        ("no_certificate", assessment(certificate=None), {}),
        ("certificate_withdrawn", assessment(certificate=certified(closed=Closed(on=TODAY, zh="停", en="stopped"))), {}),
        ("certificate_expired", assessment(certificate=certified(expires_on=date(2021, 2, 28))), {}),
        ("certificate_not_yet_valid", assessment(certificate=certified(issued_on=date(2021, 3, 2), expires_on=date(2022, 1, 1))), {}),
        ("certificate_too_weak", assessment(certificate=certified(alpha=0.06)), {}),
        ("certificate_too_weak", assessment(certificate=certified(delta=0.2)), {}),
        ("model_changed", assessment(certificate=certified(digests=digests(model=sha("e")))), {}),
        ("model_changed", assessment(certificate=certified(digests=None)), {}),
        ("model_changed", assessment(bundle=Named("b", "certified", sha("d"))), {}),
        ("features_changed", assessment(features_digest=sha("e")), {}),
        ("features_changed", assessment(certificate=certified(digests=digests(features=sha("e")))), {}),
        ("reader_changed", assessment(reader=sha("e")), {}),
        ("reader_changed", assessment(reader=""), {}),
        ("rules_changed", assessment(certificate=certified(digests=digests(rules={PLAN: sha("e")}))), {}),
        ("rules_changed", assessment(certificate=certified(digests=digests(rules={}))), {}),
        ("no_score", assessment(score=None), {}),
        ("overall_not_certified", assessment(certificate=certified(overall=None)), {}),
        ("group_not_certified", assessment(certificate=certified(groups={})), {}),
        ("score_above_threshold", assessment(score=0.0501), {}),
        ("gate_closed", assessment(closed={"*": "审计报警 / audit alarm"}), {}),
        ("audit", assessment(), {"drawn_for_audit": True}),
    ],
)
def test_every_reason_closes_it_and_is_named(code: str, told: Assessment, state: dict[str, Any]) -> None:
    """In both languages, and the claim goes to investigation."""
    closed = suggested(told, **state)
    assert (closed.gate.open, closed.gate.code) == (False, code)
    assert closed.gate.zh.startswith(WORDS[code][0])
    assert closed.gate.en.startswith(WORDS[code][1])
    assert closed.routed.route.value == "investigate"
    assert closed.to_json()["gate"]["passes_rules"] is True


def test_heavy_flags_close_it() -> None:
    """From the plan's first number on, whatever the score."""
    knowledge, _ = shipped()
    plan = knowledge.plans[PLAN]
    light = plan.model_copy(update={"flag_weights": plan.flag_weights.model_copy(update={"person": 0})})
    closed = suggested(assessment(), knowledge=replace(knowledge, plans={**knowledge.plans, PLAN: light}, digest="light"))
    assert closed.gate.code in ("flag_weight", "rules_changed")
    told = assessment(certificate=certified(digests=digests(rules={PLAN: rules_digest(closed.knowledge, PLAN)})))
    closed = suggested(told, knowledge=closed.knowledge)
    assert (closed.gate.code, closed.to_json()["gate"]["passes_rules"]) == ("flag_weight", False)


def test_a_group_reopened_by_a_person_is_open_though_all_were_closed() -> None:
    """The group's own last event counts before that of every group."""
    group = suggested(assessment()).gate.group
    assert suggested(assessment(closed={"*": "x", group: None})).gate.open
    assert suggested(assessment(closed={"*": None, group: "报警 / alarm"})).gate.code == "gate_closed"


def test_a_closed_gate_alone_is_told_from_a_claim_that_lacks_more() -> None:
    """`passes_rules` is the population a certificate speaks of."""
    assert suggested(assessment(score=0.9)).passes_rules
    assert not suggested(assessment(), name="worked-investigate").passes_rules
    assert not suggested(assessment(), name="worked-decline").passes_rules


def a_certificate() -> st.SearchStrategy[Certificate | None]:
    """Valid, expired, for other groups, promising less, of another model, or none."""
    changes: list[dict[str, Any]] = [
        {},
        {"groups": {}},
        {"expires_on": date(2021, 1, 2)},
        {"alpha": 0.2},
        {"overall": None},
        {"digests": digests(model=sha("e"))},
    ]
    return st.none() | st.sampled_from([certified(**c) for c in changes])


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["worked-approve", "worked-decline", "worked-investigate"]),
    a_certificate(),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1),
    st.booleans(),
)
def test_a_score_routes_only_through_the_gate(
    name: str, certificate: Certificate | None, one: float | None, other: float | None, drawn: bool
) -> None:
    """Two scores under which the gate says the same lead to the same route, actions, reasons and position."""
    made = [suggested(assessment(certificate=certificate, score=s), name=name, drawn_for_audit=drawn).to_json() for s in (one, other)]
    if made[0]["gate"] == made[1]["gate"]:
        for data in made:
            data["risk"].pop("score")
            data["degraded"] = []
        assert made[0] == made[1]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["worked-approve", "worked-decline", "worked-investigate"]), a_certificate(), st.none() | st.floats(0, 1), st.booleans()
)
def test_what_is_missing_never_opens_it(name: str, certificate: Certificate | None, score: float | None, drawn: bool) -> None:
    """Open needs a bundle, a score at or below its group's threshold and a valid certificate; without a model nothing is ever cleared."""
    made = suggested(assessment(certificate=certificate, score=score), name=name, drawn_for_audit=drawn)
    if made.gate.open:
        assert certificate == certified()
        assert score is not None
        assert score <= GROUP.threshold
        assert not drawn
    without = suggested(Assessment(score=score, certificate=certificate), name=name, drawn_for_audit=drawn)
    assert (without.gate.open, without.gate.code) == (False, "no_model")
    assert without.routed.route.value != "clear"


# ---- the digest of a plan's rules


def edited(file: str, old: str, new: str) -> Knowledge:
    """The shipped rulebook with one text changed."""
    texts = dict(shipped()[0].texts)
    assert old in texts[file]
    return load_texts({**texts, file: texts[file].replace(old, new)})


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("plans.yaml", "waiting_days: 90", "waiting_days: 91"),
        ("rules/red_flags.yaml", "ge: 1, le: 30", "ge: 1, le: 31"),
        ("rules/red_flags.yaml", "weight: 2,", "weight: 2.5,"),
        ("facts.yaml", "minus_plan: waiting_days", "minus_plan: hospital_min_level"),
    ],
)
def test_what_changes_a_verdict_changes_the_digest(file: str, old: str, new: str) -> None:
    assert rules_digest(edited(file, old, new), PLAN) != rules_digest(shipped()[0], PLAN)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rules/red_flags.yaml", "病理号与他案重复", "病理号与另案重复"),
        ("facts.yaml", "zh: 报案日期", "zh: 报案日"),
        ("plans.yaml", "zh: 老年防癌参考计划", "zh: 老年防癌计划"),
        ("plans.yaml", "alpha: 0.05", "alpha: 0.04"),
    ],
)
def test_words_do_not(file: str, old: str, new: str) -> None:
    """Nor what the gate asks for, which is compared by itself."""
    assert rules_digest(edited(file, old, new), PLAN) == rules_digest(shipped()[0], PLAN)


def test_another_plans_rules_do_not() -> None:
    """A change of the insurer's plan leaves the mutual-aid plan's certificate standing."""
    changed = edited("plans.yaml", "application_window_days: 730", "application_window_days: 700")
    assert rules_digest(changed, PLAN) == rules_digest(shipped()[0], PLAN)
    assert rules_digest(changed, "insurer-reference") != rules_digest(shipped()[0], "insurer-reference")


def test_a_plan_that_asks_for_no_promise_releases_nothing() -> None:
    """Taking `gate` out of a plan closes its gate; it does not do away with what the certificate must hold."""
    plans = {name: plan.model_copy(update={"gate": None}) for name, plan in shipped()[0].plans.items()}
    told = suggested(assessment(), knowledge=replace(shipped()[0], plans=plans))
    assert (told.gate.code, told.routed.route.value) == ("plan_without_terms", "investigate")
