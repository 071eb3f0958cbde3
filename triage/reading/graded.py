"""Findings of other organs that their grade or size decides: thyroid nodules by TI-RADS, lung nodules by Lung-RADS or millimetres."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from triage.observation import Assertion
from triage.reading.dates import DateLike
from triage.reading.measures import SIZE, extent_mm
from triage.reading.page import Page

_STEP = r"\s{0,2}(?:分类|分级|category)?\s{0,2}[:(]?\s{0,2}(?P<g>[0-6]|[ⅰ-ⅵ]|(?<![a-z])(?:iv|v|i{1,3}))\s?(?P<s>[abcx](?![a-z]))?"
_DIGIT = {"ⅰ": "1", "ⅱ": "2", "ⅲ": "3", "ⅳ": "4", "ⅴ": "5", "ⅵ": "6", "i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
_SCALES = (
    (re.compile(r"(?:c-?|acr\s?)?ti-?\s?rads" + _STEP), {"3": "pf_tn3", "4": "pf_tn4", "5": "pf_tn5"}),
    (re.compile(r"lung-?\s?rads" + _STEP), {"4": "pf_lrads4"}),
)
"""Grades of each scale with the finding they are; a lower grade is none."""
_LUNG = re.compile(r"肺[^。;,\n]{0,14}?(?:小?结节|微结节)|(?:pulmonary|lung)[^.;,\n]{0,14}?nodule")
_NOT_SOLID = re.compile(r"磨玻璃|ground.glass|ggn|ggo")
_SMALL, _LARGE = 5.0, 8.0
"""mm below which, and from which, a lung nodule is a finding of its own (findings.yaml: pf_lnod5, pf_lnod8)."""

Dater = Callable[[Page, int, int, date, DateLike | None], DateLike | None]


def read_graded(page: Page, reference: date, on: DateLike | None, dated: Dater) -> None:
    """Notes each with its side, grade and date; `dated` tells when a finding in a story was made."""
    for found, findings in _SCALES:
        for match in found.finditer(page.lower):
            grade = _DIGIT.get(match["g"], match["g"])
            if grade in findings:
                _mention(page, findings[grade], match.start(), match.end(), (reference, on), dated, grade + (match["s"] or "").upper())
    for match in _LUNG.finditer(page.lower):
        _, right = page.sentence(*match.span())
        size = SIZE.search(page.lower, match.end(), min(right, match.end() + 24))
        extent = extent_mm(size) if size else None
        if extent is not None and not _NOT_SOLID.search(match.group()) and not _SMALL <= extent < _LARGE:
            _mention(page, "pf_lnod8" if extent >= _LARGE else "pf_lnod5", match.start(), match.end(), (reference, on), dated)


def _mention(page: Page, finding: str, start: int, end: int, days: tuple[date, DateLike | None], dated: Dater, grade: str = "") -> None:
    asserted = page.assertion(start, end)
    if asserted is not Assertion.NEGATED or not grade:
        when = dated(page, start, end, *days)
        page.mention(finding, asserted, start, end, event_on=when, side=_side(page, start, end), grade=grade)


def _side(page: Page, start: int, end: int) -> str:
    """Close before it, else in its sentence's earlier clauses."""
    near = page.side_near(start, end)
    if near:
        return near
    left, _ = page.sentence(start, end)
    found = list(page.words.any_side.finditer(page.lower, max(left, start - 30), start))
    return page.words.any_sides[found[-1].group()] if found else ""
