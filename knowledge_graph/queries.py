"""Named questions to the knowledge graph, each with typed parameters and an answer in plain data and in words.

`QUERIES` is the registry; `ask` checks the parameters and answers. The command line and the service both go through it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import networkx as nx

from knowledge_graph import graph as graphs
from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import Plan, Rule, Words, names_in
from knowledge_graph.words import condition_in_words

Answer = dict[str, Any]
MAX_ROWS = 200


class QueryError(ValueError):
    """A question that cannot be asked so; names the parameter and the remedy."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a question; `type` is text, date or number, `default` None where it must be given."""

    name: str
    type: str
    zh: str
    en: str
    default: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The published form."""
        return {
            "name": self.name,
            "type": self.type,
            "zh": self.zh,
            "en": self.en,
            "default": self.default,
            "required": self.default is None,
        }


@dataclass(frozen=True, slots=True)
class Query:
    """A named question."""

    name: str
    words: Words
    parameters: tuple[Parameter, ...]
    answer: Callable[..., Answer]

    def to_json(self) -> dict[str, Any]:
        """The published form."""
        return {"name": self.name, "zh": self.words.zh, "en": self.words.en, "parameters": [p.to_json() for p in self.parameters]}


def ask(knowledge: Knowledge, name: str, given: Mapping[str, str]) -> Answer:
    """The answer to a named question. Raises QueryError."""
    query = QUERIES.get(name)
    if query is None:
        raise QueryError(f"{name}: 没有这个查询，可用：{'、'.join(QUERIES)} / no such query, known: {', '.join(QUERIES)}")
    unknown = set(given) - {p.name for p in query.parameters}
    if unknown:
        raise QueryError(f"{', '.join(sorted(unknown))}: 查询 {name} 没有此参数，请去掉 / query {name} has no such parameter, drop it")
    return {"query": name, **query.answer(knowledge, **{p.name: _typed(p, given.get(p.name)) for p in query.parameters})}


def _typed(parameter: Parameter, value: str | None) -> Any:
    text = parameter.default if value is None or not value.strip() else value.strip()
    if text is None:
        raise QueryError(f"{parameter.name}: 缺少参数（{parameter.zh}）/ the parameter is missing ({parameter.en})")
    if text == "":
        return None
    try:
        if parameter.type == "date":
            return date.fromisoformat(text)
        return int(text) if parameter.type == "number" else text
    except ValueError as error:
        remedy = "日期须为YYYY-MM-DD / write YYYY-MM-DD" if parameter.type == "date" else "须为整数 / write a whole number"
        raise QueryError(f"{parameter.name}: {text!r}: {remedy}") from error


def near(name: str, known: Iterable[str]) -> str:
    """The ids most like a wrong one, for a message."""
    like = difflib.get_close_matches(name, list(known), 3, 0.5)
    return f"；相近：{'、'.join(like)} / near: {', '.join(like)}" if like else ""


def _one(what: str, name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise QueryError(f"{name}: 没有这个{what}，请用库中的编号 / no such {what}: use an id of the libraries{near(name, known)}")
    return known[name]


def _node_id(knowledge: Knowledge, name: str) -> str:
    found = graphs.find(graphs.build(knowledge), name)
    if found is None:
        named = search_nodes(knowledge, name, 1)
        if named and named[0]["score"] >= 90:
            return str(named[0]["id"])
        coded = ("Disease", "Procedure", "Hospital", "Region")
        short = [n for n, d in graphs.build(knowledge).nodes(data=True) if d["kind"] not in coded]
        raise QueryError(f"{name}: 图中没有该节点，请先搜索 / no such node: search for it first{near(name, short)}")
    return found


def _condition(knowledge: Knowledge, name: str) -> str:
    """A condition by id, name or a claimant's word."""
    if name in knowledge.conditions:
        return name
    for c in knowledge.conditions.values():
        if name in (c.zh, c.en) or name.casefold() in [t.casefold() for t in c.terms]:
            return c.id
    raise QueryError(f"{name}: 没有这个病种 / no such condition{near(name, knowledge.conditions)}")


# ---- what rules say


def in_force(knowledge: Knowledge, rule: Rule, plan: Plan | None, on: date | None) -> bool:
    """Whether a rule may apply under a plan to a claim whose dates are all `on`."""
    if plan is not None and rule.applies_to.plan not in (None, plan.id):
        return False
    if on is None:
        return True
    if rule.effective is not None and (on < rule.effective.from_ or (rule.effective.to is not None and on > rule.effective.to)):
        return False
    owner = knowledge.plans.get(rule.applies_to.plan or "") or plan
    if owner is None:
        return True
    versions = [v.id for v in owner.versions if v.from_ <= on and (v.to is None or on <= v.to)]
    editions = [e.id for e in owner.editions if e.from_ <= on and (e.to is None or on <= e.to)]
    spoken = rule.applies_to.edition is None or not owner.editions or rule.applies_to.edition in editions
    return spoken and (not rule.applies_to.versions or bool(set(versions) & set(rule.applies_to.versions)))


def rule_json(knowledge: Knowledge, rule: Rule, plan: Plan | None = None) -> Answer:
    """A rule with its condition in words."""
    trees = [rule.when] if rule.when else [a.when for a in rule.amounts]
    said = [condition_in_words(t, knowledge, plan) for t in trees]
    amounts = [f"{a.amount} CNY" for a in rule.amounts]
    zh = "；".join(s[0] + (f" → {a}" if a else "") for s, a in zip(said, amounts or [""] * len(said), strict=True))
    en = "; ".join(s[1] + (f" → {a}" if a else "") for s, a in zip(said, amounts or [""] * len(said), strict=True))
    return {
        "id": rule.id, "kind": rule.kind, "stage": rule.stage, "clause": rule.clause.model_dump(), "reason": rule.reason.model_dump(),
        "applies_to": rule.applies_to.model_dump(exclude_defaults=True), "source": rule.source, "confidence": rule.confidence,
        "when": {"zh": zh, "en": en}, "facts": list(graphs.facts_of(rule)),
    }  # fmt: skip


def rules_of(knowledge: Knowledge, condition: str, plan: Plan | None, stage: str | None, on: date | None) -> list[Rule]:
    """Rules that apply to a condition, inherited ones included."""
    scope, level = {None, *knowledge.lineage(condition)}, knowledge.conditions[condition].level
    return [
        r
        for r in knowledge.rules
        if r.applies_to.condition in scope
        and r.applies_to.level in (None, level)
        and not scope & set(r.applies_to.except_conditions)
        and stage in (None, r.stage)
        and in_force(knowledge, r, plan, on)
    ]


def _plan(knowledge: Knowledge, name: str | None) -> Plan | None:
    if name is None:
        return None
    plan: Plan = _one("plan", name, knowledge.plans)
    return plan


def rules_for(knowledge: Knowledge, condition: str, stage: str | None, on: date | None, plan: str | None) -> Answer:
    """Rules for a condition, stage and date."""
    named, owner = _condition(knowledge, condition), _plan(knowledge, plan)
    if stage is not None:
        _one("stage", stage, {s.id: s for s in knowledge.stages})
    rows = [rule_json(knowledge, r, owner) for r in rules_of(knowledge, named, owner, stage, on)]
    return {"condition": named, "rules": rows, "words": [_rule_words(r) for r in rows]}


def _rule_words(row: Answer) -> dict[str, str]:
    return {
        "zh": f"{row['id']}（{row['clause']['zh']}）：{row['when']['zh']}",
        "en": f"{row['id']} ({row['clause']['en']}): {row['when']['en']}",
    }


def base_facts(knowledge: Knowledge, names: Iterable[str]) -> list[str]:
    """The facts that papers or people answer, through all derivations."""
    found: list[str] = []
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop(0)
        if name in seen or name not in knowledge.facts:
            continue
        seen.add(name)
        inputs = [n for n in names_in(knowledge.facts[name].derive) if n in knowledge.facts]
        waiting += inputs
        if not inputs or knowledge.suppliers(name):
            found.append(name)
    return found


def papers_for(knowledge: Knowledge, fact: str) -> list[str]:
    """Evidence types that can answer a fact, the cheapest first; a checklist fact is answered by the papers it names."""
    derive = knowledge.facts[fact].derive
    return list(derive["paper"]) if derive and "paper" in derive else [e.id for e in knowledge.suppliers(fact)]


def asks(knowledge: Knowledge, condition: str, plan: str, on: date | None) -> Answer:
    """What a plan asks of a condition, and which evidence can answer it."""
    named, owner = _condition(knowledge, condition), _plan(knowledge, plan)
    rules = [r for r in rules_of(knowledge, named, owner, None, on) if r.kind != "red_flag"]
    rows = [rule_json(knowledge, r, owner) for r in rules]
    facts = base_facts(knowledge, (f for r in rules for f in graphs.facts_of(r)))
    evidence = {f: [_evidence_json(knowledge, e) for e in papers_for(knowledge, f)] for f in facts}
    covered = owner is not None and knowledge.covers(owner.id, named)
    return {
        "condition": named,
        "plan": plan,
        "covered": covered,
        "rules": rows,
        "evidence": evidence,
        "words": [_rule_words(r) for r in rows],
    }


def _evidence_json(knowledge: Knowledge, name: str) -> Answer:
    e = knowledge.evidence[name]
    return {"id": e.id, "zh": e.zh, "en": e.en, "asked_of": e.asked_of, "cost": e.cost, "delay_days": e.delay_days}


def evidence_for(knowledge: Knowledge, fact: str) -> Answer:
    """Evidence that can supply a fact, the cheapest first."""
    definition = _one("fact", fact, knowledge.facts)
    facts = base_facts(knowledge, [fact]) or [fact]
    rows = {f: [_evidence_json(knowledge, e) for e in papers_for(knowledge, f)] for f in facts}
    named = [e["zh"] for es in rows.values() for e in es], [e["en"] for es in rows.values() for e in es]
    words = {
        "zh": f"{definition.zh}可由{'、'.join(dict.fromkeys(named[0])) or '审核员'}回答",
        "en": f"{definition.en} is answered by {', '.join(dict.fromkeys(named[1])) or 'the reviewer'}",
    }
    return {"fact": fact, "evidence": rows, "words": [words]}


def supplies(knowledge: Knowledge, evidence: str) -> Answer:
    """What an evidence type can supply, and the rules that rest on it."""
    item = _one("evidence type", knowledge.aliases.get(evidence, evidence), knowledge.evidence)
    facts = [{"id": f, "zh": knowledge.facts[f].zh, "en": knowledge.facts[f].en} for f in item.supplies]
    resting = [r.id for r in knowledge.rules if set(base_facts(knowledge, graphs.facts_of(r))) & set(item.supplies)]
    zh, en = "、".join(f["zh"] for f in facts), ", ".join(f["en"] for f in facts)
    return {"evidence": _evidence_json(knowledge, item.id), "facts": facts, "rules": resting,
            "words": [{"zh": f"{item.zh}可提供：{zh}", "en": f"{item.en} can supply: {en}"}]}  # fmt: skip


# ---- findings and the health requirement

_BREACH = {
    "yes": ("违反", "breaches"),
    "no": ("不违反", "does not breach"),
    "conditional": ("是否违反须由人解释", "may breach (a person interprets)"),
}


def _finding(knowledge: Knowledge, name: str) -> Any:
    if name in knowledge.findings:
        return knowledge.findings[name]
    wanted = "".join(name.split()).casefold()
    for f in knowledge.findings.values():
        if any(wanted == "".join(t.split()).casefold() for t in (f.zh, f.en, *f.synonyms)):
            return f
    close = [f for f in knowledge.findings.values() if any(wanted in "".join(t.split()).casefold() for t in (f.zh, f.en, *f.synonyms))]
    if len(close) == 1:
        return close[0]
    raise QueryError(f"{name}: 没有（或不止一个）这样的阳性信息，请用编号 / none or several such findings, use an id{near(name, [f.id for f in close] or knowledge.findings)}")  # fmt: skip


def health_rules(knowledge: Knowledge, item: str, version: str | None, plan: str | None) -> list[Rule]:
    """Rules whose finding query asks for an item of the health requirement under a version."""
    return [
        r
        for r in knowledge.rules
        if r.when is not None
        and _asks_item(r.when, item)
        and plan in (None, r.applies_to.plan)
        and (version is None or not r.applies_to.versions or version in r.applies_to.versions)
    ]


def _asks_item(tree: Any, item: str) -> bool:
    if isinstance(tree, Mapping):
        query = tree.get("finding")
        if query is not None:
            asked = query.get("breaches", [])
            return asked == "any" or item == asked or (isinstance(asked, list) and item in asked)
        return any(_asks_item(v, item) for v in tree.values())
    return isinstance(tree, list) and any(_asks_item(v, item) for v in tree)


def breaches(knowledge: Knowledge, finding: str) -> Answer:
    """Which requirement a finding breaches under which version, and what could reveal it."""
    found = _finding(knowledge, finding)
    rows, words = [], []
    for item_id, by_version in found.breaches.items():
        item = knowledge.items[item_id]
        for version, breach in by_version.items():
            rules = [r.id for r in health_rules(knowledge, item_id, version, None)]
            rows.append(
                {
                    "item": item_id,
                    "version": version,
                    "breach": breach,
                    "rules": rules,
                    "confidence": found.confidence,
                    "source": found.source,
                }
            )
            zh, en = _BREACH[breach]
            words.append({"zh": f"版本{version}：{found.zh}{zh}“{item.zh}”（{'、'.join(rules)}）", "en": f"Version {version}: {found.en} {en} '{item.en}' ({', '.join(rules)})"})  # fmt: skip
    if not rows:
        words = [{"zh": f"{found.zh}不违反任何健康要求项目", "en": f"{found.en} breaches no item of the health requirement"}]
    return {"finding": found.id, "breaches": rows, "revealed_by": reveals(knowledge, found.id)["evidence"], "words": words}


def what_breaches(knowledge: Knowledge, item: str, version: str | None) -> Answer:
    """The findings that breach an item."""
    record = _one("item", item, knowledge.items)
    rows = []
    for f in knowledge.findings.values():
        by = {v: b for v, b in f.breaches.get(item, {}).items() if version in (None, v) and b != "no"}
        if by:
            rows.append({"id": f.id, "zh": f.zh, "en": f.en, "breach": by})
    words = [{"zh": f"{len(rows)}项阳性信息可能违反“{record.zh}”", "en": f"{len(rows)} findings may breach '{record.en}'"}]
    return {"item": item, "findings": rows, "words": words}


def reveals(knowledge: Knowledge, finding: str) -> Answer:
    """What could reveal a finding: papers that record it and tasks that look for it."""
    found = _finding(knowledge, finding)
    evidence = [_evidence_json(knowledge, e) for e in found.sources]
    tasks = [
        {"id": t.id, "zh": t.zh, "en": t.en, "cost": t.cost, "days": list(t.days)}
        for t in knowledge.tasks.values()
        if t.fact == "inv.prior_breach_found"
    ]
    zh, en = "、".join(e["zh"] for e in evidence), ", ".join(e["en"] for e in evidence)
    return {
        "finding": found.id,
        "evidence": evidence,
        "tasks": tasks,
        "words": [{"zh": f"{found.zh}可由{zh}记载", "en": f"{found.en} may stand in {en}"}],
    }


# ---- the graph itself


def node(knowledge: Knowledge, id: str) -> Answer:  # noqa: A002 - the parameter is called id
    """A node."""
    found = graphs.node(graphs.build(knowledge), _node_id(knowledge, id))
    return {"node": found, "words": [{"zh": f"{found['zh']}（{found['kind']}）", "en": f"{found['en']} ({found['kind']})"}]}


def neighbours(knowledge: Knowledge, id: str, relation: str | None) -> Answer:  # noqa: A002
    """A node and what it is linked to."""
    graph, found = graphs.build(knowledge), _node_id(knowledge, id)
    if relation is not None:
        _one("relation", relation, graphs.RELATIONS)
    rows = [r for r in graphs.neighbours(graph, found) if relation in (None, r["relation"])]
    return {
        "node": graphs.node(graph, found),
        "count": len(rows),
        "neighbours": rows[:MAX_ROWS],
        "words": [r["words"] for r in rows[:MAX_ROWS]],
    }


def path(knowledge: Knowledge, start: str, end: str, most: int) -> Answer:
    """Shortest paths between two nodes, with the meaning of each step."""
    graph = graphs.build(knowledge)
    a, b = _node_id(knowledge, start), _node_id(knowledge, end)
    routes: list[list[str]] = []
    avoid: set[str] = set()
    while len(routes) < min(most, 10) and (nodes := shortest(graph, a, b, avoid)) and (not routes or len(nodes) <= len(routes[0]) + 1):
        routes.append(nodes)
        if len(nodes) < 3:
            break
        avoid.update(nodes[1:-1])
    found = [[step_in_words(graph, x, y) for x, y in pairwise(nodes)] for nodes in routes]
    words = [{"zh": "；".join(s["zh"] for s in steps), "en": "; ".join(s["en"] for s in steps)} for steps in found]
    none = [{"zh": "两者之间没有路径", "en": "there is no path between them"}]
    return {"from": a, "to": b, "paths": found, "words": words or none}


def shortest(graph: nx.MultiDiGraph[str], a: str, b: str, avoid: set[str]) -> list[str]:
    """A shortest path that passes none of `avoid`, searched from both ends; empty where there is none."""
    if a == b:
        return [a]
    came: tuple[dict[str, str], dict[str, str]] = ({a: ""}, {b: ""})
    frontiers = [[a], [b]]
    while frontiers[0] and frontiers[1]:
        side = 0 if len(frontiers[0]) <= len(frontiers[1]) else 1
        mine, other, following = came[side], came[1 - side], []
        for here in frontiers[side]:
            for there in sorted({*graph.successors(here), *graph.predecessors(here)}):
                if there in mine or there in avoid:
                    continue
                mine[there] = here
                if there in other:
                    return [*reversed(_trail(came[0], there)), *_trail(came[1], there)[1:]]
                following.append(there)
        frontiers[side] = following
    return []


def _trail(came: Mapping[str, str], name: str) -> list[str]:
    found = [name]
    while came[found[-1]]:
        found.append(came[found[-1]])
    return found


def step_in_words(graph: nx.MultiDiGraph[str], a: str, b: str) -> dict[str, str]:
    """One step of a path, in the direction the edge has."""
    x, y = (a, b) if graph.has_edge(a, b) else (b, a)
    relation = next(iter(graph[x][y]))
    zh, en = graphs.RELATIONS[relation]
    m, n = graph.nodes[x], graph.nodes[y]
    return {"from": x, "relation": relation, "to": y, "zh": f"{m['zh']}{zh}{n['zh']}", "en": f"{m['en']} {en} {n['en']}"}


_DOWN = {"SUPPLIES": "out", "USES": "in", "DERIVES_FROM": "in", "DEFINED_BY": "in", "CONCERNS": "out", "COVERS": "in", "APPLIES_UNDER": "out", "BREACHES": "out", "BEARS_ON": "out", "GOES_TO": "in", "ANSWERS": "out"}  # fmt: skip


def touches(knowledge: Knowledge, id: str) -> Answer:  # noqa: A002
    """What a change of a node may change, with the chain of steps to each."""
    graph, start = graphs.build(knowledge), _node_id(knowledge, id)
    chains: dict[str, list[dict[str, str]]] = {start: []}
    waiting = [start]
    while waiting and len(chains) < 2000:
        here = waiting.pop(0)
        for other, relation in _downstream(graph, here):
            if other not in chains:
                chains[other] = [*chains[here], step_in_words(graph, here, other) | {"relation": relation}]
                waiting.append(other)
    rows = [
        {"id": n, "kind": graph.nodes[n]["kind"], "zh": graph.nodes[n]["zh"], "en": graph.nodes[n]["en"], "chain": c}
        for n, c in chains.items()
        if n != start
    ]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["kind"]] = counts.get(row["kind"], 0) + 1
    told = ", ".join(f"{k} {n}" for k, n in counts.items()) or "0"
    return {"node": start, "counts": counts, "touched": rows, "words": [{"zh": f"改动涉及：{told}", "en": f"A change touches: {told}"}]}


def _downstream(graph: nx.MultiDiGraph[str], here: str) -> list[tuple[str, str]]:
    found = [(b, r) for _, b, r in graph.out_edges(here, keys=True) if _DOWN.get(r) == "out"]
    return found + [(a, r) for a, _, r in graph.in_edges(here, keys=True) if _DOWN.get(r) == "in"]


def _texts(knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
    """The words each node is found by: id, names and synonyms."""
    graph = graphs.build(knowledge)
    if "texts" not in graph.graph:
        synonyms = {f.id: f.synonyms for f in knowledge.findings.values()} | {c.id: c.terms for c in knowledge.conditions.values()}
        graph.graph["texts"] = {
            n: tuple(t.casefold() for t in dict.fromkeys((n, d["zh"], d["en"], *synonyms.get(n, ())))) for n, d in graph.nodes(data=True)
        }
    texts: dict[str, tuple[str, ...]] = graph.graph["texts"]
    return texts


def search_nodes(knowledge: Knowledge, words: str, most: int) -> list[dict[str, Any]]:
    """Nodes whose id, name, code or synonym holds the words: exact first, then prefix, then within; short names first."""
    wanted, graph = words.strip().casefold(), graphs.build(knowledge)
    if not wanted:
        return []
    hits = []
    for name, texts in _texts(knowledge).items():
        best = 0
        for text in texts:
            if wanted in text:
                best = max(best, 100 if text == wanted else 80 if text.startswith(wanted) else 60)
        if best:
            hits.append((-best, graph.nodes[name]["kind"] in ("Hospital", "Procedure"), len(texts[1]), name))
    return [{"score": -s, **graphs.node(graph, n)} for s, _, _, n in sorted(hits)[:most]]


def search(knowledge: Knowledge, words: str, most: int) -> Answer:
    """Search by Chinese, English, code or synonym."""
    rows = search_nodes(knowledge, words, min(most, MAX_ROWS))
    return {
        "found": rows,
        "words": [{"zh": f"{r['id']} {r['zh']}（{r['kind']}）", "en": f"{r['id']} {r['en']} ({r['kind']})"} for r in rows],
    }


# ---- conditions, plans, facts


def condition(knowledge: Knowledge, id: str, on: date | None) -> Answer:  # noqa: A002
    """A condition's definition at a date: criteria, exclusions, codes, evidence."""
    named = _condition(knowledge, id)
    record = knowledge.conditions[named]
    rules = rules_of(knowledge, named, None, None, on)
    parts = {
        kind: [rule_json(knowledge, r) for r in rules if r.kind == kind and r.applies_to.condition]
        for kind in ("definition", "exclusion", "document")
    }
    words = [_rule_words(r) for r in (*parts["definition"], *parts["exclusion"])]
    return {
        "condition": record.model_dump(),
        "lineage": list(knowledge.lineage(named)),
        "candidates": list(knowledge.lineage_with_goes_to(named)),
        **parts,
        "words": words,
    }


def editions(knowledge: Knowledge, id: str) -> Answer:  # noqa: A002
    """What the editions of the norm ask of a condition, side by side."""
    named = _condition(knowledge, id)
    spoken = [r for r in rules_of(knowledge, named, None, None, None) if r.applies_to.edition and r.applies_to.condition]
    rows = {
        e: [rule_json(knowledge, r) for r in spoken if r.applies_to.edition == e]
        for e in sorted({r.applies_to.edition or "" for r in spoken})
    }
    words = [{"zh": f"{e}：{r['when']['zh']}", "en": f"{e}: {r['when']['en']}"} for e, rs in rows.items() for r in rs]
    same = [{"zh": "各版本要求相同", "en": "every edition asks the same"}]
    return {"condition": named, "editions": rows, "words": words or same}


def versions(knowledge: Knowledge, plan: str) -> Answer:
    """A plan's versions and the rules that only some of them have."""
    owner = _plan(knowledge, plan)
    assert owner is not None
    dated = [r for r in knowledge.rules if r.applies_to.plan == owner.id and r.applies_to.versions]
    rows = [
        {
            "id": v.id,
            "from": v.from_.isoformat(),
            "to": v.to.isoformat() if v.to else None,
            "rules": [r.id for r in dated if v.id in r.applies_to.versions],
        }
        for v in owner.versions
    ]
    words = [{"zh": f"{r['id']}：{r['from']}至{r['to'] or '今'}", "en": f"{r['id']}: {r['from']} to {r['to'] or 'now'}"} for r in rows]
    return {"plan": plan, "by": owner.version_by, "versions": rows, "parameters": owner.parameters, "words": words}


def answered_by(knowledge: Knowledge, how: str | None) -> Answer:
    """Facts by how they are answered: evidence, derived, question, or nobody."""
    rows: dict[str, list[str]] = {"evidence": [], "derived": [], "question": [], "nobody": []}
    for f in knowledge.facts.values():
        kind = "derived" if f.derive else "evidence" if knowledge.suppliers(f.id) else "question" if f.question or f.staff else "nobody"
        rows[kind].append(f.id)
    chosen = {how: rows[how]} if how in rows else rows
    return {"facts": chosen, "words": [{"zh": f"{k}：{len(v)}", "en": f"{k}: {len(v)}"} for k, v in chosen.items()]}


# ---- may a member be paid?


def _days(text: str, name: str) -> tuple[date, date]:
    """The first and last day a month or a date may mean."""
    try:
        if len(text) == 7:
            first = date.fromisoformat(f"{text}-01")
            following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
            return first, following - timedelta(days=1)
        return (date.fromisoformat(text),) * 2
    except ValueError as error:
        raise QueryError(f"{name}: {text!r}: 须为YYYY-MM或YYYY-MM-DD / write YYYY-MM or YYYY-MM-DD") from error


def may_be_paid(knowledge: Knowledge, plan: str, joined: str, finding: str, condition: str, diagnosed: str) -> Answer:
    """Whether a finding from before joining stands in the way of payment: by version, rule, clause and confidence, and what would settle
    it. It recommends nothing: a person decides."""
    owner, found, named = _plan(knowledge, plan), _finding(knowledge, finding), _condition(knowledge, condition)
    assert owner is not None
    (join_low, join_high), (low, high) = _days(joined, "joined"), _days(diagnosed, "diagnosed")
    by = (join_low, join_high) if owner.version_by == "membership.joined_on" else (low, high)
    in_time = [v.id for v in owner.versions if v.from_ <= by[1] and (v.to is None or v.to >= by[0])]
    grounds = [g for v in in_time for item in found.breaches for g in _grounds(knowledge, owner, found, item, v)]
    waiting = _waiting(owner, join_low, join_high, low, high)
    worst = next((b for b in ("yes", "conditional") if any(g["breach"] == b for g in grounds)), "no")
    covered = knowledge.covers(owner.id, named)
    verdict = (
        "not_covered"
        if not covered
        else "waiting_period"
        if waiting["met"] is False
        else {"yes": "breach", "conditional": "a_person_decides", "no": "if_all_else_is_met"}[worst]
    )
    definition = [rule_json(knowledge, r, owner) for r in rules_of(knowledge, named, owner, None, low) if r.kind == "definition"]
    needed = {f: papers_for(knowledge, f) for f in base_facts(knowledge, (f for d in definition for f in d["facts"]))}
    settles = _settles(knowledge, found, worst, grounds)
    words = [_verdict_words(knowledge, owner, found, named, verdict, in_time), waiting["words"], *(g["words"] for g in grounds), *settles]
    words += [_rule_words(d) for d in definition]
    return {
        "plan": plan, "condition": named, "finding": found.id, "versions": in_time, "verdict": verdict, "waiting_period": waiting,
        "grounds": grounds, "settled_by": settles, "definition": definition, "evidence": needed, "words": words,
    }  # fmt: skip


def _grounds(knowledge: Knowledge, owner: Plan, found: Any, item: str, version: str) -> list[Answer]:
    rows = []
    for rule in health_rules(knowledge, item, version, owner.id):
        asked = _query_version(rule.when) or version
        breach = found.breaches[item].get(version if asked == "$version" else asked, "no")
        said, record = _BREACH[breach], knowledge.items[item]
        zh = f"规则 {rule.id}（版本{version}，条款“{rule.clause.zh}”，规则可信度{rule.confidence}，阳性信息可信度{found.confidence}）：{found.zh}{said[0]}“{record.zh}”。{rule.reason.zh}。出处：{rule.source}；{found.source}"
        en = f"Rule {rule.id} (version {version}, clause '{rule.clause.en}', rule confidence {rule.confidence}, finding confidence {found.confidence}): {found.en} {said[1]} '{record.en}'. {rule.reason.en}. Source: {rule.source}; {found.source}"
        others = [f for f in graphs.facts_of(rule) if f not in ("membership.joined_on", "inv.prior_breach_found")]
        if others:
            zh += "；还须成立：" + "、".join(knowledge.facts[f].zh for f in others)
            en += "; it also needs: " + ", ".join(knowledge.facts[f].en for f in others)
        rows.append(
            {
                "rule": rule.id,
                "version": version,
                "item": item,
                "breach": breach,
                "clause": rule.clause.model_dump(),
                "source": rule.source,
                "confidence": rule.confidence,
                "also_needs": others,
                "words": {"zh": zh, "en": en},
            }
        )
    return rows


def _query_version(tree: Any) -> str | None:
    if isinstance(tree, Mapping):
        if "finding" in tree:
            return str(tree["finding"].get("version", ""))
        return next((v for part in tree.values() if (v := _query_version(part))), None)
    return next((v for part in tree if (v := _query_version(part))), None) if isinstance(tree, list) else None


def _waiting(owner: Plan, join_low: date, join_high: date, low: date, high: date) -> Answer:
    days = int(owner.parameters["waiting_days"])
    least, most = (low - join_high).days - 1, (high - join_low).days - 1
    met = True if least >= days else False if most < days else None
    said = {
        True: ("已过等待期", "the waiting period was over"),
        False: ("仍在等待期内（意外除外）", "still inside the waiting period (accidents exempt)"),
        None: ("是否已过等待期取决于具体日期", "whether the waiting period was over depends on the exact dates"),
    }[met]
    return {"days": days, "least": least, "most": most, "met": met,
            "words": {"zh": f"等待期{days}日（规则 waiting-period）：生效次日起至确诊{least}至{most}日，{said[0]}", "en": f"Waiting period of {days} days (rule waiting-period): {least} to {most} days from the effective date, {said[1]}"}}  # fmt: skip


def _settles(knowledge: Knowledge, found: Any, worst: str, grounds: list[Answer]) -> list[dict[str, str]]:
    papers = [knowledge.evidence[e] for e in found.sources]
    zh, en = "、".join(p.zh for p in papers), ", ".join(p.en for p in papers)
    rows = [
        {
            "zh": f"加入前的{zh}可显示其分级与日期；若发生在加入之后则不违反",
            "en": f"{en} from before joining can show grade and date; a finding after joining breaches nothing",
        }
    ]
    if worst == "conditional":
        rows.append(
            {
                "zh": "条款用词是否包括该情形，没有材料能回答：由审核员解释，成员有异议时可提交赔审",
                "en": "Whether the clause's words include it no paper can answer: a reviewer interprets, and the jury may where the member disagrees",
            }
        )
    asked = dict.fromkeys(f for g in grounds for f in g["also_needs"])
    rows += [
        {
            "zh": f"{knowledge.facts[f].zh}：由{'、'.join(knowledge.evidence[e].zh for b in base_facts(knowledge, [f]) for e in papers_for(knowledge, b)[:2])}回答",
            "en": f"{knowledge.facts[f].en}: answered by {', '.join(knowledge.evidence[e].en for b in base_facts(knowledge, [f]) for e in papers_for(knowledge, b)[:2])}",
        }
        for f in asked
    ]
    return rows


def _verdict_words(knowledge: Knowledge, owner: Plan, found: Any, named: str, verdict: str, in_time: list[str]) -> dict[str, str]:
    c = knowledge.conditions[named]
    said = {
        "not_covered": ("该计划不保障此病种", "the plan does not cover this condition"),
        "waiting_period": (
            "确诊仍在等待期内，依等待期条款建议不予给付，由人决定",
            "diagnosis lies inside the waiting period: a decline would be recommended, a person decides",
        ),
        "breach": (
            "该阳性信息违反健康要求；若有书证且不可推翻，建议不予给付，由人决定",
            "the finding breaches the health requirement: if documented and not overturned a decline would be recommended, a person decides",
        ),
        "a_person_decides": (
            "可能可以，也可能不可以：该阳性信息是否违反健康要求须由人解释，机器不作结论",
            "it may or may not: a person must interpret whether the finding breaches the health requirement; the machine concludes nothing",
        ),
        "if_all_else_is_met": (
            "可以，若其余要件成立：该阳性信息不违反健康要求",
            "yes, if everything else is met: the finding breaches nothing",
        ),
    }[verdict]
    versions = "、".join(in_time) or "无", ", ".join(in_time) or "none"
    return {
        "zh": f"{owner.zh}（版本{versions[0]}），{c.zh}，加入前{found.zh}：{said[0]}",
        "en": f"{owner.en} (version {versions[1]}), {c.en}, {found.en} before joining: {said[1]}",
    }


def plans_compared(knowledge: Knowledge) -> Answer:
    """Plans of other operators side by side, as printed."""
    rows = [p.model_dump(mode="json") for p in knowledge.compared]
    words = [
        {
            "zh": f"{p.zh}（{p.platform.zh}）：成员{p.members_10k}万，预存{p.deposit_cny}元，管理费{p.fee.zh}，观察期{p.waiting_days}天（{p.as_of}，{p.source}）",
            "en": f"{p.en} ({p.platform.en}): {p.members_10k} x 10,000 members, deposit {p.deposit_cny} CNY, fee {p.fee.en}, waiting period {p.waiting_days} days ({p.as_of}, {p.source})",
        }
        for p in knowledge.compared
    ]
    return {"plans": rows, "words": words}


def _p(name: str, zh: str, en: str, default: str | None = None, kind: str = "text") -> Parameter:
    return Parameter(name, kind, zh, en, default)


_ID = _p("id", "节点编号或名称", "id or name of a node")
_ON = _p("on", "日期", "date", "", "date")
QUERIES: dict[str, Query] = {
    q.name: q
    for q in (
        Query("node", Words(zh="节点", en="a node"), (_ID,), node),
        Query("neighbours", Words(zh="节点与相邻节点", en="a node and its neighbours"), (_ID, _p("relation", "关系", "relation", "")), neighbours),
        Query("path", Words(zh="两节点之间的路径", en="paths between two nodes"), (_p("start", "起点", "start"), _p("end", "终点", "end"), _p("most", "最多条数", "at most", "3", "number")), path),
        Query("rules_for", Words(zh="某病种、阶段、日期适用的规则", en="rules for a condition, stage and date"), (_p("condition", "病种", "condition"), _p("stage", "阶段", "stage", ""), _ON, _p("plan", "计划", "plan", "")), rules_for),
        Query("asks", Words(zh="计划对病种的要求与可回答的凭证", en="what a plan asks of a condition and which evidence answers it"), (_p("condition", "病种", "condition"), _p("plan", "计划", "plan", "mutual-aid-reference"), _ON), asks),
        Query("evidence_for", Words(zh="可回答某事实的凭证", en="evidence that answers a fact"), (_p("fact", "事实", "fact"),), evidence_for),
        Query("supplies", Words(zh="某凭证可提供的事实", en="what an evidence type supplies"), (_p("evidence", "凭证", "evidence type"),), supplies),
        Query("breaches", Words(zh="某阳性信息在各版本下违反的健康要求", en="what a finding breaches under which version"), (_p("finding", "阳性信息", "finding"),), breaches),
        Query("what_breaches", Words(zh="违反某项健康要求的阳性信息", en="findings that breach an item"), (_p("item", "健康要求项目", "item"), _p("version", "版本", "version", "")), what_breaches),
        Query("reveals", Words(zh="什么能查出某阳性信息", en="what could reveal a finding"), (_p("finding", "阳性信息", "finding"),), reveals),
        Query("touches", Words(zh="改动某节点会影响什么", en="what a changed node touches"), (_ID,), touches),
        Query("search", Words(zh="按中文、英文、编码或同义词搜索", en="search by Chinese, English, code or synonym"), (_p("words", "搜索词", "words"), _p("most", "最多条数", "at most", "20", "number")), search),
        Query("condition", Words(zh="病种定义", en="the definition of a condition"), (_ID, _ON), condition),
        Query("editions", Words(zh="病种定义各版本对照", en="a condition's editions side by side"), (_ID,), editions),
        Query("versions", Words(zh="计划的版本", en="a plan's versions"), (_p("plan", "计划", "plan"),), versions),
        Query("may_be_paid", Words(zh="加入前有某阳性信息的成员可否给付", en="may a member with a finding from before joining be paid"), (_p("plan", "计划", "plan", "mutual-aid-reference"), _p("joined", "加入日期", "joined"), _p("finding", "阳性信息", "finding"), _p("condition", "病种", "condition"), _p("diagnosed", "确诊日期", "diagnosed")), may_be_paid),
        Query("plans_compared", Words(zh="各平台计划对照（白皮书表1）", en="plans of other operators side by side"), (), plans_compared),
        Query("answered_by", Words(zh="各事实由什么回答", en="how facts are answered"), (_p("how", "方式", "how", ""),), answered_by),
    )
}  # fmt: skip
