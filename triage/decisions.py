"""What a person may decide on a suggestion, and what it makes of the claim. A decline needs a documented true ground at second review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from triage.actions import DecisionForm
from triage.route import Route
from triage.store.errors import DecisionRefused, StaleSuggestion
from triage.values import Interval, from_json

OUTCOMES = {
    Route.CLEAR: "released",
    Route.REQUEST_EVIDENCE: "evidence_requested",
    Route.HUMAN_REVIEW: "kept_for_review",
    Route.INVESTIGATE: "investigation_opened",
    Route.REFER_SIU: "referred_to_siu",
    Route.RECOMMEND_PAY: "paid",
    Route.RECOMMEND_DECLINE: "declined",
    Route.REFER_JURY: "referred_to_jury",
}
_GROUND_DATES = ("first_diagnosis_date", "pathology.reported_on", "discharge.date", "claim.filed_on")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided: the outcome, the claim's changes, and for a decline its ground, date, clause and plan version."""

    outcome: str
    changes: dict[str, Any] = field(default_factory=dict)
    final: bool = False
    ground: str | None = None
    ground_on: date | None = None
    clause: str | None = None
    plan_version: str | None = None
    amount: int | None = None


def decide(row: Mapping[str, Any], current: Mapping[str, Any], form: DecisionForm) -> Verdict:
    """Raises StaleSuggestion or DecisionRefused."""
    if form.suggestion_digest is not None and form.suggestion_digest != current["digest"]:
        raise StaleSuggestion(row["claim_id"])
    if form.action == "dispute":
        return _disputed(row)
    if row["status"] != "open":
        raise DecisionRefused(
            "案件已有最终决定，不能再决定；成员有异议请用 dispute", "the claim is decided; a member who disagrees is recorded with dispute"
        )
    if form.action == "close":
        return Verdict(form.reason_code or "withdrawn", {"status": form.reason_code}, final=True)
    route = Route(current["data"]["route"]) if form.action == "accept" else form.route
    assert route is not None
    if route is Route.RECOMMEND_DECLINE:
        return _declined(current["data"])
    if route is Route.RECOMMEND_PAY:
        return _paid(current["data"], form)
    changes: dict[str, Any] = {}
    if route is Route.CLEAR:
        changes = {"released": True}
    if route is Route.INVESTIGATE and row["investigation"] == "none":
        changes = {"investigation": "open"}
    return Verdict(OUTCOMES[route], changes)


def _disputed(row: Mapping[str, Any]) -> Verdict:
    if row["status"] != "declined":
        raise DecisionRefused("只有不予给付的案件可以提出异议", "only a declined claim can be disputed")
    return Verdict("disputed", {"status": "open", "disputed": True})


def _paid(suggestion: Mapping[str, Any], form: DecisionForm) -> Verdict:
    accepted = suggestion["route"] == Route.RECOMMEND_PAY.value
    if not accepted and not form.second_actor:
        raise DecisionRefused(
            "与建议不同的给付须有第二人复核（second_actor）", "paying against the suggestion needs a second person (second_actor)"
        )
    amounts = [a for v in suggestion["verdicts"] if v["kind"] == "benefit" for a in v.get("amounts", [])]
    amount = suggestion.get("amount") or (amounts[0] if len(amounts) == 1 else None)
    if amount is None:
        raise DecisionRefused(
            "金额尚未核定，先补充或更正确诊日期与年龄", "the amount is not determined yet: enter the date of diagnosis or age first"
        )
    return Verdict("paid", {"status": "paid"}, final=True, amount=amount)


def _declined(suggestion: Mapping[str, Any]) -> Verdict:
    grounds = [v for v in suggestion["verdicts"] if "decline" in v.get("effect", ())]
    if (
        suggestion["route"] not in (Route.RECOMMEND_DECLINE.value, Route.REFER_JURY.value)
        or suggestion["position"] != "second_review"
        or not grounds
    ):
        raise DecisionRefused(
            "只有在复审、依据有书证且无未决疑点时才可不予给付",
            "a claim is declined only at second review, on a documented ground with nothing open that could turn it",
        )
    ground = next((g for g in grounds if g["rule"] == suggestion["why"]), grounds[0])
    day = _dated(suggestion, ground)
    version = suggestion["versions"]["plan_version"]
    if day is None:
        raise DecisionRefused("依据没有日期，先录入确诊日期", "the ground has no date: enter the date of diagnosis first")
    return Verdict(
        "declined",
        {"status": "declined"},
        final=True,
        ground=ground["rule"],
        ground_on=day,
        clause=ground["clause"]["zh"],
        plan_version=version,
    )


def _dated(suggestion: Mapping[str, Any], ground: Mapping[str, Any]) -> date | None:
    """The date the ground turns on: the finding's own, else the first diagnosis, else the paper's."""
    found = [from_json(s["event_on"], "date") for s in ground["spans"] if s.get("finding") and s.get("event_on")]
    told = [suggestion["facts"].get(name, {}).get("value") for name in _GROUND_DATES]
    for value in (*found, *(from_json(v, "date") for v in told if v is not None)):
        day = value.low or value.high if isinstance(value, Interval) else value
        if isinstance(day, date):
            return day
    return None
