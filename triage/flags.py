"""Red flags as numbers: 1 raised, 0 not raised, NaN where it cannot be told; of one claim from its verdicts, of many from columns.

Flags that rest on an investigation's answer are left out: they tell what was found, not what was known. On columns the very
engine of single claims decides: values that no test of a rule tells apart are judged once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from knowledge_graph.graph import facts_of
from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import FactDefinition, Rule
from triage.columns import NAN, distinct
from triage.judge import CompiledRule, Outcome, Verdict, closure, rules_for
from triage.logic import Atom, Node, atoms, cells, truth
from triage.observation import Observation, Source

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

WEIGHT = "risk.flag_weight"
"""The column of the weights' sum."""

_VALUE = {Outcome.TRUE: 1.0, Outcome.FALSE: 0.0, Outcome.NOT_APPLICABLE: 0.0}


@dataclass(frozen=True, slots=True)
class _Known:
    """A column's value as logic sees a fact."""

    possible: Any
    conflict: bool = False
    contested: bool = False


_early: dict[str, tuple[Rule, ...]] = {}


def early_flags(knowledge: Knowledge) -> tuple[Rule, ...]:
    """The red flags that can be told before an investigation; once per rulebook digest."""
    if knowledge.digest not in _early:
        flags = [r for r in knowledge.rules if r.kind == "red_flag"]
        early = [r for r in flags if not any(name.startswith("inv.") for name in closure(knowledge, facts_of(r)))]
        _early.clear()
        _early[knowledge.digest] = tuple(early)
    return _early[knowledge.digest]


def flag_values(verdicts: Iterable[Verdict], knowledge: Knowledge) -> dict[str, float]:
    """`flag.<rule>` for every early flag, and their weight as `risk.flag_weight`. A rule that was not judged is not raised."""
    early = {r.id: r for r in early_flags(knowledge)}
    judged = {v.rule.id: NAN if _investigated(v) else _VALUE.get(v.outcome, NAN) for v in verdicts if v.rule.id in early}
    values = {f"flag.{name}": judged.get(name, 0.0) for name in early}
    return {**values, WEIGHT: sum(rule.weight for name, rule in early.items() if judged.get(name) == 1.0)}


def _investigated(verdict: Verdict) -> bool:
    return any(isinstance(s, Observation) and s.source is Source.INVESTIGATION for fact in verdict.rests_on for s in fact.sources)


def flag_columns(frame: pl.DataFrame, knowledge: Knowledge) -> pl.DataFrame:
    """The frame with the same columns as `flag_values` gives, from columns named by fact id, `plan` and `condition`; a column that
    is not there is unknown throughout."""
    import polars as pl

    early = early_flags(knowledge)
    values = {rule.id: np.zeros(frame.height) for rule in early}
    for (plan, condition), rows in _parts(frame).items():
        if plan in knowledge.plans:
            conditions = (condition,) if condition in knowledge.conditions else ()
            part = frame[rows]
            for compiled in rules_for(knowledge, knowledge.plans[plan], conditions).rules:
                if compiled.rule.id in values:
                    values[compiled.rule.id][rows] = _judged(compiled, part, knowledge.facts)
    weight = sum((np.where(values[r.id] == 1.0, r.weight, 0.0) for r in early), np.zeros(frame.height))
    return frame.with_columns(*(pl.Series(f"flag.{name}", column) for name, column in values.items()), pl.Series(WEIGHT, weight))


def _parts(frame: pl.DataFrame) -> dict[tuple[Any, Any], NDArray[np.int64]]:
    """Row numbers by plan and condition claimed."""
    keys = frame.select("plan", "condition").with_row_index("row")
    parts = keys.partition_by("plan", "condition", as_dict=True)
    return {(plan, condition): part["row"].to_numpy().astype(np.int64) for (plan, condition), part in parts.items()}


def _judged(compiled: CompiledRule, frame: pl.DataFrame, facts: Mapping[str, FactDefinition]) -> NDArray[np.float64]:
    """A rule on columns, as `judge` would say row by row."""
    assert compiled.when is not None
    held = _truths(compiled.when, frame, facts)
    if compiled.exists is None:
        return held
    return np.where(_truths(compiled.exists, frame, facts) == 0.0, 0.0, held)


def _truths(node: Node, frame: pl.DataFrame, facts: Mapping[str, FactDefinition]) -> NDArray[np.float64]:
    """1, 0 or NaN for every row. Each fact's values are first told apart only as far as its atoms do; then each combination that
    occurs is decided once."""
    by_fact: dict[str, tuple[Atom, ...]] = {}
    for atom in atoms(node):
        by_fact[atom.fact] = (*by_fact.get(atom.fact, ()), atom)
    codes = np.zeros(frame.height, dtype=np.int64)
    options: list[tuple[str, list[Any]]] = []
    for name, group in by_fact.items():
        place, values = _told_apart(name, group, frame, facts)
        codes = codes * len(values) + place
        options.append((name, values))
    found, inverse = np.unique(codes, return_inverse=True)
    decided = [_decide(node, _unpacked(int(code), options), facts) for code in found]
    return np.asarray(decided, dtype=float)[inverse]


def _told_apart(
    name: str, group: tuple[Atom, ...], frame: pl.DataFrame, facts: Mapping[str, FactDefinition]
) -> tuple[NDArray[np.int64], list[Any]]:
    """A column as places in a short list of values, one for each way its atoms can turn out."""
    if name not in frame.columns:
        return np.zeros(frame.height, dtype=np.int64), [None]
    rows, values = distinct(frame[name])
    definition = facts.get(name)
    ways: dict[frozenset[tuple[bool, ...]], int] = {}
    shown: list[Any] = []
    place = np.zeros(len(values), dtype=np.int64)
    for number, value in enumerate(values):
        way = frozenset(cells(_Known(value), definition, group))
        if way not in ways:
            ways[way] = len(shown)
            shown.append(value)
        place[number] = ways[way]
    return place[rows], shown


def _unpacked(code: int, options: list[tuple[str, list[Any]]]) -> dict[str, _Known]:
    known = {}
    for name, values in reversed(options):
        code, place = divmod(code, len(values))
        known[name] = _Known(values[place])
    return known


def _decide(node: Node, known: Mapping[str, _Known], facts: Mapping[str, FactDefinition]) -> float:
    value = truth(node, known.__getitem__, facts.get).value
    return NAN if value is None else float(value)
