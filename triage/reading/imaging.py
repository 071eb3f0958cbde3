"""Ultrasound, mammography and other breast imaging: BI-RADS categories by side, with the findings they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from triage.observation import Assertion
from triage.reading.dates import DateLike
from triage.reading.page import Page

_GRADE = r"(?P<{0}>[0-6]|[ⅰⅱⅲⅳⅴⅵ]|iv|v|i{{1,3}})\s?(?P<{1}>[abc](?![a-z]))?"
_BIRADS = re.compile(
    r"bi-?\s?rads(?:-?us)?\s{0,2}(?:分类|分级|评估|category|cat\.?)?\s{0,2}[:()为]?\s{0,2}"
    + _GRADE.format("g", "s")
    + r"\s?(?:类|级|(?=\))|(?!\.?\d|[a-z]))"
)
_BY_SIDE = re.compile(
    r"bi-?\s?rads(?:-?us)?\s{0,2}(?:分类|分级)?\s{0,2}[:(]?\s{0,2}(?P<list>(?:[左右双]侧?乳?(?:腺|房)?\s{0,2}[:(]?\s{0,2}[0-6ⅰ-ⅵ]\s?[abc]?\s?[类级)]{0,2}[,、;\s]{0,2}){1,3})"
)
_SIDE_ITEM = re.compile(r"(?P<side>[左右双])侧?乳?(?:腺|房)?\s{0,2}[:(]?\s{0,2}" + _GRADE.format("g", "s"))
_LETTERED = re.compile(r"bi-?\s?rads\s{0,2}[:(]?\s{0,2}(?P<list>(?:[rl]\s?[-:]\s?[0-6]\s?[abc]?[\s,;/]{0,3}){1,2})(?![a-z])")
_LETTER_ITEM = re.compile(r"(?P<side>[rl])\s?[-:]\s?" + _GRADE.format("g", "s"))
_NAMED_ONLY = re.compile(r"(?<![a-z])category\s{1,2}" + _GRADE.format("g", "s") + r"(?!\.?\d|[a-z])")
_BREAST_IMAGING = frozenset({"mammography_report", "ultrasound_report", "mri_report"})
_RADS_BEFORE = re.compile(r"rads[^.;\n]{0,6}$")
_SIDE_NAME = {"l": "left", "r": "right", "左": "left", "右": "right", "双": "both"}
_DIGIT = {"ⅰ": "1", "ⅱ": "2", "ⅲ": "3", "ⅳ": "4", "ⅴ": "5", "ⅵ": "6", "i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
_FINDING = {"2": "pf_bi2", "3": "pf_bi3", "4": "pf_bi4a", "4A": "pf_bi4a", "4B": "pf_bi4b", "4C": "pf_bi4c", "5": "pf_bi5"}
SUSPICIOUS = ("4", "4A", "4B", "4C", "5", "6")


@dataclass(frozen=True, slots=True)
class Category:
    """One printed BI-RADS category: "4A", its side ("" where the text names none) and where it stands."""

    grade: str
    side: str
    start: int
    end: int


def categories(page: Page) -> Iterator[Category]:
    """Every BI-RADS category of a page with its side."""
    listed: set[int] = set()
    for match in _BY_SIDE.finditer(page.lower):
        listed.update(range(*match.span()))
        for item in _SIDE_ITEM.finditer(page.lower, *match.span("list")):
            yield Category(_grade(item), _SIDE_NAME[item["side"]], item.start(), item.end())
    for match in _LETTERED.finditer(page.lower):
        listed.update(range(*match.span()))
        for item in _LETTER_ITEM.finditer(page.lower, *match.span("list")):
            yield Category(_grade(item), _SIDE_NAME[item["side"]], item.start(), item.end())
    for match in _NAMED_ONLY.finditer(page.lower) if page.evidence_type in _BREAST_IMAGING else ():
        if match.start() not in listed and not _RADS_BEFORE.search(page.lower, max(0, match.start() - 12), match.start()):
            yield Category(_grade(match), _side(page, match.start(), match.end()), match.start(), match.end())
    for match in _BIRADS.finditer(page.lower):
        if match.start() not in listed:
            yield Category(_grade(match), _side(page, match.start(), match.end()), match.start(), match.end())


_HIGHER = re.compile(r"[-~至/](?P<g>[0-6])?(?P<s>[abc])?\s?(?:类|级)|\s?[类级]?\s?\((?P<h>4)(?P<t>[abc])\s?[类级]?\)")


def _grade(match: re.Match[str]) -> str:
    """The category; of a printed range ("3-4A类", "4类(4b)") the higher end."""
    grade = _DIGIT.get(match["g"], match["g"]) + (match["s"] or "").upper()
    more = _HIGHER.match(match.string, match.end("s") if match["s"] else match.end("g"))
    if more is None:
        return grade
    other = (more["g"] or more["h"] or grade[0]) + (more["s"] or more["t"] or "").upper()
    return max(grade, other)


def _side(page: Page, start: int, end: int) -> str:
    """Named before it in its sentence, else the last side its section or line named."""
    left, right = page.sentence(start, end)
    after = _SIDE_AFTER.match(page.lower, end, min(right, end + 24))
    if after and not page.side_before(start, left):
        return page.words.any_sides.get(after["side"], "both" if after["side"] == "both" else "")
    line = page.lower.rfind("\n", max(0, start - 120), start) + 1
    heading = page.words.any_side.match(page.lower, line) if line else None
    return (
        page.side_before(start, left)
        or (page.words.any_sides[heading.group()] if heading else "")
        or _any_before(page, start, left)
        or page.side_before(start, max(0, start - 160))
    )


_SIDE_AFTER = re.compile(
    r"\s?[,(]?\s?(?:of |for |in |on )?(?:the )?(?P<side>left|right|both|bilateral)(?: (?:breasts?|sides?))?\s?(?=[.,;)\n]|$)"
)


def _any_before(page: Page, start: int, left: int) -> str:
    """A bare 左 or Right: before the category in its sentence."""
    found = list(page.words.any_side.finditer(page.lower, left, start))
    return page.words.any_sides[found[-1].group()] if found else ""


def read_birads(page: Page, on: DateLike | None) -> None:
    """On an imaging report: the greatest category of each side, the findings, and when imaging first looked suspicious."""
    for category in categories(page):
        if page.assertion(category.start, category.end) in _NOT_SAID:
            continue
        asserted = Assertion.HISTORICAL if _EARLIER.search(page.lower, max(0, category.start - 24), category.start) else Assertion.PRESENT
        observe_category(page, category, on, asserted)
        if asserted is Assertion.PRESENT:
            observe_sides(page, category, on)


_NOT_SAID = frozenset({Assertion.HYPOTHETICAL, Assertion.FAMILY, Assertion.OTHER_PERSON})
"""A category beside "no lesion" is said all the same."""
_EARLIER = re.compile(r"(?:\(was|previously|原[左右双]?[^,。;\n]{0,12}|前次[^,。;\n]{0,8})\s?$")


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
