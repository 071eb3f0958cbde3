"""The gate: whether a claim may skip field investigation. Closed unless every condition is met, and it says which was not.

The conditions are tried in an order by which the last two, an alarm and the audit draw, are only ever named of claims that the
certificate would have released: what becomes of those is what the alarm is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import Plan
from triage.assessment import Assessment
from triage.bundle import Certificate
from triage.facts import Facts
from triage.rules_digest import rules_digest

EVERY_GROUP = "*"


@dataclass(frozen=True, slots=True)
class Gate:
    """`open`, and if not, a code with the words for it in both languages."""

    open: bool
    code: str
    zh: str
    en: str
    group: str = ""

    def to_json(self) -> dict[str, Any]:
        """The published form."""
        return {"state": "open" if self.open else "closed", "why": self.code, "zh": self.zh, "en": self.en, "group": self.group}


def group_of(plan: Plan, facts: Facts) -> str:
    """plan:under_40 or plan:from_40 by age at first diagnosis (the plan's `gate_age_split`); `plan:unknown` where the age spans it."""
    low, high = facts.get("age_at_diagnosis").bounds()
    split = plan.parameters["gate_age_split"]
    if high is not None and high < split:
        return f"{plan.id}:under_{split:g}"
    return f"{plan.id}:from_{split:g}" if low is not None and low >= split else f"{plan.id}:unknown"


def groups_of(knowledge: Knowledge) -> tuple[str, ...]:
    """Every group a claim may be of, under any plan of the rulebook."""
    splits = [(plan.id, plan.parameters["gate_age_split"]) for plan in knowledge.plans.values()]
    return tuple(f"{plan}:{band}" for plan, split in splits for band in (f"under_{split:g}", f"from_{split:g}", "unknown"))


def gate(assessment: Assessment, knowledge: Knowledge, facts: Facts, flag_weight: float, *, drawn: bool, today: date) -> Gate:
    """Open only with a valid certificate for the claim's group, a score it covers, few flags, no alarm and no audit draw."""
    group = group_of(facts.plan, facts)
    for code in closing(assessment, knowledge, facts.plan, group, today):
        return Gate(False, code, *WORDS[code], group)
    if flag_weight >= facts.plan.flag_weights.person:
        return Gate(False, "flag_weight", *WORDS["flag_weight"], group)
    why = assessment.closed.get(group, assessment.closed.get(EVERY_GROUP))
    if why is not None:
        zh, en = WORDS["gate_closed"]
        return Gate(False, "gate_closed", f"{zh}：{why}", f"{en}: {why}", group)
    if drawn:
        return Gate(False, "audit", *WORDS["audit"], group)
    return Gate(True, "certified", *WORDS["certified"], group)


def closing(assessment: Assessment, knowledge: Knowledge, plan: Plan, group: str, today: date) -> Iterator[str]:
    """Codes of what keeps a score of the group from counting, the first one first."""
    certificate = assessment.certificate
    if assessment.bundle is None:
        yield "no_model"
    elif certificate is None:
        yield "no_certificate"
    else:
        yield from _certificate_closes(certificate, plan, today)
        yield from _changed(assessment, certificate, knowledge, plan)
        if assessment.score is None:
            yield "no_score"
        elif certificate.overall is None:
            yield "overall_not_certified"
        elif group not in certificate.groups:
            yield "group_not_certified"
        elif assessment.score > certificate.groups[group].threshold:
            yield "score_above_threshold"


def _certificate_closes(certificate: Certificate, plan: Plan, today: date) -> Iterator[str]:
    if certificate.closed is not None:
        yield "certificate_withdrawn"
    if certificate.expires_on < today:
        yield "certificate_expired"
    if certificate.issued_on is not None and certificate.issued_on > today:
        yield "certificate_not_yet_valid"
    if plan.gate is not None and (certificate.alpha > plan.gate.alpha or certificate.delta > plan.gate.delta):
        yield "certificate_too_weak"


def _changed(assessment: Assessment, certificate: Certificate, knowledge: Knowledge, plan: Plan) -> Iterator[str]:
    """What differs from what the certificate was earned with. A constant bundle for trials names no digests."""
    earned, bundle = certificate.digests, assessment.bundle
    if bundle is None or (earned is None and bundle.digests is None):
        return
    if earned is None or bundle.digests is None or earned.model != bundle.digests.model:
        yield "model_changed"
        return
    if plan.gate is None:
        yield "plan_without_terms"
    if not earned.features == bundle.digests.features == assessment.features_digest:
        yield "features_changed"
    if earned.reader != assessment.reader:
        yield "reader_changed"
    if earned.rules.get(plan.id) != rules_digest(knowledge, plan.id):
        yield "rules_changed"


WORDS = {
    "no_model": ("没有风险模型", "there is no risk model"),
    "no_certificate": ("没有有效的放行证书", "there is no certificate"),
    "certificate_withdrawn": ("放行证书已停用", "the certificate has been withdrawn"),
    "certificate_expired": ("放行证书已过期", "the certificate has expired"),
    "certificate_not_yet_valid": ("放行证书尚未生效", "the certificate is not valid yet"),
    "certificate_too_weak": ("放行证书的保证弱于计划要求", "the certificate promises less than the plan asks for"),
    "plan_without_terms": ("计划未写明放行条件", "the plan does not say what a release must promise"),
    "model_changed": ("模型与证书不符", "the model is not the certified one"),
    "features_changed": ("特征定义与证书不符", "the features are not those certified"),
    "reader_changed": ("读取器与证书不符", "the reader is not the certified one"),
    "rules_changed": ("该计划的规则与证书不符", "the plan's rules are not those certified"),
    "no_score": ("未能算出风险分", "no score could be computed"),
    "overall_not_certified": ("整体未获放行证书", "the bound over all groups is not certified"),
    "group_not_certified": ("该组别没有放行证书", "this group is not certified"),
    "score_above_threshold": ("风险分高于放行阈值", "the score is above the certified threshold"),
    "flag_weight": ("风险提示权重达到人工阈值", "the red flags weigh too much"),
    "gate_closed": ("闸门已被关闭", "the gate was closed"),
    "audit": ("抽中随机审计", "the claim was drawn for audit"),
    "certified": ("在证书范围内", "within the certificate"),
}
"""Every code of the gate, Chinese and English."""
