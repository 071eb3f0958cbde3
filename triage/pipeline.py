"""One claim's way: gather facts, judge every rule of every stage, weigh the flags, route. Pure; `today` is an argument."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from knowledge_graph.loader import Knowledge
from triage.assessment import Assessment, Given, Scoring, assess
from triage.casefile import CaseFile
from triage.claim import Claim
from triage.facts import Facts
from triage.features import FeatureSet, flag_values
from triage.gate import Gate, gate
from triage.judge import Effect, Outcome, Verdict, judge, rules_for
from triage.observation import Observation, Source, Why
from triage.route import Route, Router, documented
from triage.suggestion import Suggestion

_DECIDED = (Outcome.TRUE, Outcome.FALSE)


def conditions_claimed(claim: Claim, knowledge: Knowledge) -> tuple[str, ...]:
    """The covered condition whose terms the claimed diagnosis names, the longest match first."""
    text = claim.diagnosis_claimed.casefold()
    found: list[tuple[int, str]] = []
    for condition in knowledge.conditions.values():
        if not knowledge.covers(claim.plan, condition.id):
            continue
        lengths = [len(term) for term in condition.terms if term.casefold() in text]
        if lengths:
            found.append((-max(lengths), condition.id))
    return tuple(name for _, name in sorted(found)[:1])


def filed_observations(claim: Claim, knowledge: Knowledge, conditions: tuple[str, ...]) -> tuple[Observation, ...]:
    """What the form itself states. An empty field states nothing."""
    member = claim.member
    stated = {
        "claim.filed_on": claim.filed_on,
        "claim.accident": claim.accident,
        "claim.first_visit_on": claim.first_visit_on,
        "member.name": member.name or None,
        "member.sex": member.sex,
        "member.birth_date": member.birth_date,
        "member.id_number": member.id_number,
        "hospital.name": claim.hospital,
    }
    found = [Observation(fact, value, Source.FORM) for fact, value in stated.items() if value is not None]
    found.append(
        Observation("claim.disease_mapped", True if conditions else None, Source.FORM, why=None if conditions else Why.NOT_SUPPLIED)
    )
    if conditions:
        possible = any(knowledge.conditions[c].accident_possible for c in conditions)
        found.append(Observation("condition.accident_possible", possible, Source.REGISTRY))
    return tuple(found)


def refuting(verdicts: tuple[Verdict, ...], knowledge: Knowledge, condition: str, lesser: str) -> tuple[Verdict, ...]:
    """The documented verdicts that say it is not this condition: they lead to the lesser one, not to a decline. Empty when none does."""
    own = set(knowledge.lineage(condition)) - set(knowledge.lineage(lesser))
    speaking = [v for v in verdicts if v.rule.kind in ("definition", "exclusion") and v.rule.applies_to.condition in own]
    if not any(Effect.DECLINE in v.effects and documented(v) for v in speaking):
        return ()
    return tuple(replace(v, effects=(Effect.LESSER,)) if Effect.DECLINE in v.effects else v for v in speaking if v.outcome in _DECIDED)


def suggest(case: CaseFile, knowledge: Knowledge, risk: Scoring | Assessment | None, today: date, given: Given | None = None) -> Suggestion:
    """The suggestion for a case file: nothing stops early, every applicable rule of every stage is judged.

    `risk` scores the claim, with what is `given` of the time of scoring; or it is the record of a scoring, which then counts as it is.
    Raises KeyError when the claim's plan is not in the rulebook (the edge checks that before).
    """
    plan = knowledge.plans[case.claim.plan]
    conditions = conditions_claimed(case.claim, knowledge)
    filed = filed_observations(case.claim, knowledge, conditions)
    rules = rules_for(knowledge, plan, conditions)
    whole = CaseFile(
        case.claim,
        (*filed, *case.observations),
        case.findings,
        case.papers,
        case.rounds,
        case.released,
        case.investigated,
        case.drawn_for_audit,
        case.disputed,
    )
    facts = Facts(whole, knowledge, plan, today, finding_queries=dict(rules.queries), idle=rules.idle)
    verdicts = tuple(judge(rule, facts) for rule in rules.rules)
    assessment = risk if isinstance(risk, Assessment) else _assessed(risk, facts, verdicts, conditions, given or Given())
    while conditions and (lesser := knowledge.conditions[conditions[0]].goes_to) is not None and knowledge.covers(plan.id, lesser):
        refuted = refuting(verdicts, knowledge, conditions[0], lesser)
        if not refuted:
            break
        conditions = (lesser,)
        rules = rules_for(knowledge, plan, conditions)
        facts.finding_queries.update(rules.queries)
        facts.idle &= rules.idle
        known = {v.rule.id for v in refuted}
        verdicts = (*refuted, *(judge(rule, facts) for rule in rules.rules if rule.rule.id not in known))
    weight = sum(v.rule.weight for v in verdicts if Effect.FLAG in v.effects)
    state = gate(assessment, knowledge, facts, weight, drawn=case.drawn_for_audit, today=today)
    routed = Router(whole, knowledge, plan, state, weight).route(verdicts)
    passes = routed.route is Route.CLEAR or _only_the_gate(whole, knowledge, facts, weight, verdicts)
    return Suggestion(whole, facts, verdicts, routed, state, weight, assessment, passes, knowledge)


def _assessed(
    scoring: Scoring | None, facts: Facts, verdicts: tuple[Verdict, ...], conditions: tuple[str, ...], given: Given
) -> Assessment:
    """Scored by the flags of the condition claimed, whatever lesser one the papers then lead to."""
    flags = flag_values(verdicts, facts.knowledge)
    return assess(scoring, FeatureSet.load(), facts, flags, conditions[0] if conditions else "", given)


def _only_the_gate(case: CaseFile, knowledge: Knowledge, facts: Facts, weight: float, verdicts: tuple[Verdict, ...]) -> bool:
    """Whether the claim belongs to those a certificate speaks of: an open gate alone would release it."""
    if weight >= facts.plan.flag_weights.person:
        return False
    return Router(case, knowledge, facts.plan, Gate(True, "certified", "", ""), weight).route(verdicts).route is Route.CLEAR
