"""What would let a claim go on: the least set of answers with which it would be released or paid, each with the paper that can show it.

Only open facts are answered, never known ones. A change set is found on the compiled rules and then confirmed by running the whole
engine on the claim with these answers; none of its answers can be left out. What no paper can prove absent is left to the investigation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from knowledge_graph.libraries import EvidenceType
from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import FactDefinition
from triage.candidates import Candidates
from triage.casefile import CaseFile, Paper
from triage.completions import Turn, World, answered, turn, values_of
from triage.explain import value_in_words
from triage.facts import Facts
from triage.judge import Effect, Outcome, Verdict, effects
from triage.observation import Observation, Source, Why
from triage.pipeline import conditions_claimed, filed_observations, suggest
from triage.reasons import inplay
from triage.route import Route
from triage.suggestion import Suggestion
from triage.values import Interval, to_json

RELEASED = frozenset({Route.CLEAR, Route.RECOMMEND_PAY})
_IDLE = frozenset({Effect.PASS, Effect.AMOUNT, Effect.NOTED, Effect.LESSER, Effect.FLAG, Effect.UNSHOWN, Effect.TASK})


@dataclass(frozen=True, slots=True)
class Answer:
    """A fact with a value that helps, all values that do (a list, or an interval of them), who or what can show it, and the rules that
    then pass."""

    fact: str
    value: Any
    helps: tuple[Any, ...] | Interval
    evidence: EvidenceType | None
    rules: tuple[str, ...]

    def to_json(self, knowledge: Knowledge) -> dict[str, Any]:
        """As published, in words of both languages."""
        definition = knowledge.facts[self.fact]
        told = [value_in_words(v, definition) for v in self.helps] if isinstance(self.helps, tuple) else [value_in_words(self.helps)]
        zh, en = "或".join(t[0] for t in told), " or ".join(t[1] for t in told)
        by = (f"《{self.evidence.zh}》", self.evidence.en) if self.evidence is not None else ("由人核定", "a person's judgement")
        clauses = {r.id: r.clause for r in knowledge.rules if r.id in self.rules}
        return {
            "fact": self.fact,
            "value": to_json(self.value),
            "helps": to_json(self.helps) if isinstance(self.helps, Interval) else [to_json(v) for v in self.helps],
            "evidence": self.evidence.id if self.evidence is not None else None,
            "asked_of": self.evidence.asked_of if self.evidence is not None else "reviewer",
            "rules": list(self.rules),
            "zh": f"{by[0]}：{definition.zh}={zh}（{'、'.join(c.zh for c in clauses.values())}）",
            "en": f"{by[1]}: {definition.en} = {en} ({'; '.join(c.en for c in clauses.values())})",
        }


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Answers that together lead to `route` (with `closed`, once the investigation is closed and found nothing)."""

    answers: tuple[Answer, ...]
    route: Route
    closed: bool
    amount: int | None = None


def change_set(suggestion: Suggestion, *, closed: bool = False) -> ChangeSet | None:
    """The least answers that let the claim be released or paid; None where no answer to an open question can, or it already is."""
    search = _Search(suggestion, closed)
    if search.reaches({}) is not None:
        return None
    found = next(search.answers(), None)
    if found is None or search.reaches(found) is None:
        return None
    for name in list(found):
        fewer = {n: v for n, v in found.items() if n != name}
        if search.reaches(fewer) is not None:
            found = fewer
    end = search.reaches(found)
    assert end is not None
    return ChangeSet(tuple(search.told(n, found) for n in found), end.routed.route, closed, end.routed.amount)


class _Search:
    """Answers to open questions under which every rule that stands in the way passes."""

    def __init__(self, suggestion: Suggestion, closed: bool) -> None:
        self._suggestion, self._closed = suggestion, closed
        self._play: Candidates = inplay(suggestion)
        self._facts: Facts = suggestion.facts
        number = {r.rule.id: n for n, r in enumerate(self._play.rules)}
        self._wanted = tuple(number[v.rule.id] for v in suggestion.verdicts if self._stands(v))
        self._names = [n for n in self._play.hangs.order if self._askable(n)]

    def _stands(self, verdict: Verdict) -> bool:
        return not set(verdict.effects) <= _IDLE

    def _askable(self, name: str) -> bool:
        """An open fact that somebody can answer by itself and that bears on what stands in the way."""
        by_itself = name in self._facts.knowledge.facts and (name not in self._play.hangs.links or not self._play.hangs.links[name].inputs)
        return by_itself and not self._facts.get(name).settled and bool(self._play.hangs.reached(name) & set(self._wanted))

    def answers(self) -> Iterator[dict[str, Any]]:
        """Found in order of the facts; a branch ends where a wanted rule cannot pass any more, or another begins to stand in the way."""
        start = World(self._facts, {n: turn(self._play.rules[n], self._facts) for n in self._wanted})
        waiting: list[tuple[World, int, dict[str, Any]]] = [(start, 0, {})]
        tried = 0
        while waiting and tried < self._facts.knowledge.limits.worlds:
            world, place, given = waiting.pop()
            tried += 1
            if all(self._passes(n, t) for n, t in world.turns.items()):
                yield given
            elif place < len(self._names):
                waiting.append((world, place + 1, given))
                waiting += [(w, place + 1, {**given, self._names[place]: v}) for v, w in self._tries(world, self._names[place])]

    def _tries(self, world: World, name: str) -> Iterator[tuple[Any, World]]:
        reached = self._play.hangs.reached(name)
        if not any(n in reached and not self._passes(n, t) for n, t in world.turns.items()):
            return
        for value in values_of(name, world.facts, self._play.hangs):
            facts = world.facts.supposing({name: answered(name, value)}, self._play.hangs.dependents.get(name, frozenset()))
            turns = {n: turn(self._play.rules[n], facts) if n in reached else t for n, t in world.turns.items()}
            if all(self._may_pass(n, t) for n, t in turns.items()) and not self._harms(reached, world.facts, facts):
                yield value, World(facts, turns)

    def _harms(self, reached: frozenset[int], before: Facts, after: Facts) -> bool:
        """Whether an answer makes a rule certainly stand in the way, or a flag hold, that did not."""
        return any(
            not self._may_pass(n, turn(self._play.rules[n], after), flags=False)
            and self._may_pass(n, turn(self._play.rules[n], before), flags=False)
            for n in reached
        )

    def _may_pass(self, number: int, turned: Turn, *, flags: bool = True) -> bool:
        return any(self._passing(number, outcome, amount, flags=flags) for outcome, amount in turned.ways)

    def _passes(self, number: int, turned: Turn) -> bool:
        return all(self._passing(number, outcome, amount, flags=True) for outcome, amount in turned.ways)

    def _passing(self, number: int, outcome: Outcome, amount: int | None, *, flags: bool) -> bool:
        rule = self._play.rules[number].rule
        if rule.kind == "benefit":
            return amount is not None
        led = () if outcome is Outcome.NOT_APPLICABLE else effects(Verdict(rule, outcome, ()))
        return led in ((), (Effect.PASS,)) or (flags and led == (Effect.FLAG,))

    def reaches(self, given: Mapping[str, Any]) -> Suggestion | None:
        """The engine's own suggestion with these answers, if it releases or pays."""
        before = self._suggestion
        case = replace(with_answers(before, given), investigated=True) if self._closed else with_answers(before, given)
        after = suggest(case, before.knowledge, before.assessment, before.facts.today)
        return after if after.routed.route in RELEASED else None

    def told(self, name: str, given: Mapping[str, Any]) -> Answer:
        """One answer of a set, with every value that does as well while the others stand."""
        hangs = self._play.hangs
        others = {n: answered(n, v) for n, v in given.items() if n != name}
        dependents = frozenset(d for n in others for d in hangs.dependents.get(n, ()))
        facts = self._facts.supposing(others, dependents - set(others))
        values = values_of(name, facts, hangs)
        good = [v for v in values if v == given[name] or self.reaches({**given, name: v}) is not None]
        rules = tuple(self._play.rules[n].rule.id for n in self._wanted if n in hangs.reached(name))
        definition = self._facts.definition(name)
        listed = definition is None or bool(definition.values)
        helps = tuple(good) if listed else _together(good, values, given[name])
        return Answer(name, given[name], helps, supplier(self._facts, name), rules)


def _together(good: list[Any], values: list[Any], chosen: Any) -> tuple[Any, ...] | Interval:
    """Numbers and dates as the stretch around the chosen one that helps throughout, anything else as a list."""
    if isinstance(chosen, bool | str):
        return tuple(good)
    ordered = sorted(values)
    low = high = ordered.index(chosen)
    while low and ordered[low - 1] in good:
        low -= 1
    while high + 1 < len(ordered) and ordered[high + 1] in good:
        high += 1
    if low == high:
        return (chosen,)
    return Interval(ordered[low] if low else None, ordered[high] if high + 1 < len(ordered) else None)


def supplier(facts: Facts, name: str) -> EvidenceType | None:
    """The cheapest paper or record that can show a fact; None where only a person can settle it."""
    definition, fact = facts.definition(name), facts.get(name)
    if fact.conflict or fact.why not in (None, Why.NOT_SUPPLIED):
        return None
    if definition is not None and definition.derive is not None and "paper" in definition.derive:
        return min((facts.knowledge.evidence[e] for e in definition.derive["paper"]), key=lambda e: (e.cost, e.delay_days, e.id))
    return next(iter(facts.knowledge.suppliers(name)), None)


def _basis(definition: FactDefinition) -> str:
    """The strongest basis on which the fact is settled."""
    limited = {limit.basis for limit in definition.limits}
    return next((basis for bases in definition.precedence for basis in bases if basis not in limited), "")


def with_answers(suggestion: Suggestion, given: Mapping[str, Any]) -> CaseFile:
    """The claim's case file with the papers, look-ups and judgements that would answer so."""
    case, facts = suggestion.case, suggestion.facts
    filed = filed_observations(case.claim, suggestion.knowledge, conditions_claimed(case.claim, suggestion.knowledge))
    papers, said = [], []
    for number, (name, value) in enumerate(given.items()):
        definition, evidence = suggestion.knowledge.facts[name], supplier(facts, name)
        if evidence is not None and definition.derive is not None and "paper" in definition.derive and value is True:
            papers.append(Paper(f"new{number}", evidence.id, next(iter(definition.derive.get("basis", [])), "")))
        elif evidence is None or definition.derive is not None or (definition.combine != "agree" and facts.observed(name)):
            # Where what was said is added up (the earliest date, any of several), only a person's word replaces it.
            said.append(Observation(name, value, Source.REVIEWER))
        else:
            source = {"claimant": Source.DOCUMENT, "staff": Source.REGISTRY}.get(evidence.asked_of, Source.INVESTIGATION)
            said.append(Observation(name, value, source, evidence.id, _basis(definition), document=f"new{number}"))
    kept = tuple(o for o in case.observations if o not in filed)
    return replace(case, observations=(*kept, *said), papers=(*case.papers, *papers))
