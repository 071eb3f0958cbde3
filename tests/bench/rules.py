"""All shipped rules that apply to one claim, exact, beside zen-engine, CEL in Rust and rule-engine on the same atoms.

The peers get every rule compiled beforehand and the claim's facts as one dictionary, definite everywhere; ours judges the facts as they are, unknowns and pivotal facts included. Findings are a yes or no to the peers. CPU time, median of the rounds, one run.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import cel
import rule_engine  # type: ignore[import-untyped]
import yaml
import zen

from knowledge_graph.loader import load
from tests.bench.timing import cpu_ms
from triage.assembly import assemble
from triage.claim import Claim
from triage.facts import Facts
from triage.judge import rules_for
from triage.logic import Atom, Node, atoms, candidates, truth
from triage.pipeline import conditions_claimed, filed_observations
from triage.reading import Reader

TODAY = date(2020, 12, 1)
_SIGNS = {"is": "==", "eq": "==", "ne": "!=", "ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
Words = Mapping[str, str]
CEL_WORDS = {"and": " && ", "or": " || ", "not": "!"}
PYTHON_WORDS = {"and": " and ", "or": " or ", "not": "not "}


def variable(name: str) -> str:
    """A name every peer takes."""
    return "v_" + "".join(c if c.isascii() and c.isalnum() else "_" for c in name)


def literal(value: Any) -> str:
    """A constant as every peer writes it; dates become day numbers."""
    if isinstance(value, bool):
        return "true" if value else "false"
    value = plain(value)
    return repr(value) if isinstance(value, int | float) else f'"{value}"'


def expression(node: Node, words: Words) -> str:
    """A tree in a peer's language."""
    if isinstance(node, Atom):
        return "(" + words["and"].join(_test(node.fact, op, c, words) for op, c in node.tests) + ")"
    parts = [expression(b, words) for b in node.branches]
    if node.least not in (1, len(parts)):
        raise ValueError("the rules of this claim count nothing")
    joined = "(" + words["or" if node.least == 1 else "and"].join(parts) + ")"
    return f"({words['not']}{joined})" if node.negate else joined


def _test(fact: str, op: str, constant: Any, words: Words) -> str:
    name = variable(fact)
    if op in ("in", "not_in"):
        inside = f"({name} in [{', '.join(literal(c) for c in sorted(constant, key=str))}])"
        return inside if op == "in" else f"({words['not']}{inside})"
    if op == "agrees":
        return f"{name} == {literal(constant)}"
    return f"{name} {_SIGNS[op]} {literal(constant)}"


def definite(facts: Facts, atom: Atom) -> Any:
    """A value of a fact for the peers: its own where it is settled, else the first it may have."""
    fact = facts.get(atom.fact)
    if any(op == "agrees" for op, _ in atom.tests):
        return True
    if fact.settled:
        return fact.possible
    return min(candidates(fact.possible, facts.definition(atom.fact), atom.tests), key=str)


def plain(value: Any) -> Any:
    """Dates as day numbers."""
    return value.toordinal() if isinstance(value, date) else value


def main() -> int:
    """Prints the figures; 1 when a peer is faster, or disagrees where every fact is settled."""
    claim = Claim.model_validate(yaml.safe_load((Path(__file__).parent / "claim.yaml").read_text(encoding="utf-8")))
    knowledge = load()
    case = assemble(claim, knowledge, Reader.from_knowledge(knowledge))
    plan, conditions = knowledge.plans[claim.plan], conditions_claimed(claim, knowledge)
    case = dataclasses.replace(case, observations=(*filed_observations(claim, knowledge, conditions), *case.observations))
    rules = rules_for(knowledge, plan, conditions)
    facts = Facts(case, knowledge, plan, TODAY, finding_queries=dict(rules.queries))
    trees = [r.when for r in rules.rules if r.when is not None]
    whole = {variable(a.fact): plain(definite(facts, a)) for t in trees for a in atoms(t)}
    contexts = [whole] * len(trees)
    settled = [all(facts.get(a.fact).settled for a in atoms(t)) for t in trees]

    def ours() -> list[bool | None]:
        return [truth(t, facts.get, facts.definition).value for t in trees]

    peers = {"zen-engine": _zen(trees, contexts), "CEL (Rust)": _cel(trees, contexts), "rule-engine": _rule_engine(trees, contexts)}
    mine, failed = cpu_ms(ours), 0
    print(f"{'rules, exact':<12} {mine:7.3f} ms CPU for {len(trees)} rules ({settled.count(False)} with unknowns)")
    for name, work in peers.items():
        theirs = cpu_ms(work)
        agree = all(bool(a) == b for a, b, s in zip(work(), ours(), settled, strict=True) if s)
        print(f"{name:<12} {theirs:7.3f} ms CPU; ours takes {mine / theirs:.2f} of it, limit 1{'' if agree else '; VERDICTS DIFFER'}")
        failed += mine >= theirs or not agree
    return 1 if failed else 0


Work = Callable[[], list[Any]]


def _pairs(trees: Iterable[Node], contexts: list[dict[str, Any]], words: Words) -> list[tuple[str, dict[str, Any]]]:
    return [(expression(t, words), c) for t, c in zip(trees, contexts, strict=True)]


def _zen(trees: list[Node], contexts: list[dict[str, Any]]) -> Work:
    compiled = [(zen.compile_expression(e), c) for e, c in _pairs(trees, contexts, PYTHON_WORDS)]
    return lambda: [e.evaluate(c) for e, c in compiled]


def _cel(trees: list[Node], contexts: list[dict[str, Any]]) -> Work:
    compiled = [(cel.compile(e), c) for e, c in _pairs(trees, contexts, CEL_WORDS)]
    return lambda: [e.execute(c) for e, c in compiled]


def _rule_engine(trees: list[Node], contexts: list[dict[str, Any]]) -> Work:
    compiled = [(rule_engine.Rule(e), c) for e, c in _pairs(trees, contexts, PYTHON_WORDS)]
    return lambda: [e.matches(c) for e, c in compiled]


if __name__ == "__main__":
    sys.exit(main())
