"""The records of the libraries: evidence types, findings, conditions, diseases, morphology, hospitals, tasks, staging.

What a record may say is closed (unknown keys are refused); what it means to a claim is decided in `triage`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import Field

from knowledge_graph.rules import Confidence, Data, Words

Breach = Literal["yes", "no", "conditional"]


class StageName(Data):
    """One of the five stages, in order."""

    id: str
    zh: str
    en: str


class EvidenceType(Data):
    """A kind of paper: who issues it, what it may prove, what it costs (CNY) and how long it takes (days)."""

    id: str
    zh: str
    en: str
    issuer: Words
    asked_of: Literal["claimant", "staff", "investigator"]
    cost: float
    delay_days: int
    supplies: tuple[str, ...]
    source: str
    confidence: Confidence


class EvidenceLibrary(Data):
    """evidence.yaml."""

    evidence: tuple[EvidenceType, ...]
    aliases: dict[str, str] = Field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class HealthItem(Data):
    """One item of the health requirement."""

    id: str
    zh: str
    en: str
    source: str
    confidence: Confidence


class Finding(Data):
    """A positive finding: `breaches` maps a health-requirement item to what its presence before joining means per version."""

    id: str
    zh: str
    en: str
    synonyms: tuple[str, ...] = ()
    icd10: str
    system: str
    severity: int = Field(ge=1, le=4)
    bears_on: tuple[str, ...] = ()
    breaches: dict[str, dict[str, Breach]] = Field(default_factory=dict)
    sources: tuple[str, ...] = ()
    source: str
    confidence: Confidence


class FindingLibrary(Data):
    """findings.yaml."""

    items: tuple[HealthItem, ...]
    findings: tuple[Finding, ...]


class Condition(Data):
    """A covered condition: the words a claimant uses, its codes, the lesser condition it goes to, and the findings that are the
    condition itself. Rules of the conditions it `is_a` apply to it too; an abstract one only carries rules; `plans` are those that
    cover it, all where empty."""

    id: str
    zh: str
    en: str
    level: Literal["severe", "mild"]
    terms: tuple[str, ...] = ()
    icd10: tuple[str, ...] = ()
    accident_possible: bool = False
    is_a: tuple[str, ...] = ()
    abstract: bool = False
    plans: tuple[str, ...] = ()
    goes_to: str | None = None
    findings: tuple[str, ...] = ()
    source: str
    confidence: Confidence


class Disease(Data):
    """A node of the ICD-10 tree; `behaviours` are the ICD-O-3 behaviours its codes stand for."""

    code: str
    zh: str
    en: str
    parent: str | None = None
    behaviours: tuple[int, ...] = ()


class Morphology(Data):
    """Terms of one tumour morphology with its ICD-O-3 code and the behaviours the term alone leaves possible."""

    zh: tuple[str, ...]
    en: tuple[str, ...] = ()
    icdo: str | None
    behaviours: tuple[int, ...]
    note: str = ""
    source: str
    confidence: Confidence


class DepartmentArea(Data):
    """Departments that do and do not treat an area's diseases."""

    area: str
    plausible: tuple[str, ...]
    implausible: tuple[str, ...]


class InvestigationTask(Data):
    """A task for an investigator and the fact its result answers; cost in CNY, days as [least, most]."""

    id: str
    zh: str
    en: str
    fact: str
    finds: tuple[str, ...]
    yield_: float = Field(alias="yield", ge=0, le=1)
    days: tuple[int, int]
    cost: float
    evidence_type: str
    source: str
    confidence: Confidence


class ComparedPlan(Data):
    """A plan of another operator, for comparison: texts as printed, `-` where the source is blank. Members in 10,000."""

    zh: str
    en: str
    platform: Words
    members_10k: str
    deposit_cny: str
    fee: Words
    waiting_days: str
    as_of: date
    source: str
    confidence: Confidence


class Limits(Data):
    """How far the engine reasons about a claim as a whole before it leaves things unknown: combinations of open facts tried for one
    group of rules, and ways a claim may stand that are kept apart. Beyond either it says less, never more."""

    worlds: int = Field(ge=1)
    states: int = Field(ge=1)
    source: str
    confidence: Confidence


class Yields(Data):
    """How likely what is asked of whom answers at all (`papers` says otherwise for single evidence types), how likely an answer lets a rule
    of a kind pass, what a day of waiting is worth (CNY), and up to how many open questions
    and combinations of their answers plans are worked out exactly."""

    answers: dict[Literal["claimant", "staff", "investigator"], float]
    papers: dict[str, float] = Field(default_factory=dict)
    passes: dict[str, float]
    day_price: float = Field(ge=0)
    questions: int = Field(ge=0)
    combinations: int = Field(ge=0)
    source: str
    confidence: Confidence

    def answering(self, evidence: EvidenceType) -> float:
        """The probability that a paper, once asked for, comes and answers."""
        return self.papers.get(evidence.id, self.answers.get(evidence.asked_of, 1))


class SizeBand(Data):
    """Invasive extent in mm of one T category: above `over`, up to `to`."""

    t: str
    over: float
    to: float | None


class NodeBand(Data):
    """Positive axillary nodes of one N category, ends included."""

    n: str
    least: int
    most: int | None


class StageGroup(Data):
    """An anatomic stage group and the T/N/M patterns in it; `*` stands for any."""

    group: str
    of: tuple[tuple[str, str, str], ...]


class Staging(Data):
    """TNM of the breast (AJCC 8th edition), restated."""

    sizes: tuple[SizeBand, ...]
    nodes: tuple[NodeBand, ...]
    groups: tuple[StageGroup, ...]
    source: str
    confidence: Confidence

    def size_fits(self, t: str | None, size: float | None) -> bool | None:
        """Whether an invasive extent lies in the band of T; None where the category has no band (Tis, T4, TX)."""
        bands = [b for b in self.sizes if t is not None and (b.t == t or (len(t) == 1 and b.t.rstrip("abc") == t and b.t[:1] == t))]
        if not bands or size is None:
            return None
        return any(b.over < size and (b.to is None or size <= b.to) for b in bands)

    def nodes_fit(self, n: str | None, positive: int | None) -> bool | None:
        """Whether a count of positive nodes lies in the band of N; None for NX, micrometastases and unlisted categories."""
        if n is None or positive is None or "mi" in n:
            return None
        bands = [b for b in self.nodes if b.n == n[:1]]
        return any(b.least <= positive and (b.most is None or positive <= b.most) for b in bands) if bands else None

    def group_fits(self, group: str | None, t: str | None, n: str | None, m: str | None) -> bool | None:
        """Whether a stage group holds T, N and M; a group given without its letter (II) holds all of its letters."""
        if None in (group, t, n, m) or "X" in (t, n, m):
            return None
        assert group is not None and t is not None and n is not None and m is not None  # noqa: PT018
        rows = [g for g in self.groups if g.group == group or (g.group.rstrip("ABC") == group and group != "IV")]
        return any(_matches(p, t) and _matches(q, n) and _matches(r, m) for g in rows for p, q, r in g.of) if rows else None


def _matches(pattern: str, value: str) -> bool:
    """`1` matches 1, 1a, 1b, 1c and 1mi unless the pattern says 1mi itself; `*` matches anything."""
    if pattern in ("*", value):
        return True
    return pattern.isdigit() and value != "is" and value.startswith(pattern)


@dataclass(frozen=True, slots=True)
class Hospital:
    """A registered hospital; level 0 to 3, None where not known."""

    name: str
    level: int | None
    ownership: str | None
    city: str
    source: str
    confidence: str
    fictional: bool
    region: str = ""
