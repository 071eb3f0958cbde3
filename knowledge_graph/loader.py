"""Loads a rulebook directory into one frozen `Knowledge`, or refuses it with file, id and remedy.

A rulebook is its texts: the shipped directory, a private one, or the texts of a stored snapshot load alike, and the digest
is over those texts.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from knowledge_graph.codes import CodeTable, code_table, in_range
from knowledge_graph.errors import CyclicGoesTo, DuplicateId, MalformedFile, UnknownReference
from knowledge_graph.libraries import (
    ComparedPlan,
    Condition,
    DepartmentArea,
    Disease,
    EvidenceLibrary,
    EvidenceType,
    Finding,
    FindingLibrary,
    HealthItem,
    Hospital,
    InvestigationTask,
    Limits,
    Morphology,
    StageName,
    Staging,
    Yields,
)
from knowledge_graph.rules import FINDING_KEYS, FactDefinition, Plan, Rule, atoms_of, condition_problems

SHIPPED = Path(__file__).parent / "data"
WITHOUT_LIMITS = Limits(worlds=1, states=1, source="limits.yaml is missing: nothing is reasoned across rules", confidence="high")
"""For rulebooks, such as old snapshots, that state no limits."""
WITHOUT_YIELDS = Yields(
    answers={}, passes={}, day_price=0, questions=0, combinations=0, source="yields.yaml is missing: nothing is weighed", confidence="high"
)
"""For rulebooks that state no yields."""
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Knowledge:
    """Everything the rulebook knows. `texts` is what it was loaded from, file name to text."""

    digest: str
    texts: Mapping[str, str] = field(repr=False)
    stages: tuple[StageName, ...]
    facts: Mapping[str, FactDefinition]
    plans: Mapping[str, Plan]
    rules: tuple[Rule, ...]
    evidence: Mapping[str, EvidenceType]
    aliases: Mapping[str, str]
    groups: Mapping[str, tuple[str, ...]]
    items: Mapping[str, HealthItem]
    findings: Mapping[str, Finding]
    conditions: Mapping[str, Condition]
    diseases: Mapping[str, Disease]
    morphology: tuple[Morphology, ...]
    hospitals: Mapping[str, Hospital]
    departments: Mapping[str, DepartmentArea]
    tasks: Mapping[str, InvestigationTask]
    staging: Staging
    icd10: CodeTable
    procedures: CodeTable
    compared: tuple[ComparedPlan, ...]
    limits: Limits
    yields: Yields
    _suppliers: Mapping[str, tuple[EvidenceType, ...]] = field(repr=False)

    def suppliers(self, fact: str) -> tuple[EvidenceType, ...]:
        """Evidence types that can supply a fact, cheapest first."""
        return self._suppliers.get(fact, ())

    def lineage(self, condition: str) -> tuple[str, ...]:
        """A condition and every condition it is a kind of, itself first; their rules apply to it."""
        found = [condition]
        for name in found:
            found += [parent for parent in self.conditions[name].is_a if parent not in found]
        return tuple(found)

    def covers(self, plan: str, condition: str) -> bool:
        """Whether a plan covers a condition: every one that is not another plan's own, within the plan's `covers` where it lists any."""
        record, families = self.conditions[condition], self.plans[plan].covers if plan in self.plans else ()
        if record.abstract or (record.plans and plan not in record.plans):
            return False
        return not families or bool(set(families) & set(self.lineage(condition)))

    def lineage_with_goes_to(self, condition: str) -> tuple[str, ...]:
        """The candidates a claim may fall under: the condition, then each lesser one it goes to."""
        found = [condition]
        while (lesser := self.conditions[found[-1]].goes_to) is not None:
            found.append(lesser)
        return tuple(found)

    def behaviours_of(self, code: str) -> tuple[int, ...]:
        """ICD-O-3 behaviours an ICD-10 code stands for, by its longest listed prefix; empty where none is listed."""
        for length in range(len(code), 2, -1):
            disease = self.diseases.get(code[:length].rstrip("."))
            if disease is not None and disease.behaviours:
                return disease.behaviours
        ranges = (d for d in self.diseases.values() if "-" in d.code and d.behaviours)
        return next((d.behaviours for d in ranges if in_range(code, d.code)), ())


def rulebook_text(directory: Path | None = None) -> dict[str, str]:
    """The texts of a rulebook directory by relative name; MalformedFile when it is not one or is not UTF-8."""
    root = directory or SHIPPED
    if not root.is_dir():
        raise MalformedFile(
            f"{root}: 不是规则库目录，请给出含 facts.yaml 的目录 / not a rulebook directory: give one that holds facts.yaml"
        )
    texts = {}
    for path in sorted([*root.glob("*.yaml"), *root.glob("*.csv"), *root.glob("rules/*.yaml")]):
        try:
            texts[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MalformedFile(f"{path}: 须为可读的UTF-8文本 / must be readable UTF-8 text: {error}") from error
    return texts


def load(directory: Path | None = None) -> Knowledge:
    """The shipped rulebook, or the one in `directory`. Raises KnowledgeError naming file, id and remedy."""
    return load_texts(rulebook_text(directory))


def text_digest(texts: Mapping[str, str]) -> str:
    """SHA-256 over names and texts, in hex."""
    whole = hashlib.sha256()
    for name in sorted(texts):
        body = texts[name].encode()
        whole.update(f"{name}\n{len(body)}\n".encode() + body)
    return whole.hexdigest()


def load_texts(texts: Mapping[str, str]) -> Knowledge:
    """A rulebook out of its texts, for example of a stored snapshot."""
    files = {name: _parse(name, text) for name, text in texts.items() if name.endswith(".yaml")}
    evidence = _whole("evidence.yaml", files, EvidenceLibrary)
    findings = _whole("findings.yaml", files, FindingLibrary)
    rule_files = [name for name in files if name.startswith("rules/")]
    rules = [(name, rule) for name in rule_files for rule in _records(name, files, "rules", Rule)]
    evidence_types = _by_id("evidence.yaml", evidence.evidence)
    knowledge = Knowledge(
        digest=text_digest(texts),
        texts=dict(texts),
        stages=tuple(_records("stages.yaml", files, "stages", StageName)),
        facts=_by_id("facts.yaml", _records("facts.yaml", files, "facts", FactDefinition)),
        plans=_by_id("plans.yaml", _records("plans.yaml", files, "plans", Plan)),
        rules=tuple(rule for _, rule in rules),
        evidence=evidence_types,
        aliases=evidence.aliases,
        groups=evidence.groups,
        items=_by_id("findings.yaml", findings.items),
        findings=_by_id("findings.yaml", findings.findings),
        conditions=_by_id("conditions.yaml", _records("conditions.yaml", files, "conditions", Condition)),
        diseases=_by_id("diseases.yaml", _records("diseases.yaml", files, "diseases", Disease), key="code"),
        morphology=tuple(_records("morphology.yaml", files, "morphology", Morphology)),
        hospitals=_hospitals(texts),
        departments=_by_id("departments.yaml", _records("departments.yaml", files, "areas", DepartmentArea), key="area"),
        tasks=_by_id("tasks.yaml", _records("tasks.yaml", files, "tasks", InvestigationTask)),
        staging=_one("staging.yaml", files, "staging", Staging),
        icd10=code_table(texts.get("icd10.csv", ""), texts.get("chapters.csv", ""), "icd10", "icd10.csv"),
        procedures=code_table(texts.get("procedures.csv", ""), texts.get("chapters.csv", ""), "procedure", "procedures.csv"),
        limits=_one("limits.yaml", files, "limits", Limits) if "limits.yaml" in files else WITHOUT_LIMITS,
        yields=_one("yields.yaml", files, "yields", Yields) if "yields.yaml" in files else WITHOUT_YIELDS,
        compared=tuple(_records("comparison.yaml", files, "plans", ComparedPlan)) if "comparison.yaml" in files else (),
        _suppliers=_supplier_index(evidence.evidence),
    )
    _check(knowledge, rules)
    return knowledge


def _parse(name: str, text: str) -> Mapping[str, Any]:
    try:
        data = yaml.load(text, Loader=_SafeLoader)  # noqa: S506 - a safe loader, the C one where there is one
    except yaml.YAMLError as error:
        raise MalformedFile(f"{name}: YAML 有误，请按所示行更正 / not YAML, correct the line shown: {error}") from error
    if not isinstance(data, dict):
        raise MalformedFile(f"{name}: 顶层须为映射 / the file must hold one mapping")
    return data


def _section(name: str, files: Mapping[str, Mapping[str, Any]], key: str) -> Any:
    if name not in files:
        raise MalformedFile(f"{name}: 缺少该文件，请补上 / the file is missing, add it")
    data = files[name]
    if set(data) != {key}:
        raise MalformedFile(f"{name}: 顶层须只有 `{key}` / the file must hold just `{key}`, it holds {sorted(map(str, data))}")
    return data[key]


def _records(name: str, files: Mapping[str, Mapping[str, Any]], key: str, model: type[M]) -> list[M]:
    rows = _section(name, files, key)
    if not isinstance(rows, list):
        raise MalformedFile(f"{name}: `{key}` 须为列表 / `{key}` must be a list")
    return [_record(name, row, model) for row in rows]


def _one(name: str, files: Mapping[str, Mapping[str, Any]], key: str, model: type[M]) -> M:
    return _record(name, _section(name, files, key), model)


def _whole(name: str, files: Mapping[str, Mapping[str, Any]], model: type[M]) -> M:
    if name not in files:
        raise MalformedFile(f"{name}: 缺少该文件，请补上 / the file is missing, add it")
    return _record(name, files[name], model)


def _record(name: str, row: Any, model: type[M]) -> M:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        label = _label(row, first["loc"])
        remedy = "更正或删除该字段 / correct or remove that field"
        raise MalformedFile(f"{name}: {label}: {where or '(record)'}: {first['msg']}；{remedy}") from error


def _label(row: Any, location: tuple[Any, ...]) -> str:
    """The id nearest to where a record is wrong."""
    label, here = "(no id)", row
    for step in (None, *location):
        try:
            here = here if step is None else here[step]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(here, dict):
            label = str(here.get("id") or here.get("code") or label)
    return label


def _by_id(name: str, records: Iterable[M], key: str = "id") -> dict[str, M]:
    found: dict[str, M] = {}
    for record in records:
        identity = getattr(record, key)
        if identity in found:
            raise DuplicateId(f"{name}: {identity}: 编号重复，请改名或删除其一 / defined twice, rename or remove one")
        found[identity] = record
    return found


def _hospitals(texts: Mapping[str, str]) -> dict[str, Hospital]:
    found = {}
    name = "hospitals.csv"
    if name not in texts:
        raise MalformedFile(f"{name}: 缺少该文件，请补上 / the file is missing, add it")
    for number, row in enumerate(csv.DictReader(io.StringIO(texts[name])), 2):
        try:
            level = int(row["level"]) if row["level"] else None
            hospital = Hospital(
                row["name"],
                level,
                row["ownership"] or None,
                row["city"],
                row["source"],
                row["confidence"],
                row["fictional"] == "yes",
                row.get("region") or "",
            )
        except (KeyError, ValueError, TypeError) as error:
            raise MalformedFile(
                f"{name}: 第{number}行 / line {number}: 列有误，请对照表头更正 / wrong columns, correct by the header: {error}"
            ) from error
        found[hospital.name] = hospital
    return found


def _supplier_index(evidence: Iterable[EvidenceType]) -> dict[str, tuple[EvidenceType, ...]]:
    index: dict[str, list[EvidenceType]] = {}
    for item in evidence:
        for fact in item.supplies:
            index.setdefault(fact, []).append(item)
    return {fact: tuple(sorted(items, key=lambda e: (e.cost, e.delay_days, e.id))) for fact, items in index.items()}


def _refer(name: str, identity: str, what: str, target: str, known: Iterable[str]) -> None:
    if target not in known:
        raise UnknownReference(
            f"{name}: {identity}: {what} {target!r} 不存在，请定义它或更正编号 / does not exist: define it or correct the id"
        )


def _check(knowledge: Knowledge, rules: list[tuple[str, Rule]]) -> None:
    """Every reference resolves, and no chain of conditions comes back to itself."""
    _check_libraries(knowledge)
    _check_stages(knowledge)
    _by_id("rules/", (rule for _, rule in rules))
    for name, rule in rules:
        _check_rule(knowledge, name, rule)
    _check_goes_to(knowledge)


def _check_libraries(knowledge: Knowledge) -> None:
    for item in knowledge.evidence.values():
        for fact in item.supplies:
            _refer("evidence.yaml", item.id, "fact", fact, knowledge.facts)
    for alias, target in knowledge.aliases.items():
        _refer("evidence.yaml", alias, "evidence", target, knowledge.evidence)
    for found in knowledge.findings.values():
        for item_id in found.breaches:
            _refer("findings.yaml", found.id, "item", item_id, knowledge.items)
        for source in found.sources:
            _refer("findings.yaml", found.id, "evidence", source, knowledge.evidence)
    for paper in knowledge.yields.papers:
        _refer("yields.yaml", paper, "evidence", paper, knowledge.evidence)
    _check_conditions(knowledge)
    for task in knowledge.tasks.values():
        _refer("tasks.yaml", task.id, "fact", task.fact, knowledge.facts)
        _refer("tasks.yaml", task.id, "evidence", task.evidence_type, knowledge.evidence)
    for disease in knowledge.diseases.values():
        if disease.parent is not None:
            _refer("diseases.yaml", disease.code, "parent", disease.parent, knowledge.diseases)


def _check_conditions(knowledge: Knowledge) -> None:
    for condition in knowledge.conditions.values():
        for finding in condition.findings:
            _refer("conditions.yaml", condition.id, "finding", finding, knowledge.findings)
        for parent in condition.is_a:
            _refer("conditions.yaml", condition.id, "is_a", parent, knowledge.conditions)
        for plan in condition.plans:
            _refer("conditions.yaml", condition.id, "plan", plan, knowledge.plans)


def _check_stages(knowledge: Knowledge) -> None:
    """The stages are the rulebook's own, but a claim is investigated and decided in two that routing knows by name."""
    names = [s.id for s in knowledge.stages]
    for needed in ("investigation", "second_review"):
        if needed not in names:
            raise UnknownReference(
                f"stages.yaml: {needed}: 缺少该阶段，路由需要它，请补上 / the stage is missing, routing needs it: add it"
            )
    if names[-1] != "second_review":
        raise UnknownReference("stages.yaml: second_review: 须为最后一个阶段，请调整次序 / must be the last stage: move it there")


def _check_rule(knowledge: Knowledge, name: str, rule: Rule) -> None:
    _refer(name, rule.id, "stage", rule.stage, {s.id for s in knowledge.stages})
    if rule.applies_to.plan is not None:
        _refer(name, rule.id, "plan", rule.applies_to.plan, knowledge.plans)
        versions = {v.id for v in knowledge.plans[rule.applies_to.plan].versions}
        for version in rule.applies_to.versions:
            _refer(name, rule.id, "version", version, versions)
    if rule.applies_to.condition is not None:
        _refer(name, rule.id, "condition", rule.applies_to.condition, knowledge.conditions)
    for excepted in rule.applies_to.except_conditions:
        _refer(name, rule.id, "condition", excepted, knowledge.conditions)
    if rule.applies_to.edition is not None:
        _refer(name, rule.id, "edition", rule.applies_to.edition, {e.id for p in knowledge.plans.values() for e in p.editions})
    for task in rule.tasks:
        _refer(name, rule.id, "task", task, knowledge.tasks)
    for condition in [c for c in (rule.when, rule.only_if, *(a.when for a in rule.amounts)) if c is not None]:
        problems = condition_problems(condition, dict(knowledge.facts))
        if problems:
            raise UnknownReference(f"{name}: {rule.id}: {problems[0]}")
        for atom in atoms_of(condition):
            _check_atom(knowledge, name, rule, atom)


def _check_atom(knowledge: Knowledge, name: str, rule: Rule, atom: Mapping[str, Any]) -> None:
    query = atom.get("finding", {})
    items = query.get("breaches", [])
    for item in [items] if isinstance(items, str) else items:
        if item != "any":
            _refer(name, rule.id, "item", item, knowledge.items)
    for key in FINDING_KEYS & {"before", "closed_by"} & set(query):
        _refer(name, rule.id, "fact", query[key], knowledge.facts)
    for value in atom.values():
        if isinstance(value, dict) and set(value) == {"plan"}:
            plans = [rule.applies_to.plan] if rule.applies_to.plan else list(knowledge.plans)
            for plan in plans:
                _refer(name, rule.id, f"parameter of {plan}", value["plan"], knowledge.plans[plan].parameters)


def _check_goes_to(knowledge: Knowledge) -> None:
    for condition in knowledge.conditions.values():
        if any(condition.id in knowledge.lineage(parent) for parent in condition.is_a):
            raise CyclicGoesTo(f"conditions.yaml: {condition.id}: is_a 成环，请去掉其中一步 / is a kind of itself, remove one step of is_a")
        seen, here = [condition.id], condition
        while here.goes_to is not None:
            _refer("conditions.yaml", here.id, "goes_to", here.goes_to, knowledge.conditions)
            if here.goes_to in seen:
                chain = " -> ".join([*seen, here.goes_to])
                raise CyclicGoesTo(
                    f"conditions.yaml: {condition.id}: goes_to 成环（{chain}），请去掉其中一步 / goes round in a circle, remove one step"
                )
            seen.append(here.goes_to)
            here = knowledge.conditions[here.goes_to]
