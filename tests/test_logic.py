"""Exact truth of conditions: equal to brute force over completions, monotone under refinement."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from knowledge_graph.rules import FactDefinition
from triage.logic import Atom, Node, Tree, compile_condition, holds, truth
from triage.values import Interval, OneOf

PAIRS = 10_000

DEFINITIONS = {
    "flag": FactDefinition(id="flag", type="bool", zh="甲", en="a"),
    "other": FactDefinition(id="other", type="bool", zh="乙", en="b"),
    "days": FactDefinition(id="days", type="int", zh="天", en="days"),
    "grade": FactDefinition(id="grade", type="code", values=("1", "2", "3"), ordered=True, zh="级", en="grade"),
    "kind": FactDefinition(id="kind", type="code", values=("x", "y", "z"), zh="类", en="kind"),
}
WHOLE: dict[str, list[Any]] = {
    "flag": [True, False],
    "other": [True, False],
    "days": list(range(-3, 9)),
    "grade": ["1", "2", "3"],
    "kind": ["x", "y", "z"],
}


@dataclass(frozen=True)
class Given:
    """A fact for the tests: what is possible, and whether sources conflict."""

    possible: Any
    conflict: bool = False
    contested: bool = False


def domain(name: str, given: Given) -> list[Any]:
    """Every completion of one fact, spelt out; `days` beyond -3..8 behave like the ends for the constants used."""
    if isinstance(given.possible, OneOf):
        return sorted(given.possible.values, key=str)
    if isinstance(given.possible, Interval):
        return [
            d
            for d in WHOLE[name]
            if (given.possible.low is None or d >= given.possible.low) and (given.possible.high is None or d <= given.possible.high)
        ]
    return list(WHOLE[name]) if given.possible is None else [given.possible]


def value_of(node: Node, world: dict[str, Any]) -> bool:
    """The plain meaning of a condition in one world, written independently of the engine."""
    if isinstance(node, Atom):
        return all(holds(test, world[node.fact], DEFINITIONS[node.fact]) for test in node.tests)
    count = len([b for b in node.branches if value_of(b, world)])
    return (count >= node.least) != node.negate


def brute_force(node: Node, facts: dict[str, Given]) -> tuple[bool | None, set[str]]:
    """The verdict and the pivotal facts by walking over every completion."""
    names = sorted(facts)
    worlds = [dict(zip(names, choice, strict=True)) for choice in product(*(domain(n, facts[n]) for n in names))]
    results = {tuple(w[n] for n in names): value_of(node, w) for w in worlds}
    if len(set(results.values())) == 1:
        return next(iter(results.values())), set()
    pivotal = set()
    for place, name in enumerate(names):
        groups: dict[tuple[Any, ...], set[bool]] = {}
        for choice, result in results.items():
            groups.setdefault(choice[:place] + choice[place + 1 :], set()).add(result)
        if any(len(g) == 2 for g in groups.values()):
            pivotal.add(name)
    return None, pivotal


def random_condition(rng: random.Random, depth: int) -> dict[str, Any]:
    """A random condition as rulebook data."""
    if depth == 0 or rng.random() < 0.3:
        return rng.choice(
            [
                {"fact": "flag", "is": rng.random() < 0.5},
                {"fact": "other", "is": rng.random() < 0.5},
                {"fact": "days", rng.choice(["ge", "gt", "le", "lt", "eq", "ne"]): rng.randint(0, 5)},
                {"fact": "days", "ge": rng.randint(0, 2), "lt": rng.randint(3, 6)},
                {"fact": "grade", rng.choice(["ge", "gt", "le", "lt"]): rng.choice(["1", "2", "3"])},
                {"fact": "kind", rng.choice(["in", "not_in"]): rng.sample(["x", "y", "z"], 2)},
            ]
        )
    branches = [random_condition(rng, depth - 1) for _ in range(rng.randint(1, 3))]
    word = rng.choice(["all_of", "any_of", "none_of", "at_least"])
    return {"at_least": rng.randint(1, len(branches)), "of": branches} if word == "at_least" else {word: branches}


def random_facts(rng: random.Random) -> dict[str, Given]:
    """Random knowledge of each fact: exact, a set, an interval or nothing."""
    facts = {}
    for name, values in WHOLE.items():
        choice = rng.random()
        if choice < 0.35:
            facts[name] = Given(rng.choice(values))
        elif choice < 0.55 and name == "days":
            low, high = sorted(rng.sample(range(-3, 9), 2))
            facts[name] = Given(Interval(low, high))
        elif choice < 0.7 and len(values) > 2:
            facts[name] = Given(OneOf(frozenset(rng.sample(values, 2))), conflict=rng.random() < 0.5)
        else:
            facts[name] = Given(None)
    return facts


def test_ten_thousand_random_rules_equal_brute_force_over_completions() -> None:
    """Verdicts and pivotal facts equal a walk over every completion, whatever is unknown, repeated or in conflict."""
    rng = random.Random(20201105)
    for _ in range(PAIRS):
        node = compile_condition(random_condition(rng, 3), str, {})
        facts = random_facts(rng)
        expected, pivotal = brute_force(node, facts)
        got = truth(node, facts.__getitem__, DEFINITIONS.get)
        assert (got.value, set(got.pivotal)) == (expected, pivotal), (node, facts)


def test_learning_more_never_changes_a_settled_verdict() -> None:
    """Refining an unknown fact leaves every verdict that was already true or false as it was."""
    rng = random.Random(7)
    for _ in range(3000):
        node = compile_condition(random_condition(rng, 3), str, {})
        facts = random_facts(rng)
        before = truth(node, facts.__getitem__, DEFINITIONS.get).value
        name = rng.choice(sorted(facts))
        refined = {**facts, name: Given(rng.choice(domain(name, facts[name])))}
        after = truth(node, refined.__getitem__, DEFINITIONS.get).value
        assert before is None or after is before


def test_beyond_the_limit_a_condition_is_left_unknown_never_false() -> None:
    """Sixteen facts used twice exceed the limit: mixed and said to be degraded."""
    definitions = {f"f{i}": FactDefinition(id=f"f{i}", type="bool", zh="事", en="f") for i in range(16)}
    either = tuple(Tree((Atom(n, (("is", True),)), Atom(n, (("is", False),))), 1) for n in definitions)
    result = truth(Tree(either, 16), lambda _: Given(None), definitions.get)
    assert result.value is None
    assert result.degraded


@pytest.mark.parametrize(("days", "expected"), [(Interval(80, 89), False), (Interval(90, 95), True), (Interval(85, 95), None)])
def test_an_interval_decides_only_when_all_of_it_agrees(days: Interval, expected: bool | None) -> None:
    """Day 89 and day 90 decide; an interval across them does not."""
    node = compile_condition({"fact": "days", "ge": {"plan": "waiting_days"}}, str, {"waiting_days": 90})
    assert truth(node, lambda _: Given(days), DEFINITIONS.get).value is expected


def test_two_uses_of_one_unknown_move_together() -> None:
    """A or not A is true although A is unknown."""
    node = compile_condition({"any_of": [{"fact": "flag", "is": True}, {"fact": "flag", "is": False}]}, str, {})
    assert truth(node, lambda _: Given(None), DEFINITIONS.get).value is True
