"""The linter: what a rulebook that loads may still get wrong. Each message names file and id and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta

from knowledge_graph.graph import facts_of
from knowledge_graph.loader import Knowledge

OVERRIDE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class LintMessage:
    """One thing to mend."""

    file: str
    id: str
    zh: str
    en: str

    def to_json(self) -> dict[str, str]:
        """Plain data."""
        return asdict(self)


def check(knowledge: Knowledge) -> list[LintMessage]:
    """Every message, in file order."""
    return [*_facts(knowledge), *_evidence(knowledge), *_findings(knowledge), *_versions(knowledge), *_overrides(knowledge)]


def _facts(k: Knowledge) -> Iterator[LintMessage]:
    """A fact a rule uses must be supplied, derived, or answered by staff."""
    used = {fact for rule in k.rules for fact in facts_of(rule)}
    for fact in k.facts.values():
        if fact.id in used and fact.derive is None and not fact.staff and not k.suppliers(fact.id):
            yield LintMessage(
                "facts.yaml",
                fact.id,
                "无凭证可提供该事实：在 evidence.yaml 的 supplies 中加入",
                "no paper can supply it: list it under `supplies` of an evidence type",
            )


def _evidence(k: Knowledge) -> Iterator[LintMessage]:
    papers = {name for fact in k.facts.values() if fact.derive and "paper" in fact.derive for name in fact.derive["paper"]}
    for name in sorted(papers - set(k.evidence)):
        yield LintMessage("facts.yaml", name, "未知凭证：更正编号", "unknown evidence type: correct the id")


def _findings(k: Knowledge) -> Iterator[LintMessage]:
    for finding in k.findings.values():
        if not finding.zh and not finding.synonyms:
            yield LintMessage("findings.yaml", finding.id, "没有可识别的词：补充 synonyms", "no term to read it by: add synonyms")


def _versions(k: Knowledge) -> Iterator[LintMessage]:
    for plan in k.plans.values():
        for earlier, later in zip(plan.versions, plan.versions[1:], strict=False):
            if earlier.to is None or earlier.to + timedelta(days=1) != later.from_:
                zh = f"版本 {earlier.id} 与 {later.id} 之间有空档或重叠：使后者自前者结束次日起"
                yield LintMessage(
                    "plans.yaml", plan.id, zh, f"gap or overlap between {earlier.id} and {later.id}: start the later one the day after"
                )


def _overrides(k: Knowledge) -> Iterator[LintMessage]:
    """Fewer than one rule in ten may override its kind's row. A verification's own row already refers to the SIU."""
    own = [r for r in k.rules if r.overrides and not (r.kind == "verification" and r.overrides == {"false": "refer_siu"})]
    if len(own) >= OVERRIDE_SHARE * len(k.rules):
        ids = ", ".join(r.id for r in own)
        yield LintMessage(
            "rules/",
            ids,
            "超过十分之一的规则改写其类别的后果：改用合适的类别",
            "more than one rule in ten overrides its row: use a fitting kind",
        )
