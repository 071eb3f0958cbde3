"""Facts computed from other facts, over a small closed set of ways named in the facts library.

A derived fact is a fact of its own: what it may be follows from what its inputs may be, and where it is not settled its
`needs` name the inputs that would settle it, so that a missing answer becomes a request for a paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from knowledge_graph.rules import FactDefinition
from triage.facts import Fact
from triage.finding_query import finding
from triage.logic import compile_condition, truth
from triage.observation import Observation, Source, Why
from triage.values import EITHER, Interval, OneOf

if TYPE_CHECKING:
    from triage.facts import Facts


def derived(facts: Facts, definition: FactDefinition) -> Fact:
    """The fact by its definition's `derive`, one key of which names the way."""
    assert definition.derive is not None
    way = next(key for key in definition.derive if key in _WAYS)
    return _WAYS[way](facts, definition.id, definition.derive)


def _from_inputs(name: str, possible: Any, inputs: list[Fact]) -> Fact:
    """A fact with its why, conflict and needs taken from the inputs that leave it open."""
    open_inputs = [f for f in inputs if not f.settled]
    settled = possible is not None and not isinstance(possible, OneOf | Interval)
    conflict = not settled and any(f.conflict for f in open_inputs)
    whys = [f.why for f in open_inputs if f.why is not None]
    why = None if settled or conflict else next((w for w in whys if w is not Why.NOT_SUPPLIED), whys[0] if whys else None)
    if why is None and not settled and not conflict and not isinstance(possible, Interval):
        why = Why.NOT_SUPPLIED
    needs = () if settled else tuple(dict.fromkeys(n for f in open_inputs for n in (f.needs or (f.id,))))
    contested = any(f.contested for f in inputs)
    return Fact(name, possible, why, conflict, contested, needs, tuple(s for f in inputs for s in f.sources))


def _days_between(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    start, end = (facts.get(f) for f in spec["days_between"])
    minus = facts.plan.parameters[spec["minus_plan"]] if "minus_plan" in spec else 0
    (a, b), (c, d) = start.bounds(), end.bounds()
    low = (c - b).days - int(minus) if c is not None and b is not None else None
    high = (d - a).days - int(minus) if d is not None and a is not None else None
    if spec.get("grows"):
        # A later paper may still be made: what is counted up to this one is the least it will be.
        return _grown(name, low, [start, end])
    return _from_inputs(name, _range(low, high), [start, end])


def _grown(name: str, low: Any, inputs: list[Fact]) -> Fact:
    if low is None:
        return _from_inputs(name, None, inputs)
    conflict, contested = any(f.conflict for f in inputs), any(f.contested for f in inputs)
    return Fact(name, Interval(low, None), None, conflict, contested, (name,), tuple(s for f in inputs for s in f.sources))


def _edition(facts: Facts, name: str, _: Mapping[str, Any]) -> Fact:
    """The edition of the norm a contract speaks: in a time of transition either."""
    return _in_force(facts, name, facts.plan.edition_by, facts.plan.editions)


def _in_force(facts: Facts, name: str, by: str, versions: Iterable[Any]) -> Fact:
    """Which of some dated versions hold on the date `by`: none on a day that no version covers."""
    dated = facts.get(by)
    low, high = dated.bounds()
    valid = {v.id for v in versions if (high is None or v.from_ <= high) and (low is None or v.to is None or v.to >= low)}
    if not _covered(low, high, versions):
        valid.add("none")
    return _from_inputs(name, next(iter(valid)) if len(valid) == 1 else OneOf(frozenset(valid)), [dated])


def _covered(low: date | None, high: date | None, versions: Iterable[Any]) -> bool:
    """Whether every day from `low` to `high` lies in some version."""
    day = low
    for version in sorted(versions, key=lambda v: v.from_):
        if day is None or version.from_ > day:
            return False
        if version.to is None or (high is not None and version.to >= high and version.from_ <= high):
            return True
        day = max(day, version.to + timedelta(days=1))
    return False


def _range(low: Any, high: Any) -> Any:
    if low is None and high is None:
        return None
    return low if low == high else Interval(low, high)


def full_years(start: date, end: date) -> int:
    """Birthdays (or anniversaries) passed; one on 29 February passes on 1 March in common years."""
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


def _age_at(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    start, end = (facts.get(f) for f in spec["age_at"])
    (a, b), (c, d) = start.bounds(), end.bounds()
    low = full_years(b, c) if b is not None and c is not None else None
    high = full_years(a, d) if a is not None and d is not None else None
    return _from_inputs(name, _range(low, high), [start, end])


def _episode(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    """The membership episode that holds on a date: a rejoin starts a new one, and the latest one joined by then counts."""
    episodes = sorted(facts.case.claim.member.memberships, key=lambda m: (m.joined_on, m.effective_on))
    at = facts.get(spec["at"])
    if not episodes:
        return Fact(name, EITHER if spec["episode"] == "active" else None, Why.NOT_SUPPLIED, needs=("membership.joined_on",))
    low, high = at.bounds()
    days = {low, high} | {d for m in episodes for d in _turning_days(m)} | {date.min, date.max}
    inside = [d for d in days if d is not None and (low is None or d >= low) and (high is None or d <= high)]
    outcomes = frozenset(_on_day(episodes, day, spec["episode"]) for day in inside)
    return _from_inputs(name, next(iter(outcomes)) if len(outcomes) == 1 else OneOf(outcomes), [at])


def _turning_days(membership: Any) -> tuple[date, ...]:
    days = (membership.joined_on, membership.effective_on)
    if membership.left_on is None:
        return days
    after = (membership.left_on + timedelta(days=1),) if membership.left_on < date.max else ()
    return (*days, membership.left_on, *after)


def _on_day(episodes: list[Any], day: date, what: str) -> Any:
    joined = [m for m in episodes if m.joined_on <= day]
    if not joined:
        return False if what == "active" else getattr(episodes[0], what)
    last = joined[-1]
    if what == "active":
        return last.effective_on <= day and (last.left_on is None or day <= last.left_on)
    return getattr(last, what)


def _plan_version(facts: Facts, name: str, _: Mapping[str, Any]) -> Fact:
    return _in_force(facts, name, facts.plan.version_by, facts.plan.versions)


def _paper(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    """True once a readable paper of a type was accepted; a paper that is not there yet is unknown, never false."""
    bases = spec.get("basis")
    papers = [p for p in facts.case.papers if p.evidence_type in spec["paper"] and p.readable and (not bases or p.basis in bases)]
    if papers:
        sources = tuple(Observation(name, True, Source.DOCUMENT, p.evidence_type, p.basis, document=p.document) for p in papers)
        return Fact(name, True, sources=sources)
    return Fact(name, EITHER, Why.NOT_SUPPLIED, needs=(name,))


def _all(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    inputs = [facts.get(f) for f in spec["all"]]
    if any(f.is_value(False) for f in inputs):
        return _from_inputs(name, False, inputs)
    return _from_inputs(name, True if all(f.is_value(True) for f in inputs) else EITHER, inputs)


def _test(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    condition = {op: {"plan": v} if op.endswith("_plan") else v for op, v in spec["test"].items()}
    condition = {op.removesuffix("_plan"): value for op, value in condition.items()}
    node = compile_condition(condition, str, facts.plan.parameters)
    result = truth(node, facts.get, facts.definition).value
    return _from_inputs(name, EITHER if result is None else result, [facts.get(str(condition["fact"]))])


def _over(facts: Facts, name: str, inputs: list[str], judge: Callable[..., bool | None]) -> Fact:
    """What `judge` says over every combination of the inputs' values; an input that may be anything leaves it open. Of an interval
    the ends are tried: what holds at both holds between them (the bands are whole), anything else stays open."""
    given = [facts.get(f) for f in inputs]
    spanned = any(isinstance(f.possible, Interval) for f in given)
    results = {judge(*values) for values in product(*(_values(f.possible) for f in given))}
    result = next(iter(results)) if len(results) == 1 and not (spanned and results != {True}) else None
    return _from_inputs(name, EITHER if result is None else result, given)


def _values(possible: Any) -> list[Any]:
    if isinstance(possible, OneOf):
        return sorted(possible.values, key=str)
    return [possible.low, possible.high] if isinstance(possible, Interval) else [possible]


def _lookup(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    """The entry of a table for a fact's value; a value the table does not list (such as X: not assessed) leaves it open."""
    table = spec["as"]
    return _over(facts, name, [spec["lookup"]], lambda value: None if value is None else table.get(value))


def _compare(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    a, _, b = spec["compare"]
    (low, high), (other_low, other_high) = facts.get(a).bounds(), facts.get(b).bounds()
    result: Any = EITHER
    if high is not None and other_low is not None and high <= other_low:
        result = True
    elif low is not None and other_high is not None and low > other_high:
        result = False
    return _from_inputs(name, result, [facts.get(a), facts.get(b)])


def _in_order(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    inputs = [facts.get(f) for f in spec["in_order"]]
    given = [f for f in inputs if f.possible is not None and not f.conflict]
    for earlier, later in pairwise(given):
        low, high = earlier.bounds()[0], later.bounds()[1]
        if low is not None and high is not None and low > high:
            return _from_inputs(name, False, given)
    certain = len(given) == len(inputs) and all(
        a.bounds()[1] is not None and b.bounds()[0] is not None and a.bounds()[1] <= b.bounds()[0] for a, b in pairwise(given)
    )
    return _from_inputs(name, True if certain else EITHER, inputs)


def _papers_saying(facts: Facts, names: list[str]) -> list[dict[str, Observation]]:
    """What each paper says of the facts, paper by paper: dates of one specimen are not compared with those of another. What a person
    or an investigation entered counts in every paper. Frozen sections and cytology are reported at once and say nothing here."""
    papers: dict[str, dict[str, Observation]] = {}
    entered: dict[str, Observation] = {}
    for name in names:
        for o in facts.observed(name):
            if o.source in (Source.REVIEWER, Source.INVESTIGATION):
                entered[name] = o
            elif o.value is not None and o.basis not in ("frozen", "cytology"):
                papers.setdefault(o.document, {}).setdefault(name, o)
    if entered and not papers:
        papers[""] = {}
    return [{**said, **{n: o for n, o in entered.items() if o.value is not None}} for said in papers.values()]


def _ends(value: Any) -> tuple[Any, Any]:
    if isinstance(value, OneOf):
        return min(value.values), max(value.values)
    return (value.low, value.high) if isinstance(value, Interval) else (value, value)


def _in_order_within_paper(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    names = spec["in_order_within_paper"]
    whole = []
    for said in _papers_saying(facts, names):
        given = [said[n] for n in names if n in said]
        steps = [(_ends(a.value), _ends(b.value)) for a, b in pairwise(given)]
        if any(a[0] is not None and b[1] is not None and a[0] > b[1] for a, b in steps):
            return Fact(name, False, sources=tuple(given))
        if len(given) > 1 and all(a[1] is not None and b[0] is not None and a[1] <= b[0] for a, b in steps):
            whole += given
    if whole:
        return Fact(name, True, sources=tuple(whole))
    return _from_inputs(name, EITHER, [facts.get(n) for n in names])


def _turnaround(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    """The least number of days any one report took."""
    start, end = spec["turnaround"]
    found = []
    for said in _papers_saying(facts, [start, end]):
        if start in said and end in said:
            (a, b), (c, d) = _ends(said[start].value), _ends(said[end].value)
            low = (c - b).days if c is not None and b is not None else None
            high = (d - a).days if d is not None and a is not None else None
            found.append((low, high, (said[start], said[end])))
    if not found:
        return _from_inputs(name, None, [facts.get(start), facts.get(end)])
    known = [f for f in found if f[0] is not None] or found
    low, high, sources = min(known, key=lambda f: f[0] if f[0] is not None else 0)
    return Fact(name, _range(low, high), needs=(start, end) if low != high else (), sources=sources)


def _specimen_matches_surgery(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    """A resection specimen is taken on the day of surgery; a biopsy's date says nothing about it."""
    collected, surgery = (facts.get(f) for f in spec["specimen_matches_surgery"])
    days = {
        o.value for o in facts.observed(collected.id) if o.basis in ("resection", "histology", "post_neoadjuvant") and o.value is not None
    }
    if not days or not surgery.settled:
        return _from_inputs(name, EITHER, [collected, surgery])
    return _from_inputs(name, surgery.possible in days, [collected, surgery])


def _size_matches_t(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    staging = facts.knowledge.staging
    return _over(facts, name, spec["size_matches_T"], lambda t, size, yp: None if yp is True else staging.size_fits(t, size))


def _nodes_match_n(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    return _over(facts, name, spec["nodes_match_N"], facts.knowledge.staging.nodes_fit)


def _group_matches_tnm(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    return _over(facts, name, spec["group_matches_TNM"], facts.knowledge.staging.group_fits)


def _code_matches_behaviour(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    def agrees(code: str | None, behaviour: int | None) -> bool | None:
        implied = facts.knowledge.behaviours_of(code) if code else ()
        return behaviour in implied if implied and behaviour is not None else None

    return _over(facts, name, spec["code_matches_behaviour"], agrees)


def _department_plausible(facts: Facts, name: str, spec: Mapping[str, Any]) -> Fact:
    area = facts.knowledge.departments[spec["department_plausible"]]

    def plausible(department: str | None) -> bool | None:
        if department is None:
            return None
        if any(word in department for word in area.plausible):
            return True
        return False if any(word in department for word in area.implausible) else None

    return _over(facts, name, ["department"], plausible)


def _identity(facts: Facts, name: str, _: Mapping[str, Any]) -> Fact:
    """False when a paper names another person, sex or age than the form; true when at least one paper names the same."""
    member = facts.case.claim.member
    verdicts: list[tuple[bool, Observation]] = []
    for o in facts.observed("member.name"):
        if o.source is not Source.FORM and isinstance(o.value, str) and _comparable(o.value, member.name):
            verdicts.append((_same_name(o.value, member.name), o))
    for fact, value in (("member.sex", member.sex), ("member.id_number", member.id_number)):
        for o in facts.observed(fact):
            if o.source is not Source.FORM and value is not None and o.value is not None:
                verdicts.append((o.value == value, o))
    tolerance = int(facts.knowledge.facts["member.age_stated"].tolerance)
    for o in facts.observed("member.age_stated"):
        if isinstance(o.event_on, date) and isinstance(o.value, int):
            verdicts.append((abs(full_years(member.birth_date, o.event_on) - o.value) <= tolerance, o))
    wrong = tuple(o for fits, o in verdicts if not fits)
    if wrong:
        return Fact(name, False, sources=wrong)
    if verdicts:
        return Fact(name, True, sources=tuple(o for _, o in verdicts))
    return Fact(name, EITHER, Why.NOT_SUPPLIED, needs=("member.name",))


def _comparable(printed: str, filed: str) -> bool:
    """Whether both names are written in the same script: 艾某 and Ai Mou may be one person."""
    return bool(filed.strip()) and printed.isascii() == filed.isascii()


def _same_name(printed: str, filed: str) -> bool:
    """Equal but for blanks and case; a masked character (* or ×) stands for any."""
    a, b = ("".join(s.split()).lower() for s in (printed, filed))
    return len(a) == len(b) and all(x == y or x in "*＊×x" for x, y in zip(a, b, strict=True))


_WAYS: dict[str, Callable[[Facts, str, Mapping[str, Any]], Fact]] = {
    "days_between": _days_between,
    "age_at": _age_at,
    "episode": _episode,
    "plan_version": _plan_version,
    "edition": _edition,
    "paper": _paper,
    "all": _all,
    "test": _test,
    "compare": _compare,
    "lookup": _lookup,
    "in_order": _in_order,
    "in_order_within_paper": _in_order_within_paper,
    "turnaround": _turnaround,
    "specimen_matches_surgery": _specimen_matches_surgery,
    "size_matches_T": _size_matches_t,
    "nodes_match_N": _nodes_match_n,
    "group_matches_TNM": _group_matches_tnm,
    "code_matches_behaviour": _code_matches_behaviour,
    "department_plausible": _department_plausible,
    "identity": _identity,
    "finding": lambda facts, name, spec: finding(facts, name, spec["finding"]),
}
