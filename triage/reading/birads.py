"""BI-RADS categories as printed: one, several in a list, one for each breast, in a table's column, with the side before, after or
not at all. What a category means for a claim is not known here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import yaml

from triage.reading.page import Page
from triage.reading.vocabulary import resource

BREAST_IMAGING = frozenset({"mammography_report", "ultrasound_report", "mri_report"})
REACH = 400
"""Characters above a category without a side in which the findings it sums up stand."""
_SIDES = {"l": "left", "r": "right", "左": "left", "右": "right", "双": "both", "left": "left", "right": "right", "both": "both"}
_SIDES["bilateral"] = "both"


@dataclass(frozen=True, slots=True)
class Category:
    """One printed BI-RADS category: "4A", its side ("" where the text names none) and where it stands."""

    grade: str
    side: str
    start: int
    end: int


@dataclass(frozen=True)
class _Patterns:
    name: re.Pattern[str]
    first: re.Pattern[str]
    further: re.Pattern[str]
    unnamed: re.Pattern[str]
    category: re.Pattern[str]
    cell: re.Pattern[str]
    after: re.Pattern[str]
    other: re.Pattern[str]
    earlier: re.Pattern[str]
    numerals: dict[str, str]


_SIDE = r"(?:(?P<side>左|右|双|(?<![a-z])(?:left|right|both|bilateral|[lr](?=\s?[-:]?\s?[0-6ⅰ-ⅵ])))(?:侧?乳(?:腺|房)?|侧|\s?(?:breasts?|sides?))?\s{0,2}[:(-]?\s{0,2}(?:为|is )?)"


@cache
def _patterns() -> _Patterns:
    data: dict[str, Any] = yaml.safe_load(resource("birads.yaml"))
    numerals = {word: digit for digit, words in data["numerals"].items() for word in words}
    grade = _grade_pattern(numerals, data)
    filler, between, meaning = (rf"(?:{data[key]})" for key in ("filler", "between", "meaning"))
    return _Patterns(
        name=re.compile(data["name"]),
        first=re.compile(rf"{filler}{{0,8}}{_SIDE}?{filler}{{0,3}}{grade}"),
        further=re.compile(rf"{between}{{0,6}}(?:{_SIDE}{filler}{{0,3}}{grade}|(?<=[、/和与及])\s?{grade.replace('?P<', '?P<x')})"),
        unnamed=re.compile(
            rf"(?P<side>[左右双])侧?乳?(?:腺|房)?(?P<gap>[^。;\n左右]{{0,24}}?(?:{data['lesion']})|)[\s:(,为]{{0,3}}{grade}(?<=[类级abc])"
        ),
        category=re.compile(rf"(?<![a-z])category\s{{1,2}}{grade}"),
        cell=re.compile(rf"\s{{0,3}}(?:{data['name']})?\s{{0,2}}{grade}\s{{0,3}}"),
        after=re.compile(
            rf"{meaning}{{0,8}}(?<![a-z])(?P<side>left|right|both|bilateral)(?: (?:breasts?|sides?))?\s?(?=[.,;)\n]| and |$)"
            r"|\s?\((?P<zh>[左右双])侧?乳?(?:腺|房)?\)"
        ),
        other=re.compile(data["other_scale"]),
        earlier=re.compile(rf"(?:{data['earlier']})$"),
        numerals=numerals,
    )


def _grade_pattern(numerals: dict[str, str], data: dict[str, Any]) -> str:
    chinese = "".join(word for word in numerals if "\u4e00" <= word <= "\u9fff")
    english = "|".join(word for word in numerals if word.isascii() and len(word) > 2 and word != "iii")
    number = (
        rf"[0-6]|[ⅰ-ⅵ]|(?<![a-z])(?:iv|v|i{{1,3}})(?=\s?[abc]?(?![a-z]))|[{chinese}](?=\s?[abc]?\s?[类级])|(?<![a-z])(?:{english})(?![a-z])"
    )
    return (
        rf"(?P<g>{number})(?!{data['counts']}|{data['general']})\s?(?P<s>[abc](?![a-z]))?"
        r"(?:\s?[类级](?P<s2>[abc](?![a-z]))?|(?=\))|(?!\.?\d|[a-z]))"
    )


def categories(page: Page) -> Iterator[Category]:
    """Every BI-RADS category of a page with its side, in order."""
    found = {c.start: c for c in _unnamed(page)}
    found |= {c.start: c for c in _tables(page)}
    for name in _patterns().name.finditer(page.lower):
        found |= {c.start: c for c in _chain(page, *name.span())}
    last = 0
    for start in sorted(found):
        category, last = _sided(page, found[start], last)
        yield category


def _chain(page: Page, name: int, at: int) -> Iterator[Category]:
    """The categories after the scale's name: the first, and those that go on listing."""
    chain: list[Category] = []
    match = _patterns().first.match(page.lower, at)
    while match:
        chain.append(_category(match))
        after = _patterns().after.match(page.lower, match.end())
        match = _patterns().further.match(page.lower, match.end() if not after else after.end())
    told = _distributed(page, at, chain)
    yield from (replace(told[0], start=name), *told[1:]) if told else ()


def _distributed(page: Page, at: int, chain: list[Category]) -> list[Category]:
    """ "左乳、右乳…分别为4A类、3类": as many sides before them as categories without one."""
    if len(chain) < 2 or any(c.side for c in chain[1:]):
        return chain
    left, _ = page.sentence(at, at)
    named = [page.words.any_sides[m.group()] for m in page.words.any_side.finditer(page.lower, left, chain[0].start)]
    sides = named[-len(chain) :]
    if len(sides) == len(chain) == len(set(sides)):
        return [replace(c, side=s) for c, s in zip(chain, sides, strict=True)]
    return chain


_REQUEST = ("clinical_dx", "present_illness", "past_history", "chief_complaint")


def is_earlier(page: Page, category: Category) -> bool:
    """Whether a report of images tells a category of an examination before it."""
    before = page.lower[max(0, category.start - 48) : category.start]
    return page.section_at(category.start) in _REQUEST or _patterns().earlier.search(before) is not None


def is_advice(page: Page, category: Category) -> bool:
    """Whether a note at the foot speaks of a category in general: it names no breast."""
    left, right = page.sentence(category.start, category.end)
    return page.section_at(category.start) == "note" and page.words.any_side.search(page.lower, left, right) is None


def _unnamed(page: Page) -> Iterator[Category]:
    """A category of a breast's lesion without the scale's name: 左乳结节（4A类）; in English "category 4" on a breast report."""
    patterns = _patterns()
    if page.evidence_type in BREAST_IMAGING:
        yield from (_category(m) for m in patterns.category.finditer(page.lower) if not _of_other_scale(page, m.start()))
    for match in patterns.unnamed.finditer(page.lower) if page.words.language == "zh" else ():
        said = page.lower[page.sentence(match.start(), match.end())[0] : match.start("g")]
        if "乳" in (match.group() if match["gap"] else said) and not patterns.other.search(match.group()):
            yield _category(match)


def _of_other_scale(page: Page, at: int) -> bool:
    return re.search(r"rads[^.;\n]{0,6}$", page.lower[max(0, at - 12) : at]) is not None


_WIDE, _NARROW = re.compile(r"\||\t|\s{2,}"), re.compile(r"\s+")


def _tables(page: Page) -> Iterator[Category]:
    """Rows that begin with a breast, under a heading that names the scale: 左乳 | 2.1x1.3 | 4A. Where blanks alone part the cells, the
    scale must be the last column."""
    start, column = 0, None
    for line in page.lower.split("\n"):
        wide = _cells(line, start, _WIDE)
        cells = wide if len(wide) > 1 else _cells(line, start, _NARROW)
        named = [n for n, (a, b) in enumerate(cells) if _is_name(page.lower[a:b])]
        if len(cells) > 1 and named and (wide is cells or named[0] == len(cells) - 1):
            column = named[0] if wide is cells else -1
        elif column is not None and column < len(cells):
            yield from _row(page, cells, column)
        start += len(line) + 1


def _is_name(cell: str) -> bool:
    name = _patterns().name.match(cell.strip())
    return name is not None and cell.strip()[name.end() :].strip() in ("", "分类", "分级", "category", "类别")


def _cells(line: str, start: int, cuts: re.Pattern[str]) -> list[tuple[int, int]]:
    cells, at = [], 0
    for cut in cuts.finditer(line.rstrip()):
        cells.append((start + at, start + cut.start()))
        at = cut.end()
    return [*cells, (start + at, start + len(line.rstrip()))]


def _row(page: Page, cells: list[tuple[int, int]], column: int) -> Iterator[Category]:
    first = next((c for c in cells if page.lower[slice(*c)].strip()), cells[0])
    side = page.words.any_side.match(page.lower, first[0] + (page.lower[first[0] : first[0] + 1] == " "), first[1])
    match = _patterns().cell.fullmatch(page.lower, *cells[column])
    if side and match:
        yield replace(_category(match), side=page.words.any_sides[side.group()])


_HIGHER = re.compile(r"[-~至/](?P<g>[0-6])?(?P<s>[abc])?\s?(?:类|级)|\s?[类级]?\s?\((?P<h>4)(?P<t>[abc])\s?[类级]?\)")


def _category(match: re.Match[str]) -> Category:
    part = match.groupdict()
    x = "x" if part.get("xg") else ""
    letter = part[f"{x}s"] or part[f"{x}s2"]
    grade = _patterns().numerals.get(part[f"{x}g"], part[f"{x}g"]) + (letter or "").upper()
    end = match.end(f"{x}s") if part[f"{x}s"] else match.end(f"{x}g")
    side = "" if x else _SIDES.get(part.get("side") or "", "")
    more = _HIGHER.match(match.string, end)
    if more is not None:
        grade = max(grade, (more["g"] or more["h"] or grade[0]) + (more["s"] or more["t"] or "").upper())
    return Category(grade, side, match.start(f"{x}g"), match.end())


def _sided(page: Page, category: Category, last: int) -> tuple[Category, int]:
    """With its own side, else the one that stands after it with none nearer before it, else what its sentence, line or findings name;
    and where what is said of it ends."""
    if category.side:
        return category, category.end
    left, right = page.sentence(category.start, category.end)
    after = _patterns().after.match(page.lower, category.end, min(right, category.end + 60))
    if after and not _side_between(page, max(left, last), category.start):
        return replace(category, side=_SIDES[after["side"] or after["zh"]]), after.end()
    return replace(category, side=_side_above(page, category.start, left)), category.end


def _side_above(page: Page, at: int, left: int) -> str:
    """The side named before a category: in its sentence, at the head of its line, in the sentence before it, in what it sums up."""
    line = page.lower.rfind("\n", max(0, at - 120), at) + 1
    heading = page.words.any_side.match(page.lower, line) if line else None
    side = _breast_between(page, left, at) or (page.words.any_sides[heading.group()] if heading else "") or _side_between(page, left, at)
    if side or left <= line:
        return side or _summed_up(page, at)
    before, _ = page.sentence(left - 1, left - 1)
    return _side_between(page, max(before, line), left) or _summed_up(page, at)


def _side_between(page: Page, low: int, high: int) -> str:
    """The last bare 左 or Right: in a stretch of text."""
    found = list(page.words.any_side.finditer(page.lower, low, high))
    return page.words.any_sides[found[-1].group()] if found else ""


_NEARBY = re.compile(r"侧?(?:腋|锁骨|淋巴)| axill")


def _breast_between(page: Page, low: int, high: int) -> str:
    """The last side in a stretch of text that is not the axilla's."""
    found = [m for m in page.words.any_side.finditer(page.lower, low, high) if not _NEARBY.match(page.lower, m.end())]
    return page.words.any_sides[found[-1].group()] if found else ""


_NOTHING = re.compile(r"未见|未探及|未发现|正常|无异常|(?<![a-z])no |negative|unremarkable|normal")


def _summed_up(page: Page, at: int) -> str:
    """The one side whose lesion the lines above tell; both where only both are named; else none."""
    told: list[str] = []
    quiet: list[str] = []
    for match in page.words.side.finditer(page.lower, max(0, at - REACH), at):
        _, right = page.sentence(match.start(), match.end())
        (quiet if _NOTHING.search(page.lower, match.end(), min(right, match.end() + 40)) else told).append(page.words.sides[match.group()])
    sides = set(told) or set(quiet)
    single = sides - {"both"}
    return single.pop() if len(single) == 1 else "both" if sides == {"both"} else ""
