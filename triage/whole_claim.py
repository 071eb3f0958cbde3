"""What a claim as a whole may still come to: every rule's verdict and the route, exact over the completions of all its facts together.

A rule's own verdict looks at its own facts. Here one unknown in two rules is one unknown, so more may be settled than rule by rule, and
never less. Beyond the limits of the rulebook (`limits.yaml`) more is left possible than is: a claim degrades to undecided, never to
decided. The gate is taken as it stands; flags that may come to hold can close it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from triage.candidates import Candidates, candidates_of
from triage.casefile import CaseFile
from triage.completions import Turn, Way, as_answered, groups
from triage.facts import Fact, Facts
from triage.gate import Gate
from triage.judge import Effect, Outcome, Verdict, effects
from triage.pipeline import conditions_claimed
from triage.route import Route, Router
from triage.standing import EMPTY, Marker, Standing, Standings, product, refuting_only
from triage.suggestion import Suggestion


@dataclass(frozen=True, slots=True)
class End:
    """Where a complete claim stands: position, route, and the amount (CNY) where it may be paid."""

    position: str
    route: Route
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class WholeClaim:
    """`verdicts` holds the outcomes each rule may have when everything is answered; `ends` where the claim may stand, each with verdicts
    that lead there; `degraded` when a limit was met: both may then hold more than is possible, and no ends at all mean any."""

    verdicts: Mapping[str, frozenset[Outcome]]
    ends: Mapping[End, tuple[Verdict, ...]]
    degraded: bool = False

    @property
    def decided(self) -> End | None:
        """The one end left, whatever is still unknown."""
        return next(iter(self.ends)) if len(self.ends) == 1 else None


def whole_claim(suggestion: Suggestion, *, closed: bool = False) -> WholeClaim:
    """What the claim of a suggestion may still come to. With `closed`, where it may stand once its investigation is closed: the end that
    papers and tasks work towards."""
    case = replace(suggestion.case, investigated=True) if closed else suggestion.case
    return exact(case, suggestion.facts, suggestion.gate)


def exact(case: CaseFile, facts: Facts, gate: Gate) -> WholeClaim:
    """Group by group of rules that share open facts, candidate condition by candidate condition."""
    knowledge = facts.knowledge
    play = candidates_of(knowledge, facts.plan, conditions_claimed(case.claim, knowledge))
    facts.finding_queries.update(play.queries)
    degraded, turns, outcomes = False, [], {}
    for group in groups(facts, play.hangs, play.rules, knowledge.limits.worlds):
        vectors = {tuple(world.turns[n] for n in group.rules) for world in group.worlds}
        degraded |= group.degraded or any(t.degraded for vector in vectors for t in vector)
        turns.append((group.rules, vectors))
        for place, number in enumerate(group.rules):
            ways = {way for vector in vectors for way in vector[place].ways}
            outcomes[play.rules[number].rule.id] = frozenset(outcome for outcome, _ in ways)
    ends: dict[End, tuple[Verdict, ...]] = {}
    for level in range(len(play.levels)):
        standings = _Level(case, facts, gate, play, level).standings(turns)
        if standings is None:
            return WholeClaim(outcomes, {}, degraded=True)
        ends |= standings
    return WholeClaim(outcomes, ends, degraded)


Turns = list[tuple[tuple[int, ...], set[tuple[Turn, ...]]]]
"""Rules by number, and the ways they may turn out together."""


class _Level:
    """One candidate condition: every earlier one is refuted, this one is not."""

    def __init__(self, case: CaseFile, facts: Facts, gate: Gate, play: Candidates, level: int) -> None:
        self._case, self._facts, self._gate, self._play, self._level = case, facts, gate, play, level
        self._facts_answered: dict[str, Fact] = {}
        self._earlier = {n: number for number in range(level) for n in play.speaking[number]}
        self._numbers = play.levels[level] | set(self._earlier)
        self._router = Router(case, facts.knowledge, facts.plan, gate, 0)
        known = [self._verdict(n, (Outcome.TRUE, None)) for n in sorted(self._numbers)]
        self._marker = Marker.of(self._router, known, play.base_facts)
        self._cap = facts.plan.flag_weights.investigate if gate.open and not self._router.passed_investigation else 0
        self._order = {rule.rule.id: number for number, rule in enumerate(play.rules)}
        self._known: dict[tuple[int, Turn], Standings] = {}

    def standings(self, turns: Turns) -> dict[End, tuple[Verdict, ...]] | None:
        """Where claims end that come to this candidate; None beyond the limit."""
        limit, parts = self._facts.knowledge.limits.states, []
        for numbers, vectors in turns:
            mine = [(place, n) for place, n in enumerate(numbers) if n in self._numbers]
            own: Standings = {}
            for vector in {tuple(vector[place] for place, _ in mine) for vector in vectors}:
                found = product((self._part(n, t) for (_, n), t in zip(mine, vector, strict=True)), self._cap, limit)
                if found is None:
                    return None
                own |= found
            parts.append(own)
        whole = product(parts, self._cap, limit)
        wanted = frozenset(range(self._level))
        return None if whole is None else {self._end(s, v): v for s, v in whole.items() if s.refuted == wanted}

    def _part(self, number: int, turned: Turn) -> Standings:
        key = (number, turned)
        if key not in self._known:
            self._known[key] = {s: v for way in turned.ways for s, v in [self._way(number, way)]}
        return self._known[key]

    def _way(self, number: int, way: Way) -> tuple[Standing, tuple[Verdict, ...]]:
        verdict = self._verdict(number, way)
        if verdict.effects == (Effect.PASS,) and not (verdict.rule.kind == "definition" and verdict.outcome is Outcome.TRUE):
            return EMPTY, ()
        refutes = self._earlier.get(number, self._level if self._speaks(number) else None)
        standing = self._marker.standing(verdict, number, refutes)
        lesser = number in self._earlier and Effect.DECLINE in verdict.effects
        return (refuting_only(standing) if lesser else standing), (verdict,)

    def _speaks(self, number: int) -> bool:
        return self._level < len(self._play.speaking) and number in self._play.speaking[self._level]

    def _verdict(self, number: int, way: Way) -> Verdict:
        """A rule's verdict in a complete claim; it rests on answered facts."""
        compiled, (outcome, amount) = self._play.rules[number], way
        rests_on = tuple(self._answered(name) for name in self._play.rests_on[number])
        if compiled.when is None:
            effect = Effect.AMOUNT if amount is not None else Effect.PERSON
            return Verdict(compiled.rule, outcome, (effect,), (), rests_on, () if amount is None else (amount,))
        bare = Verdict(compiled.rule, outcome, (), (), rests_on)
        passes = outcome is Outcome.NOT_APPLICABLE
        return replace(bare, effects=(Effect.PASS,) if passes else effects(bare))

    def _answered(self, name: str) -> Fact:
        if name not in self._facts_answered:
            self._facts_answered[name] = as_answered(name, self._facts, self._play.hangs)
        return self._facts_answered[name]

    def _end(self, standing: Standing, verdicts: tuple[Verdict, ...]) -> End:
        weights = self._facts.plan.flag_weights
        gate = self._gate
        if gate.open and standing.weight >= weights.person:
            gate = replace(gate, open=False, code="flag_weight")
        router = Router(self._case, self._facts.knowledge, self._facts.plan, gate, standing.weight)
        ordered = sorted(verdicts, key=lambda v: self._order[v.rule.id])
        routed = router.route(tuple(replace(v, effects=(Effect.LESSER,)) if self._refuting(v) else v for v in ordered))
        return End(routed.position, routed.route, routed.amount)

    def _refuting(self, verdict: Verdict) -> bool:
        return Effect.DECLINE in verdict.effects and self._order[verdict.rule.id] in self._earlier
