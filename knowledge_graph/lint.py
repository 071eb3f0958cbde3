"""The linter: what a rulebook that loads may still get wrong. Each message names file and id and says what to do.

That a shipped rule fires in some case is a matter of the cases: tests/test_cases.py holds it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import combinations, pairwise
from typing import Any

from knowledge_graph.graph import facts_of
from knowledge_graph.lint_logic import has_parameter, implies, name_of, outcomes
from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import PlanVersion, Rule, atoms_of, names_in

OVERRIDE_SHARE = 0.1
_PASSES_WHEN_TRUE = ("definition", "document", "requirement", "consistency", "verification")
_HAN = re.compile("[\u4e00-\u9fff]")
_WORD = re.compile("[a-z]{4,}")


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
    """Every message, by library."""
    checks = (
        _facts, _evidence, _findings, _texts, _sources, _conditions, _tasks, _plans, _versions, _windows,
        _dead, _same, _subsumed, _contradictory, _codes, _benefits, _flags, _overrides,
    )  # fmt: skip
    return [message for one in checks for message in one(knowledge)]


def _used(k: Knowledge) -> set[str]:
    """Every fact a rule rests on, through all derivations."""
    found: set[str] = set()
    waiting = [f for rule in k.rules for f in facts_of(rule)] + [t.fact for t in k.tasks.values()]
    while waiting:
        name = waiting.pop()
        if name in k.facts and name not in found:
            found.add(name)
            waiting += names_in(k.facts[name].derive)
    return found


def _facts(k: Knowledge) -> Iterator[LintMessage]:
    for name in sorted(_used(k)):
        fact = k.facts[name]
        if fact.derive is None and not fact.staff and fact.question is None and not k.suppliers(name):
            zh, en = (
                "无人能回答该事实：在 evidence.yaml 的 supplies 中加入，或写 question",
                "nobody can answer it: list it under `supplies` of an evidence type, or give it a `question`",
            )
            yield LintMessage("facts.yaml", name, zh, en)


def _evidence(k: Knowledge) -> Iterator[LintMessage]:
    papers = {name for fact in k.facts.values() if fact.derive and "paper" in fact.derive for name in fact.derive["paper"]}
    for name in sorted(papers - set(k.evidence)):
        yield LintMessage("facts.yaml", name, "未知凭证：更正编号", "unknown evidence type: correct the id")
    used, named = _used(k), papers | {t.evidence_type for t in k.tasks.values()} | {s for f in k.findings.values() for s in f.sources}
    grouped = {e for members in k.groups.values() for e in members}
    for item in k.evidence.values():
        if not used & set(item.supplies) and item.id not in named | grouped:
            zh, en = (
                "没有规则、任务或阳性信息用到该凭证：补充 supplies 或删除",
                "no rule, task or finding asks for it: complete `supplies` or remove it",
            )
            yield LintMessage("evidence.yaml", item.id, zh, en)


def _findings(k: Knowledge) -> Iterator[LintMessage]:
    seen: dict[str, str] = {}
    for finding in k.findings.values():
        terms = [t for t in (finding.zh, *finding.synonyms) if t.strip()]
        if not terms:
            yield LintMessage("findings.yaml", finding.id, "没有可识别的词：补充 synonyms", "no term to read it by: add synonyms")
        for term in dict.fromkeys(terms):
            if term in seen:
                zh, en = f"词“{term}”也属于 {seen[term]}：只留一处", f"the term {term!r} is {seen[term]}'s too: keep one"
                yield LintMessage("findings.yaml", finding.id, zh, en)
            seen.setdefault(term, finding.id)


def _texts(k: Knowledge) -> Iterator[LintMessage]:
    libraries: tuple[tuple[str, Any], ...] = (
        ("facts.yaml", k.facts), ("evidence.yaml", k.evidence), ("findings.yaml", k.findings), ("findings.yaml", k.items),
        ("conditions.yaml", k.conditions), ("tasks.yaml", k.tasks), ("plans.yaml", k.plans), ("stages.yaml", {s.id: s for s in k.stages}),
    )  # fmt: skip
    pairs = [(file, name, "name", r.zh, r.en) for file, records in libraries for name, r in records.items()]
    pairs += [("rules/", r.id, what, words.zh, words.en) for r in k.rules for what, words in (("reason", r.reason), ("clause", r.clause))]
    for file, name, what, zh, en in pairs:
        if not zh.strip() or not en.strip() or (_WORD.search(zh) and not _HAN.search(zh) and zh != en) or _HAN.search(en):
            yield LintMessage(
                file, name, f"{what} 缺少一种语言的文本：补上中文和英文", f"the {what} is missing in one language: write both"
            )


def _sources(k: Knowledge) -> Iterator[LintMessage]:
    libraries: tuple[tuple[str, Any], ...] = (
        ("rules/", k.rules), ("evidence.yaml", k.evidence.values()), ("findings.yaml", k.findings.values()),
        ("conditions.yaml", k.conditions.values()), ("plans.yaml", k.plans.values()), ("tasks.yaml", k.tasks.values()), ("facts.yaml", k.facts.values()),
    )  # fmt: skip
    for file, records in libraries:
        for r in records:
            if not r.source.strip() or r.confidence is None:
                yield LintMessage(file, r.id, "没有出处：写明 source 和 confidence", "it has no source: give `source` and `confidence`")
            elif r.source.strip() == "assumed" and r.confidence == "high":
                yield LintMessage(
                    file, r.id, "假设的内容可信度不应为 high：改为 low", "what is assumed cannot be of high confidence: say low"
                )


def _conditions(k: Knowledge) -> Iterator[LintMessage]:
    defined = {r.applies_to.condition for r in k.rules if r.kind == "definition"}
    for c in k.conditions.values():
        if c.abstract:
            continue
        if not defined & set(k.lineage(c.id)):
            yield LintMessage(
                "conditions.yaml", c.id, "没有定义规则：添加 kind: definition 的规则", "it has no definition: add a rule of kind definition"
            )
        if not c.terms:
            yield LintMessage("conditions.yaml", c.id, "没有申报用词：补充 terms", "claimants have no words for it: add `terms`")
        if c.goes_to is not None and not any(k.covers(p, c.goes_to) for p in k.plans):
            yield LintMessage(
                "conditions.yaml",
                c.id,
                "goes_to 的病种没有计划保障：更正或删除",
                "no plan covers what it goes to: correct or remove `goes_to`",
            )


def _tasks(k: Knowledge) -> Iterator[LintMessage]:
    named = {t for r in k.rules for t in r.tasks}
    for task in k.tasks.values():
        if task.id not in named:
            yield LintMessage(
                "tasks.yaml",
                task.id,
                "没有规则用到该任务：在规则的 tasks 中写上或删除",
                "no rule names the task: list it under a rule's `tasks` or remove it",
            )


def _parameters(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        if set(data) == {"plan"} and isinstance(data["plan"], str):
            yield data["plan"]
        for key, value in data.items():
            if isinstance(key, str) and (key.endswith("_plan")) and isinstance(value, str):
                yield value
            yield from _parameters(value)
    elif isinstance(data, list | tuple):
        for part in data:
            yield from _parameters(part)


def _plans(k: Knowledge) -> Iterator[LintMessage]:
    trees = [t for r in k.rules for t in (r.when, r.only_if, *(a.when for a in r.amounts))] + [f.derive for f in k.facts.values()]
    used = set(_parameters(trees)) | {"gate_age_split"}
    for plan in k.plans.values():
        for name in sorted(set(plan.parameters) - used):
            yield LintMessage(
                "plans.yaml",
                plan.id,
                f"参数 {name} 没有规则用到：删除或在规则中引用",
                f"no rule uses the parameter {name}: remove it or refer to it",
            )
        for family in plan.covers:
            if family not in k.conditions:
                yield LintMessage(
                    "plans.yaml",
                    plan.id,
                    f"covers 中的 {family} 不存在：更正编号",
                    f"{family} under `covers` does not exist: correct the id",
                )


def _gaps(name: str, versions: tuple[PlanVersion, ...], *, overlap: bool) -> Iterator[LintMessage]:
    for earlier, later in pairwise(sorted(versions, key=lambda v: v.from_)):
        apart = earlier.to is not None and earlier.to + timedelta(days=1) < later.from_
        over = earlier.to is None or earlier.to >= later.from_
        if apart or (over and overlap):
            zh = f"版本 {earlier.id} 与 {later.id} 之间有空档或重叠：使后者自前者结束次日起"
            yield LintMessage(
                "plans.yaml", name, zh, f"gap or overlap between {earlier.id} and {later.id}: start the later one the day after"
            )


def _versions(k: Knowledge) -> Iterator[LintMessage]:
    for plan in k.plans.values():
        yield from _gaps(plan.id, plan.versions, overlap=True)
        # Editions may overlap: in a time of transition a contract may speak either.
        yield from _gaps(plan.id, plan.editions, overlap=False)
        for v in (*plan.versions, *plan.editions):
            if v.to is not None and v.to < v.from_:
                yield LintMessage(
                    "plans.yaml", plan.id, f"版本 {v.id} 结束早于开始：更正日期", f"{v.id} ends before it starts: correct the dates"
                )


def _scope(rule: Rule) -> str:
    scope = [rule.kind, rule.stage, rule.applies_to.model_dump(), rule.only_if, [a.model_dump() for a in rule.amounts]]
    return json.dumps(scope, sort_keys=True, default=str)


def _windows(k: Knowledge) -> Iterator[LintMessage]:
    """Dated versions of one rule: same scope and clause, each with its window."""
    dated: dict[str, list[Rule]] = {}
    for rule in k.rules:
        if rule.effective is None:
            continue
        if rule.effective.to is not None and rule.effective.to < rule.effective.from_:
            yield LintMessage(
                "rules/", rule.id, "生效期为空，规则永不适用：更正 effective", "its window is empty, it never applies: correct `effective`"
            )
        dated.setdefault(_scope(rule) + rule.clause.zh + rule.effective.by, []).append(rule)
    for rules in dated.values():
        windows = tuple(
            PlanVersion.model_validate({"id": r.id, "from": r.effective.from_, "to": r.effective.to}) for r in rules if r.effective
        )
        for message in _gaps(rules[-1].id, windows, overlap=True):
            yield LintMessage("rules/", message.id, message.zh, message.en)


def _dead(k: Knowledge) -> Iterator[LintMessage]:
    for rule in k.rules:
        for tree in [t for t in (rule.when, rule.only_if) if t is not None]:
            if has_parameter(tree) or any("agrees" in a for a in atoms_of(tree)):
                continue
            found = outcomes(tree, k.facts)
            if found == {False}:
                yield LintMessage(
                    "rules/",
                    rule.id,
                    "条件永不成立：各部分互相矛盾，更正条件",
                    "its condition can never hold: its parts contradict each other, correct it",
                )
            elif found == {True}:
                yield LintMessage(
                    "rules/",
                    rule.id,
                    "条件恒成立，等于没有规则：更正或删除",
                    "its condition always holds, it decides nothing: correct or remove it",
                )
        edition, plan = rule.applies_to.edition, rule.applies_to.plan
        if edition is not None and plan is not None and edition not in {e.id for e in k.plans[plan].editions}:
            yield LintMessage(
                "rules/",
                rule.id,
                f"计划 {plan} 没有版本 {edition}，规则永不适用：更正",
                f"plan {plan} has no edition {edition}, it never applies: correct it",
            )


def _same(k: Knowledge) -> Iterator[LintMessage]:
    seen: dict[str, str] = {}
    for rule in k.rules:
        key = _scope(rule) + json.dumps([rule.when, rule.effective.model_dump() if rule.effective else None], sort_keys=True, default=str)
        if key in seen:
            yield LintMessage(
                "rules/", rule.id, f"与 {seen[key]} 完全相同，被其遮蔽：删除其一", f"the same as {seen[key]}, which shadows it: remove one"
            )
        seen.setdefault(key, rule.id)


def _comparable(rule: Rule) -> bool:
    return rule.when is not None and not has_parameter(rule.when) and not any("agrees" in a for a in atoms_of(rule.when))


def _subsumed(k: Knowledge) -> Iterator[LintMessage]:
    groups: dict[str, list[Rule]] = {}
    for rule in k.rules:
        if _comparable(rule) and rule.kind != "red_flag" and rule.effective is None:
            groups.setdefault(_scope(rule), []).append(rule)
    for rules in groups.values():
        for a, b in combinations(rules, 2):
            if a.when == b.when or not _share(a, b):
                continue
            for strong, weak in ((a, b), (b, a)):
                if implies(strong.when or {}, weak.when or {}, k.facts):
                    idle, by = (weak, strong) if strong.kind in _PASSES_WHEN_TRUE else (strong, weak)
                    yield LintMessage(
                        "rules/",
                        idle.id,
                        f"已被 {by.id} 涵盖，不会单独起作用：删除或改条件",
                        f"subsumed by {by.id}, it never decides alone: remove it or change its condition",
                    )


def _share(a: Rule, b: Rule) -> bool:
    return bool({name_of(x) for x in atoms_of(a.when or {})} & {name_of(x) for x in atoms_of(b.when or {})})


def _contradictory(k: Knowledge) -> Iterator[LintMessage]:
    """Rules of one condition of which every one must pass, two of which never pass together."""
    seen: set[tuple[str, str]] = set()
    for c in k.conditions.values():
        if c.abstract:
            continue
        scope = {None, *k.lineage(c.id)}
        rules = [
            r
            for r in k.rules
            if r.applies_to.condition in scope
            and _comparable(r)
            and r.kind in ("definition", "requirement", "exclusion")
            and r.only_if is None
        ]
        for a, b in combinations([r for r in rules if r.applies_to.level in (None, c.level)], 2):
            if (a.id, b.id) in seen:
                continue
            seen.add((a.id, b.id))
            if _share(a, b) and _together(a, b) and _clash(k, a, b):
                zh, en = f"与 {a.id} 矛盾，同一案件不可能都通过：更正其一", f"contradicts {a.id}: no claim can pass both, correct one"
                yield LintMessage("rules/", b.id, zh, en)


def _together(a: Rule, b: Rule) -> bool:
    x, y = a.applies_to, b.applies_to
    plans = x.plan is None or y.plan is None or x.plan == y.plan
    return (
        plans
        and (x.edition is None or y.edition is None or x.edition == y.edition)
        and (x.level is None or y.level is None or x.level == y.level)
        and (not x.versions or not y.versions or bool(set(x.versions) & set(y.versions)))
        and a.effective is None
        and b.effective is None
    )


def _passing(rule: Rule) -> dict[str, Any]:
    assert rule.when is not None
    return rule.when if rule.kind in _PASSES_WHEN_TRUE else {"none_of": [rule.when]}


def _clash(k: Knowledge, a: Rule, b: Rule) -> bool:
    return outcomes({"all_of": [_passing(a), _passing(b)]}, k.facts) == {False}


def _codes(k: Knowledge) -> Iterator[LintMessage]:
    for rule in k.rules:
        for tree in [t for t in (rule.when, rule.only_if, *(a.when for a in rule.amounts)) if t is not None]:
            for atom in atoms_of(tree):
                fact = k.facts.get(atom.get("fact", ""))
                if fact is None or not fact.values:
                    continue
                wrong = [c for op in ("eq", "ne", "in", "not_in") for c in _listed(atom.get(op)) if c not in fact.values]
                if wrong and not fact.derive:
                    yield LintMessage(
                        "rules/",
                        rule.id,
                        f"{fact.id} 没有值 {wrong}：更正或加入 values",
                        f"{fact.id} has no value {wrong}: correct it or add it to `values`",
                    )


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _benefits(k: Knowledge) -> Iterator[LintMessage]:
    for rule in (r for r in k.rules if r.amounts):
        rows = [a.when for a in rule.amounts]
        if any(has_parameter(r) for r in rows):
            continue
        if False in outcomes({"any_of": rows}, k.facts):
            yield LintMessage("rules/", rule.id, "金额表有空档：补上缺少的一行", "the table of amounts has a gap: add the missing row")
        for place, row in enumerate(rows[1:], 1):
            if implies(row, {"any_of": rows[:place]}, k.facts):
                yield LintMessage(
                    "rules/",
                    rule.id,
                    f"金额表第{place + 1}行永远轮不到：删除或调整次序",
                    f"row {place + 1} of the amounts is never reached: remove or reorder it",
                )


def _flags(k: Knowledge) -> Iterator[LintMessage]:
    for rule in k.rules:
        if rule.kind == "red_flag" and rule.weight <= 0:
            yield LintMessage(
                "rules/", rule.id, "风险提示没有权重：写明大于0的 weight", "a red flag without weight: give it a `weight` above 0"
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
