"""How a whole claim stands when every fact is answered, reduced to what routing can tell apart.

Rule by rule a complete claim collects obligations, grounds, an amount and flags. Routing looks at the earliest and strictest
obligation, at the grounds present and at which obligations could turn them: claims that agree in that are one standing. Each standing
is kept with verdicts that make it, so that the router itself says where it leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from triage.judge import Effect, Outcome, Verdict
from triage.route import STRICTNESS, Obligation, Router, documented, turns

Place = tuple[int, int]
"""A stage holding an obligation, and how strict it is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`any` is the earliest and there strictest place over all obligations, `kept` over those no ground makes moot, `turning` over those
    that may turn the grounds of each class; `refuted` are the candidate conditions a documented decline speaks against; `amount` is (the
    rule's number, CNY); `defined` is whether some definition is met."""

    any: Place | None = None
    kept: Place | None = None
    turning: tuple[tuple[int, Place], ...] = ()
    grounds: frozenset[int] = frozenset()
    amount: tuple[int, int] | None = None
    weight: float = 0
    refuted: frozenset[int] = frozenset()
    defined: bool = False


EMPTY = Standing()
Standings = dict[Standing, tuple[Verdict, ...]]
"""Each way the claim may stand, with verdicts that make it so."""


def nearer(a: Place | None, b: Place | None) -> Place | None:
    """The earlier place; at the same stage the stricter."""
    if a is None or b is None:
        return b if a is None else a
    if a[0] != b[0]:
        return a if a[0] < b[0] else b
    return a if a[1] >= b[1] else b


def together(a: Standing, b: Standing, cap: float) -> Standing:
    """Two parts of one claim; flags count up to `cap`, beyond which nothing changes."""
    turning: dict[int, Place | None] = dict(a.turning)
    for number, place in b.turning:
        turning[number] = nearer(turning.get(number), place)
    amounts = [x for x in (a.amount, b.amount) if x is not None]
    return Standing(
        nearer(a.any, b.any),
        nearer(a.kept, b.kept),
        tuple(sorted((n, p) for n, p in turning.items() if p is not None)),
        a.grounds | b.grounds,
        min(amounts, default=None),
        min(cap, a.weight + b.weight),
        a.refuted | b.refuted,
        a.defined or b.defined,
    )


def product(parts: Iterable[Standings], cap: float, limit: int) -> Standings | None:
    """Every way independent parts may stand together; None beyond the limit."""
    found: Standings = {EMPTY: ()}
    known: set[frozenset[Standing]] = set()
    for part in parts:
        ways = frozenset(part)
        if ways == {EMPTY} or ways in known:
            continue
        if _absorbs(ways):
            known.add(ways)
        grown: Standings = {}
        for a, made in found.items():
            for b, making in part.items():
                both = together(a, b, cap)
                if both not in grown:
                    grown[both] = made if both == a else made + making
        if len(grown) > limit:
            return None
        found = grown
    return found


def _absorbs(ways: frozenset[Standing]) -> bool:
    """Whether a part that is there once adds nothing a second time: it passes or does one thing that does not add up."""
    return len(ways) == 2 and EMPTY in ways and all(not s.weight for s in ways)


@dataclass(frozen=True, slots=True)
class Marker:
    """Turns verdicts of a complete claim into standings; `classes` groups the ground rules by the rules that may turn them."""

    router: Router
    stages: Mapping[str, int]
    facts: Mapping[str, frozenset[str]]
    classes: Mapping[str, int]

    @classmethod
    def of(cls, router: Router, rules: Sequence[Verdict], facts: Mapping[str, frozenset[str]]) -> Marker:
        """From one verdict of each rule in play (any outcome; what they rest on counts) and every fact below it."""
        turning = [v.rule.id for v in rules if _may_hold(v)]
        turners = {v.rule.id: frozenset(o for o in turning if turns(facts[o], facts[v.rule.id])) for v in rules if _may_decline(v)}
        numbers = {group: number for number, group in enumerate(dict.fromkeys(turners.values()))}
        stages = {s.id: number for number, s in enumerate(router.knowledge.stages)}
        return cls(router, stages, facts, {name: numbers[group] for name, group in turners.items()})

    def standing(self, verdict: Verdict, number: int, refutes: int | None) -> Standing:
        """What a verdict adds; `number` is its rule's place among the rules, `refutes` the candidate its decline speaks against."""
        found = [self._obligation(o, verdict) for o in self.router.obligations(verdict)]
        first = next(iter(found), None)
        ground = Effect.DECLINE in verdict.effects and not found
        paid = verdict.rule.kind == "benefit" and len(verdict.amounts) == 1
        return Standing(
            first[:2] if first is not None else None,
            first[:2] if first is not None and first[2] is None else None,
            tuple((c, first[:2]) for c in sorted(first[2] or ())) if first is not None else (),
            frozenset({self.classes[verdict.rule.id]}) if ground else frozenset(),
            (number, verdict.amounts[0]) if paid else None,
            verdict.rule.weight if Effect.FLAG in verdict.effects else 0,
            frozenset({refutes}) if refutes is not None and Effect.DECLINE in verdict.effects and documented(verdict) else frozenset(),
            verdict.rule.kind == "definition" and verdict.outcome is Outcome.TRUE,
        )

    def _obligation(self, obligation: Obligation, verdict: Verdict) -> tuple[int, int, frozenset[int] | None]:
        """Stage, strictness and the classes of grounds it may turn; None for the one that no ground makes moot."""
        stage, strict = self.stages[obligation.stage], STRICTNESS[obligation.effect][0]
        if obligation.effect is Effect.SIU:
            return stage, strict, None
        if not self.router.may_turn(obligation, verdict):
            return stage, strict, frozenset()
        own = self.facts[verdict.rule.id]
        return stage, strict, frozenset(number for g, number in self.classes.items() if turns(own, self.facts[g]))


def refuting_only(standing: Standing) -> Standing:
    """Of a verdict on an earlier candidate only that it was refuted counts."""
    return replace(EMPTY, refuted=standing.refuted)


def _may_decline(verdict: Verdict) -> bool:
    return verdict.rule.kind in ("definition", "requirement", "exclusion") and "false" not in verdict.rule.overrides


def _may_hold(verdict: Verdict) -> bool:
    """Whether a rule can leave an obligation, in a complete claim, that turns a ground: not a plain ground, a flag or a verification."""
    contested = any(f.contested for f in verdict.rests_on)
    return contested or verdict.rule.kind in ("consistency", "document", "benefit") or "false" in verdict.rule.overrides
