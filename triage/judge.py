"""Judging one rule on one claim's facts: its exact verdict, what that verdict leads to, and why.

Compiles the rules that apply to a plan and a condition once; `judge` is pure. What each verdict leads to follows the
kind's row of the table in docs/decisions/0006; a rule overrides its row only where its data say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from knowledge_graph.graph import facts_of
from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import Plan, Rule, names_in
from triage.facts import Fact, Facts
from triage.logic import Atom, Node, Tree, atoms, compile_condition, truth
from triage.observation import Why

PASSES_WHEN_TRUE = frozenset({"definition", "document", "requirement", "consistency", "verification"})


class Outcome(StrEnum):
    """The verdict of a rule."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    NOT_APPLICABLE = "not_applicable"


class Effect(StrEnum):
    """What a verdict leads to, for the route."""

    PASS = "pass"  # noqa: S105 - an effect, not a secret
    NOTED = "noted"
    REQUEST = "request"
    TASK = "task"
    PERSON = "person"
    INVESTIGATE = "investigate"
    UNSHOWN = "unless_shown"
    DECLINE = "decline"
    SIU = "refer_siu"
    LESSER = "goes_to"
    FLAG = "flag"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its condition as a tree; `exists` is None where the rule always applies."""

    rule: Rule
    when: Node | None
    exists: Node | None
    amounts: tuple[tuple[Node, int], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's verdict with its proof: the facts it rests on and those that could still flip it."""

    rule: Rule
    outcome: Outcome
    effects: tuple[Effect, ...]
    pivotal: tuple[Fact, ...] = ()
    rests_on: tuple[Fact, ...] = ()
    amounts: tuple[int, ...] = ()
    degraded: bool = False

    @property
    def asks(self) -> tuple[str, ...]:
        """Base facts a paper could still supply."""
        return tuple(
            dict.fromkeys(n for f in self.pivotal if not f.conflict and f.why in (None, Why.NOT_SUPPLIED) for n in f.needs or (f.id,))
        )

    @property
    def whys(self) -> tuple[Why, ...]:
        """The whys that need a person."""
        return tuple(
            dict.fromkeys(f.why for f in self.pivotal if f.why not in (None, Why.NOT_SUPPLIED) and not f.conflict and f.why is not None)
        )


def finding_name(query: Mapping[str, Any]) -> str:
    """The name a finding query goes by as a fact."""
    return "finding:" + json.dumps(query, sort_keys=True, ensure_ascii=False)


def published(name: str) -> str:
    """The name a fact is published by; a finding query by what it asks: finding(breaches=hr_tumour, version=v3)."""
    if not name.startswith("finding:"):
        return name
    query = json.loads(name.removeprefix("finding:"))
    asked = [
        f"{key}={'|'.join(query[key]) if isinstance(query[key], list) else query[key]}"
        for key in ("breaches", "ids", "positive", "version")
        if key in query
    ]
    return f"finding({', '.join(asked)})"


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """The rules of one plan and condition, and the finding queries they ask."""

    rules: tuple[CompiledRule, ...]
    queries: Mapping[str, Mapping[str, Any]]
    idle: frozenset[str] = frozenset()
    """Facts that only rules of other conditions and plans ask for."""


_compiled: dict[tuple[str, str, tuple[str, ...]], CompiledRules] = {}


def rules_for(knowledge: Knowledge, plan: Plan, conditions: tuple[str, ...]) -> CompiledRules:
    """Compiled once per rulebook digest, plan and conditions."""
    key = (knowledge.digest, plan.id, conditions)
    if key not in _compiled:
        if len(_compiled) > 64:
            _compiled.clear()
        _compiled[key] = _compile_all(knowledge, plan, conditions)
    return _compiled[key]


def _compile_all(knowledge: Knowledge, plan: Plan, conditions: tuple[str, ...]) -> CompiledRules:
    queries: dict[str, Mapping[str, Any]] = {}
    scope = {name for condition in conditions for name in knowledge.lineage(condition)}
    levels = {knowledge.conditions[name].level for name in conditions} | {None}
    rules = tuple(
        compile_rule(rule, plan, queries)
        for rule in knowledge.rules
        if rule.applies_to.plan in (None, plan.id)
        and (rule.applies_to.condition is None or rule.applies_to.condition in scope)
        and rule.applies_to.level in levels
        and not scope & set(rule.applies_to.except_conditions)
    )
    asked = closure(knowledge, ("plan.version", "norm.edition", *(f for r in rules for f in facts_of(r.rule))))
    return CompiledRules(rules, queries, frozenset(closure(knowledge, (f for r in knowledge.rules for f in facts_of(r))) - asked))


def closure(knowledge: Knowledge, names: Iterable[str]) -> set[str]:
    """Facts and all they are derived from."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in knowledge.facts and name not in found:
            found.add(name)
            waiting += names_in(knowledge.facts[name].derive)
    return found


def compile_rule(rule: Rule, plan: Plan, queries: dict[str, Mapping[str, Any]]) -> CompiledRule:
    """One rule under one plan; the finding queries it asks are added to `queries`."""

    def name(query: Mapping[str, Any]) -> str:
        queries[finding_name(query)] = query
        return finding_name(query)

    def tree(condition: Mapping[str, Any]) -> Node:
        return compile_condition(condition, name, plan.parameters)

    amounts = tuple((tree(row.when), row.amount) for row in rule.amounts)
    if rule.when is None:
        return CompiledRule(rule, None, None, amounts)
    passes = rule.kind in PASSES_WHEN_TRUE
    dated = [(window, tree(_with_version(rule.when, version))) for window, version in _windows(rule)]
    if any(window is not None for window, _ in dated):
        when: Node = _join([_guarded(window, node, passes=passes) for window, node in dated], passes=passes)
        in_force: Node | None = Tree(tuple(window for window, _ in dated if window is not None), 1)
    else:
        when, in_force = dated[0][1], None
    only_if = tree(rule.only_if) if rule.only_if else None
    if only_if is not None:
        when = _guarded(only_if, when, passes=passes)
    limits = tuple(n for n in (in_force, only_if) if n is not None)
    return CompiledRule(rule, when, Tree(limits, len(limits)) if limits else None, amounts)


def _windows(rule: Rule) -> Iterator[tuple[Node | None, str | None]]:
    dated: Node | None = None
    if rule.effective is not None:
        tests: list[tuple[str, Any]] = [("ge", rule.effective.from_)]
        dated = Atom(rule.effective.by, tuple(tests if rule.effective.to is None else [*tests, ("le", rule.effective.to)]))
    edition = rule.applies_to.edition
    if edition is not None:
        spoken = Atom("norm.edition", (("eq", edition),))
        dated = Tree((spoken, dated), 2) if dated is not None else spoken
    if not rule.applies_to.versions:
        yield dated, None
    for version in rule.applies_to.versions:
        in_version = Atom("plan.version", (("eq", version),))
        yield Tree((in_version, dated), 2) if dated is not None else in_version, version


def _with_version(condition: Any, version: str | None) -> Any:
    if isinstance(condition, Mapping):
        return {k: _with_version(v, version) for k, v in condition.items()}
    if isinstance(condition, list):
        return [_with_version(v, version) for v in condition]
    return version if condition == "$version" else condition


def _guarded(window: Node | None, node: Node, *, passes: bool) -> Node:
    """`node` where the window holds; elsewhere whatever lets the claim pass."""
    if window is None:
        return node
    return Tree((Tree((window,), 1, negate=True), node), 1) if passes else Tree((window, node), 2)


def _join(nodes: list[Node], *, passes: bool) -> Node:
    return Tree(tuple(nodes), len(nodes) if passes else 1)


def judge(compiled: CompiledRule, facts: Facts) -> Verdict:
    """The verdict of one rule with its effects."""
    rule = compiled.rule
    if compiled.when is None:
        return _judge_benefit(compiled, facts)
    if compiled.exists is not None and truth(compiled.exists, facts.get, facts.definition).value is False:
        return Verdict(rule, Outcome.NOT_APPLICABLE, (Effect.PASS,))
    result = truth(compiled.when, facts.get, facts.definition)
    rests_on = tuple(facts.get(name) for name in dict.fromkeys(a.fact for a in atoms(compiled.when)))
    pivotal = tuple(facts.get(name) for name in result.pivotal)
    outcome = _outcome(result.value, pivotal)
    verdict = Verdict(rule, outcome, (), pivotal, rests_on, degraded=result.degraded)
    return Verdict(rule, outcome, effects(verdict), pivotal, rests_on, degraded=result.degraded)


def _outcome(value: bool | None, pivotal: tuple[Fact, ...]) -> Outcome:
    if value is not None:
        return Outcome.TRUE if value else Outcome.FALSE
    return Outcome.CONFLICT if any(f.conflict for f in pivotal) else Outcome.UNKNOWN


def _judge_benefit(compiled: CompiledRule, facts: Facts) -> Verdict:
    """The first row that holds gives the amount; rows that may hold leave several amounts possible."""
    possible: list[int] = []
    pivotal: list[Fact] = []
    for node, amount in compiled.amounts:
        result = truth(node, facts.get, facts.definition)
        if result.value is not False:
            possible.append(amount)
            pivotal += [facts.get(name) for name in result.pivotal]
        if result.value is True:
            break
    rests_on = tuple(facts.get(name) for name in dict.fromkeys(a.fact for node, _ in compiled.amounts for a in atoms(node)))
    options = tuple(dict.fromkeys(possible))
    if len(options) == 1 and not pivotal:
        return Verdict(compiled.rule, Outcome.TRUE, (Effect.AMOUNT,), (), rests_on, options)
    outcome = Outcome.FALSE if not options else _outcome(None, tuple(pivotal))
    return Verdict(compiled.rule, outcome, (Effect.PERSON,), tuple(dict.fromkeys(pivotal)), rests_on, options)


_DECIDED: dict[str, tuple[Effect, Effect, Effect]] = {
    # kind: (true, false, conflict)
    "definition": (Effect.PASS, Effect.DECLINE, Effect.INVESTIGATE),
    "document": (Effect.PASS, Effect.REQUEST, Effect.PERSON),
    "requirement": (Effect.PASS, Effect.DECLINE, Effect.INVESTIGATE),
    "exclusion": (Effect.DECLINE, Effect.PASS, Effect.INVESTIGATE),
    "consistency": (Effect.PASS, Effect.INVESTIGATE, Effect.INVESTIGATE),
    "verification": (Effect.PASS, Effect.SIU, Effect.PERSON),
    "red_flag": (Effect.FLAG, Effect.PASS, Effect.PERSON),
}
_OVERRIDE = {"human_review": Effect.PERSON, "refer_siu": Effect.SIU}


def effects(verdict: Verdict) -> tuple[Effect, ...]:
    """What a verdict leads to by its kind's row; an unknown may lead to a request and a person both."""
    rule, outcome = verdict.rule, verdict.outcome
    on_true, on_false, on_conflict = _DECIDED[rule.kind]
    if outcome is Outcome.TRUE:
        return (on_true,)
    if outcome is Outcome.FALSE:
        return (_OVERRIDE[rule.overrides["false"]] if "false" in rule.overrides else on_false,)
    if outcome is Outcome.CONFLICT:
        return (
            (on_conflict, Effect.REQUEST)
            if verdict.asks and on_conflict is Effect.INVESTIGATE and rule.kind != "consistency"
            else (on_conflict,)
        )
    return _unknown(verdict)


def _unshown(fact: Fact) -> bool:
    """A finding nobody has recorded, or a search nobody has made: what no paper can prove absent."""
    return not fact.sources and fact.id.startswith(("finding:", "inv.", "cause."))


def _unknown(verdict: Verdict) -> tuple[Effect, ...]:
    kind = verdict.rule.kind
    if kind in ("consistency", "red_flag"):
        return (Effect.NOTED,)
    if verdict.rule.unless_shown and any(_unshown(f) for f in verdict.pivotal) and not verdict.whys:
        return (Effect.UNSHOWN,)
    asked = Effect.TASK if kind == "verification" else Effect.REQUEST
    found = (Effect.PERSON,) if verdict.whys or verdict.degraded else ()
    return (*found, asked) if verdict.asks or not found else found
