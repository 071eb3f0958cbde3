"""Conditions of rules in words, Chinese and English, with the plan's numbers put in where a plan is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import FactDefinition, Plan

_COMPARED = {
    "eq": ("=", "="),
    "is": ("=", "="),
    "ne": ("≠", "≠"),
    "ge": ("≥", "≥"),
    "gt": (">", ">"),
    "le": ("≤", "≤"),
    "lt": ("<", "<"),
    "in": ("属于", "is one of"),
    "not_in": ("不属于", "is none of"),
    "starts_with": ("以此开头：", "starts with"),
}
_JOINED = {"all_of": ("；且", "; and "), "any_of": ("；或", "; or "), "none_of": ("；或", "; or ")}


def condition_in_words(condition: Mapping[str, Any], knowledge: Knowledge, plan: Plan | None = None) -> tuple[str, str]:
    """A condition tree as one sentence in each language."""
    for word, joint in _JOINED.items():
        if word in condition:
            parts = [condition_in_words(c, knowledge, plan) for c in condition[word]]
            zh, en = joint[0].join(p[0] for p in parts), joint[1].join(p[1] for p in parts)
            if word == "none_of":
                return f"以下均不成立（{zh}）", f"none of ({en})"
            return (f"（{zh}）", f"({en})") if len(parts) > 1 else (zh, en)
    if "at_least" in condition:
        parts = [condition_in_words(c, knowledge, plan) for c in condition["of"]]
        n = condition["at_least"]
        return f"以下至少{n}项（{'；'.join(p[0] for p in parts)}）", f"at least {n} of ({'; '.join(p[1] for p in parts)})"
    if "finding" in condition:
        return _finding_in_words(condition["finding"], knowledge)
    return _atom_in_words(condition, knowledge.facts[condition["fact"]], plan)


def _finding_in_words(query: Mapping[str, Any], knowledge: Knowledge) -> tuple[str, str]:
    asked = query.get("breaches", query.get("ids", []))
    names = [asked] if isinstance(asked, str) else list(asked)
    known: list[Any] = [knowledge.items.get(n) or knowledge.findings.get(n) for n in names]
    zh = "、".join(k.zh for k in known if k is not None) or "任何健康要求项目"
    en = ", ".join(k.en for k in known if k is not None) or "any item of the health requirement"
    return f"加入前有阳性信息违反：{zh}", f"a positive finding before joining breaches: {en}"


def _atom_in_words(atom: Mapping[str, Any], fact: FactDefinition, plan: Plan | None) -> tuple[str, str]:
    said = []
    for op, constant in atom.items():
        if op in ("fact", "of"):
            continue
        if op == "agrees":
            said.append(("各处一致", "agrees everywhere") if constant else ("有矛盾", "is contradicted"))
            continue
        value, sign = _value(constant, fact, plan), _COMPARED[op]
        unit = f" {fact.unit}" if fact.unit else ""
        said.append((f"{sign[0]}{value[0]}{unit}", f"{sign[1]} {value[1]}{unit}"))
    return fact.zh + "，".join(s[0] for s in said), f"{fact.en} " + ", ".join(s[1] for s in said)


def _value(constant: Any, fact: FactDefinition, plan: Plan | None) -> tuple[str, str]:
    if isinstance(constant, bool):
        return ("是", "yes") if constant else ("否", "no")
    if isinstance(constant, dict):
        name = constant["plan"]
        number = f"{plan.parameters[name]:g}" if plan is not None and name in plan.parameters else f"{{{name}}}"
        return number, number
    if isinstance(constant, list):
        parts = [_value(c, fact, plan) for c in constant]
        return "、".join(p[0] for p in parts), ", ".join(p[1] for p in parts)
    named = fact.value_names.get(str(constant))
    return (named.zh, named.en) if named is not None else (str(constant), str(constant))
