"""Ultrasound, mammography and other breast imaging: BI-RADS categories by side, with the findings they stand for."""

from __future__ import annotations

import re

from triage.observation import Assertion
from triage.reading.birads import Category, categories, is_advice, is_earlier
from triage.reading.dates import DateLike
from triage.reading.page import Page

_FINDING = {"2": "pf_bi2", "3": "pf_bi3", "4": "pf_bi4a", "4A": "pf_bi4a", "4B": "pf_bi4b", "4C": "pf_bi4c", "5": "pf_bi5"}
SUSPICIOUS = ("4", "4A", "4B", "4C", "5", "6")


def read_birads(page: Page, on: DateLike | None) -> None:
    """On an imaging report: the greatest category of each side, the findings, and when imaging first looked suspicious."""
    for category in categories(page):
        if page.assertion(category.start, category.end) in _NOT_SAID or is_advice(page, category):
            continue
        asserted = Assertion.HISTORICAL if is_earlier(page, category) else Assertion.PRESENT
        observe_category(page, category, on, asserted)
        if asserted is Assertion.PRESENT:
            observe_sides(page, category, on)


_NOT_SAID = frozenset({Assertion.HYPOTHETICAL, Assertion.FAMILY, Assertion.OTHER_PERSON})
"""A category beside "no lesion" is said all the same."""


def observe_sides(page: Page, category: Category, on: DateLike | None) -> None:
    """The category as a fact of its side, of both where it is said of both; category 4 without a letter counts as 4A."""
    grade = "4A" if category.grade == "4" else category.grade
    for side in ("left", "right") if category.side == "both" else (category.side,):
        if side:
            page.observe(f"birads.{side}", grade, category.start, category.end, basis="imaging", event_on=on)


def observe_category(page: Page, category: Category, on: DateLike | None, asserted: Assertion) -> None:
    """The finding a category stands for, with its date, and the first suspicious imaging."""
    finding = _FINDING.get(category.grade)
    if finding:
        page.mention(finding, asserted, category.start, category.end, event_on=on, side=category.side, grade=category.grade)
    if category.grade in SUSPICIOUS and on is not None:
        page.observe("imaging.first_suspicious_on", on, category.start, category.end, basis="imaging", event_on=on)


_MALIGNANT = re.compile(r"恶性(?!可能性小)|癌|(?<![a-z])(?:ca|mt)(?![a-z])|malignan")


def read_imaging(page: Page, on: DateLike | None) -> None:
    """Observes categories, the side of the suspicious lesion and the date of an earlier examination it compares with."""
    page.basis = "imaging"
    read_birads(page, on)
    _read_side(page)
    _read_comparison(page)


def _read_side(page: Page) -> None:
    suspicious = [(c.start, c.side) for c in categories(page) if c.grade in SUSPICIOUS and c.side in ("left", "right")]
    for match in _MALIGNANT.finditer(page.lower):
        if page.section_at(match.start()) != "clinical_dx" and page.assertion(match.start(), match.end()) in (
            Assertion.PRESENT,
            Assertion.UNCERTAIN,
        ):
            suspicious.append((match.start(), page.side_of(match.start(), match.end())))
    sides = {side for _, side in suspicious if side}
    if len(sides) == 1:
        side = sides.pop()
        at = next(start for start, s in suspicious if s == side)
        places = [m for m in page.words.side.finditer(page.lower, 0, at) if page.words.sides[m.group()] == side]
        start, end = places[-1].span() if places else (at, at + 1)
        page.observe("tumour.laterality", side, start, end, basis="imaging")


_COMPARED = re.compile(r"(?:与|较|对比|比较)?(?:前次|前片|上次|既往|原片|旧片|前)[^。;\n]{0,8}$")


def _read_comparison(page: Page) -> None:
    for dated in page.dates:
        before = page.lower[max(0, dated.start - 12) : dated.start]
        if _COMPARED.search(before):
            page.observe("history.prior_exam_date", dated.value, dated.start, dated.end, event_on=dated.value)
