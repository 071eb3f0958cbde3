"""The shapes of facts, conditions, rules and plans: what a rulebook may say, and nothing about what it means.

A condition is a tree of all_of / any_of / none_of / at_least over atoms. An atom compares one fact with constants, or asks
whether a positive finding is recorded. `operators` is the closed vocabulary; evaluation is in `triage.logic`.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

FactType = Literal["bool", "int", "number", "date", "code", "text"]
Confidence = Literal["high", "medium", "low"]
Kind = Literal["definition", "document", "requirement", "exclusion", "consistency", "verification", "red_flag", "benefit"]

OPERATORS: dict[str, frozenset[str]] = {
    "is": frozenset({"bool"}),
    "eq": frozenset({"int", "number", "date", "code", "text"}),
    "ne": frozenset({"int", "number", "date", "code", "text"}),
    "in": frozenset({"int", "code", "text"}),
    "not_in": frozenset({"int", "code", "text"}),
    "ge": frozenset({"int", "number", "date", "code"}),
    "gt": frozenset({"int", "number", "date", "code"}),
    "le": frozenset({"int", "number", "date", "code"}),
    "lt": frozenset({"int", "number", "date", "code"}),
    "starts_with": frozenset({"text", "code"}),
    "agrees": frozenset({"bool", "int", "number", "date", "code", "text"}),
}
"""Each operator and the fact types it applies to. `agrees: true` holds where no two sources contradict each other."""

COMBINATORS = ("all_of", "any_of", "none_of", "at_least")


class Data(BaseModel):
    """Base of all rulebook records: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Data):
    """A text in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Limit(Data):
    """What an observation on `basis` may really be: `any`, or one of `may_be`; `value` absent means whatever was seen."""

    basis: str
    value: int | str | bool | None = None
    may_be: tuple[int | str | bool, ...] | Literal["any"]
    source: str
    confidence: Confidence


class FactDefinition(Data):
    """A named question with a type: where its answer comes from and how several answers become one."""

    id: str
    type: FactType
    zh: str
    en: str
    unit: str | None = None
    values: tuple[int | str, ...] = ()
    value_names: dict[str, Words] = Field(default_factory=dict)
    ordered: bool = False
    tolerance: float = 0
    combine: Literal["agree", "earliest", "any", "all", "max", "max_listed", "first"] = "agree"
    precedence: tuple[tuple[str, ...], ...] = ()
    limits: tuple[Limit, ...] = ()
    derive: dict[str, Any] | None = None
    staff: bool = False
    same_prefix: int = 0
    latest: bool = False
    grows: bool = False
    question: Words | None = None
    source: str = ""
    confidence: Confidence | None = None


class AppliesTo(Data):
    """Which claims a rule is about; empty means all. `except_conditions` are kinds of the condition that the rule leaves alone."""

    plan: str | None = None
    condition: str | None = None
    versions: tuple[str, ...] = ()
    edition: str | None = None
    level: Literal["severe", "mild"] | None = None
    except_conditions: tuple[str, ...] = ()


class Effective(Data):
    """In force while the date fact `by` lies in [`from`, `to`]."""

    by: Literal["first_diagnosis_date", "membership.joined_on", "claim.filed_on"]
    from_: date = Field(alias="from")
    to: date | None = None


class Amount(Data):
    """One row of a benefit table, CNY."""

    when: dict[str, Any]
    amount: int


class Rule(Data):
    """One dated rule. `when` states what makes its verdict true; `kind` says what each verdict leads to."""

    id: str
    kind: Kind
    stage: str
    node: str = ""
    applies_to: AppliesTo = AppliesTo()
    effective: Effective | None = None
    published: date | None = None
    when: dict[str, Any] | None = None
    only_if: dict[str, Any] | None = None
    amounts: tuple[Amount, ...] = ()
    unless_shown: bool = False
    overrides: dict[Literal["false"], Literal["human_review", "refer_siu"]] = {}
    weight: float = 0
    tasks: tuple[str, ...] = ()
    reason: Words
    clause: Words
    source: str
    confidence: Confidence

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "benefit") != bool(self.amounts):
            raise ValueError("a benefit has `amounts` and nothing else has them / 给付规则须有 amounts，其他规则不得有")
        if self.kind != "benefit" and self.when is None:
            raise ValueError("a rule needs `when` / 规则缺少 when")
        if self.weight and self.kind != "red_flag":
            raise ValueError("only a red_flag has a weight / 仅 red_flag 可有 weight")
        return self


class PlanVersion(Data):
    """One version of a plan's rules, in force for dates of `version_by` in [`from`, `to`]."""

    id: str
    from_: date = Field(alias="from")
    to: date | None = None


class FlagWeights(Data):
    """Flag weights from which a person looks, and from which the claim is investigated."""

    person: float
    investigate: float


class GateTerms(Data):
    """What a certificate must promise before a score may release a claim of the plan: of the claims released at most `alpha` wrong, at
    confidence 1 - `delta`; for `valid_days`, with a share `audit_rate` of the claims it could release investigated all the same."""

    alpha: float = Field(gt=0, lt=1)
    delta: float = Field(gt=0, lt=1)
    valid_days: int = Field(gt=0)
    audit_rate: float = Field(ge=0, le=1)
    source: str
    confidence: Confidence


class Plan(Data):
    """A plan: its versions, the parameters its rules refer to as `{plan: NAME}`, and how its requests work."""

    id: str
    zh: str
    en: str
    version_by: Literal["first_diagnosis_date", "membership.joined_on", "claim.filed_on"]
    versions: tuple[PlanVersion, ...]
    covers: tuple[str, ...] = ()
    editions: tuple[PlanVersion, ...] = ()
    edition_by: Literal["first_diagnosis_date", "membership.joined_on", "claim.filed_on"] = "membership.joined_on"
    parameters: dict[str, int | float]
    flag_weights: FlagWeights
    gate: GateTerms | None = None
    request_due_days: int
    request_rounds: int
    jury: bool
    source: str
    confidence: Confidence

    @model_validator(mode="after")
    def _grouped(self) -> Self:
        if "gate_age_split" not in self.parameters:
            raise ValueError(
                "parameters 须写明 gate_age_split（放行组别的年龄界）/ parameters must hold gate_age_split (what splits the gate's groups)"
            )
        return self


def atoms_of(condition: dict[str, Any]) -> list[dict[str, Any]]:
    """Every atom of a condition tree, left to right."""
    for word in COMBINATORS:
        if word in condition:
            branches = condition["of"] if word == "at_least" else condition[word]
            return [atom for branch in branches for atom in atoms_of(branch)]
    return [condition]


def condition_problems(condition: Any, facts: dict[str, FactDefinition]) -> list[str]:
    """What is wrong with a condition, in both languages; empty when it is well formed."""
    if not isinstance(condition, dict) or not condition:
        return ["a condition must be a mapping / 条件须为映射"]
    for word in COMBINATORS:
        if word not in condition:
            continue
        extra = set(condition) - ({word, "of"} if word == "at_least" else {word})
        branches = condition.get("of") if word == "at_least" else condition[word]
        if extra or not isinstance(branches, list) or not branches:
            return [f"`{word}` takes one non-empty list of conditions / `{word}` 须为非空条件列表"]
        if word == "at_least" and not isinstance(condition[word], int):
            return ["`at_least` takes a number / `at_least` 须为整数"]
        return [problem for branch in branches for problem in condition_problems(branch, facts)]
    if "finding" in condition:
        return _finding_problems(condition)
    return _atom_problems(condition, facts)


def names_in(data: Any) -> list[str]:
    """Every text in a piece of rulebook data, in order: names of facts among them."""
    if isinstance(data, str):
        return [data]
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list | tuple) else ()
    return list(dict.fromkeys(name for part in parts for name in names_in(part)))


FINDING_KEYS = frozenset({"breaches", "version", "ids", "asserted", "before", "within", "grade", "positive", "closed_by"})


def _finding_problems(atom: dict[str, Any]) -> list[str]:
    query = atom["finding"]
    if set(atom) != {"finding"} or not isinstance(query, dict):
        return ["`finding` takes one query / `finding` 须为一个查询"]
    unknown = set(query) - FINDING_KEYS
    return [f"unknown finding keys {sorted(unknown)}, known: {sorted(FINDING_KEYS)} / finding 查询含未知键"] if unknown else []


def _atom_problems(atom: dict[str, Any], facts: dict[str, FactDefinition]) -> list[str]:
    name = atom.get("fact")
    if name not in facts:
        return [f"unknown fact {name!r}: add it to facts.yaml or correct the id / 未知事实 {name!r}，请在 facts.yaml 中添加或更正"]
    used = set(atom) - {"fact", "of"}
    if not used or used - set(OPERATORS):
        return [f"atom on {name} needs operators out of {sorted(OPERATORS)} / 事实 {name} 的运算符不在词汇表内"]
    wrong = [op for op in used if facts[name].type not in OPERATORS[op]]
    return [f"operator {op} does not apply to {name} ({facts[name].type}) / 运算符 {op} 不适用于 {name}" for op in wrong]
