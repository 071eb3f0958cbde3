"""The complete claims that a partly known claim may turn out to be.

A completion answers every open fact as a person could answer it; what follows from facts follows from the answers, so that one unknown
in two rules is one unknown. Only facts used in more than one way have to be tried value by value: of the rest each rule's own exact
truth says what is possible. Groups of rules that share no open fact are independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from triage.dependence import Dependence, Exactness, marks
from triage.facts import Fact, Facts
from triage.finding_query import depends_on_time
from triage.judge import PASSES_WHEN_TRUE, CompiledRule, Outcome
from triage.logic import Tree, Truth, candidates, cells, holds, truth
from triage.observation import Observation, Source
from triage.values import EITHER, OneOf

_SOON = 4
"""Answers tried a fact before a rule by itself is worked through in full: a matter of speed alone."""

Way = tuple[Outcome, int | None]
"""How a rule turns out in a complete claim: its verdict, and the amount (CNY) of a benefit."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The ways a rule may turn out; `degraded` where its own combinations were too many to try."""

    ways: frozenset[Way]
    degraded: bool = False

    @property
    def open(self) -> bool:
        """Whether it may turn out in more than one way."""
        return len(self.ways) > 1


@dataclass(frozen=True, slots=True)
class World:
    """One way the shared open facts may turn out: the facts with these answers in place, and how each rule may then turn out."""

    facts: Facts
    turns: Mapping[int, Turn]


@dataclass(frozen=True, slots=True)
class Group:
    """Rules (by number) that share open facts, and the worlds of those; `degraded` where the limit left some untried."""

    rules: tuple[int, ...]
    worlds: tuple[World, ...]
    degraded: bool = False


def answered(name: str, value: Any, *, agree: bool = True) -> Fact:
    """A fact as a person's answer leaves it; `agree` is whether the papers speak with one voice, which an answer does not change."""
    return Fact(name, value, contested=not agree, sources=(Observation(name, value, Source.REVIEWER),))


def to_answer(facts: Facts, hangs: Dependence) -> list[str]:
    """The open facts that have to be tried value by value, inputs first: those used in more than one way, and those something follows
    from that by itself would allow too much."""
    open_ = [n for n in hangs.order if not facts.get(n).settled]
    return [n for n in open_ if hangs.consumers.get(n, 0) > 1 or any(_too_wide(facts, f, n, hangs) for f in hangs.followers[n])]


def _too_wide(facts: Facts, follower: str, name: str, hangs: Dependence) -> bool:
    exact, possible = hangs.links[follower].exact, facts.get(name).possible
    query = facts.finding_queries.get(follower)
    if exact is Exactness.ALWAYS or (query is not None and not _turns_on(facts, query, name)):
        return False
    return exact is Exactness.NEVER or (isinstance(possible, OneOf) and possible != EITHER)


def _turns_on(facts: Facts, query: Mapping[str, Any], name: str) -> bool:
    """Whether a finding query may turn on a fact other than the search for it: one nobody has recorded does not."""
    return name != query.get("closed_by") and depends_on_time(facts, query)


def groups(facts: Facts, hangs: Dependence, rules: Sequence[CompiledRule], limit: int) -> Iterator[Group]:
    """The rules by number in independent groups, each with its worlds."""
    turns = {number: turn(rule, facts) for number, rule in enumerate(rules)}
    shared = [(name, [n for n in sorted(hangs.reached(name)) if turns[n].open]) for name in to_answer(facts, hangs)]
    first = _joined(len(rules), [reached for _, reached in shared])
    members: dict[int, list[int]] = {}
    for number in range(len(rules)):
        members.setdefault(first[number], []).append(number)
    for leader, numbers in members.items():
        names = [name for name, reached in shared if reached and first[reached[0]] == leader]
        start = World(facts, {n: turns[n] for n in numbers})
        if len(numbers) == 1 and names and _all_met(start, hangs, names, rules):
            names = []
        worlds, degraded = worlds_of(start, hangs, names, rules, limit)
        yield Group(tuple(numbers), worlds, degraded)


def _all_met(start: World, hangs: Dependence, names: Sequence[str], rules: Sequence[CompiledRule]) -> bool:
    """Whether a rule that shares no fact is soon seen to turn out in every way it may: then there is nothing to try."""
    ((number, wanted),) = start.turns.items()
    met: set[Way] = set()
    waiting, tried = [(start, 0)], 0
    while waiting and tried < _SOON * len(names):
        world, place = waiting.pop()
        tried += 1
        if place == len(names) or not world.turns[number].open:
            met |= world.turns[number].ways
            if met == wanted.ways:
                return True
            continue
        waiting += [(answer, place + 1) for answer in _answers(world, names[place], hangs, rules)]
    return False


def _joined(count: int, together: Iterable[list[int]]) -> list[int]:
    """For each number the least one it is joined with, directly or through others."""
    first = list(range(count))
    for numbers in together:
        leaders = {first[n] for n in numbers}
        if len(leaders) > 1:
            least = min(leaders)
            first = [least if leader in leaders else leader for leader in first]
    return first


def worlds_of(
    start: World, hangs: Dependence, names: Iterable[str], rules: Sequence[CompiledRule], limit: int
) -> tuple[tuple[World, ...], bool]:
    """Every combination of answers to `names` (inputs first) that the rules can tell apart, and whether some were left open because of
    the limit. What an answer settles, or what no open rule rests on any more, is not asked."""
    found, degraded = [start], False
    touched: set[str] = set()
    for name in names:
        touched |= {name, *hangs.dependents.get(name, ())}
        order = [n for n in hangs.order if n in touched]
        grown: dict[Any, World] = {}
        tried = 0
        for world in found:
            answers = _answers(world, name, hangs, rules)
            tried += len(answers)
            if tried > limit:
                degraded = True
                break
            for answer in answers:
                grown.setdefault(_told(answer, order, hangs), answer)
        else:
            found = list(grown.values())
    return tuple(found), degraded


def _told(world: World, names: Iterable[str], hangs: Dependence) -> tuple[Any, ...]:
    """What can still be told of a world: how its rules turn out, and of the facts open rules rest on their value while something that
    follows directly from it is open, else how their atoms turn out."""
    facts = world.facts
    told: list[Any] = [tuple(world.turns.values())]
    for name in names:
        if not _matters(world, name, hangs):
            continue
        fact = facts.get(name)
        if not fact.settled or any(_follows(world, n, name, hangs) for n in hangs.followers[name]):
            told.append((fact.possible, fact.contested))
        elif name in hangs.asked:
            told.append(next(iter(cells(fact, facts.definition(name), hangs.asked[name]))))
    return tuple(told)


def _matters(world: World, name: str, hangs: Dependence) -> bool:
    return any(n in world.turns and world.turns[n].open for n in hangs.reached(name))


def _follows(world: World, name: str, on: str, hangs: Dependence) -> bool:
    """Whether a fact is open, counts, and may turn on another: a finding nobody has recorded turns on the search for it alone."""
    if world.facts.get(name).settled or not _matters(world, name, hangs):
        return False
    query = world.facts.finding_queries.get(name)
    return query is None or on == query.get("closed_by") or _turns_on(world.facts, query, on)


def _answers(world: World, name: str, hangs: Dependence, rules: Sequence[CompiledRule]) -> list[World]:
    fact = world.facts.get(name)
    if fact.settled or not _matters(world, name, hangs):
        return [world]
    reached = [n for n in hangs.reached(name) if n in world.turns and world.turns[n].open]
    dependents = hangs.dependents.get(name, frozenset())
    voices = _voices(fact, name in hangs.agreeing)
    found = []
    for value in values_of(name, world.facts, hangs):
        for agree in voices:
            facts = world.facts.supposing({name: answered(name, value, agree=agree)}, dependents)
            found.append(World(facts, {**world.turns, **{n: turn(rules[n], facts) for n in reached}}))
    return found


def _voices(fact: Fact, asked: bool) -> tuple[bool, ...]:
    """Whether the papers agree, where a rule asks that: of a fact nobody has spoken of they may or may not."""
    if not asked:
        return (True,)
    return (True, False) if fact.possible is None else (not fact.conflict and not fact.contested,)


def values_of(name: str, facts: Facts, hangs: Dependence) -> list[Any]:
    """Enough of the values an open fact may have to meet everything that can come of it; where nothing follows from it, one for each way
    its atoms turn out."""
    told = (("in", frozenset(marks(name, facts, hangs))),)
    definition = facts.definition(name)
    found = sorted(candidates(facts.get(name).possible, definition, told), key=str)
    if hangs.followers[name] or name in hangs.agreeing:
        return found
    told_apart = {tuple(all(holds(t, value, definition) for t in a.tests) for a in hangs.asked.get(name, ())): value for value in found}
    return list(told_apart.values())


def contested_for_good(name: str, facts: Facts, hangs: Dependence) -> bool:
    """Whether a fact rests on a settled contest even when all that is open is answered; a person's answer ends a contest."""
    fact = facts.get(name)
    if name in hangs.links and (fact.contested or not fact.settled):
        return any(contested_for_good(n, facts, hangs) for n in hangs.links[name].inputs)
    return fact.settled and fact.contested and not _supposed(fact)


def _supposed(fact: Fact) -> bool:
    return len(fact.sources) == 1 and isinstance(fact.sources[0], Observation) and fact.sources[0].source is Source.REVIEWER


def as_answered(name: str, facts: Facts, hangs: Dependence) -> Fact:
    """A fact as a verdict of a complete claim rests on it: an open one is answered by a person, and documented with that."""
    fact = facts.get(name)
    contested = contested_for_good(name, facts, hangs)
    if fact.settled:
        return fact if fact.contested == contested else replace(fact, contested=contested)
    return Fact(name, None, contested=contested, sources=(Observation(name, None, Source.REVIEWER),))


def turn(compiled: CompiledRule, facts: Facts) -> Turn:
    """How a rule may turn out when what is open is answered in any way."""
    if compiled.when is None:
        return _benefit(compiled, facts)
    applies = truth(compiled.exists, facts.get, facts.definition, flips=False).value if compiled.exists is not None else True
    if applies is False:
        return _NOT_APPLICABLE
    result = truth(compiled.when, facts.get, facts.definition, flips=False)
    if applies is None:
        return _perhaps(compiled, facts, result)
    if result.value is not None:
        return _TRUE if result.value else _FALSE
    return Turn(_EITHER, result.degraded)


def _perhaps(compiled: CompiledRule, facts: Facts, result: Truth) -> Turn:
    """A rule that may not apply at all: where its window fails the condition holds (or not) without saying anything."""
    assert compiled.exists is not None and compiled.when is not None  # noqa: PT018
    both = truth(Tree((compiled.exists, compiled.when), 2), facts.get, facts.definition, flips=False)
    ways = {(Outcome.NOT_APPLICABLE, None)}
    ways |= {(Outcome.TRUE, None)} if both.value is not False else set()
    if compiled.rule.kind in PASSES_WHEN_TRUE:
        ways |= {(Outcome.FALSE, None)} if result.value is not True else set()
    else:
        fails = Tree((compiled.exists, Tree((compiled.when,), 1, negate=True)), 2)
        ways |= {(Outcome.FALSE, None)} if truth(fails, facts.get, facts.definition, flips=False).value is not False else set()
    return Turn(frozenset(ways), result.degraded or both.degraded)


def _benefit(compiled: CompiledRule, facts: Facts) -> Turn:
    ways: set[Way] = set()
    degraded = False
    for node, amount in compiled.amounts:
        result = truth(node, facts.get, facts.definition, flips=False)
        degraded |= result.degraded
        if result.value is not False:
            ways.add((Outcome.TRUE, amount))
        if result.value is True:
            return Turn(frozenset(ways), degraded)
    return Turn(frozenset({*ways, (Outcome.FALSE, None)}), degraded)


_EITHER: frozenset[Way] = frozenset({(Outcome.TRUE, None), (Outcome.FALSE, None)})
_TRUE, _FALSE = Turn(frozenset({(Outcome.TRUE, None)})), Turn(frozenset({(Outcome.FALSE, None)}))
_NOT_APPLICABLE = Turn(frozenset({(Outcome.NOT_APPLICABLE, None)}))
