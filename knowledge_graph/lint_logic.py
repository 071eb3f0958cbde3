"""What the linter needs to know of a condition's logic: can it be true, can it be false, does one imply another.

Facts are taken as free: every fact may have every value its atoms can tell apart. Beyond `LIMIT` combinations nothing is claimed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from knowledge_graph.rules import FactDefinition, atoms_of

LIMIT = 1 << 12
OTHER = "\x00other"
_SIGNED = frozenset({"days"})
Condition = Mapping[str, Any]


def name_of(atom: Condition) -> str:
    """The fact an atom tests; a finding query is a fact of its own."""
    return json.dumps(atom["finding"], sort_keys=True) if "finding" in atom else str(atom["fact"])


def _constants(atom: Condition) -> Iterator[Any]:
    for op, value in atom.items():
        if op in ("fact", "of", "finding", "agrees"):
            continue
        yield from value if isinstance(value, list) else [0 if isinstance(value, dict) else value]


def values_of(name: str, atoms: Sequence[Condition], facts: Mapping[str, FactDefinition]) -> list[Any]:
    """Enough values of a fact to meet every way its atoms can turn out."""
    definition = facts.get(name)
    if definition is None or definition.type == "bool":
        return [True, False]
    if definition.values:
        return list(definition.values)
    constants = [c for a in atoms if name_of(a) == name for c in _constants(a)]
    if definition.type in ("text", "code") or not all(isinstance(c, int | float) for c in constants):
        return [*dict.fromkeys(constants), OTHER]
    points = sorted({p for c in constants for p in (c - 1, c, c + 1)} | {a / 2 + b / 2 for a in constants for b in constants})
    if definition.unit in _SIGNED:
        return points
    return sorted({p for p in points if p >= 0} | ({0} if any(p < 0 for p in points) else set()))


def holds(op: str, value: Any, constant: Any, definition: FactDefinition | None) -> bool:
    """One test of one value; `agrees` and plan parameters are compared with a stand-in."""
    constant = 0 if isinstance(constant, dict) else constant
    if op in ("is", "eq", "agrees"):
        return bool(value == constant)
    if op == "ne":
        return bool(value != constant)
    if op in ("in", "not_in"):
        return (value in constant) is (op == "in")
    if op == "starts_with":
        return str(value).startswith(tuple(constant) if isinstance(constant, list) else constant)
    if definition is not None and definition.ordered and constant in definition.values:
        value, constant = definition.values.index(value), definition.values.index(constant)
    if isinstance(value, str) is not isinstance(constant, str):
        return False
    return bool({"ge": value >= constant, "gt": value > constant, "le": value <= constant, "lt": value < constant}[op])


def evaluate(condition: Condition, world: Mapping[str, Any], facts: Mapping[str, FactDefinition]) -> bool:
    """A condition in one world."""
    if "all_of" in condition:
        return all(evaluate(c, world, facts) for c in condition["all_of"])
    if "any_of" in condition:
        return any(evaluate(c, world, facts) for c in condition["any_of"])
    if "none_of" in condition:
        return not any(evaluate(c, world, facts) for c in condition["none_of"])
    if "at_least" in condition:
        return sum(evaluate(c, world, facts) for c in condition["of"]) >= int(condition["at_least"])
    value = world[name_of(condition)]
    if "finding" in condition:
        return bool(value)
    return all(holds(op, value, c, facts.get(condition["fact"])) for op, c in condition.items() if op not in ("fact", "of"))


def worlds(conditions: Sequence[Condition], facts: Mapping[str, FactDefinition]) -> list[dict[str, Any]] | None:
    """Every combination of the values the conditions can tell apart; None beyond the limit."""
    atoms = [a for c in conditions for a in atoms_of(dict(c))]
    names = list(dict.fromkeys(name_of(a) for a in atoms))
    options, size = [], 1
    for name in names:
        options.append(values_of(name, atoms, facts))
        size *= max(1, len(options[-1]))
        if size > LIMIT:
            return None
    return [dict(zip(names, choice, strict=True)) for choice in product(*options)]


def outcomes(condition: Condition, facts: Mapping[str, FactDefinition]) -> set[bool]:
    """The truth values a condition can have; both where there are too many worlds to tell."""
    every = worlds([condition], facts)
    return {True, False} if every is None else {evaluate(condition, w, facts) for w in every}


def implies(a: Condition, b: Condition, facts: Mapping[str, FactDefinition]) -> bool:
    """Whether b holds in every world in which a does; False where that cannot be told."""
    every = worlds([a, b], facts)
    return every is not None and all(evaluate(b, w, facts) for w in every if evaluate(a, w, facts))


def has_parameter(condition: Condition) -> bool:
    """Whether a plan's number is compared: nothing is claimed of such conditions."""
    return any(isinstance(v, dict) and k != "finding" for a in atoms_of(dict(condition)) for k, v in a.items())
