"""Lymph nodes: positive and examined, as ratios (2/16), in words (16枚，其中2枚见转移; two of sixteen nodes) or as fields of a synopsis.

A ratio counts only where the sentence is about nodes: 2019/11/26, CK5/6, a grade 2/3 and a page 1/2 are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triage.reading.measures import RATIO
from triage.reading.page import Page, Section

_ZH = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_EN = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40}
_CN = r"(?:\d{1,2}|[一二两三四五六七八九十]{1,3})"
_EW = rf"(?:\d{{1,2}}|(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_EN[1:10])}))?|(?:{'|'.join(reversed(_EN))})(?![a-z]))"
_PIECES = r"\s?[枚个粒颗]"
_NODE_WORD = re.compile(r"淋巴结|前哨|腋窝|腋下|lymph node|sentinel|(?<![a-z])ln(?![a-z])|axillary|nodes?(?![a-z])")
_NODE_TOTAL = re.compile(r"(?:共计?|合计|总计|总数|total)[^。;\n\d]{0,14}(?:\d{1,2} (?:out )?of \d{1,2}[^.;\n\d]{0,34})?$")
_NOT_NODES = re.compile(r"(?:ck|grade|score|分级|第|page|her-?2|ihc|fish|\d:|评分)\s?$")
_NOT_NODES_AFTER = re.compile(r"\s?(?:页|级|分(?!之)|hpf|点|of \d|岁|年|月|high)")
_CLEAR = r"(?:均|都|全部)?\s?(?:未见|无|阴性|均阴性|\(-\))"
_IN_WORDS = tuple(
    re.compile(text)
    for text in (
        rf"(?P<n>{_CN}){_PIECES}(?:淋巴结)?[^。;\n]{{0,14}}?(?P<p>{_CN}){_PIECES}(?:淋巴结)?[^。;\n\d未无]{{0,8}}?(?:转移|阳性|见癌|受累|\(\+\))",
        rf"(?P<p>{_CN}){_PIECES}(?:淋巴结)?[^。;\n\d未无]{{0,8}}?转移[^。;\n]{{0,8}}?(?:共|检出|总数|送检)[^。;\n\d]{{0,6}}(?P<n>{_CN}){_PIECES}",
        rf"(?P<n>{_CN}){_PIECES}(?:淋巴结)?[^。;\n\d]{{0,8}}?(?:转移|阳性)\s?(?P<p>{_CN}){_PIECES}",
        rf"(?P<p>{_CN}){_PIECES}\s?/\s?(?P<n>{_CN}){_PIECES}",
        rf"(?P<n>{_CN}){_PIECES}(?:淋巴结)?[^。;\n\d]{{0,8}}?{_CLEAR}[^。;\n\d]{{0,6}}(?:转移|癌|肿瘤|\s?(?=[,。;)\n]|$))",
        rf"(?P<all>{_CN}){_PIECES}(?:淋巴结)?[^。;\n\d未无]{{0,4}}?(?:均|全部|都)(?:见|查见|有|可见|为)?[^。;\n\d未无]{{0,4}}?(?:癌转移|转移|阳性)",
        rf"(?P<p>{_EW}) (?:out )?of (?:the )?(?P<n>{_EW}) [^.;\n]{{0,40}}?nodes?",
        rf"nodes?:?\s{{0,2}}(?P<p>{_EW}) (?:are |were )?(?:positive|involved) (?:out )?of (?P<n>{_EW})(?![\w/])",
        rf"nodes?[^.;\n]{{0,30}}?(?P<p>{_EW}) (?:out )?of (?P<n>{_EW})(?![\w/])",
        rf"(?P<n>{_EW}) (?:[a-z-]+ ){{0,4}}lymph nodes?,?\s?[^.;\n\d]{{0,30}}?(?:negative|no (?:evidence|tumou?r|metasta|carcinoma)|free of|without|benign)",
        rf"(?:no (?:evidence of )?(?:tumou?r|carcinoma|metasta\w{{2,8}}|malignancy)[^.;\n\d]{{0,24}}? in (?:the )?)(?P<n>{_EW}) [^.;\n]{{0,30}}?nodes?",
    )
)
_EXAMINED = re.compile(
    r"(?:nodes?[^.;\n:]{0,24}examined|examined[^.;\n:]{0,20}nodes?|(?:检出|送检|清扫)?淋巴结(?:总数|数目|检出数))[^\d.;\n]{0,16}(?P<v>\d{1,2})(?![\d/.])"
)
_POSITIVE = re.compile(
    r"(?:nodes?[^.;\n:]{0,24}?(?:with (?:macro|micro)?-?metasta\w{2,8}|positive|involved)|nodes?:[^.\n]{0,40}number with (?:macro|micro)?-?metasta\w{2,8}|positive[^.;\n:]{0,12}nodes?|(?:阳性|转移)淋巴结(?:数目|数|个数)?|淋巴结(?:阳性数|转移数))(?:[^\d.;\n(]{0,30}|[^\d.;\n]{0,6}\([^)\d]{0,30}\)[^\d.;\n]{0,6})(?P<v>\d{1,2})(?![\d/.])"
)


_CONTINUES = re.compile(r"(?:total|level [iv]{1,3}|合计|共计|总计|第[一二三]组|[ⅰⅱⅲ]组)[^。;\n\d]{0,30}$")
"""A group or a total in a sentence of its own goes on with the nodes of the one before."""


@dataclass(frozen=True, slots=True)
class Count:
    """Positive of examined nodes, printed at `start` to `end`."""

    positive: int
    examined: int
    start: int
    end: int


def read_nodes(page: Page, bodies: Iterable[Section]) -> None:
    """Observes positive and examined nodes: a printed total, else the sum over the groups of the first section that names any."""
    for body in bodies:
        counts = list(_counts(page, body))
        totals = [c for c in counts if _NODE_TOTAL.search(page.lower, max(body.start, c.start - 56), c.start)]
        chosen = totals[:1] or counts
        if chosen:
            start, end = min(c.start for c in chosen), max(c.end for c in chosen)
            page.observe("nodes.positive", sum(c.positive for c in chosen), start, end)
            page.observe("nodes.examined", sum(c.examined for c in chosen), start, end)
            return
        if _read_fields(page, body):
            return


def _counts(page: Page, body: Section) -> Iterator[Count]:
    """Ratios, and counts in words in sentences that have no ratio."""
    taken: set[tuple[int, int]] = set()
    for match in RATIO.finditer(page.lower, body.start, body.end):
        if _about_nodes(page, match):
            taken.add(page.sentence(*match.span()))
            yield Count(int(match["p"]), int(match["n"]), match.start(), match.end())
    for found in _IN_WORDS:
        for match in found.finditer(page.lower, body.start, body.end):
            sentence = page.sentence(*match.span())
            if _NODE_WORD.search(page.lower, *sentence) and sentence not in taken:
                taken.add(sentence)
                yield _worded(match)


def _worded(match: re.Match[str]) -> Count:
    parts = match.groupdict()
    examined = number(parts.get("n") or parts.get("all") or "0")
    positive = number(parts["p"]) if parts.get("p") else examined if parts.get("all") else 0
    return Count(min(positive, examined) if parts.get("n") else positive, examined, match.start(), match.end())


def number(text: str) -> int:
    """A count in digits, Chinese numerals up to 99 or English words up to 49."""
    if text.isdigit():
        return int(text)
    if text in _EN:
        return _EN.index(text)
    if text[0] in _ZH or text[0] == "十":
        tens, ten, ones = text.partition("十")
        return (_ZH.get(tens, 1) * 10 if ten else 0) + _ZH.get(ones if ten else text, 0)
    first, _, rest = text.replace("-", " ").partition(" ")
    return _TENS[first] + (_EN.index(rest) if rest else 0)


def _read_fields(page: Page, body: Section) -> bool:
    examined = _EXAMINED.search(page.lower, body.start, body.end)
    positive = list(_POSITIVE.finditer(page.lower, body.start, body.end))
    if examined:
        page.observe("nodes.examined", int(examined["v"]), examined.start(), examined.end())
    if positive:
        page.observe("nodes.positive", sum(int(m["v"]) for m in positive), positive[0].start(), positive[-1].end())
    return bool(examined or positive)


def _about_nodes(page: Page, match: re.Match[str]) -> bool:
    left, right = page.sentence(match.start(), match.end())
    near = page.lower[max(left, match.start() - 60) : match.start()]
    if _NOT_NODES.search(near) or _NOT_NODES_AFTER.match(page.lower, match.end()):
        return False
    if _CONTINUES.search(near):
        near = page.lower[max(0, match.start() - 140) : match.start()]
    return bool(_NODE_WORD.search(near) or _NODE_WORD.search(page.lower, match.end(), min(right, match.end() + 24)))
