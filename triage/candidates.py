"""The candidate conditions of a claim and their rules: the condition claimed, then each lesser one it goes to and the plan covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import Plan
from triage.dependence import Dependence, dependence, trees
from triage.judge import CompiledRule, rules_for
from triage.logic import atoms
from triage.route import base_facts


@dataclass(frozen=True, slots=True)
class Candidates:
    """`rules` of all candidates once; `levels` the numbers of each candidate's rules, `speaking` of those that may refute it, which leads
    to the next; `hangs` is what their facts hang on."""

    rules: tuple[CompiledRule, ...]
    levels: tuple[frozenset[int], ...]
    speaking: tuple[frozenset[int], ...]
    queries: Mapping[str, Mapping[str, Any]]
    hangs: Dependence
    rests_on: tuple[tuple[str, ...], ...]
    """The facts each rule asks for."""
    base_facts: Mapping[str, frozenset[str]]
    """By rule id: the facts it asks for and every fact they are derived from."""


_compiled: dict[tuple[str, str, tuple[str, ...]], Candidates] = {}


def candidates_of(knowledge: Knowledge, plan: Plan, conditions: tuple[str, ...]) -> Candidates:
    """Compiled once per rulebook digest, plan and condition claimed."""
    key = (knowledge.digest, plan.id, conditions)
    if key not in _compiled:
        if len(_compiled) > 64:
            _compiled.clear()
        _compiled[key] = _compile(knowledge, plan, conditions)
    return _compiled[key]


def _compile(knowledge: Knowledge, plan: Plan, conditions: tuple[str, ...]) -> Candidates:
    chain = _chain(knowledge, plan.id, conditions)
    levels = [rules_for(knowledge, plan, names) for names in chain]
    compiled = {r.rule.id: r for level in reversed(levels) for r in level.rules}
    rules = {rule.id: compiled[rule.id] for rule in knowledge.rules if rule.id in compiled}
    queries = {name: query for level in levels for name, query in level.queries.items()}
    number = {name: place for place, name in enumerate(rules)}
    speaking = [_speaking(knowledge, rules.values(), a[0], b[0]) for a, b in pairwise(chain)]
    asked = {r.rule.id: tuple(dict.fromkeys(a.fact for tree in trees(r) for a in atoms(tree))) for r in rules.values()}
    return Candidates(
        tuple(rules.values()),
        tuple(frozenset(number[r.rule.id] for r in level.rules) for level in levels),
        tuple(frozenset(number[name] for name in names) for names in speaking),
        queries,
        dependence(rules.values(), queries, knowledge, plan),
        tuple(asked.values()),
        {name: base_facts(names, knowledge) for name, names in asked.items()},
    )


def _chain(knowledge: Knowledge, plan: str, conditions: tuple[str, ...]) -> list[tuple[str, ...]]:
    chain = [conditions]
    while chain[-1]:
        lesser = knowledge.conditions[chain[-1][0]].goes_to
        if lesser is None or not knowledge.covers(plan, lesser):
            break
        chain.append((lesser,))
    return chain


def _speaking(knowledge: Knowledge, rules: Iterable[CompiledRule], condition: str, lesser: str) -> list[str]:
    own = set(knowledge.lineage(condition)) - set(knowledge.lineage(lesser))
    return [r.rule.id for r in rules if r.rule.kind in ("definition", "exclusion") and r.rule.applies_to.condition in own]
