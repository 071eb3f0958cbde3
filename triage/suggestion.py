"""A suggestion as plain data with one canonical form, so that it can be stored, compared and replayed byte for byte.

What decided also explains: every reason is written from the verdict that made it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from knowledge_graph.loader import Knowledge
from triage.bundle import Bundle
from triage.casefile import CaseFile
from triage.explain import fact_in_words, obligation_in_words, unshown_in_words, verdict_in_words
from triage.facts import Facts, source_json
from triage.gate import Gate
from triage.judge import Effect, Outcome, Verdict, published
from triage.route import Obligation, Route, Routed, all_required_true, documented

ENGINE = "3"
"""Raised with every change that may alter a suggestion for the same inputs."""


def canonical(data: Any) -> bytes:
    """One byte form per value: sorted keys, no blanks, UTF-8."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(data: Any) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(data)).hexdigest()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """All that was computed for one claim; `to_json` is the published form."""

    case: CaseFile
    facts: Facts
    verdicts: tuple[Verdict, ...]
    routed: Routed
    gate: Gate
    flag_weight: float
    bundle: Bundle | None
    knowledge: Knowledge

    def to_json(self) -> dict[str, Any]:
        """The suggestion as published; see docs/suggestion.md for every key."""
        routed = self.routed
        data: dict[str, Any] = {
            "claim_id": self.case.claim.claim_id,
            "position": routed.position,
            "route": routed.route.value,
            "why": routed.why,
            "actions": self._actions(),
            "verdicts": [self._verdict(v) for v in self.verdicts] + self._routing_nodes(),
            "reasons": self._reasons(),
            "missing_evidence": missing_evidence(self),
            "investigation_plan": self._investigation_plan(),
            "facts": {**{f.id: f.to_json() for f in self.facts.computed()}, **self._queries()},
            "risk": self._risk(),
            "gate": self.gate.to_json(),
            "versions": self._versions(),
            "degraded": self._degraded(),
        }
        return data if routed.amount is None else {**data, "amount": routed.amount}

    def _queries(self) -> dict[str, Any]:
        """What the rules asked of the findings, each as a fact of its own."""
        return {published(name): self.facts.get(name).to_json() for name in self.facts.finding_queries}

    def _verdict(self, verdict: Verdict) -> dict[str, Any]:
        rule = verdict.rule
        words = verdict_in_words(verdict, self.facts)
        quoted = {canonical(d): d for f in verdict.rests_on for s in f.sources if s.span is not None for d in [source_json(s)]}
        data = {
            "rule": rule.id,
            "node": rule.node,
            "kind": rule.kind,
            "stage": rule.stage,
            "verdict": verdict.outcome.value,
            "effect": [e.value for e in verdict.effects],
            "pivotal": [published(f.id) for f in verdict.pivotal],
            "rests_on": [published(f.id) for f in verdict.rests_on],
            "clause": rule.clause.model_dump(),
            "reason": words,
            "confidence": rule.confidence,
            "source": rule.source,
            "spans": list(quoted.values()),
        }
        return {**data, "amounts": list(verdict.amounts)} if verdict.amounts else data

    def _routing_nodes(self) -> list[dict[str, Any]]:
        """The path's nodes that are not rules: R8 risk, S1 all required true, S3 grounds documented."""
        declines = [v for v in self.verdicts if Effect.DECLINE in v.effects]
        required = all_required_true(self.verdicts)
        kinds = ("definition", "document", "requirement", "exclusion")
        outcomes = {v.outcome.value for v in self.verdicts if v.rule.kind in kinds}
        failed = any(v.rule.kind in kinds and v.outcome in _DECIDED and not {*v.effects} & _PASSES for v in self.verdicts)
        whole = "true" if required else "false" if failed else "conflict" if "conflict" in outcomes else "unknown"
        low = "true" if self.gate.open else "false" if self.gate.code in ("flag_weight", "score_above_threshold", "audit") else "unknown"
        nodes = [
            ("risk-gate", "R8", "first_review", low, {"zh": f"风险与放行闸门：{self.gate.zh}", "en": f"risk and gate: {self.gate.en}"}),
            ("all-required", "S1", "second_review", whole, _ALL_REQUIRED),
        ]
        if declines:
            nodes.append(("ground-documented", "S3", "second_review", "true" if any(map(documented, declines)) else "false", _DOCUMENTED))
        return [{"rule": r, "node": n, "kind": "routing", "stage": s, "verdict": v, "reason": w, "spans": []} for r, n, s, v, w in nodes]

    def _reasons(self) -> dict[str, list[str]]:
        decisive = [o for o in self.routed.open_ if o.stage == self.routed.position]
        unshown = [o.verdict for o in decisive if o.effect is Effect.UNSHOWN and o.verdict is not None]
        words = [obligation_in_words(o, self.facts) for o in decisive if o.effect is not Effect.UNSHOWN]
        words += [unshown_in_words(unshown)] if unshown else []
        if not decisive:
            words = [verdict_in_words(v, self.facts) for v in self.routed.grounds] or [_ROUTE_WORDS[self.routed.route]]
        unique = list({w["zh"]: w for w in words}.values())
        return {"zh": [w["zh"] for w in unique], "en": [w["en"] for w in unique]}

    def _actions(self) -> list[dict[str, Any]]:
        actions = [self._action(o, noted=False) for o in self.routed.open_] + [self._action(o, noted=True) for o in self.routed.noted]
        return actions + [self._asked_of_staff(need) for need in self.routed.lookups]

    def _asked_of_staff(self, need: str) -> dict[str, Any]:
        """A look-up where a record answers it, else a question only the reviewer's own eyes can answer."""
        definition, suppliers = self.knowledge.facts[need], self.knowledge.suppliers(need)
        records = [e.id for e in suppliers if e.asked_of == "staff"]
        kind, zh, en = ("lookup", "工作人员查询", "staff look up") if records else ("question", "请审核员判断", "the reviewer judges")
        return {"kind": kind, "fact": need, "evidence": records, "zh": f"{zh}：{definition.zh}", "en": f"{en}: {definition.en}"}

    def _action(self, obligation: Obligation, *, noted: bool) -> dict[str, Any]:
        words = obligation_in_words(obligation, self.facts)
        rule = obligation.verdict.rule.id if obligation.verdict else "risk-gate"
        asks = [published(name) for name in obligation.verdict.asks] if obligation.verdict else []
        return {"kind": "noted" if noted else obligation.effect.value, "stage": obligation.stage, "rule": rule, "facts": asks, **words}

    def _investigation_plan(self) -> list[dict[str, Any]]:
        """Tasks that an open obligation names, cheapest first, each with the facts it answers."""
        if not any(o.effect in (Effect.INVESTIGATE, Effect.UNSHOWN, Effect.TASK) for o in self.routed.open_):
            return []
        names = [t for o in self.routed.open_ if o.verdict is not None for t in o.verdict.rule.tasks]
        done = {r.task for r in self.case.claim.investigation}
        tasks = [self.knowledge.tasks[t] for t in dict.fromkeys(names) if t not in done]
        return [
            {
                "task": t.id,
                "zh": t.zh,
                "en": t.en,
                "cost": t.cost,
                "days": list(t.days),
                "facts": [t.fact],
                "evidence_type": t.evidence_type,
            }
            for t in sorted(tasks, key=lambda t: (t.cost, t.id))
        ]

    def _risk(self) -> dict[str, Any]:
        flags = [v for v in self.verdicts if Effect.FLAG in v.effects]
        listed = [{"rule": v.rule.id, "weight": v.rule.weight, "zh": v.rule.reason.zh, "en": v.rule.reason.en} for v in flags]
        return {"score": self.bundle.score if self.bundle else None, "flag_weight": self.flag_weight, "flags": listed}

    def _versions(self) -> dict[str, Any]:
        version = fact_in_words(self.facts.get("plan.version"))
        return {"rulebook": self.knowledge.digest, "plan": self.facts.plan.id, "plan_version": version, "engine": ENGINE}

    def _degraded(self) -> list[dict[str, str]]:
        found = []
        if self.bundle is None:
            found.append({"code": "no_model", "zh": "没有风险模型，闸门关闭", "en": "no risk model: the gate stays closed"})
        elif self.bundle.purpose == "test":
            found.append(
                {"code": "test_bundle", "zh": "使用试验用风险包，放行无效力", "en": "a test bundle is in use: its releases certify nothing"}
            )
        if any(v.degraded for v in self.verdicts):
            found.append(
                {"code": "limit", "zh": "有规则因组合过多按未知处理", "en": "a rule had too many combinations and was left unknown"}
            )
        return found


_DECIDED = (Outcome.TRUE, Outcome.FALSE)
_PASSES = {Effect.PASS, Effect.LESSER}
_ALL_REQUIRED = {"zh": "全部要件为真且无未决疑点", "en": "everything required is true and nothing is open"}
_DOCUMENTED = {"zh": "不予给付的依据有书证", "en": "the ground for a decline is documented"}
_ROUTE_WORDS = {
    Route.CLEAR: {
        "zh": "各阶段均无未决事项，且在放行证书范围内：免实地调查（未发现问题，不等于不存在）",
        "en": "Nothing is open and the certificate covers it: no field investigation (nothing was found, not that there is nothing)",
    },
    Route.RECOMMEND_PAY: {
        "zh": "全部要件成立且金额已核定，建议给付，由人决定",
        "en": "Everything required is met and the amount is determined: payment is recommended, a person decides",
    },
    Route.HUMAN_REVIEW: {"zh": "仍有要件未能确认，请人工核定", "en": "Something required is not confirmed: a person decides"},
}


def missing_evidence(suggestion: Suggestion) -> list[dict[str, Any]]:
    """One batch: for every open request the cheapest paper that can supply each fact, cheapest first."""
    knowledge = suggestion.knowledge
    needs = dict.fromkeys(
        n for o in suggestion.routed.open_ if o.effect is Effect.REQUEST and o.verdict is not None for n in _needs(o.verdict)
    )
    chosen: dict[str, list[str]] = {}
    for need in needs:
        options = [e for e in _papers_for(knowledge, need) if e.asked_of == "claimant"]
        if options:
            best = next((e for e in options if e.id in chosen), options[0])
            chosen.setdefault(best.id, []).append(need)
    papers = sorted((knowledge.evidence[name] for name in chosen), key=lambda e: (e.cost, e.delay_days, e.id))
    return [
        {
            "evidence_type": e.id,
            "zh": e.zh,
            "en": e.en,
            "facts": chosen[e.id],
            "issuer": e.issuer.model_dump(),
            "cost": e.cost,
            "delay_days": e.delay_days,
        }
        for e in papers
    ]


def _needs(verdict: Verdict) -> tuple[str, ...]:
    return verdict.asks or tuple(f.id for f in verdict.rests_on)


def _papers_for(knowledge: Knowledge, need: str) -> list[Any]:
    definition = knowledge.facts.get(need)
    if definition is not None and definition.derive is not None and "paper" in definition.derive:
        return sorted((knowledge.evidence[e] for e in definition.derive["paper"]), key=lambda e: (e.cost, e.id))
    return list(knowledge.suppliers(need))
