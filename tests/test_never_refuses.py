"""The machine never refuses, over random rule sets; a stricter route names the fact that made it so."""

from __future__ import annotations

import dataclasses
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from knowledge_graph.loader import Knowledge, load
from knowledge_graph.rules import Rule
from tests.builders import claim
from triage.bundle import Bundle
from triage.casefile import CaseFile, Paper
from triage.judge import Effect, Outcome
from triage.observation import Observation, Source
from triage.pipeline import suggest
from triage.risk import scorer_of
from triage.route import Route, Router, documented
from triage.suggestion import Suggestion

TODAY = date(2020, 12, 1)
STRICT = {
    Route.CLEAR: 0,
    Route.RECOMMEND_PAY: 0,
    Route.REQUEST_EVIDENCE: 1,
    Route.HUMAN_REVIEW: 2,
    Route.INVESTIGATE: 3,
    Route.REFER_SIU: 4,
}
STAGES = ["filing", "intake", "first_review", "investigation", "second_review"]
FACTS: dict[str, list[Any]] = {
    "pathology.icdo_behavior": [0, 1, 2, 3, 6],
    "pathology.histology_confirmed": [True, False],
    "tumour.laterality": ["left", "right", "both"],
    "grade": [1, 2, 3],
    "nodes.positive": [0, 1, 4, 12],
    "inv.identity_verified": [True, False],
    "inv.pathology_verified": [True, False],
    "doctor.registered": [True, False],
    "history.asked_at_joining": [True, False],
}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """The shipped rulebook."""
    return load()


def random_atom(rng: random.Random) -> dict[str, Any]:
    """An atom on one of the facts above."""
    name = rng.choice(list(FACTS))
    values = FACTS[name]
    if isinstance(values[0], bool):
        return {"fact": name, "is": rng.choice(values)}
    if name == "nodes.positive":
        return {"fact": name, rng.choice(["ge", "lt"]): rng.choice(values)}
    return {"fact": name, "in": rng.sample(values, 2)}


def random_rules(rng: random.Random) -> tuple[Rule, ...]:
    """A random rule set of every kind but benefit, which stays one row for all."""
    rules = []
    for number in range(rng.randint(3, 10)):
        kind = rng.choice(["definition", "document", "requirement", "exclusion", "consistency", "verification", "red_flag"])
        word = rng.choice(["all_of", "any_of", "none_of"])
        data = {
            "id": f"r{number}",
            "kind": kind,
            "stage": rng.choice(STAGES),
            "when": {word: [random_atom(rng) for _ in range(rng.randint(1, 3))]},
            "unless_shown": kind == "exclusion" and rng.random() < 0.3,
            "weight": rng.choice([1, 3]) if kind == "red_flag" else 0,
            "reason": {"zh": "理由", "en": "reason"},
            "clause": {"zh": "条款", "en": "clause"},
            "source": "test",
            "confidence": "low",
        }
        rules.append(Rule.model_validate(data))
    amount = {
        "id": "amount",
        "kind": "benefit",
        "stage": "second_review",
        "amounts": [{"when": {"fact": "age_at_diagnosis", "ge": 0}, "amount": 1}],
    }
    words = {"reason": {"zh": "额", "en": "amount"}, "clause": {"zh": "额", "en": "amount"}, "source": "test", "confidence": "low"}
    return (*rules, Rule.model_validate(amount | words))


def random_observations(rng: random.Random) -> list[Observation]:
    """What papers and people may have said: some facts twice and differently, some not at all."""
    found = [Observation("first_diagnosis_date", date(2020, 9, 1), Source.DOCUMENT, "pathology_report", "resection", document="d1")]
    for name, values in FACTS.items():
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            source = rng.choice([Source.DOCUMENT, Source.DOCUMENT, Source.FORM, Source.INVESTIGATION, Source.REVIEWER])
            found.append(
                Observation(
                    name,
                    rng.choice(values),
                    source,
                    "pathology_report",
                    rng.choice(["resection", "core_biopsy", "clinical"]),
                    document="d1",
                )
            )
    return found


def run(knowledge: Knowledge, rules: tuple[Rule, ...], observations: list[Observation], bundle: Bundle | None, **state: Any) -> Suggestion:
    """A suggestion under a rule set of our own."""
    own = dataclasses.replace(knowledge, rules=rules, digest=f"random-{id(rules)}-{rules!r:.0}{hash(str(rules))}")
    case = CaseFile(claim(), tuple(observations), papers=(Paper("d1", "pathology_report", "resection"),), **state)
    return suggest(case, own, scorer_of(bundle), TODAY)


def test_a_decline_is_only_recommended_at_second_review_on_a_documented_true_ground(knowledge: Knowledge) -> None:
    """Over random rule sets: position, documented ground, and no answer to an open question that could turn it."""
    rng = random.Random(3)
    opened = Bundle.load(Path(__file__).parent / "bundles" / "open_gate.yaml")
    declined = 0
    for _ in range(1500):
        rules, observations = random_rules(rng), random_observations(rng)
        bundle = rng.choice([None, opened])
        result = run(knowledge, rules, observations, bundle, investigated=rng.random() < 0.3)
        if result.routed.route is not Route.RECOMMEND_DECLINE:
            continue
        declined += 1
        assert result.routed.position == "second_review"
        assert result.routed.open_ == ()
        ground = result.routed.grounds[0]
        assert documented(ground)
        assert Effect.DECLINE in ground.effects
        assert ground.outcome in (Outcome.TRUE, Outcome.FALSE)
        silent = [n for n in FACTS if not any(o.fact == n for o in observations)]
        for name in silent:
            more = Observation(name, rng.choice(FACTS[name]), Source.DOCUMENT, "pathology_report", "resection", document="d2")
            again = next(v for v in run(knowledge, rules, [*observations, more], bundle).verdicts if v.rule.id == ground.rule.id)
            assert again.outcome is ground.outcome
    assert declined > 100


def test_a_stricter_route_names_the_fact_that_made_it_stricter(knowledge: Knowledge) -> None:
    """Answer one open fact; where the route got stricter, an obligation, ground or flag rests on that fact."""
    rng = random.Random(5)
    stricter = 0
    for _ in range(1500):
        rules, observations = random_rules(rng), random_observations(rng)
        silent = [n for n in FACTS if not any(o.fact == n for o in observations)]
        if not silent:
            continue
        name = rng.choice(silent)
        before = run(knowledge, rules, observations, None)
        after = run(
            knowledge,
            rules,
            [*observations, Observation(name, rng.choice(FACTS[name]), Source.DOCUMENT, "pathology_report", "resection")],
            None,
        )
        a, b = before.routed, after.routed
        if STRICT.get(b.route, 5) <= STRICT.get(a.route, 5) or STAGES.index(b.position) > STAGES.index(a.position):
            continue
        stricter += 1
        router = Router(after.case, after.knowledge, after.facts.plan, after.gate, after.flag_weight)
        named = [
            *(o.verdict for o in b.open_ if o.verdict is not None),
            *b.grounds,
            *(v for v in after.verdicts if Effect.FLAG in v.effects),
        ]
        assert any(name in router.base_facts(v) for v in named), (name, a.route, b.route)
    assert stricter > 10


def test_unknown_is_never_false(knowledge: Knowledge) -> None:
    """With nothing observed at all, no shipped rule gives a ground for a decline."""
    result = suggest(CaseFile(claim()), knowledge, None, TODAY)
    assert result.routed.grounds == ()
    assert result.routed.route is Route.REQUEST_EVIDENCE
