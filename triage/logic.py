"""Exact truth of a condition over facts that are partly known.

A completion gives every fact one of the values it may still have; two atoms on one fact move together. A condition is true
(false) when it is so under all completions, else mixed, and its pivotal facts are those whose change alone flips it in some
completion. Only what distinguishes the atoms matters, so each fact is reduced to the few truth vectors its atoms can take.
Beyond `LIMIT` combinations a condition that uses a fact twice degrades to mixed, never to true or false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise, product
from typing import Any, Protocol

from knowledge_graph.rules import FactDefinition
from triage.values import EITHER, Interval, OneOf

LIMIT = 1 << 14
OTHER = "\x00other"
"""Stands for any text that no atom names."""


Quick = Callable[[Callable[[str], "Known"], Callable[[str], FactDefinition | None]], tuple[bool | None, tuple[str, ...]]]
"""The truth of a tree that uses no fact twice, with its pivotal facts."""


class Known(Protocol):
    """What logic needs of a fact: `possible` is a scalar, an Interval, a OneOf or None (anything)."""

    @property
    def possible(self) -> Any: ...
    @property
    def conflict(self) -> bool: ...
    @property
    def contested(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Atom:
    """A test of one fact; several operators in one atom must all hold."""

    fact: str
    tests: tuple[tuple[str, Any], ...]
    quick: Quick | None = field(default=None, compare=False, repr=False)
    repeated: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Tree:
    """`least` of the branches must hold (all_of: all, any_of: 1); `negate` turns the result round."""

    branches: tuple[Node, ...]
    least: int
    negate: bool = False
    quick: Quick | None = field(default=None, compare=False, repr=False)
    repeated: tuple[str, ...] = field(default=(), compare=False, repr=False)


Node = Atom | Tree


@dataclass(frozen=True, slots=True)
class Truth:
    """`value` is True, False, or None when mixed; `pivotal` is empty unless mixed; `degraded` when the limit was met."""

    value: bool | None
    pivotal: tuple[str, ...] = ()
    degraded: bool = False


def compile_condition(
    condition: Mapping[str, Any], name_finding: Callable[[Mapping[str, Any]], str], parameters: Mapping[str, float]
) -> Node:
    """A tree from rulebook data. `{plan: NAME}` becomes the plan's number; a finding query becomes the fact `name_finding` gives it."""
    if "all_of" in condition:
        branches = [compile_condition(c, name_finding, parameters) for c in condition["all_of"]]
        return Tree(tuple(branches), len(branches))
    if "any_of" in condition:
        return Tree(tuple(compile_condition(c, name_finding, parameters) for c in condition["any_of"]), 1)
    if "none_of" in condition:
        return Tree(tuple(compile_condition(c, name_finding, parameters) for c in condition["none_of"]), 1, negate=True)
    if "at_least" in condition:
        return Tree(tuple(compile_condition(c, name_finding, parameters) for c in condition["of"]), condition["at_least"])
    if "finding" in condition:
        return Atom(name_finding(condition["finding"]), (("is", True),))
    return _compile_atom(condition, parameters)


def _compile_atom(condition: Mapping[str, Any], parameters: Mapping[str, float]) -> Atom:
    fact = condition["fact"] + ("@" + ",".join(condition["of"]) if "of" in condition else "")
    tests = []
    for op, constant in condition.items():
        if op not in ("fact", "of"):
            value = parameters[constant["plan"]] if isinstance(constant, dict) else constant
            tests.append(
                (
                    op,
                    frozenset(value)
                    if isinstance(value, list) and op != "starts_with"
                    else tuple(value)
                    if isinstance(value, list)
                    else value,
                )
            )
    return Atom(fact, tuple(tests))


def atoms(node: Node) -> Iterator[Atom]:
    """Every atom of a tree, left to right."""
    if isinstance(node, Atom):
        yield node
    else:
        for branch in node.branches:
            yield from atoms(branch)


def holds(test: tuple[str, Any], value: Any, definition: FactDefinition | None) -> bool:
    """Whether one exact value passes one test; ordered codes compare by their place in the fact's `values`."""
    op, constant = test
    if op == "is" or op == "eq":
        return bool(value == constant)
    if op == "ne":
        return bool(value != constant)
    if op == "in":
        return value in constant
    if op == "not_in":
        return value not in constant
    if op == "starts_with":
        return str(value).startswith(constant)
    if definition is not None and definition.ordered:
        value, constant = definition.values.index(value), definition.values.index(constant)
    if op == "ge":
        return bool(value >= constant)
    if op == "gt":
        return bool(value > constant)
    return bool(value <= constant) if op == "le" else bool(value < constant)


def _constants(tests: tuple[tuple[str, Any], ...]) -> Iterator[Any]:
    for op, constant in tests:
        if op != "agrees":
            yield from constant if isinstance(constant, frozenset | tuple) else (constant,)


def _around(constants: set[Any], low: Any, high: Any, step: Any) -> set[Any]:
    """Values of [low, high] that between them take every truth vector comparisons with `constants` can take."""
    points = set(constants) | {c - step for c in constants} | {c + step for c in constants}
    ordered = sorted(constants)
    if not isinstance(step, timedelta):
        points |= {(a + b) / 2 for a, b in pairwise(ordered)}
    inside = {p for p in points if (low is None or p >= low) and (high is None or p <= high)}
    return inside | {end for end in (low, high) if end is not None} or {0}


def candidates(possible: Any, definition: FactDefinition | None, tests: tuple[tuple[str, Any], ...]) -> set[Any]:
    """Enough of the values a fact may have to meet every way its tests can turn out."""
    if isinstance(possible, OneOf):
        return set(possible.values)
    if possible is not None and not isinstance(possible, Interval):
        return {possible}
    kind = definition.type if definition is not None else "bool"
    if kind == "bool":
        return {True, False}
    if definition is not None and definition.values:
        return {v for v in definition.values if possible is None or possible.meet(Interval(v, v)) is not None}
    if kind in ("text", "code"):
        return set(_constants(tests)) | {OTHER}
    low, high = (possible.low, possible.high) if possible is not None else (None, None)
    constants = {c for c in _constants(tests) if not isinstance(c, str)}
    if kind == "int":
        return {int(v) if v == int(v) else v for v in _around(constants, low, high, 1) if v == int(v)} or {0}
    step: Any = timedelta(days=1) if kind == "date" else 1
    return _around(constants, low, high, step) if constants or possible is not None else {date.min}


def _test_value(test: tuple[str, Any], value: Any, agree: bool, definition: FactDefinition | None) -> bool:
    return agree is test[1] if test[0] == "agrees" else holds(test, value, definition)


def cells(fact: Known, definition: FactDefinition | None, on_fact: tuple[Atom, ...]) -> set[tuple[bool, ...]]:
    """The truth vectors that the atoms on one fact can take together. Of a fact nobody has spoken of the sources may come to agree or
    not, whatever its value."""
    tests = tuple(t for a in on_fact for t in a.tests)
    open_ = fact.possible is None and any(op == "agrees" for op, _ in tests)
    return {
        tuple(all(_test_value(t, value, agree, definition) for t in atom.tests) for atom in on_fact)
        for value in candidates(fact.possible, definition, tests)
        for agree in ((True, False) if open_ else (not fact.conflict and not fact.contested,))
    }


def _evaluate(node: Node, assignment: Mapping[Atom, bool]) -> bool:
    if isinstance(node, Atom):
        return assignment[node]
    held = 0
    for branch in node.branches:
        held += _evaluate(branch, assignment)
    return (held >= node.least) is not node.negate


def _bits(node: Node, can: Mapping[Atom, tuple[bool, bool]]) -> tuple[bool, bool]:
    """(can be true, can be false), branch by branch: sound always, exact when no fact is used twice."""
    if isinstance(node, Atom):
        return can[node]
    must = might = 0
    for branch in node.branches:
        true, false = _bits(branch, can)
        might += true
        must += not false
    can_true, can_false = might >= node.least, must < node.least
    return (can_false, can_true) if node.negate else (can_true, can_false)


def quick(node: Node) -> Quick:
    """A function for a tree that uses no fact twice. There each atom left open can turn out either way by itself, so a branch is open
    only through its open atoms, and every atom of an open branch that still counts is pivotal: nothing has to be enumerated."""
    return _quick_atom(node) if isinstance(node, Atom) else _quick_tree(node)


def _quick_atom(atom: Atom) -> Quick:
    name, tests = atom.fact, atom.tests
    agrees = any(op == "agrees" for op, _ in tests)
    one = tests[0] if len(tests) == 1 else None
    plain = one[1] if one is not None and one[0] in ("is", "eq") else None
    open_ = (None, (name,))

    def evaluate(
        fact_of: Callable[[str], Known], definition_of: Callable[[str], FactDefinition | None]
    ) -> tuple[bool | None, tuple[str, ...]]:
        fact = fact_of(name)
        possible = fact.possible
        if not agrees and possible is not None and type(possible) is not OneOf and type(possible) is not Interval:
            if plain is not None:
                return possible == plain, ()
            definition = definition_of(name)
            return all(holds(t, possible, definition) for t in tests), ()
        if plain is not None and type(plain) is bool and (possible is None or possible == EITHER) and not agrees:
            return open_
        found = cells(fact, definition_of(name), (atom,))
        return open_ if len(found) > 1 else (next(iter(found))[0], ())

    return evaluate


def _quick_tree(tree: Tree) -> Quick:
    branches = tuple(quick(b) for b in tree.branches)
    least, negate, count = tree.least, tree.negate, len(tree.branches)

    def evaluate(
        fact_of: Callable[[str], Known], definition_of: Callable[[str], FactDefinition | None]
    ) -> tuple[bool | None, tuple[str, ...]]:
        held, failed = 0, 0
        pivotal: tuple[str, ...] = ()
        for branch in branches:
            value, open_ = branch(fact_of, definition_of)
            if value is None:
                pivotal += open_
            elif value:
                held += 1
                if held >= least:
                    return not negate, ()
            else:
                failed += 1
                if count - failed < least:
                    return negate, ()
        return None, pivotal

    return evaluate


def truth(
    node: Node, fact_of: Callable[[str], Known], definition_of: Callable[[str], FactDefinition | None], *, flips: bool = True
) -> Truth:
    """The exact truth of a condition over all completions of its facts. Facts used twice stand in the quick way's path only while they
    are open. Without `flips` it stops as soon as it is seen to be mixed, and names no pivotal facts."""
    if node.quick is None:
        names = [a.fact for a in atoms(node)]
        object.__setattr__(node, "repeated", tuple({n for n in names if names.count(n) > 1}))
        object.__setattr__(node, "quick", quick(node))
    if node.quick is not None and not any(_open(fact_of(name).possible) for name in node.repeated):
        value, pivotal = node.quick(fact_of, definition_of)
        return _TRUE if value is True else _FALSE if value is False else Truth(None, pivotal)
    return _exact(node, fact_of, definition_of, flips=flips)


def _open(possible: Any) -> bool:
    return possible is None or type(possible) is OneOf or type(possible) is Interval


_TRUE, _FALSE = Truth(True), Truth(False)


def _exact(node: Node, fact_of: Callable[[str], Known], definition_of: Callable[[str], FactDefinition | None], *, flips: bool) -> Truth:
    """By enumeration, for trees in which two atoms on one fact move together."""
    by_fact: dict[str, tuple[Atom, ...]] = {}
    uses = 0
    for atom in atoms(node):
        uses += 1
        if atom not in by_fact.get(atom.fact, ()):
            by_fact[atom.fact] = (*by_fact.get(atom.fact, ()), atom)
    vectors = {name: cells(fact_of(name), definition_of(name), group) for name, group in by_fact.items()}
    can = {
        a: (any(v[i] for v in vectors[n]), not all(v[i] for v in vectors[n])) for n, group in by_fact.items() for i, a in enumerate(group)
    }
    can_true, can_false = _bits(node, can)
    if can_true != can_false:
        return Truth(can_true)
    return _enumerate(node, by_fact, vectors, read_once=uses == len(by_fact), flips=flips)


def _enumerate(
    node: Node, by_fact: Mapping[str, tuple[Atom, ...]], vectors: Mapping[str, set[tuple[bool, ...]]], *, read_once: bool, flips: bool
) -> Truth:
    free = [name for name in by_fact if len(vectors[name]) > 1]
    size = 1
    for name in free:
        size *= len(vectors[name])
        if size > LIMIT:
            return Truth(None, tuple(free), degraded=not read_once)
    fixed = {a: v for n, group in by_fact.items() if n not in free for a, v in zip(group, next(iter(vectors[n])), strict=True)}
    results: dict[tuple[int, ...], bool] = {}
    lists = [sorted(vectors[name]) for name in free]
    for choice in product(*(range(len(options)) for options in lists)):
        assignment = dict(fixed)
        for name, options, index in zip(free, lists, choice, strict=True):
            assignment.update(zip(by_fact[name], options[index], strict=True))
        results[choice] = _evaluate(node, assignment)
        if not flips and results[choice] is not next(iter(results.values())):
            return Truth(None)
    if len(set(results.values())) == 1:
        return Truth(next(iter(results.values())))
    return Truth(None, tuple(name for i, name in enumerate(free) if _flips(results, i)))


def _flips(results: Mapping[tuple[int, ...], bool], place: int) -> bool:
    """Whether changing the fact at `place` alone changes the result somewhere."""
    seen: dict[tuple[int, ...], bool] = {}
    for choice, result in results.items():
        rest = choice[:place] + choice[place + 1 :]
        if seen.setdefault(rest, result) != result:
            return True
    return False
