"""Facts of one claim: what all sources together leave possible for each named question.

A fact is known, unknown with its why, or in conflict; it is contested where a stronger source prevailed over a weaker one
that said otherwise. Facts that rules derive from others are computed by `triage.derive`, on demand, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import FactDefinition, Plan
from triage.casefile import CaseFile
from triage.observation import Assertion, FindingMention, Observation, Source, Why
from triage.values import EITHER, Interval, OneOf, to_json

_NOT_OF_THE_MEMBER = frozenset({Assertion.FAMILY, Assertion.HYPOTHETICAL, Assertion.PLANNED, Assertion.OTHER_PERSON})
_RANK = {source: place for place, source in enumerate(Source)}
_SETTLES = frozenset({Source.INVESTIGATION, Source.REVIEWER})


class State(StrEnum):
    """The state of a fact."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Fact:
    """`possible` is the one value, an Interval, a OneOf, or None for anything; `needs` names the base facts that would
    settle it; `sources` are what it rests on, the strongest first."""

    id: str
    possible: Any = None
    why: Why | None = None
    conflict: bool = False
    contested: bool = False
    needs: tuple[str, ...] = ()
    sources: tuple[Observation | FindingMention, ...] = ()

    @property
    def state(self) -> State:
        """Known means to one value, or to within an interval that the sources give."""
        if self.conflict:
            return State.CONFLICT
        partly = self.possible is None or isinstance(self.possible, OneOf) or self.why is not None
        return State.UNKNOWN if partly else State.KNOWN

    @property
    def settled(self) -> bool:
        """Whether exactly one value is left."""
        return not self.conflict and self.possible is not None and not isinstance(self.possible, Interval | OneOf)

    def is_value(self, value: object) -> bool:
        """Whether the fact is certainly `value`."""
        return self.settled and self.possible == value and isinstance(self.possible, bool) == isinstance(value, bool)

    def bounds(self) -> tuple[Any, Any]:
        """The least and the greatest possible value; None for an open end."""
        if isinstance(self.possible, Interval):
            return self.possible.low, self.possible.high
        if isinstance(self.possible, OneOf):
            return min(self.possible.values), max(self.possible.values)
        return self.possible, self.possible

    def to_json(self) -> dict[str, Any]:
        """The published form: state, value, why, contested, sources."""
        data: dict[str, Any] = {"state": self.state.value}
        if self.possible is not None and self.possible != EITHER:
            data["value"] = to_json(self.possible)
        if self.why is not None and not self.conflict:
            data["why"] = self.why.value
        if self.contested:
            data["contested"] = True
        return {**data, "sources": [source_json(s) for s in self.sources]}


def source_json(source: Observation | FindingMention) -> dict[str, Any]:
    """Where a statement stands: source, document, evidence type and the quoted span where there is one."""
    data: dict[str, Any] = {"source": source.source.value}
    if source.document:
        data |= {"document": source.document, "evidence_type": source.evidence_type, "section": source.section}
    if source.span is not None:
        data |= {"start": source.span.start, "end": source.span.end, "quote": source.span.quote}
    if isinstance(source, Observation):
        data |= {"value": to_json(source.value)} if source.value is not None else {}
        data |= {"basis": source.basis} if source.basis else {}
    else:
        data |= {"finding": source.finding, "grade": source.grade, "side": source.side, "event_on": to_json(source.event_on)}
    return {**data, "assertion": source.assertion.value}


@dataclass(slots=True)
class Facts:
    """All facts of one case file under one plan; `get` computes and remembers."""

    case: CaseFile
    knowledge: Knowledge
    plan: Plan
    today: date
    _known: dict[str, Fact] = field(default_factory=dict)
    _observed: dict[str, list[Observation]] = field(default_factory=dict)
    finding_queries: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for observation in self.case.observations if not self._observed else ():
            self._observed.setdefault(observation.fact, []).append(observation)

    def get(self, name: str) -> Fact:
        """The fact `name`; `name@type,type` is the fact as told by papers of those types alone."""
        if name not in self._known:
            self._known[name] = self._compute(name)
        return self._known[name]

    def supposing(self, answers: Mapping[str, Fact], dependents: frozenset[str]) -> Facts:
        """The same claim where some facts are answered so; `dependents` are all that follow from them and are computed again."""
        known = {**self._known, **answers}
        for name in dependents:
            known.pop(name, None)
        return Facts(self.case, self.knowledge, self.plan, self.today, known, self._observed, self.finding_queries, self.idle)

    def definition(self, name: str) -> FactDefinition | None:
        """Its definition; None for a finding query, which is a plain yes or no."""
        return self.knowledge.facts.get(name.partition("@")[0])

    def observed(self, name: str) -> list[Observation]:
        """What was observed of a fact, as given."""
        return self._observed.get(name, [])

    def computed(self) -> Iterable[Fact]:
        """Every named fact of the library, but for those that only other conditions and plans ask for and nobody has spoken of."""
        return (self.get(name) for name in self.knowledge.facts if name not in self.idle or name in self._observed)

    def _compute(self, name: str) -> Fact:
        from triage import derive
        from triage.finding_query import finding

        if name in self.finding_queries:
            return finding(self, name, self.finding_queries[name])
        base, _, types = name.partition("@")
        definition = self.knowledge.facts[base]
        observations = [o for o in self.observed(base) if not types or o.evidence_type in types.split(",")]
        if definition.derive is not None and not any(o.source in _SETTLES for o in observations):
            return derive.derived(self, definition)
        return gather(definition, observations)


def gather(definition: FactDefinition, observations: Iterable[Observation]) -> Fact:
    """One fact out of all that was said of it: the strongest sources prevail, the rest may leave it contested."""
    usable = _latest_entries(o for o in observations if o.assertion not in _NOT_OF_THE_MEMBER)
    if not usable:
        return Fact(definition.id, why=Why.NOT_SUPPLIED, needs=(definition.id,))
    groups: dict[tuple[int, int], list[Observation]] = {}
    for observation in usable:
        groups.setdefault(_rank(definition, observation), []).append(observation)
    ranks = sorted(groups, reverse=True)
    if definition.combine != "agree":
        settling = [o for o in usable if o.source in _SETTLES and o.value is not None]
        return combine(definition, settling or usable)
    strongest = next((r for r in ranks if any(o.value is not None for o in groups[r])), ranks[0])
    result = combine(definition, groups[strongest])
    weaker = [o for r in ranks if r < strongest for o in groups[r]]
    settled_by_person = any(o.source in _SETTLES for o in groups[strongest])
    contested = result.contested or (not settled_by_person and any(_disagrees(definition, result, o) for o in weaker))
    sources = (*groups[strongest], *weaker)
    return Fact(definition.id, result.possible, result.why, result.conflict, contested, result.needs, sources)


def _latest_entries(observations: Iterable[Observation]) -> list[Observation]:
    """Of what one named person entered, the last word; two people may still differ."""
    given = list(observations)
    last = {o.actor: o for o in given if o.actor}
    return [o for o in given if not o.actor or last[o.actor] is o]


def _rank(definition: FactDefinition, observation: Observation) -> tuple[int, int]:
    """Source first, then the fact's own precedence of bases; an unlisted basis comes last."""
    places = [i for i, bases in enumerate(definition.precedence) if observation.basis in bases]
    return _RANK[observation.source], -places[0] if places else -len(definition.precedence)


def limited(definition: FactDefinition, observation: Observation) -> tuple[Any, Why | None]:
    """What an observation leaves possible, evidence limits applied, and the why if that settles nothing."""
    if observation.value is None:
        return None, observation.why or Why.UNCLEAR
    if observation.assertion is Assertion.UNCERTAIN and not isinstance(observation.value, OneOf | Interval):
        return None, Why.UNCLEAR
    if definition.grows and isinstance(observation.value, int | float):
        return Interval(observation.value, None), observation.why
    if observation.source is Source.DOCUMENT:
        for limit in definition.limits:
            if limit.basis == observation.basis and limit.value in (None, observation.value):
                possible = None if limit.may_be == "any" else OneOf(frozenset(limit.may_be))
                return possible, Why.NOT_SUPPLIED
    return observation.value, observation.why


def combine(definition: FactDefinition, observations: list[Observation]) -> Fact:
    """Observations of equal rank as one fact, by the definition's way of combining."""
    read = [(o, *limited(definition, o)) for o in observations]
    values = [possible for _, possible, _ in read if possible is not None]
    sources = tuple(observations)
    if not values:
        why = next((w for _, _, w in read if w is not None), Why.NOT_SUPPLIED)
        return Fact(definition.id, why=why, needs=(definition.id,), sources=sources)
    deciding = {"all": False, "any": True}.get(definition.combine)
    if deciding is not None and any(p is None for _, p, _ in read) and deciding not in values:
        return Fact(definition.id, why=Why.UNCLEAR, needs=(definition.id,), sources=sources)
    if definition.combine != "agree":
        combined = _COMBINE[definition.combine](definition, values)
        open_ = isinstance(combined, OneOf)
        return Fact(definition.id, combined, Why.UNCLEAR if open_ else None, needs=(definition.id,) if open_ else (), sources=sources)
    possible = values[0]
    for value in values[1:]:
        met = meet(definition, possible, value)
        if met is None:
            return _latest(definition, observations) or _conflict(definition, values, sources)
        possible = met
    if not isinstance(possible, OneOf):
        return Fact(definition.id, possible, sources=sources)
    open_for = next((w for _, _, w in read if w is not None), Why.NOT_SUPPLIED)
    return Fact(definition.id, possible, open_for, needs=(definition.id,), sources=sources)


def _latest(definition: FactDefinition, observations: list[Observation]) -> Fact | None:
    """Of a fact that may change in the course of events (`latest`), what the newest dated paper says, contested; None where no
    paper is the newest."""
    dated = [(o, day) for o in observations if isinstance(day := o.event_on.low if isinstance(o.event_on, Interval) else o.event_on, date)]
    newest = max((day for _, day in dated), default=None)
    said = [o for o, day in dated if day == newest]
    if not definition.latest or not said or len(said) == len(observations):
        return None
    result = combine(definition, said)
    return None if result.conflict else replace(result, contested=True, sources=tuple(observations))


def _conflict(definition: FactDefinition, values: list[Any], sources: tuple[Observation, ...]) -> Fact:
    flat: set[Any] = set()
    for value in values:
        flat |= value.values if isinstance(value, OneOf) else {value.low, value.high} - {None} if isinstance(value, Interval) else {value}
    return Fact(definition.id, OneOf(frozenset(flat)), conflict=True, needs=(definition.id,), sources=sources)


def _disagrees(definition: FactDefinition, result: Fact, observation: Observation) -> bool:
    possible, _ = limited(definition, observation)
    if possible is None or result.possible is None or result.conflict:
        return False
    return meet(definition, result.possible, possible) is None


def meet(definition: FactDefinition, a: Any, b: Any) -> Any:
    """What two statements agree on, within the fact's tolerance; None where they contradict each other."""
    if isinstance(a, OneOf) and isinstance(b, OneOf):
        common = a.values & b.values
        return None if not common else next(iter(common)) if len(common) == 1 else OneOf(common)
    if isinstance(a, OneOf):
        return _meet_set(a, b)
    if isinstance(b, OneOf):
        return _meet_set(b, a)
    if isinstance(a, Interval) or isinstance(b, Interval):
        met = _as_interval(a).meet(_as_interval(b))
        return None if met is None else met.low if met.is_point else met
    return _meet_scalars(definition, a, b)


def _meet_set(some: OneOf, other: Any) -> Any:
    """The members of a set that another statement leaves possible."""
    if not isinstance(other, Interval):
        return other if other in some.values else None
    left = frozenset(v for v in some.values if other.meet(Interval(v, v)) is not None)
    return None if not left else next(iter(left)) if len(left) == 1 else OneOf(left)


def _meet_scalars(definition: FactDefinition, a: Any, b: Any) -> Any:
    if a == b:
        return a
    if definition.tolerance and isinstance(a, int | float) and isinstance(b, int | float):
        return a if abs(a - b) <= definition.tolerance else None
    if definition.same_prefix and str(a)[: definition.same_prefix] == str(b)[: definition.same_prefix]:
        return max((a, b), key=lambda code: (not str(code).endswith(".9"), len(str(code))))
    return None


def _as_interval(value: Any) -> Interval:
    return value if isinstance(value, Interval) else Interval(value, value)


def _span(value: Any) -> Interval:
    """A value, a set or an interval as the interval it lies in."""
    return Interval(min(value.values), max(value.values)) if isinstance(value, OneOf) else _as_interval(value)


def _earliest(_: FactDefinition, values: list[Any]) -> Any:
    spans = [_span(v) for v in values]
    low = None if any(s.low is None for s in spans) else min(s.low for s in spans)
    highs = [s.high for s in spans if s.high is not None]
    interval = Interval(low, min(highs) if highs else None)
    return interval.low if interval.is_point else interval


def _greatest(definition: FactDefinition, values: list[Any]) -> Any:
    if len(values) == 1:
        return values[0]
    order = definition.values.index if definition.values else None
    plain = [v for value in values for v in (value.values if isinstance(value, OneOf) else [_as_interval(value).high])]
    return max((v for v in plain if v is not None), key=order, default=values[0])


def _either(sure: bool, values: list[Any]) -> Any:
    """`sure` where one value says so, its opposite where all do, else open."""
    if any(v is sure for v in values):
        return sure
    return not sure if all(v is (not sure) for v in values) else EITHER


_COMBINE: dict[str, Callable[[FactDefinition, list[Any]], Any]] = {
    "earliest": _earliest,
    "any": lambda _, values: _either(True, values),
    "all": lambda _, values: _either(False, values),
    "max": _greatest,
    "max_listed": _greatest,
    "first": lambda _, values: values[0],
}
