"""Reasons and change sets are checked: enough, least, and confirmed by the engine that decided."""

from __future__ import annotations

import dataclasses
import random
from datetime import date

import pytest

from tests.desks import OPEN_GATE, case, shipped
from tests.whole_worlds import outcome, random_suggestion, worlds
from triage.assembly import assemble
from triage.bundle import Bundle
from triage.changes import RELEASED, change_set, with_answers
from triage.completions import turn
from triage.facts import Fact
from triage.pipeline import suggest
from triage.reasons import enough, inplay, reasons, reasons_of
from triage.risk import Scorer
from triage.suggestion import Suggestion
from triage.why import why


def suggested(name: str, *, gate: bool = False) -> Suggestion:
    """The suggestion for a named case."""
    knowledge, reader = shipped()
    return suggest(assemble(case(name), knowledge, reader), knowledge, Scorer(Bundle.load(OPEN_GATE)) if gate else None, date(2021, 12, 1))


def test_every_reason_is_enough_and_least() -> None:
    """Over random rulebooks: with the reason's facts alone the verdict stands, and without any one of them it does not."""
    rng, opened = random.Random(11), Bundle.load(OPEN_GATE)
    found = 0
    for _ in range(500):
        suggestion = random_suggestion(rng, shipped()[0], opened)
        play, facts = inplay(suggestion), suggestion.facts
        for compiled, names in zip(play.rules, play.rests_on, strict=True):
            wanted = turn(compiled, facts)
            for reason in reasons_of(compiled, names, facts):
                found += 1
                kept = [f.id for f in reason.facts]
                assert enough(compiled, facts, kept, names, wanted)
                assert not any(enough(compiled, facts, [n for n in kept if n != name], names, wanted) for name in kept)
                assert set(reason.pivotal) <= set(kept)
    assert found > 1000


def test_a_reason_over_facts_alone_holds_in_every_completion_of_the_rest() -> None:
    """By walking over completions with everything but the reason's facts forgotten (facts that stand by themselves)."""
    rng, opened = random.Random(12), Bundle.load(OPEN_GATE)
    found = 0
    for _ in range(400):
        suggestion = random_suggestion(rng, shipped()[0], opened)
        play, facts = inplay(suggestion), suggestion.facts
        for compiled, names in zip(play.rules, play.rests_on, strict=True):
            if not set(names) <= {"flag", "other", "third", "grade", "count"}:
                continue
            for reason in reasons_of(compiled, names, facts):
                found += 1
                kept = {f.id for f in reason.facts}
                forgotten = facts.supposing({n: facts.get(n) if n in kept else Fact(n) for n in names}, frozenset())
                assert {outcome(compiled.rule, w, agree)[0] for w, agree in worlds(forgotten, set(names))} == {reason.outcome}
    assert found > 50


@pytest.mark.parametrize(("name", "gate"), [("nothing-filed", False), ("fna-only", False), ("waiting-interval", True)])
def test_a_change_set_works_and_none_of_it_can_be_left_out(name: str, gate: bool) -> None:
    """The engine releases or pays the claim with all the answers, and with none of the smaller sets."""
    suggestion = suggested(name, gate=gate)
    found = change_set(suggestion, closed=not gate)
    assert found is not None
    given = {a.fact: a.value for a in found.answers}

    def route(answers: dict[str, object]) -> object:
        file = dataclasses.replace(with_answers(suggestion, answers), investigated=not gate)
        return suggest(file, suggestion.knowledge, suggestion.assessment, date(2021, 12, 1)).routed.route

    assert route(given) is found.route
    assert found.route in RELEASED
    assert all(route({n: v for n, v in given.items() if n != name}) not in RELEASED for name in given)


def test_what_a_paper_must_show_is_told_in_words() -> None:
    """The date of diagnosis is told as the stretch that keeps the claim within cover, waiting period and window."""
    told = why(suggested("nothing-filed"))["changes"]
    dated = next(a for a in told["answers"] if a["fact"] == "first_diagnosis_date")
    assert dated["helps"] == {"from": "2020-01-03", "to": "2020-07-01"}
    assert "病理诊断报告" in dated["zh"]
    assert "Waiting period" in dated["en"]


def test_an_answer_that_opens_a_contradiction_is_no_help() -> None:
    """In situ on a core biopsy, coded D05: invasion would let the definition pass and contradict the code, so nothing is promised."""
    assert change_set(suggested("dcis-core-biopsy"), closed=True) is None


def test_a_known_ground_has_no_change_set() -> None:
    """A claim declined on a documented day 89 is not talked into payment by further papers."""
    assert change_set(suggested("day-89"), closed=True) is None


def test_a_reason_quotes_the_paper_it_rests_on() -> None:
    """Day 89: the clause, the days, the dates they come from and the words of the report."""
    suggestion = suggested("day-89")
    told = next(r.to_json(suggestion.facts) for r in reasons(suggestion) if r.compiled.rule.id == "waiting-period")
    assert told["pivotal"] == ["condition.accident_possible", "days_since_effective"]
    assert "2020-06-05" in [s["quote"] for s in told["spans"]]
    assert "89" in told["zh"]
    assert told["confidence"] == "high"
