"""One dated rule text, four uses: one constant changed in one rule changes checklist, verdict, explanation and plan, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

from knowledge_graph.loader import Knowledge, load_texts
from tests.desks import case, shipped
from triage.assembly import assemble
from triage.evidence_plan import evidence_plan, plan_in_words
from triage.pipeline import suggest
from triage.whole_claim import whole_claim
from triage.why import why

FILE, WRITTEN, CHANGED = "rules/first_review.yaml", "days_since_effective, ge: {plan: waiting_days}", "days_since_effective, ge: 80"
RULE = "waiting-period"


def edited() -> Knowledge:
    """The shipped rulebook with one constant of one rule changed: 80 days instead of the plan's 90."""
    texts = dict(shipped()[0].texts)
    assert texts[FILE].count(WRITTEN) == 1
    texts[FILE] = texts[FILE].replace(WRITTEN, CHANGED)
    return load_texts(texts)


def four_uses(knowledge: Knowledge, name: str) -> dict[str, Any]:
    """A case's suggestion with its plan and reasons under a rulebook."""
    suggestion = suggest(assemble(case(name), knowledge, shipped()[1]), knowledge, None, date(2021, 12, 1))
    reasons = why(suggestion)["reasons"]
    return {
        **suggestion.to_json(),
        "plan": plan_in_words(evidence_plan(suggestion), suggestion),
        "why": {r["rule"]: r for r in reasons},
        "whole": whole_claim(suggestion).verdicts,
    }


def test_the_constant_changes_checklist_verdict_explanation_and_plan() -> None:
    """A report that gives only the month leaves 86 to 115 days: unknown at 90, held at 80."""
    before, after = four_uses(shipped()[0], "waiting-interval"), four_uses(edited(), "waiting-interval")
    verdicts = [next(v for v in found["verdicts"] if v["rule"] == RULE) for found in (before, after)]
    assert [v["verdict"] for v in verdicts] == ["unknown", "true"]
    assert verdicts[0]["reason"] != verdicts[1]["reason"]
    assert "first_diagnosis_date" in [f for paper in before["missing_evidence"] for f in paper["facts"]]
    assert after["missing_evidence"] == []
    assert RULE not in before["why"]
    assert RULE in after["why"]
    assert [s["asked_of"] for s in before["plan"]["steps"]].count("claimant") == 1
    assert [s["asked_of"] for s in after["plan"]["steps"]].count("claimant") == 0


def test_the_constant_changes_nothing_else() -> None:
    """Every fact, every other verdict, every reason and whole-claim outcome of another rule, and every action it does not name stay."""
    before, after = four_uses(shipped()[0], "waiting-interval"), four_uses(edited(), "waiting-interval")
    others = [[v for v in found["verdicts"] if v["rule"] not in (RULE, "all-required")] for found in (before, after)]
    assert others[0] == others[1]
    assert before["facts"] == after["facts"]
    assert [a for a in before["actions"] if a.get("rule") != RULE] == [a for a in after["actions"] if a.get("rule") != RULE]
    assert before["investigation_plan"] == after["investigation_plan"]
    assert before["risk"] == after["risk"]
    assert {r: w for r, w in before["why"].items() if r != RULE} == {r: w for r, w in after["why"].items() if r != RULE}
    assert {r: w for r, w in before["whole"].items() if r != RULE} == {r: w for r, w in after["whole"].items() if r != RULE}


def test_a_claim_the_constant_does_not_reach_is_the_same_but_for_the_digest() -> None:
    """Diagnosed long after the waiting period: the two suggestions differ in the rulebook's digest alone."""
    before, after = four_uses(shipped()[0], "plain"), four_uses(edited(), "plain")
    assert before["versions"].pop("rulebook") != after["versions"].pop("rulebook")
    assert before == after
