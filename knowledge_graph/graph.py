"""The knowledge graph: every library record as a node, every relation between them as an edge with its meaning in words."""

from __future__ import annotations

from typing import Any

import networkx as nx

from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import Rule, atoms_of, names_in

RELATIONS = {
    "IS_A": ("属于", "is a kind of"),
    "COVERS": ("保障", "covers"),
    "DEFINED_BY": ("由规则定义", "is defined by"),
    "VERSION_OF": ("是其版本", "is a version of"),
    "SUPPLIES": ("可提供事实", "can supply"),
    "USES": ("使用事实", "uses"),
    "DERIVES_FROM": ("由事实推得", "is derived from"),
    "APPLIES_AT": ("适用于阶段", "applies at"),
    "APPLIES_UNDER": ("适用于计划", "applies under"),
    "BEARS_ON": ("与病种有关", "bears on"),
    "BREACHES": ("违反健康要求", "breaches"),
    "CONCERNS": ("针对病种", "concerns"),
    "GOES_TO": ("转为较轻病种", "goes to"),
    "LOCATED_IN": ("位于", "is located in"),
    "ANSWERS": ("回答事实", "answers"),
}
_built: dict[str, nx.MultiDiGraph[str]] = {}


def build(knowledge: Knowledge) -> nx.MultiDiGraph[str]:
    """The graph of a rulebook, built once per digest."""
    if knowledge.digest not in _built:
        _built.clear()
        _built[knowledge.digest] = _build(knowledge)
    return _built[knowledge.digest]


def _build(knowledge: Knowledge) -> nx.MultiDiGraph[str]:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(digest=knowledge.digest)
    _add_nodes(graph, knowledge)
    _add_edges(graph, knowledge)
    return graph


def _add(graph: nx.MultiDiGraph[str], name: str, kind: str, zh: str, en: str, source: str = "", confidence: str = "") -> None:
    graph.add_node(name, kind=kind, zh=zh, en=en, source=source, confidence=confidence)


def _add_nodes(graph: nx.MultiDiGraph[str], k: Knowledge) -> None:
    for stage in k.stages:
        _add(graph, stage.id, "Stage", stage.zh, stage.en)
    for plan in k.plans.values():
        _add(graph, plan.id, "Plan", plan.zh, plan.en, plan.source, plan.confidence)
        for version in plan.versions:
            _add(
                graph,
                f"{plan.id}:{version.id}",
                "PlanVersion",
                f"{plan.zh} {version.id}",
                f"{plan.en} {version.id}",
                plan.source,
                plan.confidence,
            )
    for fact in k.facts.values():
        _add(graph, fact.id, "Fact", fact.zh, fact.en)
    for disease in k.diseases.values():
        _add(graph, disease.code, "Disease", disease.zh, disease.en, "ICD-10", "high")
    _add_codes(graph, k)
    for rule in k.rules:
        _add(graph, rule.id, "Rule", rule.reason.zh, rule.reason.en, rule.source, rule.confidence)
    for kind, records in (
        ("CoveredCondition", k.conditions),
        ("Finding", k.findings),
        ("EvidenceType", k.evidence),
        ("HealthRequirementItem", k.items),
        ("InvestigationTask", k.tasks),
    ):
        for record in records.values():
            _add(graph, record.id, kind, record.zh, record.en, record.source, record.confidence)
    for hospital in k.hospitals.values():
        _add(graph, f"hospital:{hospital.name}", "Hospital", hospital.name, hospital.name, hospital.source, hospital.confidence)


def _add_codes(graph: nx.MultiDiGraph[str], k: Knowledge) -> None:
    """Every code of the tables that the diseases library does not hold itself."""
    for table, kind, named in ((k.icd10, "Disease", "ICD-10"), (k.procedures, "Procedure", "ICD-9-CM-3")):
        for chapter in table.chapters:
            if chapter.range not in graph:
                _add(graph, chapter.range, kind, chapter.zh, chapter.en, named, "high")
        for code, zh in table.names.items():
            if code not in graph:
                _add(graph, code, kind, zh, f"{named} {code}", f"{named}, national medical-insurance edition 2020", "high")


def _add_edges(graph: nx.MultiDiGraph[str], k: Knowledge) -> None:  # noqa: C901 - one loop a library
    def link(a: str, relation: str, b: str, **details: Any) -> None:
        if a in graph and b in graph:
            graph.add_edge(a, b, key=relation, **details)

    for disease in k.diseases.values():
        link(disease.code, "IS_A", disease.parent or "")
    for table in (k.icd10, k.procedures):
        for code in table.names:
            if code not in k.diseases:
                link(code, "IS_A", table.parent(code) or "")
    for plan in k.plans.values():
        for version in plan.versions:
            link(f"{plan.id}:{version.id}", "VERSION_OF", plan.id)
        for condition in k.conditions.values():
            if k.covers(plan.id, condition.id):
                link(plan.id, "COVERS", condition.id)
    for condition_ in k.conditions.values():
        for item in condition_.icd10:
            for code in dict.fromkeys((item, *k.icd10.within(item))):
                link(code, "IS_A", condition_.id)
        link(condition_.id, "GOES_TO", condition_.goes_to or "")
        for parent in condition_.is_a:
            link(condition_.id, "IS_A", parent)
    for evidence in k.evidence.values():
        for fact in evidence.supplies:
            link(evidence.id, "SUPPLIES", fact, cost=evidence.cost, delay_days=evidence.delay_days)
    for fact_ in k.facts.values():
        for name in sorted(set(names_in(fact_.derive)) & set(k.facts)):
            link(fact_.id, "DERIVES_FROM", name)
    for rule in k.rules:
        _link_rule(link, rule)
    for finding in k.findings.values():
        for target in finding.bears_on:
            link(finding.id, "BEARS_ON", target)
        for item, by_version in finding.breaches.items():
            link(finding.id, "BREACHES", item, **by_version)
    for task in k.tasks.values():
        link(task.id, "ANSWERS", task.fact)
    for hospital in k.hospitals.values():
        if hospital.city:
            graph.add_node(
                hospital.city, kind="Region", zh=hospital.city, en=hospital.city, source=hospital.source, confidence=hospital.confidence
            )
            link(f"hospital:{hospital.name}", "LOCATED_IN", hospital.city)


def _link_rule(link: Any, rule: Rule) -> None:
    link(rule.id, "APPLIES_AT", rule.stage)
    if rule.applies_to.plan:
        link(rule.id, "APPLIES_UNDER", rule.applies_to.plan)
    if rule.kind == "definition" and rule.applies_to.condition:
        link(rule.applies_to.condition, "DEFINED_BY", rule.id)
    elif rule.applies_to.condition:
        link(rule.id, "CONCERNS", rule.applies_to.condition)
    for fact in facts_of(rule):
        link(rule.id, "USES", fact)


def facts_of(rule: Rule) -> tuple[str, ...]:
    """The facts a rule's conditions name, findings' date facts included."""
    found: list[str] = []
    for condition in (rule.when, rule.only_if, *(a.when for a in rule.amounts)):
        for atom in atoms_of(condition) if condition else []:
            query = atom.get("finding")
            found += [query[key] for key in ("before", "closed_by") if key in query] if query else [atom["fact"]]
    return tuple(dict.fromkeys(found))


def find(graph: nx.MultiDiGraph[str], name: str) -> str | None:
    """The node of that id; a hospital may be given by its bare name."""
    return name if name in graph else f"hospital:{name}" if f"hospital:{name}" in graph else None


def node(graph: nx.MultiDiGraph[str], name: str) -> dict[str, Any]:
    """One node as plain data. KeyError when there is none of that id."""
    return {"id": name, **graph.nodes[name]}


def neighbours(graph: nx.MultiDiGraph[str], name: str) -> list[dict[str, Any]]:
    """Every edge at a node with its direction and meaning in words, by relation and id."""
    rows = []
    for source, target, relation, details in [*graph.out_edges(name, keys=True, data=True), *graph.in_edges(name, keys=True, data=True)]:
        other = target if source == name else source
        a, b = graph.nodes[source], graph.nodes[target]
        zh, en = RELATIONS[relation]
        words = {"zh": f"{a['zh']}{zh}{b['zh']}", "en": f"{a['en']} {en} {b['en']}"}
        rows.append(
            {
                "relation": relation,
                "direction": "out" if source == name else "in",
                "words": words,
                "details": dict(details),
                "node": node(graph, other),
            }
        )
    return sorted(rows, key=lambda r: (r["direction"], r["relation"], r["node"]["id"]))
