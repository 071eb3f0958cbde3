"""From verdicts to position, one route and all actions. The machine never refuses: it can only recommend that a person does,
on a documented true ground that nothing outstanding could turn.

Obligations are verdicts that still stand in the way. The position is the earliest stage holding one; the route is the
strictest obligation there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import Plan, names_in
from triage.casefile import CaseFile
from triage.gate import Gate
from triage.judge import Effect, Outcome, Verdict
from triage.observation import Observation, Source, Why


class Route(StrEnum):
    """Whose queue a claim belongs in. There is no route that refuses."""

    CLEAR = "clear"
    REQUEST_EVIDENCE = "request_evidence"
    HUMAN_REVIEW = "human_review"
    INVESTIGATE = "investigate"
    REFER_SIU = "refer_siu"
    RECOMMEND_PAY = "recommend_pay"
    RECOMMEND_DECLINE = "recommend_decline"
    REFER_JURY = "refer_jury"


STRICTNESS: Mapping[Effect, tuple[int, Route]] = {
    Effect.REQUEST: (1, Route.REQUEST_EVIDENCE),
    Effect.PERSON: (2, Route.HUMAN_REVIEW),
    Effect.TASK: (3, Route.INVESTIGATE),
    Effect.UNSHOWN: (3, Route.INVESTIGATE),
    Effect.INVESTIGATE: (3, Route.INVESTIGATE),
    Effect.SIU: (4, Route.REFER_SIU),
}


@dataclass(frozen=True, slots=True)
class Obligation:
    """One verdict that stands in the way at `stage`, and what it asks for; `verdict` is None for the gate itself."""

    stage: str
    effect: Effect
    verdict: Verdict | None
    zh: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class Routed:
    """The outcome of routing; `open_` are the obligations kept, `grounds` the documented grounds for a decline."""

    position: str
    route: Route
    why: str
    open_: tuple[Obligation, ...]
    grounds: tuple[Verdict, ...]
    noted: tuple[Obligation, ...] = field(default=())
    amount: int | None = None
    lookups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Router:
    """Everything routing looks at besides the verdicts."""

    case: CaseFile
    knowledge: Knowledge
    plan: Plan
    gate: Gate
    flag_weight: float

    @property
    def passed_investigation(self) -> bool:
        """Released by the gate or a person, or investigated."""
        return self.case.released or self.case.investigated

    def route(self, verdicts: tuple[Verdict, ...]) -> Routed:
        """Position, route, and everything kept for the reviewer."""
        obligations = [o for v in verdicts for o in self.obligations(v)]
        obligations += self._risk()
        declining = [v for v in verdicts if Effect.DECLINE in v.effects and documented(v) and not _shaky(v)]
        grounds = tuple(sorted(declining, key=lambda v: v.rule.kind != "exclusion"))
        turning = self._turning(grounds, obligations) if grounds else obligations
        open_ = self._without_idle_tasks(turning, declinable=bool(grounds))
        noted = tuple(o for o in obligations if o not in open_)
        lookups = tuple(dict.fromkeys(n for v in verdicts if v.effects != (Effect.PASS,) for n in v.asks if self.for_staff(n)))
        if open_:
            return self._held(open_, grounds, noted, lookups)
        return self._at_second_review(verdicts, grounds, noted, lookups)

    def obligations(self, verdict: Verdict) -> list[Obligation]:
        """What a verdict asks for before the claim may go on."""
        stage, found = verdict.rule.stage, []
        for effect in verdict.effects:
            if effect is Effect.REQUEST:
                found += self._requests(verdict)
            elif effect is Effect.UNSHOWN and not self.passed_investigation and not self.gate.open:
                found.append(Obligation("investigation", Effect.UNSHOWN, verdict))
            elif effect is Effect.TASK and not self.passed_investigation:
                found.append(Obligation("investigation", Effect.TASK, verdict))
            elif effect is Effect.INVESTIGATE and not (self.case.released and verdict.rule.kind == "consistency"):
                found.append(Obligation(stage, Effect.INVESTIGATE, verdict))
            elif effect in (Effect.PERSON, Effect.SIU):
                found.append(Obligation(stage, effect, verdict))
            elif effect is Effect.DECLINE and (not documented(verdict) or _shaky(verdict)):
                shaky = Effect.INVESTIGATE if _shaky(verdict) else Effect.PERSON
                found.append(Obligation(stage, shaky, verdict))
        return found

    def _requests(self, verdict: Verdict) -> list[Obligation]:
        """A claimant is asked at most the plan's rounds; what only staff can look up never holds the position."""
        stage = verdict.rule.stage
        asked = [n for n in verdict.asks if not self.staff_only(n)]
        if not asked and verdict.outcome is not Outcome.FALSE:
            return [Obligation(stage, Effect.PERSON, verdict)] if verdict.rule.kind == "exclusion" else []
        if self.case.rounds >= self.plan.request_rounds:
            return [Obligation(stage, Effect.PERSON, verdict, "两轮补件后仍缺", "still missing after the last round of requests")]
        return [Obligation(stage, Effect.REQUEST, verdict)]

    def staff_only(self, need: str) -> bool:
        """Whether a fact is never asked of a claimant."""
        definition = self.knowledge.facts.get(need)
        if definition is None:
            return False
        if definition.derive is not None and "paper" in definition.derive:
            return False
        return definition.staff or not any(e.asked_of == "claimant" for e in self.knowledge.suppliers(need))

    def for_staff(self, need: str) -> bool:
        """What staff look up or judge: not what an investigation brings, nor what links between claims tell by themselves."""
        suppliers = self.knowledge.suppliers(need)
        investigated = need.startswith("inv.") or (bool(suppliers) and all(e.asked_of == "investigator" for e in suppliers))
        return self.staff_only(need) and not investigated and not need.startswith("links.")

    def _risk(self) -> list[Obligation]:
        """Flags and the gate stand at investigation, so papers are asked for before anyone is sent out."""
        if self.passed_investigation:
            return []
        weights, weight = self.plan.flag_weights, self.flag_weight
        if weight >= weights.investigate:
            zh, en = (
                f"风险提示权重{weight:g}达到调查阈值{weights.investigate:g}",
                f"red flags weigh {weight:g}, at least {weights.investigate:g}",
            )
            return [Obligation("investigation", Effect.INVESTIGATE, None, zh, en)]
        if not self.gate.open:
            return [
                Obligation(
                    "investigation", Effect.INVESTIGATE, None, f"放行闸门关闭：{self.gate.zh}", f"the gate is closed: {self.gate.en}"
                )
            ]
        return []

    def _without_idle_tasks(self, obligations: list[Obligation], *, declinable: bool) -> tuple[Obligation, ...]:
        """Verification tasks are for claims somebody has another reason to investigate."""
        needed = any(o.effect in (Effect.INVESTIGATE, Effect.UNSHOWN) for o in obligations) and not declinable
        return tuple(o for o in obligations if needed or o.effect is not Effect.TASK)

    def _turning(self, grounds: tuple[Verdict, ...], obligations: list[Obligation]) -> list[Obligation]:
        """The obligations that could still turn the decline: none, as soon as one ground cannot be turned."""
        kept: list[Obligation] = [o for o in obligations if o.effect is Effect.SIU]
        for ground in grounds:
            about = self.base_facts(ground)
            turning = [o for o in obligations if o.verdict is not None and self._can_turn(o, o.verdict, about)]
            if not turning:
                return [o for o in obligations if o.effect is Effect.SIU]
            kept += [o for o in turning if o not in kept]
        return kept

    def _can_turn(self, obligation: Obligation, verdict: Verdict, about: frozenset[str]) -> bool:
        return self.may_turn(obligation, verdict) and turns(self.base_facts(verdict), about)

    def may_turn(self, obligation: Obligation, verdict: Verdict) -> bool:
        """Whether an obligation is of the kind that can turn a ground at all."""
        wanted = obligation.effect in (Effect.INVESTIGATE, Effect.PERSON)
        return wanted and not (Effect.DECLINE in verdict.effects and not _shaky(verdict))

    def base_facts(self, verdict: Verdict) -> frozenset[str]:
        """Every fact a verdict rests on, through all derivations."""
        return base_facts((f.id for f in verdict.rests_on), self.knowledge)

    def _held(
        self, open_: tuple[Obligation, ...], grounds: tuple[Verdict, ...], noted: tuple[Obligation, ...], lookups: tuple[str, ...]
    ) -> Routed:
        position = next(s.id for s in self.knowledge.stages if any(o.stage == s.id for o in open_))
        here = [o for o in open_ if o.stage == position]
        strictest = max(here, key=lambda o: STRICTNESS[o.effect][0])
        route = STRICTNESS[strictest.effect][1]
        return Routed(position, route, _why(strictest, route), open_, grounds, noted, lookups=lookups)

    def _at_second_review(
        self, verdicts: tuple[Verdict, ...], grounds: tuple[Verdict, ...], noted: tuple[Obligation, ...], lookups: tuple[str, ...]
    ) -> Routed:
        if grounds:
            route = Route.REFER_JURY if self.case.disputed and self.plan.jury else Route.RECOMMEND_DECLINE
            return Routed("second_review", route, grounds[0].rule.id, (), grounds, noted, lookups=lookups)
        if not self.passed_investigation:
            return Routed("investigation", Route.CLEAR, self.gate.code, (), (), noted, lookups=lookups)
        amount = next((v.amounts[0] for v in verdicts if v.rule.kind == "benefit" and len(v.amounts) == 1), None)
        if amount is None or not all_required_true(verdicts):
            why = Why.NOT_SUPPLIED.value if lookups else Why.UNCLEAR.value
            return Routed("second_review", Route.HUMAN_REVIEW, why, (), (), noted, lookups=lookups)
        return Routed("second_review", Route.RECOMMEND_PAY, "all_required_true", (), (), noted, amount, lookups)


def base_facts(names: Iterable[str], knowledge: Knowledge) -> frozenset[str]:
    """Facts and every fact they are derived from."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        definition = knowledge.facts.get(name)
        waiting += [n for n in names_in(definition.derive) if n in knowledge.facts] if definition and definition.derive else []
    return frozenset(found)


def turns(facts: frozenset[str], about: frozenset[str]) -> bool:
    """Whether an obligation resting on `facts` bears on a ground resting on `about`: they share one, or it asks who the person is."""
    return bool(facts & about) or "consistency.identity" in facts


def all_required_true(verdicts: tuple[Verdict, ...]) -> bool:
    """Node S1: a definition is met, and every requirement, paper and exclusion passes (or rests on `unless_shown`)."""
    required = [v for v in verdicts if v.rule.kind in ("definition", "document", "requirement", "exclusion")]
    passes = all(set(v.effects) <= {Effect.PASS, Effect.UNSHOWN, Effect.LESSER} for v in required)
    return passes and any(v.rule.kind == "definition" and v.outcome is Outcome.TRUE for v in verdicts)


def documented(verdict: Verdict) -> bool:
    """Node S3: whether the ground rests on a paper, a registry, an investigation or a person, not on the form alone."""
    sources = [s for f in verdict.rests_on for s in f.sources]
    return any(not isinstance(s, Observation) or s.source not in (Source.FORM, Source.MODEL) for s in sources)


def _shaky(verdict: Verdict) -> bool:
    """Whether a stronger source prevailed over one that said otherwise: such a ground is looked into first."""
    return any(f.contested for f in verdict.rests_on)


def _why(obligation: Obligation, route: Route) -> str:
    verdict = obligation.verdict
    if verdict is None:
        return "risk"
    if route is Route.HUMAN_REVIEW and verdict.whys:
        return verdict.whys[0].value
    if verdict.outcome is Outcome.CONFLICT:
        return "conflict"
    return Why.NOT_SUPPLIED.value if route is Route.REQUEST_EVIDENCE else verdict.rule.id
