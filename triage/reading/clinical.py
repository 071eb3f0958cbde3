"""Discharge summaries, certificates, admission, outpatient and surgery records: diagnoses, operations, treatment, dates told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from knowledge_graph.libraries import Morphology
from triage.observation import Assertion
from triage.reading.dates import DatedSpan, DateLike
from triage.reading.nodes import read_nodes
from triage.reading.page import Page, Section, any_between
from triage.reading.pathology import Statement, read_icdo, statements
from triage.reading.receptors import read_receptors
from triage.reading.staging import read_grade, read_stage
from triage.reading.words import pattern
from triage.values import Interval

_STATED = (Assertion.PRESENT, Assertion.HISTORICAL)
"""左乳癌术后 still states the diagnosis."""

_BENIGN = frozenset({"D24"})
_OF_THE_STAY = frozenset({"discharge_summary", "medical_record_front_page", "diagnosis_certificate", "surgery_record"})
DIAGNOSES = ("discharge_dx", "path_dx", "impression")
_CODE = re.compile(r"(?<![a-z0-9])(?P<c>[cdn]\d{2}(?:\.\d)?)(?:\d{0,2}(?:x\d{3})?)?(?![\da-z])")
_OPERATION = re.compile(
    r"行[^。;\n]{0,40}?(?:术|切除|根治|活检|穿刺)|(?:术式|手术名称|手术方式|procedure(?: performed)?|operation(?: performed)?)[ :]{1,3}[^。;\n]{2,40}|(?:underwent|undergone|had|performed|status post|s/p)\s[^.;\n]{0,60}?(?:mastectomy|lumpectomy|excision|biopsy|biopsies|resection)"
)
_EXTENTS = (
    ("mastectomy", re.compile(r"根治|全乳|乳房切除|乳腺切除|单纯切除|全切|mastectomy")),
    ("local_excision", re.compile(r"保乳|区段|肿[物块瘤]切除|结节切除|病灶切除|扩大切除|局部切除|象限|包块切除|旋切|lumpectomy|excision")),
    ("biopsy", re.compile(r"活检|穿刺|biopsy")),
)
_CHEMOTHERAPY = re.compile(r"化疗|chemotherapy|(?<![a-z])(?:tc|ac-t|ec-t|tac)方案")
_ENDOCRINE = re.compile(r"内分泌治疗|他莫昔芬|来曲唑|阿那曲唑|依西美坦|tamoxifen|letrozole|anastrozole|endocrine therapy")
_CONFIRMED = re.compile(r"病理(?:结果|报告|诊断|回报|检查)?[^。;,\n]{0,6}(?:示|提示|回报|证实|诊断|为|:|报告)")
_QUICK = re.compile(r"冰冻|快速|冷冻|细胞|frozen|cytolog")
_SURGICAL = re.compile(r"术|切除|根治|活检|穿刺|surgery|mastectomy|biopsy")


def read_clinical(page: Page, on: DateLike | None, morphology: Sequence[Morphology]) -> None:
    """Observes diagnoses with codes, stage, operations, treatment and a diagnosis date told in the course."""
    page.basis = "clinical"
    bodies = list(page.bodies(*DIAGNOSES))
    if page.evidence_type == "diagnosis_certificate" and not bodies:
        bodies = [Section("", 0, len(page.lower))]
    _read_diagnosis(page, bodies, morphology)
    read_stage(page, within=[*bodies, *page.bodies("p_stage")])
    if not page.has_said("stage.T") and page.is_malignant:
        read_stage(page)
    _read_pathology_told(page)
    _read_operations(page)
    _read_treatment(page, _CHEMOTHERAPY, "treatment.chemotherapy")
    _read_treatment(page, _ENDOCRINE, "treatment.endocrine")
    _read_told_diagnosis(page, on, morphology)


_TOLD = re.compile(r"术后病理|病理[^。;\n]{0,8}[:示报]|淋巴结|免疫组化|ki-?67|(?<![a-z])path(?:ology)?(?![a-z])|(?<![a-z])nodes?(?![a-z])")


def _read_pathology_told(page: Page) -> None:
    """What a summary repeats of its pathology report: nodes, grade and markers, on a clinical basis."""
    if not page.is_malignant or not _TOLD.search(page.lower):
        return
    whole = [Section("", 0, len(page.lower))]
    read_nodes(page, whole)
    read_grade(page, whole)
    read_receptors(page)


def _read_diagnosis(page: Page, bodies: list[Section], morphology: Sequence[Morphology]) -> None:
    stated = [s for s in statements(page, bodies, morphology) if s.assertion in _STATED and s.row is not None]
    strongest = max(stated, key=lambda s: min(s.behaviours), default=None)
    if strongest is not None and len(strongest.behaviours) == 1 and min(strongest.behaviours) >= 1:
        page.observe("pathology.icdo_behavior", min(strongest.behaviours), strongest.start, strongest.end)
    if page.evidence_type == "medical_record_front_page":
        read_icdo(page)
    _read_codes(page, bodies, strongest)
    _read_side(page, bodies)


_MALIGNANT = re.compile(r"癌|恶性|(?<![a-z])(?:ca|mt)(?![a-z])|carcinoma|malignan|cancer")
_BREAST = re.compile(r"乳|breast")
_BY_BEHAVIOUR = {3: "C50.9", 6: "C79.8", 2: "D05.9", 1: "D48.6"}
"""The ICD-10 category of a breast tumour by behaviour, where no printed code or listed term gives a closer one."""


def _read_side(page: Page, bodies: list[Section]) -> None:
    """The side of the malignant diagnosis; what else is diagnosed on the other side says nothing about it."""
    sides: dict[str, tuple[int, int]] = {}
    for body in bodies:
        for match in _MALIGNANT.finditer(page.lower, body.start, body.end):
            if page.assertion(match.start(), match.end()) in _STATED:
                side = page.side_of(match.start(), match.end())
                if side:
                    sides.setdefault(side, page.side_span(side, match.start(), match.end()))
    if sides:
        side = next(iter(sides)) if len(sides) == 1 else "both"
        page.observe("tumour.laterality", side, *next(iter(sides.values())))


def _counts(page: Page, code: str) -> bool:
    """A code on a paper of the stay counts whatever it is; a visit's paper only where it names a tumour that could be the claim's:
    an older visit for something benign is no contradiction."""
    return page.evidence_type in _OF_THE_STAY or code.startswith(("C", "D0", "D48"))


def _read_codes(page: Page, bodies: list[Section], strongest: Statement | None) -> None:
    """Printed codes as they are; without one, the code of the first diagnosis term, with its quadrant."""
    terms = pattern(page.words.clinical_terms)
    for body in bodies:
        printed = [m for m in _CODE.finditer(page.lower, body.start, body.end) if _counts(page, m["c"].upper())]
        if printed:
            for match in printed[:1]:
                page.observe("diagnosis.icd10", match["c"].upper(), match.start(), match.end(), event_on=page.own_date)
            return
        for match in terms.finditer(page.lower, body.start, body.end):
            if page.assertion(match.start(), match.end()) in _STATED and page.words.clinical_terms[match.group()] not in _BENIGN:
                code = page.words.clinical_terms[match.group()]
                if strongest is not None and strongest.behaviours == {3} and code.startswith("D"):
                    code = "C50.9"
                quadrant = page.words.quadrant.search(page.lower, body.start, body.end)
                if code == "C50.9" and quadrant:
                    code = page.words.quadrants[quadrant.group()]
                page.observe("diagnosis.icd10", code, match.start(), match.end(), event_on=page.own_date)
                return
    if (
        strongest is not None
        and len(strongest.behaviours) == 1
        and min(strongest.behaviours) in _BY_BEHAVIOUR
        and any(_BREAST.search(page.lower, b.start, b.end) for b in bodies)
    ):
        page.observe("diagnosis.icd10", _BY_BEHAVIOUR[min(strongest.behaviours)], strongest.start, strongest.end)


def _operations(page: Page) -> Iterable[tuple[DatedSpan | None, re.Match[str]]]:
    """Operations actually done, each with the date printed before it in its sentence (or labelled on the page)."""
    for match in _OPERATION.finditer(page.lower):
        if page.section_at(match.start()) in ("past_history", "family_history", "advice"):
            continue
        asserted = page.assertion(match.start(), match.end())
        if asserted in (Assertion.PLANNED, Assertion.HYPOTHETICAL):
            extent = next((name for name, words in _EXTENTS if words.search(match.group())), None)
            if extent is not None:
                page.observe("surgery.extent", extent, match.start(), match.end(), assertion=asserted)
        if asserted not in (Assertion.PRESENT, Assertion.HISTORICAL):
            continue
        left, _ = page.sentence(match.start(), match.end())
        told = page.dates_between(max(left, match.start() - 34), match.start())
        yield (told[-1] if told else None), match


def _read_operations(page: Page) -> None:
    told: list[int] = []
    for dated, match in _operations(page):
        extent = next((name for name, words in _EXTENTS if words.search(match.group())), None)
        if extent is None:
            continue
        told.append(match.start())
        page.observe("surgery.extent", extent, match.start(), match.end())
        if extent == "biopsy" or not page.is_malignant:
            continue
        side = page.words.side.search(match.group())
        if side:
            page.observe("tumour.laterality", page.words.sides[side.group()], match.start() + side.start(), match.start() + side.end())
        if dated is not None and not page.has_said("surgery.date"):
            page.observe("surgery.date", dated.value, dated.start, dated.end, event_on=dated.value)
    _read_named_operation(page, told)


def _read_named_operation(page: Page, told: list[int]) -> None:
    for body in page.bodies("surgery"):
        text = page.lower[body.start : body.end]
        if any_between(told, body.start, body.end):
            continue
        extent = next((name for name, words in _EXTENTS if words.search(text)), None)
        side = page.words.side.search(page.lower, body.start, body.end)
        if extent:
            page.observe("surgery.extent", extent, body.start, body.end)
        if extent and extent != "biopsy" and side and page.is_malignant:
            page.observe("tumour.laterality", page.words.sides[side.group()], *side.span())


def _read_treatment(page: Page, words: re.Pattern[str], fact: str) -> None:
    """Given or advised makes it true; said not to have been given makes it false; a treatment of a relative says nothing."""
    for match in words.finditer(page.lower):
        asserted = page.assertion(match.start(), match.end())
        if asserted in (Assertion.FAMILY, Assertion.OTHER_PERSON):
            continue
        page.observe(fact, asserted is not Assertion.NEGATED, match.start(), match.end())


def _read_told_diagnosis(page: Page, on: DateLike | None, morphology: Sequence[Morphology]) -> None:
    """ "2020-09-25行穿刺，病理示浸润性癌；2020-09-27行手术": diagnosed on a day from the biopsy to the next dated event."""
    for match in _CONFIRMED.finditer(page.lower):
        if page.section_at(match.start()) in ("past_history", "family_history") or _QUICK.search(
            page.lower, max(0, match.start() - 8), match.end()
        ):
            continue
        left, right = page.sentence(match.start(), match.end())
        named = [
            s
            for s in statements(page, [Section("", match.end(), right)], morphology)
            if s.assertion is Assertion.PRESENT and max(s.behaviours) >= 1
        ]
        told = [d for d in page.dates_between(left, match.start()) if isinstance(d.value, date)]
        if not named or not told:
            continue
        _observe_told(page, told[-1], match, on)
        return


def _observe_told(page: Page, told: DatedSpan, match: re.Match[str], on: DateLike | None) -> None:
    between = page.lower[told.end : match.start()]
    assert isinstance(told.value, date)
    if not _SURGICAL.search(between):
        value: DateLike = told.value
    else:
        later = [d.value for d in page.dates if d.start > match.end() and isinstance(d.value, date) and d.value >= told.value]
        left = [o.value for o in page.observations if o.fact == "discharge.date" and isinstance(o.value, date) and o.value >= told.value]
        latest = [*later[:1], *left, *([page.filed_on] if page.filed_on >= told.value else [])]
        value = Interval(told.value, min(latest) if latest else None)
    page.observe("first_diagnosis_date", value, told.start, match.end(), event_on=on)
