"""Plans for claims: only what can still change the end, look-ups first, papers in batches, visits last, no more than the rounds allow."""

from __future__ import annotations

import dataclasses
from datetime import date
from functools import cache

import pytest

from tests.desks import case, shipped
from triage.assembly import assemble
from triage.cases import TODAY, Bench
from triage.evidence_plan import PAPERS, EvidencePlan, evidence_plan, plan_in_words
from triage.observation import Observation, Source
from triage.pipeline import suggest
from triage.plan_search import CLAIMANT, INVESTIGATOR
from triage.route import Route, Router
from triage.suggestion import Suggestion


def suggested(name: str, *said: Observation) -> Suggestion:
    """The suggestion for a named case with more observations, the gate closed."""
    knowledge, reader = shipped()
    file = assemble(case(name), knowledge, reader)
    return suggest(dataclasses.replace(file, observations=(*file.observations, *said)), knowledge, None, date(2021, 12, 1))


@cache
def every() -> list[Suggestion]:
    """All named cases, the gate closed."""
    bench = Bench.standing()
    files = (bench.entered(c, assemble(c.claim, bench.knowledge, bench.reader)) for c in bench.cases.values())
    return [suggest(f, bench.knowledge, None, TODAY) for f in files]


@cache
def planned() -> list[tuple[Suggestion, EvidencePlan]]:
    """Their plans."""
    return [(s, evidence_plan(s)) for s in every()]


def test_no_claimant_is_asked_for_what_staff_can_look_up() -> None:
    """Over all cases, no fact of a claimant's item is for staff alone, nor supplied by a record."""
    for suggestion, plan in planned():
        router = Router(suggestion.case, suggestion.knowledge, suggestion.facts.plan, suggestion.gate, 0)
        for item in (i for s in plan.steps for i in s.items if i.sort == CLAIMANT):
            asked = [q.id for n, q in enumerate(plan.questions) if item.answers >> n & 1 and q.id != PAPERS]
            assert not any(router.staff_only(name) for name in asked)
            assert all(e.asked_of == "claimant" for e in plan.sources[item.id].evidence)


def test_sorts_come_in_order_and_rounds_are_kept() -> None:
    """Look-ups, then papers in at most the rounds left, then visits."""
    for suggestion, plan in planned():
        steps = plan.steps
        sorts = [s.items[0].sort for s in steps]
        assert sorts == sorted(sorts)
        assert all(len({i.sort for i in s.items}) == 1 for s in steps)
        assert sorts.count(CLAIMANT) <= max(0, suggestion.facts.plan.request_rounds - suggestion.case.rounds)


def test_a_claim_decided_by_its_papers_is_not_investigated() -> None:
    """Declined on day 89: nothing is asked of the claimant and nobody is sent out."""
    assert {i.sort for s in evidence_plan(suggested("day-89")).steps for i in s.items} <= {0}


def test_the_first_filing_is_asked_for_in_one_batch() -> None:
    """Nothing was filed: the checklist and the pathology facts come with one request, and visits wait for what it shows."""
    plan = evidence_plan(suggested("nothing-filed"))
    batches = [s for s in plan.steps if s.items[0].sort == CLAIMANT]
    assert plan.exact
    assert len(batches) == 1
    assert {e.id for i in batches[0].items for e in plan.sources[i.id].evidence} >= {"pathology_report", "claim_form", "identity_card"}
    assert all(s.needed <= batches[0].needed for s in plan.steps if s.items[0].sort == INVESTIGATOR)


def test_an_answer_that_ends_the_matter_ends_the_plan() -> None:
    """Once the search has found a breach, the claim is declinable and no visit is planned any more."""
    found = suggested("plain", Observation("inv.prior_breach_found", True, Source.INVESTIGATION, "health_insurance_record"))
    assert found.routed.route is Route.RECOMMEND_DECLINE
    assert not any(i.sort == INVESTIGATOR for s in evidence_plan(found).steps for i in s.items)


def test_of_several_tasks_the_one_that_finds_most_for_its_cost_is_chosen() -> None:
    """The social-insurance query stands for the four tasks that look for an earlier breach."""
    plan = evidence_plan(suggested("plain"))
    visits = [i.id for s in plan.steps for i in s.items if i.sort == INVESTIGATOR]
    assert sorted(visits) == ["t1", "t2", "t5"]


def test_every_planned_item_says_what_it_could_change() -> None:
    """A pathology report that shows invasion and one that shows none lead to different ends."""
    suggestion = suggested("dcis-core-biopsy")
    told = plan_in_words(evidence_plan(suggestion), suggestion)
    report = next(i for s in told["steps"] for i in s["items"] if i["id"] == "pathology_report")
    assert {c["route"] for c in report["could_change"]} == {"investigate", "recommend_decline"}
    assert report["cost"] == 30
    assert report["answers"] == pytest.approx(0.85)


def test_the_price_is_what_the_steps_cost_as_often_as_they_are_needed() -> None:
    """Over all cases, for plans that were worked out exactly."""
    for _, plan in planned():
        if plan.exact and plan.steps:
            assert 0 <= plan.decided <= 1 + 1e-9
            assert plan.price == pytest.approx(sum(s.price * s.needed for s in plan.steps))


def test_plans_cost_a_fraction_of_asking_and_investigating_everything() -> None:
    """Over the cases not decided yet, the plan's costs as needed stay under 40 % of every missing paper and every task."""
    waiting = (Route.REQUEST_EVIDENCE, Route.INVESTIGATE, Route.HUMAN_REVIEW)
    spent = everything = 0.0
    for suggestion, plan in planned():
        if suggestion.routed.route not in waiting:
            continue
        spent += sum(s.needed * plan.once(i) for s in plan.steps for i in s.items)
        papers = suggestion.to_json()["missing_evidence"]
        everything += sum(p["cost"] for p in papers) + sum(t.cost for t in suggestion.knowledge.tasks.values())
    assert spent / everything <= 0.4


def test_too_many_questions_are_planned_in_order_and_that_is_said() -> None:
    """With no question allowed to be weighed the plan is not called exact, and still asks look-ups before papers before visits."""
    suggestion = suggested("nothing-filed")
    none = suggestion.knowledge.yields.model_copy(update={"questions": 0})
    plan = evidence_plan(dataclasses.replace(suggestion, knowledge=dataclasses.replace(suggestion.knowledge, yields=none)))
    assert not plan.exact
    assert [s.items[0].sort for s in plan.steps] == [0, 1, 2]
