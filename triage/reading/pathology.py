"""What a pathology report says: the specimen it rests on, the behaviour of what was found, and everything measured on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge_graph.libraries import Morphology
from triage.observation import Assertion, Why
from triage.reading.dates import DatedSpan
from triage.reading.letterhead import read_signatures, read_specimen_dates
from triage.reading.nodes import read_nodes
from triage.reading.page import Page, Section
from triage.reading.receptors import read_receptors
from triage.reading.staging import read_grade, read_invasive_extent, read_stage
from triage.values import OneOf

TITLE = 80
HISTOLOGICAL = frozenset({"consultation", "resection", "core_biopsy", "histology", "post_neoadjuvant"})
_FROZEN = re.compile(r"冰冻|快速(?:病理|切片|石蜡)?诊断|术中(?:快速|冷冻)|冷冻切片|frozen section")
_PARAFFIN = re.compile(r"石蜡|常规病理|paraffin|permanent section")
_STAINED = re.compile(r"免疫组化|免疫组织化学|he染色|immunohisto|(?<![a-z])(?:er|her-?2|ki-?67|p63)\s{0,1}[(:]")
_CYTOLOGY = re.compile(r"细胞学|细针|(?<![a-z])fna(?![a-z])|涂片|fine.needle|cytolog")
_CORE = re.compile(r"粗针|空心针|空芯针|穿刺|麦默通|旋切|(?<![a-z])(?:cnb|vab)(?![a-z])|core (?:needle )?biopsy|活检")
_RESECTION = re.compile(r"术后病理|切除|根治|保乳|区段|全乳|象限|切取|mastectomy|lumpectomy|excision|resection")
_CONSULTATION = re.compile(r"会诊(?:病理|意见|报告|诊断|单|结果|号)?|consultation")
_AFTER_NEOADJUVANT = re.compile(
    r"新辅助[^。;,\n]{0,8}后|(?<![a-z])yp?\s?t|(?<![a-z])ypn|miller|(?<![a-z])rcb|化疗后改变|治疗后反应|瘤床|after neoadjuvant|post.?neoadjuvant"
)
_ADVICE = re.compile(r"(?:建议|待|必要时|拟)[^。;\n]*|(?:recommend|suggest|advise)[^.;\n]*")
_GROSS_STRIPS = re.compile(r"(?:条索?状|线条状|细条)[^。;\n]{0,12}(?:组织|条)|(?:组织|条)[^。;\n]{0,4}条")
_INVASION = re.compile(r"微小?浸润|间质浸润|浸润(?!性?淋巴|性?导管|性?小叶|性?癌)|microinvasion|stromal invasion|invasion")
_OTHER_INVASION = re.compile(
    r"淋巴细胞|炎细胞|脂肪组织|中性粒|浆细胞|神经|脉管|血管|皮肤|乳头|胸肌|切缘|淋巴管|vascular|perineural|lymphovascular|skin"
)
_NOT_INVASION = re.compile(r"灶|性?(?:生长|边界|边缘)")
"""浸润灶 is measured, 浸润性生长 describes a border: neither says by itself that a carcinoma is invasive."""
_NOT_DIAGNOSIS = ("clinical_dx", "gross", "ihc", "note", "specimen", "molecular", "p_stage", "microscopic", "advice", "frozen_dx")


def basis(page: Page) -> str:
    """What the report rests on. The specimen's own words count before words elsewhere; frozen and cytology settle nothing."""
    title = page.lower[:TITLE]
    specimen = " ".join(page.lower[s.start : s.end] for s in page.bodies("specimen"))
    whole = " ".join(
        [page.lower[: page.sections[0].start] if page.sections else page.lower, *(page.lower[s.start : s.end] for s in diagnosis(page))]
    )
    if (
        page.evidence_type == "cytology_report"
        or _CYTOLOGY.search(title)
        or (_CYTOLOGY.search(specimen or whole) and not _RESECTION.search(specimen or whole))
    ):
        return "cytology"
    if (
        page.evidence_type == "frozen_report"
        or all(s.name == "frozen_dx" for s in diagnosis(page))
        or ((_FROZEN.search(title) or _FROZEN.search(whole)) and not _PARAFFIN.search(page.lower))
    ):
        return "frozen"
    if _CONSULTATION.search(title) and "会诊" in title:
        return "consultation"
    if _AFTER_NEOADJUVANT.search(page.lower):
        return "post_neoadjuvant"
    return _specimen_basis(page, specimen, whole)


def _specimen_basis(page: Page, specimen: str, whole: str) -> str:
    """What was taken, not what is advised to be taken next (建议切除)."""
    for words in (specimen, _ADVICE.sub("", whole)):
        if _RESECTION.search(words):
            return "resection"
        if _CORE.search(words):
            return "core_biopsy"
    gross = " ".join(page.lower[s.start : s.end] for s in page.bodies("gross"))
    return "core_biopsy" if _GROSS_STRIPS.search(gross) else "histology"


def diagnosis(page: Page) -> list[Section]:
    """The parts that state the diagnosis: its own section, else everything that is not clinical notes, gross or stains."""
    for names in (("path_dx", "addendum"), ("frozen_dx",)):
        named = [s for s in page.sections if s.name in names and page.lower[s.start : s.end].strip()]
        if named:
            return named
    opening = [Section("", 0, page.sections[0].start)] if page.sections else [Section("", 0, len(page.lower))]
    return opening + [s for s in page.sections if s.name not in _NOT_DIAGNOSIS]


@dataclass(frozen=True, slots=True)
class Statement:
    """One morphology in the diagnosis: how it is asserted and which behaviours it leaves possible."""

    row: Morphology | None
    term: str
    behaviours: frozenset[int]
    assertion: Assertion
    start: int
    end: int


def statements(page: Page, bodies: Iterable[Section], morphology: Sequence[Morphology]) -> list[Statement]:
    """Every morphology the given parts name, and invasion named by itself."""
    found: list[Statement] = []
    for body in bodies:
        terms = page.terms_in(body, "morphology")
        for term in terms:
            row = morphology[int(term.id)]
            asserted = page.assertion(term.start, term.end)
            found.append(
                Statement(
                    row, page.span(term.start, term.end).quote, _behaviours(page, row, term.start, term.end), asserted, term.start, term.end
                )
            )
        covered = {at for t in terms for at in range(t.start, t.end)}
        for match in _INVASION.finditer(page.lower, body.start, body.end):
            inside = match.start() in covered
            about = page.lower[max(body.start, match.start() - 8) : match.start()]
            if not inside and not _OTHER_INVASION.search(about) and not _NOT_INVASION.match(page.lower, match.end()):
                asserted = page.assertion(match.start(), match.end())
                found.append(Statement(None, match.group(), frozenset({3}), asserted, match.start(), match.end()))
    return sorted(found, key=lambda s: s.start)


def _behaviours(page: Page, row: Morphology, start: int, end: int) -> frozenset[int]:
    """A term that leaves both open is settled by the word beside it: 原位 or 浸润."""
    if len(row.behaviours) > 1:
        near = page.lower[max(0, start - 6) : end + 8]
        if "浸润" in near and "未见" not in near and "原位" not in near:
            return frozenset({3})
        if "原位" in near and "浸润" not in near:
            return frozenset({2})
    return frozenset(row.behaviours)


def read_pathology(page: Page, roles: dict[str, list[DatedSpan]], morphology: Sequence[Morphology]) -> None:
    """Observes everything a histology, frozen, cytology or stain report says."""
    page.basis = basis(page)
    read_specimen_dates(page, roles)
    found = statements(page, diagnosis(page), morphology)
    behaviour = _read_behaviour(page, found)
    if behaviour is None and not found:
        read_icdo(page)
    _read_first_diagnosis(page, roles, found, behaviour)
    bodies = [*diagnosis(page), *page.bodies("p_stage")]
    invasive = behaviour == 3 and not any(s.behaviours == {2} and s.assertion is Assertion.PRESENT for s in found)
    if behaviour in (3, None):
        tumours = [(s.end, s.behaviours == {3}) for s in found if s.assertion is Assertion.PRESENT and s.row is not None]
        read_invasive_extent(page, bodies, invasive=invasive, tumours=tumours)
    read_nodes(page, bodies)
    read_grade(page, diagnosis(page))
    read_stage(page)
    read_receptors(page)
    read_signatures(page)
    _read_preparation(page)
    _read_site(page, found)


def _read_preparation(page: Page) -> None:
    paraffin = _PARAFFIN.search(page.lower) or (_STAINED.search(page.lower) if page.basis not in ("frozen", "cytology") else None)
    if paraffin and page.basis not in ("frozen", "cytology"):
        page.observe("pathology.paraffin", True, paraffin.start(), paraffin.end())
    after = _AFTER_NEOADJUVANT.search(page.lower)
    if after and page.basis == "post_neoadjuvant":
        page.observe("pathology.neoadjuvant", True, after.start(), after.end())


_ICDO = re.compile(r"(?<![\da-z.])m?-?(?P<h>[89]\d{3})0?/(?P<b>[01236])(?!\d)")


def read_icdo(page: Page) -> None:
    """A printed ICD-O-3 code (8500/3, M85000/3) states morphology and behaviour."""
    match = _ICDO.search(page.lower)
    if match:
        page.observe("pathology.icdo", f"{match['h']}/{match['b']}", match.start(), match.end())
        page.observe("pathology.icdo_behavior", int(match["b"]), match.start(), match.end())


_ORDER = (0, 1, 2, 9, 6, 3)
"""Behaviours from the weakest: a primary invasive tumour (3) is the diagnosis even where its metastases (6) are listed."""


def _strength(statement: Statement) -> tuple[int, int, bool]:
    places = [_ORDER.index(b) for b in statement.behaviours]
    return min(places), max(places), statement.row is not None


def _read_behaviour(page: Page, found: list[Statement]) -> int | None:
    """The behaviour the diagnosis as a whole states: invasion anywhere makes it invasive, an in-situ part beside it does not undo that."""
    if not any(s.row is not None and max(s.behaviours) >= 2 and s.assertion is not Assertion.NEGATED for s in found):
        found = [s for s in found if s.row is not None]
    present = [s for s in found if s.assertion is Assertion.PRESENT]
    doubtful = [s for s in found if s.assertion is Assertion.UNCERTAIN and max(s.behaviours) >= 2]
    if not present and not doubtful:
        return None
    strongest = max(present, key=_strength, default=None)
    if strongest is None or (doubtful and max(max(s.behaviours) for s in doubtful) > max(strongest.behaviours)):
        _observe_doubt(page, strongest, doubtful)
        return None
    if len(strongest.behaviours) > 1:
        page.observe("pathology.icdo_behavior", OneOf(frozenset(strongest.behaviours)), strongest.start, strongest.end, why=Why.UNCLEAR)
        _confirm(page, strongest)
        return None
    behaviour = min(strongest.behaviours)
    page.observe("pathology.icdo_behavior", behaviour, strongest.start, strongest.end)
    _confirm(page, strongest)
    _code(page, strongest, present)
    _negated_invasion(page, found, behaviour)
    return behaviour


def _observe_doubt(page: Page, strongest: Statement | None, doubtful: list[Statement]) -> None:
    worst = max(doubtful, key=lambda s: max(s.behaviours))
    if strongest is None:
        page.observe("pathology.icdo_behavior", None, worst.start, worst.end, why=Why.UNCLEAR, assertion=Assertion.UNCERTAIN)
        if page.basis in HISTOLOGICAL:
            page.observe("pathology.histology_confirmed", None, worst.start, worst.end, why=Why.UNCLEAR, assertion=Assertion.UNCERTAIN)
        return
    either = OneOf(frozenset(strongest.behaviours | worst.behaviours))
    page.observe("pathology.icdo_behavior", either, worst.start, worst.end, why=Why.UNCLEAR)
    _confirm(page, strongest)


def _confirm(page: Page, statement: Statement) -> None:
    if page.basis in HISTOLOGICAL and max(statement.behaviours) >= 1:
        page.observe("pathology.histology_confirmed", True, statement.start, statement.end)


def _code(page: Page, strongest: Statement, present: list[Statement]) -> None:
    named = strongest if strongest.row else next((s for s in present if s.row), None)
    if named is None or named.row is None:
        return
    page.observe("pathology.morphology", named.term, named.start, named.end)
    if named.row.icdo:
        stem = named.row.icdo.partition("/")[0]
        page.observe("pathology.icdo", f"{stem}/{min(strongest.behaviours)}", named.start, named.end)


def _negated_invasion(page: Page, found: list[Statement], behaviour: int) -> None:
    """ "未见间质浸润" is quoted beside an in-situ diagnosis, so that a reviewer sees what rules the invasion out."""
    for statement in found:
        if behaviour == 2 and statement.row is None and statement.assertion is Assertion.NEGATED:
            left, right = page.sentence(statement.start, statement.end)
            start = max(page.lower.rfind(",", left, statement.start) + 1, left)
            comma = page.lower.find(",", statement.end, right)
            page.observe("pathology.icdo_behavior", 2, start, right if comma < 0 else comma)
            return


def _read_first_diagnosis(page: Page, roles: dict[str, list[DatedSpan]], found: list[Statement], behaviour: int | None) -> None:
    """First diagnosis is the date of the earliest histology report of a tumour; a specimen after treatment is never the first."""
    if page.basis not in HISTOLOGICAL - {"post_neoadjuvant"} or behaviour == 0:
        return
    if not any(s.assertion is Assertion.PRESENT and max(s.behaviours) >= 1 for s in found):
        return
    reported = roles.get("reported") or (roles.get("own") if not roles.get("collected") else None)
    if reported:
        page.observe("first_diagnosis_date", reported[0].value, reported[0].start, reported[0].end, event_on=reported[0].value)


_SITE = re.compile(r"乳|breast")


def _read_site(page: Page, found: list[Statement]) -> None:
    site = _SITE.search(page.lower)
    if site:
        page.observe("tumour.site", "breast", site.start(), site.end())
    tumours = [s for s in found if s.assertion in (Assertion.PRESENT, Assertion.UNCERTAIN) and max(s.behaviours) >= 2]
    sides: dict[str, tuple[int, int]] = {}
    for statement in tumours:
        side = page.side_of(statement.start, statement.end)
        if side:
            sides.setdefault(side, (statement.start, statement.end))
    if not sides:
        _side_of_specimen(page)
    elif set(sides) >= {"left", "right"} or "both" in sides:
        start, end = sides.get("both") or sides["left"]
        page.observe("tumour.laterality", "both", start, end)
    else:
        side, (start, end) = next(iter(sides.items()))
        _observe_side(page, side, start, end)
    _read_quadrant(page, tumours)


def _observe_side(page: Page, side: str, start: int, end: int) -> None:
    left, _ = page.sentence(start, end)
    for match in page.words.side.finditer(page.lower, left, start):
        if page.words.sides[match.group()] == side:
            start, end = match.start(), match.end()
    page.observe("tumour.laterality", side, start, end)


def _side_of_specimen(page: Page) -> None:
    """The diagnosis names no side: the specimen does, or the only side the report names outside the clinical notes."""
    areas = [*page.bodies("specimen")] or [Section("", 0, len(page.lower))]
    found = [m for s in areas for m in page.words.side.finditer(page.lower, s.start, s.end) if page.section_at(m.start()) != "clinical_dx"]
    names = {page.words.sides[m.group()] for m in found}
    if len(names) == 1:
        page.observe("tumour.laterality", names.pop(), found[0].start(), found[0].end())


def _read_quadrant(page: Page, tumours: list[Statement]) -> None:
    """An invasive tumour's quadrant gives its ICD-10 code; without one the pathology report gives no code."""
    if not any(s.behaviours == {3} and s.assertion is Assertion.PRESENT for s in tumours):
        return
    match = page.words.quadrant.search(page.lower)
    if match and page.basis not in ("frozen", "cytology"):
        page.observe("diagnosis.icd10", page.words.quadrants[match.group()], match.start(), match.end(), event_on=page.own_date)
