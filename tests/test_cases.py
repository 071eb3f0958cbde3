"""Every named case takes its expected trail under an open and a closed gate, and the path's table has no empty cell."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge_graph.loader import load
from triage.cases import (
    CELLS,
    NODES,
    VERDICTS,
    Bench,
    Expected,
    cell_of,
    conditions_reached,
    impossible,
    load_cases,
    norm_conditions,
    reached,
    uncovered,
)
from triage.route import Route

CASES = load_cases()
KNOWLEDGE = load()
TRIALS = [(name, gate) for name, case in CASES.items() for gate in case.data.expect]


@pytest.fixture(scope="module")
def bench() -> Bench:
    """The shipped rulebook and all cases."""
    return Bench.standing()


@pytest.mark.parametrize(("name", "gate"), TRIALS)
def test_a_case_takes_its_expected_trail(bench: Bench, name: str, gate: str) -> None:
    case = CASES[name]
    suggestion = bench.suggestion(case, gate)
    problems = list(differences(case.data.expect[gate], suggestion))
    assert not problems, problems
    assert suggestion["route"] in {r.value for r in Route}
    check_quotes(case.claim.documents, suggestion)


def differences(expected: Expected, got: dict[str, Any]) -> list[str]:
    """What a suggestion says otherwise than expected."""
    found = []
    for key in ("position", "route", "why", "amount"):
        wanted = getattr(expected, key)
        if wanted is not None and got.get(key) != wanted:
            found.append(f"{key}: {got.get(key)} for {wanted}: {got['reasons']['zh']}")
    if expected.cell is not None:
        seen_cell = cell_of(got, expected.condition or "", KNOWLEDGE)
        found += [] if seen_cell == expected.cell else [f"cell: {seen_cell} for {expected.cell}"]
    verdicts = {v["rule"]: v["verdict"] for v in got["verdicts"]}
    by_node: dict[str, set[str]] = {}
    for v in got["verdicts"]:
        by_node.setdefault(v["node"], set()).add(v["verdict"])
    for name, wanted in expected.verdicts.items():
        seen = by_node.get(name, {verdicts.get(name, "absent")})
        if wanted not in seen:
            found.append(f"{name}: {seen} for {wanted}")
    return found + _facts(expected, got) + _rest(expected, got)


def _facts(expected: Expected, got: dict[str, Any]) -> list[str]:
    facts, found = got["facts"], []
    for name, wanted in expected.facts.items():
        if facts[name].get("value") != wanted:
            found.append(f"{name}: {facts[name]} for {wanted}")
    for name, why in expected.unknown.items():
        if (facts[name]["state"], facts[name].get("why")) != ("unknown", why):
            found.append(f"{name}: {facts[name]['state']} {facts[name].get('why')} for unknown {why}")
    return found + [f"{name}: {facts[name]['state']} for conflict" for name in expected.conflict if facts[name]["state"] != "conflict"]


def _rest(expected: Expected, got: dict[str, Any]) -> list[str]:
    found = []
    if expected.missing is not None:
        asked = [m["evidence_type"] for m in got["missing_evidence"]]
        if asked != list(expected.missing):
            found.append(f"missing: {asked} for {expected.missing}")
    if expected.flags is not None:
        flags = {f["rule"] for f in got["risk"]["flags"]}
        if flags != set(expected.flags):
            found.append(f"flags: {flags} for {expected.flags}")
    tasks = {t["task"] for t in got["investigation_plan"]}
    if not set(expected.tasks) <= tasks:
        found.append(f"tasks: {tasks} for {expected.tasks}")
    if expected.ground is not None and expected.ground != got["why"]:
        found.append(f"ground: {got['why']} for {expected.ground}")
    quoted = {s["quote"] for v in got["verdicts"] for s in v["spans"]}
    return found + [f"not quoted: {q}" for q in expected.quotes if not any(q in seen for seen in quoted)]


def check_quotes(documents: Any, suggestion: dict[str, Any]) -> None:
    """Every quoted span is the document's own text."""
    for verdict in suggestion["verdicts"]:
        for span in verdict["spans"]:
            number = int(span["document"][1:])
            if number <= len(documents):
                assert documents[number - 1].text[span["start"] : span["end"]] == span["quote"]


def test_the_table_of_the_path_has_no_empty_cell(bench: Bench) -> None:
    assert uncovered(bench) == []


def test_every_condition_has_a_case_in_every_cell(bench: Bench) -> None:
    """31 conditions of the norm: met, not met, excluded, unknown, conflict."""
    rows, cells = norm_conditions(bench.knowledge), conditions_reached(bench)
    assert len(rows) == 31
    assert [(r, c) for r in rows for c in CELLS if (r, c) not in cells] == []


def test_what_is_called_impossible_is_short_and_never_reached(bench: Bench) -> None:
    reasons = impossible()
    assert len(reasons) <= 20
    assert set(reasons) <= {(n, v) for n in NODES for v in VERDICTS}
    assert not set(reasons) & set(reached(bench))


def test_every_rule_fires_in_some_case(bench: Bench) -> None:
    """A shipped rule that no case makes decide anything is untested."""
    fired = {
        v["rule"] for case in CASES.values() for v in bench.suggestion(case, "closed")["verdicts"] if v["verdict"] in ("true", "false")
    }
    assert {r.id for r in bench.knowledge.rules} - fired == set()
