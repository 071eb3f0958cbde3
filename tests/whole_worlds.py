"""Random claims under random rulebooks, and where they may end by walking over every completion: written apart from the engine.

A world gives every open fact a value out of a spelt-out domain. What follows from facts is computed plainly, rules are read from their
data, and the router is asked for each complete claim.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from knowledge_graph.libraries import Condition, Limits
from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import FactDefinition, Plan, Rule
from tests.builders import claim
from triage.bundle import Bundle
from triage.casefile import CaseFile, Paper
from triage.facts import Fact, Facts
from triage.judge import Effect, Outcome, Verdict, effects, rules_for
from triage.logic import Node, atoms
from triage.observation import Observation, Source, Why
from triage.pipeline import refuting, suggest
from triage.risk import Scorer
from triage.route import Router
from triage.suggestion import Suggestion
from triage.values import Interval, OneOf
from triage.whole_claim import End

TODAY = date(2020, 3, 1)
DAY = date(2020, 1, 10)
JOINED, EFFECTIVE, LEFT, REJOINED = date(2020, 1, 8), date(2020, 1, 9), date(2020, 1, 14), date(2020, 1, 16)
BORN = date(1980, 1, 13)
DATES = ("first_diagnosis_date", "visit_on", "surgery_on")
INPUTS: dict[str, tuple[str, ...]] = {
    "membership.joined_on": ("first_diagnosis_date",),
    "membership.effective_on": ("first_diagnosis_date",),
    "member.active": ("first_diagnosis_date",),
    "plan.version": ("first_diagnosis_date",),
    "days_since_effective": ("membership.effective_on", "first_diagnosis_date"),
    "days_visit": ("visit_on", "first_diagnosis_date"),
    "in_order": ("visit_on", "first_diagnosis_date", "surgery_on"),
    "age_at_diagnosis": ("member.birth_date", "first_diagnosis_date"),
    "both": ("flag", "other"),
    "fits": ("count", "most"),
    "many": ("count",),
    "kind_ok": ("kind",),
}


def _facts() -> dict[str, FactDefinition]:
    derive: dict[str, dict[str, Any]] = {
        "membership.joined_on": {"episode": "joined_on", "at": "first_diagnosis_date"},
        "membership.effective_on": {"episode": "effective_on", "at": "first_diagnosis_date"},
        "member.active": {"episode": "active", "at": "first_diagnosis_date"},
        "plan.version": {"plan_version": True},
        "days_since_effective": {"days_between": ["membership.effective_on", "first_diagnosis_date"]},
        "days_visit": {"days_between": ["visit_on", "first_diagnosis_date"], "minus_plan": "wait"},
        "in_order": {"in_order": ["visit_on", "first_diagnosis_date", "surgery_on"]},
        "age_at_diagnosis": {"age_at": ["member.birth_date", "first_diagnosis_date"]},
        "both": {"all": ["flag", "other"]},
        "fits": {"compare": ["count", "le", "most"]},
        "many": {"test": {"fact": "count", "ge_plan": "wait"}},
        "kind_ok": {"lookup": "kind", "as": {"x": True, "y": False}},
        "docs.form": {"paper": ["claim_form"]},
    }
    types = {"membership.joined_on": "date", "membership.effective_on": "date", "plan.version": "code", "member.birth_date": "date"}
    types |= dict.fromkeys(DATES, "date") | dict.fromkeys(
        ("days_since_effective", "days_visit", "age_at_diagnosis", "count", "most"), "int"
    )
    types |= {"kind": "code", "grade": "code", "side": "code"}
    values = {"kind": ("x", "y", "z"), "grade": ("1", "2", "3"), "side": ("left", "right")}
    names = (*derive, *DATES, "member.birth_date", "flag", "other", "third", "count", "most", "kind", "grade", "side")
    return {
        n: FactDefinition(
            id=n, type=types.get(n, "bool"), zh="事", en="f", values=values.get(n, ()), ordered=n == "grade", derive=derive.get(n)
        )
        for n in names
    }


FACTS = _facts()
PLAN = Plan.model_validate(
    {
        "id": "mutual-aid-reference",
        "zh": "计划",
        "en": "plan",
        "version_by": "first_diagnosis_date",
        "versions": [{"id": "v1", "from": "2020-01-05", "to": "2020-01-11"}, {"id": "v2", "from": "2020-01-12"}],
        "parameters": {"wait": 2, "gate_age_split": 40},
        "flag_weights": {"person": 3, "investigate": 6},
        "request_due_days": 15,
        "request_rounds": 2,
        "jury": True,
        "source": "test",
        "confidence": "low",
    }
)
WORDS = {"reason": {"zh": "理", "en": "r"}, "clause": {"zh": "条", "en": "c"}, "source": "test", "confidence": "low"}


def _condition(name: str, goes_to: str | None) -> Condition:
    terms = ("乳腺癌",) if name == "grave" else ()
    return Condition.model_validate(
        {"id": name, "zh": "病", "en": name, "level": "severe", "terms": terms, "goes_to": goes_to, "source": "test", "confidence": "low"}
    )


CONDITIONS = {"grave": _condition("grave", "light"), "light": _condition("light", None)}


def random_atom(rng: random.Random) -> dict[str, Any]:
    """An atom on any of the facts."""
    name = rng.choice(list(FACTS))
    kind = FACTS[name].type
    if name == "side" and rng.random() < 0.6:
        return {"fact": name, "agrees": rng.random() < 0.7}
    if kind == "bool":
        return {"fact": name, "is": rng.random() < 0.6}
    if kind == "date":
        return {"fact": name, rng.choice(["ge", "gt", "le", "lt"]): DAY + timedelta(days=rng.randint(-1, 6))}
    if name == "plan.version":
        return {"fact": name, "eq": rng.choice(["v1", "v2"])}
    if name in ("kind", "side"):
        return {"fact": name, rng.choice(["in", "not_in"]): rng.sample(FACTS[name].values, rng.randint(1, 2))}
    if name == "grade":
        return {"fact": name, rng.choice(["ge", "lt"]): rng.choice(["1", "2", "3"])}
    if name == "age_at_diagnosis":
        return {"fact": name, rng.choice(["ge", "lt"]): 40}
    number = rng.randint(-1, 4)
    return {"fact": name, rng.choice(["ge", "gt", "le", "lt", "eq", "ne"]): number}


def random_condition(rng: random.Random, depth: int) -> dict[str, Any]:
    """A small random tree."""
    if depth == 0 or rng.random() < 0.4:
        return random_atom(rng)
    branches = [random_condition(rng, depth - 1) for _ in range(rng.randint(1, 3))]
    word = rng.choice(["all_of", "any_of", "none_of", "at_least"])
    return {"at_least": rng.randint(1, len(branches)), "of": branches} if word == "at_least" else {word: branches}


def random_rule(rng: random.Random, number: int) -> Rule:
    """A rule of any kind, dated, versioned or limited now and then."""
    kind = rng.choice(["definition", "document", "requirement", "exclusion", "consistency", "verification", "red_flag", "benefit"])
    stage = rng.choice(["filing", "intake", "first_review", "investigation", "second_review"])
    data: dict[str, Any] = {"id": f"r{number}", "kind": kind, "stage": stage, **WORDS}
    if kind == "benefit":
        rows = [{"when": random_condition(rng, 1), "amount": amount} for amount in (100, 200)[: rng.randint(1, 2)]]
        return Rule.model_validate({**data, "amounts": rows})
    applies: dict[str, Any] = {"condition": rng.choice(["grave", "light", None, None])}
    if rng.random() < 0.25:
        applies |= {"plan": PLAN.id, "versions": rng.choice([["v1"], ["v2"], ["v1", "v2"]])}
    if rng.random() < 0.2:
        data["effective"] = {"by": "first_diagnosis_date", "from": DAY, **({"to": DAY + timedelta(days=3)} if rng.random() < 0.5 else {})}
    if rng.random() < 0.2:
        data["only_if"] = random_condition(rng, 1)
    if kind == "requirement" and rng.random() < 0.3:
        data["overrides"] = {"false": rng.choice(["human_review", "refer_siu"])}
    data["weight"] = rng.choice([1, 2, 3]) if kind == "red_flag" else 0
    return Rule.model_validate({**data, "applies_to": applies, "when": random_condition(rng, 2)})


def random_observations(rng: random.Random) -> list[Observation]:
    """What was said: exact values, sets, intervals, contradictions, contested values, nothing."""
    found: list[Observation] = []
    wide = 0
    for name, definition in FACTS.items():
        if name == "member.birth_date":
            found.append(Observation(name, BORN, Source.FORM))
        elif name in INPUTS or name == "docs.form":
            if name in ("days_since_effective", "both", "kind_ok") and rng.random() < 0.06:
                found.append(Observation(name, _value(rng, definition), Source.REVIEWER))
        else:
            choice = rng.random() * rng.choice([0.7, 1])
            if definition.type == "date" and choice >= 0.8:
                wide += 1
                choice = choice if wide < 2 else rng.choice([0.1, 0.7])
            found += _said(rng, definition, choice)
    return found


def _value(rng: random.Random, definition: FactDefinition) -> Any:
    if definition.type == "date":
        return DAY + timedelta(days=rng.randint(-2, 7))
    if definition.values:
        return rng.choice(definition.values)
    return rng.random() < 0.5 if definition.type == "bool" else rng.randint(0, 3)


def _said(rng: random.Random, definition: FactDefinition, choice: float) -> list[Observation]:
    name, value = definition.id, _value(rng, definition)
    source = rng.choice([Source.FORM, Source.DOCUMENT, Source.DOCUMENT, Source.REGISTRY])
    if choice < 0.5:
        return [Observation(name, value, source)]
    if choice < 0.58:
        return [Observation(name, value, Source.DOCUMENT), Observation(name, _value(rng, definition), Source.FORM)]
    if choice < 0.66:
        return [Observation(name, value, Source.DOCUMENT), Observation(name, _value(rng, definition), Source.DOCUMENT)]
    if choice < 0.8 and definition.type in ("date", "int"):
        step: Any = timedelta(days=rng.randint(1, 4)) if definition.type == "date" else rng.randint(1, 2)
        return [Observation(name, Interval(value, value + step), source)]
    if choice < 0.8 and len(definition.values) > 2:
        return [Observation(name, OneOf(frozenset(rng.sample(definition.values, 2))), source)]
    return [Observation(name, None, source, why=Why.UNCLEAR)] if choice > 0.95 else []


def random_suggestion(rng: random.Random, shipped: Knowledge, opened: Bundle, *, worlds: int = 4096) -> Suggestion:
    """A claim under a rulebook of its own."""
    rules = tuple(random_rule(rng, number) for number in range(rng.randint(2, 7)))
    limits = Limits(worlds=worlds, states=4096, source="test", confidence="low")
    own = dataclasses.replace(
        shipped, rules=rules, facts=FACTS, plans={PLAN.id: PLAN}, conditions=CONDITIONS, limits=limits, digest=f"random-{rng.random()}"
    )
    episodes = [{"joined_on": JOINED, "effective_on": EFFECTIVE}]
    if rng.random() < 0.3:
        episodes = [{**episodes[0], "left_on": LEFT}, {"joined_on": REJOINED, "effective_on": REJOINED}]
    filed = claim(member={"birth_date": BORN.isoformat(), "memberships": episodes})
    papers = (Paper("d1", "claim_form"),) if rng.random() < 0.6 else ()
    case = CaseFile(
        filed,
        tuple(random_observations(rng)),
        papers=papers,
        investigated=rng.random() < 0.4,
        released=rng.random() < 0.15,
        disputed=rng.random() < 0.1,
        rounds=rng.choice([0, 2]),
    )
    return suggest(case, own, rng.choice([None, Scorer(opened)]), TODAY)


# ---- by walking over every completion


def _domain(fact: Fact, definition: FactDefinition) -> list[Any]:
    if isinstance(fact.possible, OneOf):
        return list(fact.possible.values)
    whole: list[Any] = [True, False] if definition.type == "bool" else list(definition.values)
    if not whole:
        whole = [DAY + timedelta(days=n) for n in range(-14, 20)] if definition.type == "date" else list(range(-3, 7))
    if isinstance(fact.possible, Interval):
        return [
            v
            for v in whole
            if (fact.possible.low is None or v >= fact.possible.low) and (fact.possible.high is None or v <= fact.possible.high)
        ]
    return whole if fact.possible is None else [fact.possible]


def derived(name: str, world: Mapping[str, Any], facts: Facts) -> list[Any]:
    """What a derived fact may be when its inputs are given."""
    diagnosed = world["first_diagnosis_date"]
    episodes = sorted(facts.case.claim.member.memberships, key=lambda m: m.joined_on)
    held = next((m for m in reversed(episodes) if m.joined_on <= diagnosed), None)
    if name in ("membership.joined_on", "membership.effective_on"):
        return [getattr(held or episodes[0], name.partition(".")[2])]
    if name == "member.active":
        return [held is not None and held.effective_on <= diagnosed and (held.left_on is None or diagnosed <= held.left_on)]
    if name == "plan.version":
        return ["none" if diagnosed < date(2020, 1, 5) else "v1" if diagnosed <= date(2020, 1, 11) else "v2"]
    if name == "days_since_effective":
        return [(diagnosed - world["membership.effective_on"]).days]
    if name == "days_visit":
        return [(diagnosed - world["visit_on"]).days - 2]
    if name == "in_order":
        return [world["visit_on"] <= diagnosed <= world["surgery_on"]]
    if name == "age_at_diagnosis":
        return [diagnosed.year - BORN.year - ((diagnosed.month, diagnosed.day) < (BORN.month, BORN.day))]
    if name == "both":
        return [world["flag"] and world["other"]]
    if name == "fits":
        return [world["count"] <= world["most"]]
    if name == "many":
        return [world["count"] >= 2]
    return [world["kind"] == "x"] if world["kind"] != "z" else [True, False]


def worlds(facts: Facts, used: set[str]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every completion of the facts used and what they follow from; beside it whether the papers agree on the side."""
    entered = {n for n in INPUTS if facts.observed(n)}
    needed = [n for n in FACTS if n not in INPUTS or n in entered]
    reach, waiting = set(), list(used)
    while waiting:
        name = waiting.pop()
        reach.add(name)
        waiting += [] if name in entered else INPUTS.get(name, ())
    reach.add("first_diagnosis_date")
    base = [n for n in needed if n in reach]
    options = [_domain(facts.get(n), FACTS[n]) for n in base]
    agree = facts.get("side")
    voices = [True, False] if agree.possible is None else [not agree.conflict and not agree.contested]
    voices = voices if "side" in used else [True]
    for choice in itertools.product(*options):
        partly = [dict(zip(base, choice, strict=True))]
        for name in (n for n in INPUTS if n in reach and n not in entered):
            partly = [{**w, name: v} for w in partly for v in derived(name, w, facts)]
        yield from itertools.product(partly, voices)


def holds(condition: Mapping[str, Any], world: Mapping[str, Any], agree: bool) -> bool:
    """The plain meaning of a condition in a world."""
    for word, count in (("all_of", None), ("any_of", 1), ("none_of", 0)):
        if word in condition:
            held = sum(holds(c, world, agree) for c in condition[word])
            return bool(held == len(condition[word]) if count is None else held >= 1 if count else held == 0)
    if "at_least" in condition:
        return bool(sum(holds(c, world, agree) for c in condition["of"]) >= condition["at_least"])
    value = world[condition["fact"]]
    for op, constant in condition.items():
        if op == "agrees" and agree is not constant:
            return False
        if op not in ("fact", "agrees") and not _passes(op, value, constant):
            return False
    return True


def _passes(op: str, value: Any, constant: Any) -> bool:
    if op in ("is", "eq", "ne"):
        return (value == constant) is not (op == "ne")
    if op in ("in", "not_in"):
        return (value in constant) is (op == "in")
    return bool({"ge": value >= constant, "gt": value > constant, "le": value <= constant, "lt": value < constant}[op])


def outcome(rule: Rule, world: Mapping[str, Any], agree: bool) -> tuple[Outcome, int | None]:
    """A rule's verdict in a world."""
    if rule.when is None:
        amount = next((row.amount for row in rule.amounts if holds(row.when, world, agree)), None)
        return (Outcome.FALSE, None) if amount is None else (Outcome.TRUE, amount)
    dated = rule.effective
    if dated is not None and not (dated.from_ <= world[dated.by] and (dated.to is None or world[dated.by] <= dated.to)):
        return Outcome.NOT_APPLICABLE, None
    if rule.applies_to.versions and world["plan.version"] not in rule.applies_to.versions:
        return Outcome.NOT_APPLICABLE, None
    if rule.only_if is not None and not holds(rule.only_if, world, agree):
        return Outcome.NOT_APPLICABLE, None
    return (Outcome.TRUE if holds(rule.when, world, agree) else Outcome.FALSE), None


def _contested(name: str, facts: Facts) -> bool:
    if name in INPUTS and not facts.observed(name):
        return any(_contested(n, facts) for n in INPUTS[name])
    fact = facts.get(name)
    return fact.settled and fact.contested


def _rests_on(node_facts: tuple[str, ...], facts: Facts) -> tuple[Fact, ...]:
    answered = Observation("", None, Source.REVIEWER)
    return tuple(
        Fact(n, contested=_contested(n, facts), sources=facts.get(n).sources if facts.get(n).settled else (answered,)) for n in node_facts
    )


def _verdict(rule: Rule, found: tuple[Outcome, int | None], rests_on: tuple[Fact, ...]) -> Verdict:
    result, amount = found
    if rule.when is None:
        return Verdict(
            rule, result, (Effect.PERSON if amount is None else Effect.AMOUNT,), (), rests_on, () if amount is None else (amount,)
        )
    bare = Verdict(rule, result, (), (), rests_on)
    return dataclasses.replace(bare, effects=(Effect.PASS,) if result is Outcome.NOT_APPLICABLE else effects(bare))


def brute_force(suggestion: Suggestion) -> tuple[dict[str, set[Outcome]], set[End], int]:
    """Every rule's outcomes and every end over all completions, and how many there were."""
    facts, knowledge = suggestion.facts, suggestion.knowledge
    levels = [rules_for(knowledge, PLAN, (name,)).rules for name in ("grave", "light")]
    trees: dict[str, tuple[Node, ...]] = {
        r.rule.id: tuple(n for n in (r.when, *(row for row, _ in r.amounts)) if n is not None) for level in levels for r in level
    }
    names = {i: tuple(dict.fromkeys(a.fact for n in nodes for a in atoms(n))) for i, nodes in trees.items()}
    rests_on = {i: _rests_on(n, facts) for i, n in names.items()}
    rules = [[r.rule for r in level] for level in levels]
    every = {r.id: r for level in rules for r in level}
    outcomes: dict[str, set[Outcome]] = {i: set() for i in every}
    ends: dict[tuple[Any, ...], End] = {}
    count = 0
    for world, agree in worlds(facts, {n for found in names.values() for n in found}):
        count += 1
        found = {i: outcome(r, world, agree) for i, r in every.items()}
        for i, (result, _) in found.items():
            outcomes[i].add(result)
        key = tuple(found.values())
        if key not in ends:
            verdicts = {i: _verdict(every[i], f, rests_on[i]) for i, f in found.items()}
            ends[key] = _end(suggestion, [[verdicts[r.id] for r in level] for level in rules])
    return outcomes, set(ends.values()), count


def _end(suggestion: Suggestion, levels: list[list[Verdict]]) -> End:
    verdicts = tuple(levels[0])
    refuted = refuting(verdicts, suggestion.knowledge, "grave", "light")
    if refuted:
        known = {v.rule.id for v in refuted}
        verdicts = (*refuted, *(v for v in levels[1] if v.rule.id not in known))
    weight = sum(v.rule.weight for v in verdicts if Effect.FLAG in v.effects)
    gate = suggestion.gate
    if gate.open and weight >= PLAN.flag_weights.person:
        gate = dataclasses.replace(gate, open=False)
    routed = Router(suggestion.case, suggestion.knowledge, suggestion.facts.plan, gate, weight).route(verdicts)
    return End(routed.position, routed.route, routed.amount)
