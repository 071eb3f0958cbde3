"""The gate: whether a claim may skip field investigation. Closed unless every condition is met, and it says which was not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from knowledge_graph.rules import Plan
from triage.bundle import Bundle
from triage.facts import Facts


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
    """plan:u40 or plan:o40 by age at first diagnosis (the plan's `gate_age_split`); `plan:unknown` where the age spans it."""
    low, high = facts.get("age_at_diagnosis").bounds()
    split = plan.parameters["gate_age_split"]
    if high is not None and high < split:
        return f"{plan.id}:under_{split:g}"
    return f"{plan.id}:from_{split:g}" if low is not None and low >= split else f"{plan.id}:unknown"


def gate(bundle: Bundle | None, plan: Plan, facts: Facts, flag_weight: float, *, drawn: bool, today: date) -> Gate:
    """Open only with a valid certificate for the claim's group, a score it covers, few flags, and no audit draw."""
    group = group_of(plan, facts)
    if bundle is None or bundle.certificate is None:
        return Gate(False, "no_certificate", "没有有效的放行证书", "there is no certificate", group)
    certificate = bundle.certificate
    if certificate.expires_on < today:
        return Gate(False, "certificate_expired", "放行证书已过期", "the certificate has expired", group)
    if group not in certificate.groups:
        return Gate(False, "group_not_certified", "该组别没有放行证书", "this group is not certified", group)
    if bundle.score is None or bundle.score > certificate.groups[group].threshold:
        return Gate(False, "score_above_threshold", "风险分高于放行阈值", "the score is above the certified threshold", group)
    if flag_weight >= plan.flag_weights.person:
        return Gate(False, "flag_weight", "风险提示权重达到人工阈值", "the red flags weigh too much", group)
    if drawn:
        return Gate(False, "audit", "抽中随机审计", "the claim was drawn for audit", group)
    return Gate(True, "certified", "在证书范围内", "within the certificate", group)
