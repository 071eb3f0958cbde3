"""Verdicts and obligations in words, Chinese and English, from what decided them."""

from __future__ import annotations

from datetime import date
from typing import Any

from knowledge_graph.rules import FactDefinition, names_in
from triage.facts import Fact, Facts
from triage.judge import Outcome, Verdict
from triage.observation import Why
from triage.route import Obligation
from triage.values import EITHER, Interval, OneOf

_OUTCOME = {
    Outcome.TRUE: ("成立", "holds"),
    Outcome.FALSE: ("不成立", "does not hold"),
    Outcome.UNKNOWN: ("尚不能确定", "cannot be told yet"),
    Outcome.CONFLICT: ("材料互相矛盾", "the papers contradict each other"),
    Outcome.NOT_APPLICABLE: ("不适用", "does not apply"),
}
_WHY = {
    Why.NOT_SUPPLIED: ("未提供", "not supplied"),
    Why.UNCLEAR: ("材料不明确", "unclear in the papers"),
    Why.UNOBTAINABLE: ("无法取得", "unobtainable"),
    Why.INTERPRETATION: ("规则需人工解释", "a person must interpret the rule"),
}
_FINDING = ("阳性信息", "positive finding")


def value_in_words(value: Any, definition: FactDefinition | None = None) -> tuple[str, str]:
    """A value in both languages; an interval as its two ends, a set as its members, a code by its name where it has one."""
    if isinstance(value, bool):
        return ("是", "yes") if value else ("否", "no")
    if isinstance(value, Interval):
        low, high = _plain(value.low), _plain(value.high)
        return f"{low}至{high}", f"{low} to {high}"
    if isinstance(value, OneOf):
        members = [value_in_words(v, definition) for v in sorted(value.values, key=str)]
        return "或".join(zh for zh, _ in members), " or ".join(en for _, en in members)
    name = definition.value_names.get(str(value)) if definition is not None else None
    return (name.zh, name.en) if name is not None else (_plain(value), _plain(value))


def _plain(value: Any) -> str:
    if value is None:
        return "…"
    return value.isoformat() if isinstance(value, date) else f"{value:g}" if isinstance(value, float) else str(value)


def fact_in_words(fact: Fact) -> str:
    """The value alone, as a code or number."""
    return value_in_words(fact.possible)[1] if fact.possible is not None else "unknown"


def told_outcome(outcome: Outcome) -> tuple[str, str]:
    """A verdict in both languages."""
    return _OUTCOME[outcome]


def stated_in_words(fact: Fact, facts: Facts) -> tuple[str, str]:
    """A fact with what it is, or why it is open, in both languages."""
    definition = facts.definition(fact.id)
    zh, en = (definition.zh, definition.en) if definition is not None else _FINDING
    if definition is None and fact.sources:
        quotes = "、".join(dict.fromkeys(f"“{s.span.quote}”" for s in fact.sources if s.span is not None))
        return f"{zh}{quotes}", f"{en} {quotes}"
    open_ = fact.why is not None or fact.possible is None
    if fact.possible is None or fact.possible == EITHER:
        words = _WHY[fact.why or Why.NOT_SUPPLIED]
        if definition is None:
            words = ("未发现记载（不等于不存在）", "none found (not that there is none)")
        return f"{zh}：{words[0]}", f"{en}: {words[1]}"
    value = value_in_words(fact.possible, definition)
    suffix = (f"（{_WHY[fact.why][0]}）", f" ({_WHY[fact.why][1]})") if open_ and fact.why is not None else ("", "")
    mark = ("（互相矛盾）", " (in conflict)") if fact.conflict else ("（有不同记载）", " (contested)") if fact.contested else ("", "")
    told = _inputs_told(definition, facts) if definition is not None else ("", "")
    return f"{zh}={value[0]}{suffix[0]}{mark[0]}{told[0]}", f"{en} = {value[1]}{suffix[1]}{mark[1]}{told[1]}"


def _inputs_told(definition: FactDefinition, facts: Facts) -> tuple[str, str]:
    """What a derived fact was computed from, as far as it is known: "生效至初次确诊天数=95（生效日期=2020-03-02；初次确诊日期=2020-06-05）"."""
    known = [(facts.knowledge.facts[n], facts.get(n)) for n in names_in(definition.derive) if n in facts.knowledge.facts]
    words = [(d, value_in_words(f.possible, d)) for d, f in known if f.possible is not None and f.possible != EITHER]
    if not words:
        return "", ""
    return f"（{'；'.join(f'{d.zh}={v[0]}' for d, v in words)}）", f" ({'; '.join(f'{d.en} = {v[1]}' for d, v in words)})"


def verdict_in_words(verdict: Verdict, facts: Facts) -> dict[str, str]:
    """Clause, the rule's reason, the verdict and the facts it rests on."""
    rule = verdict.rule
    shown = verdict.pivotal or verdict.rests_on
    stated = list(dict.fromkeys(stated_in_words(f, facts) for f in shown))
    outcome = _OUTCOME[verdict.outcome]
    zh = f"{rule.clause.zh}：{rule.reason.zh}——{outcome[0]}" + (f"（{'；'.join(s[0] for s in stated)}）" if stated else "")
    en = f"{rule.clause.en}: {rule.reason.en} - {outcome[1]}" + (f" ({'; '.join(s[1] for s in stated)})" if stated else "")
    return {"zh": zh, "en": en}


def unshown_in_words(verdicts: list[Verdict]) -> dict[str, str]:
    """What no paper can prove absent, told once for all the clauses it concerns."""
    clauses = list(dict.fromkeys((v.rule.clause.zh, v.rule.clause.en) for v in verdicts))
    zh, en = "、".join(c[0] for c in clauses), "; ".join(c[1] for c in clauses)
    return {
        "zh": f"未发现记载（不等于不存在），须调查核实：{zh}",
        "en": f"None found (not that there is none), to be looked into: {en}",
    }


def obligation_in_words(obligation: Obligation, facts: Facts) -> dict[str, str]:
    """What stands in the way, and for the gate itself, why it is closed."""
    if obligation.verdict is None:
        return {"zh": obligation.zh, "en": obligation.en}
    words = verdict_in_words(obligation.verdict, facts)
    if not obligation.zh:
        return words
    return {"zh": f"{words['zh']}（{obligation.zh}）", "en": f"{words['en']} ({obligation.en})"}
