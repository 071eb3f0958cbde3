"""What kind of paper a text is: by its title, else by what stands in it; and where one text holds several papers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from triage.reading.vocabulary import Vocabulary

TITLE = 60
"""Characters in which a title stands."""
SHORTEST_PART = 60
"""Characters below which a title starts no paper of its own."""
LEAST_SIGNS = 2

PATHOLOGY = frozenset(
    {
        "pathology_report",
        "frozen_report",
        "cytology_report",
        "ihc_report",
        "molecular_report",
        "muscle_biopsy_report",
        "endoscopic_biopsy_report",
    }
)
IMAGING = frozenset(
    {
        "ultrasound_report",
        "mammography_report",
        "mri_report",
        "ct_report",
        "pet_ct_report",
        "xray_report",
        "bone_scan_report",
        "abdominal_ultrasound_report",
        "thyroid_ultrasound_report",
        "cta_report",
        "mra_report",
    }
)
CLINICAL = frozenset(
    {
        "discharge_summary",
        "medical_record_front_page",
        "admission_record",
        "outpatient_record",
        "surgery_record",
        "diagnosis_certificate",
        "emergency_record",
        "progress_note",
    }
)
CHECK_UP = frozenset({"physical_exam_report"})
FORMS = frozenset({"claim_form", "identity_card", "bank_account", "authorization", "guardian_identity", "invoice_detail"})
_GROUPS = (PATHOLOGY, IMAGING, CLINICAL, CHECK_UP, FORMS)

_FIELD = re.compile(r"[。,;]|(?:姓\s{0,4}名|性别|编号|病理号|科室|科别|检查日期|日期|name|patient|date)\s{0,2}[: ]")
_TITLE_LINE = re.compile(r"^[ ]{0,12}[^\n:,。;、]{2,40}$", re.MULTILINE)
_BRACKETED = re.compile(r"^[ ]{0,4}\[(?P<title>[^\[\]\n]{2,10})\]", re.MULTILINE)
_TITLE_END = re.compile(
    r"(?:报告单?|报告书|记录单?|小结|病历|证明书?|首页|志|申请书|授权书|笔录|回函|清单|report|summary|record|note|certificate)\s{0,2}(?:\([^)]{1,12}\))?\s{0,2}$"
)


def recognise(lower: str, words: Vocabulary) -> str:
    """The evidence type by title, by its signs, or by anything in the text; empty where nothing tells."""
    return _titled(_heading(lower), words) or _titled(lower[:TITLE], words) or _signed(lower, words) or _titled(lower, words)


def _heading(lower: str) -> str:
    """The first two lines up to the first labelled field; an opening sentence is none."""
    lines = [line for line in lower[: TITLE * 2].split("\n") if line.strip()][:2]
    return "\n".join(_FIELD.split(line)[0][:TITLE] for line in lines)


def _titled(area: str, words: Vocabulary) -> str:
    places = [(order, match.start(), name) for order, (name, found) in enumerate(words.document_types) if (match := found.search(area))]
    return min(places)[2] if places else ""


def _signed(lower: str, words: Vocabulary) -> str:
    counts = {name: len({m.group() for m in found.finditer(lower)}) for name, found in words.signs}
    best = max(counts, key=lambda name: counts[name], default="")
    return best if counts.get(best, 0) >= LEAST_SIGNS else ""


def titles(lower: str, words: Vocabulary) -> list[tuple[int, str]]:
    """Lines that are nothing but a paper's title, in order, with the type they name."""
    bracketed = [(m.start(), _titled(m["title"], words)) for m in _BRACKETED.finditer(lower)]
    if len({name for _, name in bracketed if name}) > 1 and _titled(_heading(lower), words) not in CHECK_UP:
        return [(start, name) for start, name in bracketed if name]
    lines = ((m.start(), m.group()) for m in _TITLE_LINE.finditer(lower) if _TITLE_END.search(m.group()))
    return [(start, name) for start, line in lines if (name := _titled(line, words))]


def mistaken(given: str, found: list[tuple[int, str]]) -> str:
    """The type the first of a text's titles says it is, where that is of another kind than the type given; else empty."""
    told = next((name for start, name in found if start < TITLE * 2), given)
    return "" if alike(given, told) else told


def alike(given: str, told: str) -> bool:
    """Whether two types are read in the same way and prove the same kind of thing, as far as a title can tell."""
    if given == told:
        return True
    groups: Mapping[str, int] = {name: number for number, group in enumerate(_GROUPS) for name in group}
    return groups.get(given, -1) == groups.get(told, -2) and given in CLINICAL | IMAGING


def parts(lower: str, found: list[tuple[int, str]]) -> list[tuple[int, int]]:
    """The papers in one text: from one title line to the next; the whole where there are not two."""
    starts = [_with_letterhead(lower, start) for start, _ in found]
    kept = [s for i, s in enumerate(starts) if i == 0 or s - starts[i - 1] >= SHORTEST_PART]
    if len(kept) < 2:
        return [(0, len(lower))]
    bounds = [0, *kept[1:], len(lower)]
    return list(pairwise(bounds))


_LETTERHEAD = re.compile(r"[^\n:。]{2,40}(?:医院|卫生院|保健院|中心|hospital|clinic)[^\n:。]{0,12}$")


def _with_letterhead(lower: str, start: int) -> int:
    """Where the hospital's name stands on the line above a title, the paper starts there."""
    line = lower.rfind("\n", max(0, start - 60), max(0, start - 1)) + 1
    return line if start and _LETTERHEAD.match(lower[line : start - 1].strip()) else start
