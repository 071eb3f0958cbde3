"""What each fact follows from, and which of its values anything can tell apart.

A derived fact that follows from others moves with them. One that is read paper by paper (is a paper there, are the dates of one
report in order, does the name agree) is a question of its own. Of a date or a number only the days and values matter at which some
atom, version or band turns over: its marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, auto
from typing import Any

from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import Plan
from triage.facts import Facts
from triage.judge import CompiledRule
from triage.logic import Atom, Node, atoms
from triage.values import Interval, OneOf

Constants = frozenset[Any]
_DIAGNOSIS = "first_diagnosis_date"


class Exactness(Enum):
    """When what a derived fact may be is no wider than its open inputs allow, as long as they are used for nothing else."""

    ALWAYS = auto()
    UNLESS_A_SET = auto()
    """Of an input that may be one of a set only the ends are looked at."""
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Shift:
    """Something turns over where `end` lies one of `by` after `start`; `unit` is days (or plain numbers), or years."""

    start: str
    end: str
    by: Constants
    unit: str = "days"


@dataclass(frozen=True, slots=True)
class Link:
    """How one derived fact hangs on its inputs: what it can tell apart of each, and of two of them together."""

    inputs: tuple[str, ...]
    constants: Mapping[str, Constants] = field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()
    exact: Exactness = Exactness.NEVER


@dataclass(frozen=True, slots=True)
class Dependence:
    """The facts that some rules rest on. `order` has inputs before what follows from them; `links` holds those that follow from others;
    `dependents` everything that follows from a fact; `users` which trees use a fact directly; `consumers` by how many ways a fact is used."""

    order: tuple[str, ...]
    links: Mapping[str, Link]
    dependents: Mapping[str, frozenset[str]]
    users: Mapping[str, frozenset[int]]
    consumers: Mapping[str, int]
    constants: Mapping[str, Constants]
    shifts: Mapping[str, tuple[Shift, ...]]
    agreeing: frozenset[str]
    asked: Mapping[str, tuple[Atom, ...]]
    """The atoms on each fact."""
    followers: Mapping[str, tuple[str, ...]]
    """What follows directly from each fact."""

    bears_on: Mapping[str, frozenset[int]]
    """The rules that rest on a fact, directly or through what follows from it."""

    def reached(self, name: str) -> frozenset[int]:
        """The rules that rest on a fact; none where it is not among the facts asked for."""
        return self.bears_on.get(name, frozenset())


def trees(rule: CompiledRule) -> list[Node]:
    """The trees of a rule that facts are used in separately: its condition, or each row of a benefit."""
    return [rule.when] if rule.when is not None else [node for node, _ in rule.amounts]


def dependence(rules: Iterable[CompiledRule], queries: Mapping[str, Mapping[str, Any]], knowledge: Knowledge, plan: Plan) -> Dependence:
    """What the rules' facts hang on."""
    used = list(_used(rules))
    raw: dict[str, set[Any]] = {}
    for _, _, atom in used:
        raw.setdefault(atom.fact, set()).update(c for op, v in atom.tests if op != "agrees" for c in _each(v))
    links: dict[str, Link] = {}
    order = _ordered([a.fact for _, _, a in used], lambda name: _inputs(name, queries, knowledge, plan))
    shifts: dict[str, list[Shift]] = {}
    for name in reversed(order):
        link = _link(name, queries, knowledge, plan, frozenset(raw.get(name, ())))
        if link is None:
            continue
        links[name] = link
        for fact, constants in link.constants.items():
            raw.setdefault(fact, set()).update(constants)
        for shift in link.shifts:
            for end in (shift.start, shift.end):
                shifts.setdefault(end, []).append(shift)
    users: dict[str, set[int]] = {}
    ways: dict[str, set[Any]] = {}
    for number, tree, atom in used:
        users.setdefault(atom.fact, set()).add(number)
        ways.setdefault(atom.fact, set()).add((number, tree, any(op == "agrees" for op, _ in atom.tests)))
    for name, link in links.items():
        for fact in link.inputs:
            ways.setdefault(fact, set()).add(name)
    dependents = _dependents(order, links)
    return Dependence(
        tuple(order),
        links,
        dependents,
        {n: frozenset(v) for n, v in users.items()},
        {n: len(v) for n, v in ways.items()},
        {n: frozenset(v) for n, v in raw.items()},
        {n: tuple(v) for n, v in shifts.items()},
        frozenset(a.fact for _, _, a in used if any(op == "agrees" for op, _ in a.tests)),
        {name: tuple(dict.fromkeys(a for _, _, a in used if a.fact == name)) for name in users},
        {name: tuple(n for n in order if n in links and name in links[n].inputs) for name in order},
        {name: frozenset(u for n in (name, *dependents.get(name, ())) for u in users.get(n, ())) for name in order},
    )


def _used(rules: Iterable[CompiledRule]) -> Iterator[tuple[int, int, Atom]]:
    for number, rule in enumerate(rules):
        for place, tree in enumerate(trees(rule)):
            yield from ((number, place, atom) for atom in atoms(tree))


def _each(value: Any) -> Iterable[Any]:
    return value if isinstance(value, frozenset | tuple | list) else (value,)


def _ordered(names: Iterable[str], inputs: Callable[[str], tuple[str, ...]]) -> list[str]:
    """Every fact reached, inputs first."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in found:
            for fact in inputs(name):
                visit(fact)
            found[name] = None

    for name in names:
        visit(name)
    return list(found)


def _dependents(order: list[str], links: Mapping[str, Link]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name in order:
        waiting = list(links[name].inputs) if name in links else []
        while waiting:
            fact = waiting.pop()
            found.setdefault(fact, set()).add(name)
            waiting += links[fact].inputs if fact in links else ()
    return {n: frozenset(v) for n, v in found.items()}


def _inputs(name: str, queries: Mapping[str, Mapping[str, Any]], knowledge: Knowledge, plan: Plan) -> tuple[str, ...]:
    link = _link(name, queries, knowledge, plan, frozenset())
    return link.inputs if link is not None else ()


def _link(name: str, queries: Mapping[str, Mapping[str, Any]], knowledge: Knowledge, plan: Plan, constants: Constants) -> Link | None:
    """How a fact hangs on others; None where it stands by itself."""
    if name in queries:
        return _finding(queries[name], knowledge)
    definition = knowledge.facts.get(name)
    if definition is None or definition.derive is None:
        return None
    way = next((w for w in _FOLLOWS if w in definition.derive), None)
    return _FOLLOWS[way](definition.derive, knowledge, plan, constants) if way is not None else None


def _finding(query: Mapping[str, Any], knowledge: Knowledge) -> Link:
    """A finding is early or not against a date; one without a date of its own is held against the date of diagnosis."""
    named = [query[key] for key in ("closed_by", "before") if key in query]
    version = ["plan.version"] if "breaches" in query and "version" not in query else []
    if "before" not in query or _DIAGNOSIS not in knowledge.facts:
        return Link((*named, *version), {}, (), Exactness.NEVER if version else Exactness.ALWAYS)
    return Link((*named, _DIAGNOSIS, *version), {}, (Shift(_DIAGNOSIS, query["before"], frozenset({0})),))


def _days_between(spec: Mapping[str, Any], _: Knowledge, plan: Plan, constants: Constants) -> Link:
    start, end = spec["days_between"]
    minus = int(plan.parameters[spec["minus_plan"]]) if "minus_plan" in spec else 0
    return Link((start, end), {}, (Shift(start, end, frozenset(int(c) + minus for c in constants)),), Exactness.UNLESS_A_SET)


def _age_at(spec: Mapping[str, Any], _: Knowledge, __: Plan, constants: Constants) -> Link:
    start, end = spec["age_at"]
    return Link((start, end), {}, (Shift(start, end, frozenset(int(c) for c in constants), "years"),), Exactness.UNLESS_A_SET)


def _by_version(by: str, versions: Iterable[Any]) -> Link:
    days = {v.from_ for v in versions} | {v.to + timedelta(days=1) for v in versions if v.to is not None}
    return Link((by,), {by: frozenset(days)})


def _test(spec: Mapping[str, Any], _: Knowledge, plan: Plan, __: Constants) -> Link:
    name = spec["test"]["fact"]
    told = {op: plan.parameters[v] if op.endswith("_plan") else v for op, v in spec["test"].items() if op != "fact"}
    return Link((name,), {name: frozenset(c for v in told.values() for c in _each(v))}, (), Exactness.ALWAYS)


def _pairs(names: list[str]) -> tuple[Shift, ...]:
    return tuple(Shift(a, b, frozenset({0})) for i, a in enumerate(names) for b in names[i + 1 :])


def _compared(a: str, b: str) -> Link:
    return Link((a, b), {}, _pairs([a, b]), Exactness.UNLESS_A_SET)


def _size(spec: Mapping[str, Any], knowledge: Knowledge, _: Plan, __: Constants) -> Link:
    t, size, after = spec["size_matches_T"]
    edges = frozenset(e for b in knowledge.staging.sizes for e in (b.over, b.to) if e is not None)
    return Link((t, size, after), {size: edges, t: frozenset(b.t for b in knowledge.staging.sizes)})


def _nodes(spec: Mapping[str, Any], knowledge: Knowledge, _: Plan, __: Constants) -> Link:
    n, positive = spec["nodes_match_N"]
    edges = frozenset(e for b in knowledge.staging.nodes for e in (b.least, b.most) if e is not None)
    return Link((n, positive), {positive: edges, n: frozenset(b.n for b in knowledge.staging.nodes)})


def _groups(spec: Mapping[str, Any], knowledge: Knowledge, _: Plan, __: Constants) -> Link:
    group, *parts = spec["group_matches_TNM"]
    rows = knowledge.staging.groups
    patterns = {name: frozenset(row[i] for g in rows for row in g.of) for i, name in enumerate(parts)}
    return Link((group, *parts), {group: frozenset(g.group for g in rows), **patterns})


def _codes(spec: Mapping[str, Any], knowledge: Knowledge, _: Plan, __: Constants) -> Link:
    code, behaviour = spec["code_matches_behaviour"]
    return Link((code, behaviour), {code: frozenset(d.code.split("-")[0] for d in knowledge.diseases.values() if d.behaviours)})


def _departments(spec: Mapping[str, Any], knowledge: Knowledge, _: Plan, __: Constants) -> Link:
    area = knowledge.departments[spec["department_plausible"]]
    return Link(("department",), {"department": frozenset((*area.plausible, *area.implausible))})


_FOLLOWS: dict[str, Callable[[Mapping[str, Any], Knowledge, Plan, Constants], Link]] = {
    "days_between": _days_between,
    "age_at": _age_at,
    "episode": lambda spec, _, __, ___: Link((spec["at"],), {}, (), Exactness.ALWAYS),
    "plan_version": lambda _, __, plan, ___: _by_version(plan.version_by, plan.versions),
    "edition": lambda _, __, plan, ___: _by_version(plan.edition_by, plan.editions),
    "all": lambda spec, _, __, ___: Link(tuple(spec["all"]), {}, (), Exactness.ALWAYS),
    "test": _test,
    "compare": lambda spec, _, __, ___: _compared(spec["compare"][0], spec["compare"][2]),
    "lookup": lambda spec, _, __, ___: Link((spec["lookup"],), {spec["lookup"]: frozenset(spec["as"])}),
    "in_order": lambda spec, _, __, ___: Link(tuple(spec["in_order"]), {}, _pairs(spec["in_order"])),
    "size_matches_T": _size,
    "nodes_match_N": _nodes,
    "group_matches_TNM": _groups,
    "code_matches_behaviour": _codes,
    "department_plausible": _departments,
    "finding": lambda spec, knowledge, _, __: _finding(spec["finding"], knowledge),
}
"""A way that is not listed here leaves its fact a question of its own: that allows more combinations, never fewer."""


def turning_days(facts: Facts) -> set[date]:
    """Days at which something of this claim turns over whatever the rules say: memberships begin and end, findings were made."""
    days: set[date] = set()
    for episode in facts.case.claim.member.memberships:
        days |= {episode.joined_on, episode.effective_on}
        if episode.left_on is not None and episode.left_on < date.max:
            days.add(episode.left_on + timedelta(days=1))
    for mention in facts.case.findings:
        event = mention.event_on
        days |= {d for d in ((event.low, event.high) if isinstance(event, Interval) else (event,)) if d is not None}
    return days


def marks(name: str, facts: Facts, hangs: Dependence, seen: frozenset[str] = frozenset()) -> set[Any]:
    """The values of a fact at which something turns over, given what is known of the facts it is compared with: their own marks, moved
    by what the comparison allows. Of an open partner all its marks count, through its partners in turn."""
    possible = facts.get(name).possible
    if seen and possible is not None and not isinstance(possible, Interval):
        return set(possible.values) if isinstance(possible, OneOf) else {possible}
    found = set(hangs.constants.get(name, ()))
    definition = facts.definition(name)
    if definition is not None and definition.type == "date":
        found |= turning_days(facts)
    if seen and isinstance(possible, Interval):
        found |= {e for e in (possible.low, possible.high) if e is not None}
    for shift in hangs.shifts.get(name, ()):
        other = shift.end if shift.start == name else shift.start
        if other not in seen:
            away = 1 if shift.end == name else -1
            for value in marks(other, facts, hangs, seen | {name}):
                found |= set(_moved(value, shift, away))
    return found


def _moved(value: Any, shift: Shift, away: int) -> Iterator[Any]:
    for by in shift.by:
        if not isinstance(value, date):
            yield value + away * by
        elif shift.unit == "years":
            yield from _years_later(value, away * by)
        else:
            yield from _days_later(value, away * by)


def _days_later(day: date, days: int) -> Iterator[date]:
    try:
        yield day + timedelta(days=days)
    except OverflowError:
        return


def _years_later(day: date, years: int) -> Iterator[date]:
    """The anniversary and its neighbours: one on 29 February falls on 1 March in common years."""
    if not date.min.year < day.year + years < date.max.year:
        return
    turned = date(day.year + years, day.month, min(day.day, 28)) + timedelta(days=max(0, day.day - 28))
    yield from (turned - timedelta(days=1), turned, turned + timedelta(days=1))
