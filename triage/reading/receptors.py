"""Immunohistochemistry: ER, PR, HER2, Ki-67 and the myoepithelial markers."""

from __future__ import annotations

import re
from typing import Any

from triage.observation import Assertion, Why
from triage.reading.measures import percent
from triage.reading.page import Page
from triage.values import Interval, OneOf

_TAIL = r"\s{0,2}(?::\s{0,2})?(?:\((?P<in>[^()\n]{0,30})\)|(?P<out>[^,;。、\n(]{0,20}(?:\([^()\n]{0,24}\))?))"
_MARKERS = {
    "ihc.ER_pct": re.compile(
        r"(?<![a-z])(?:er|雌激素受体|o?estrogen receptors?)(?![a-z])(?:\s?\((?:er|pr|er/pr)\))?(?:(?:[、/及和])(?:pr|pgr|孕激素受体)(?![a-z]))?均?"
        + _TAIL
    ),
    "ihc.PR_pct": re.compile(r"(?<![a-z])(?:pr|pgr|孕激素受体|progesterone receptors?)(?![a-z])(?:\s?\((?:pr|pgr)\))?" + _TAIL),
    "ihc.ki67_pct": re.compile(
        r"(?<![a-z])ki-?\s?67(?:指数|增殖指数|阳性指数|阳性率|\s?(?:proliferati(?:on|ve)\s|labell?ing\s|nuclear\s)?index|\s?li|\s?proliferation)?"
        + _TAIL
    ),
}
_HER2 = re.compile(r"(?<![a-z])(?:her-?\s?2(?:/neu)?|c-?erbb-?2)" + _TAIL)
_FISH = re.compile(r"fish[^。;\n]{0,24}?(?P<v>未扩增|无扩增|不扩增|无明显扩增|阴性|扩增|阳性|not amplified|amplified|negative|positive)")
_AMPLIFIED = re.compile(
    r"her-?\s?2(?:/neu)?(?:基因)?[^。;\n]{0,14}?(?P<v>未扩增|无扩增|不扩增|无明显扩增|未见扩增|阴性|扩增|阳性|not amplified|amplified|negative|positive)"
)
_ISH = re.compile(r"(?<![a-z])f?ish(?![a-z])|原位杂交")
_MYO = re.compile(r"(?<![a-z])(?:p63|calponin|ck5/6|smmhc|sma|cd10)(?![a-z0-9])" + _TAIL)
_TRIPLE_NEGATIVE = re.compile(r"三阴性|三阴型|triple.negative")
_NEGATIVE = re.compile(r"^[\s约:(\[]{0,3}(?:-|阴性|negative|neg(?![a-z])|0(?![\d.%/]))")


def _tail(match: re.Match[str]) -> str:
    return (match["in"] if match["in"] is not None else match["out"]) or ""


def read_receptors(page: Page) -> None:
    """Observes every marker the paper reports; advice to test one ("建议FISH") reports nothing."""
    for fact, marker in _MARKERS.items():
        for match in marker.finditer(page.lower):
            value = _share(fact, _tail(match))
            if value is None or isinstance(value, Interval) or value == 0:
                told = percent(_whole_tail(page.lower, match.start(match.lastgroup or 0) if match.lastgroup else match.end()))
                value = told if told is not None else value
            if value is not None:
                page.observe(fact, value, match.start(), match.end())
                break
    _read_her2(page)
    _read_triple(page)
    _read_myoepithelium(page)


_NEXT = re.compile(
    r"(?<![a-z])(?:er|pr|pgr|her-?\s?2|c-?erbb|ki-?\s?67|mib-?1|p63|p53|ck\s?\d|ar|egfr|fish|e-?cad\w*|o?estrogen|progesterone|smmhc|calponin|gata|p120)(?![a-z])|雌激素|孕激素|[。;\n]|\.\s"
)
_LONGEST = 56
"""Characters over which a marker's result may be told."""


def _whole_tail(lower: str, at: int) -> str:
    """What is told of a marker up to the next one."""
    stop = _NEXT.search(lower, at, at + _LONGEST)
    return lower[at : stop.start() if stop else at + _LONGEST]


def _share(fact: str, tail: str) -> Any:
    value = percent(tail)
    if value is not None:
        return value
    if _NEGATIVE.search(tail):
        return None if fact == "ihc.ki67_pct" else 0
    if "+" in tail or "阳性" in tail or "positive" in tail:
        return Interval(1, 100)
    return None


def _read_her2(page: Page) -> None:
    for match in _HER2.finditer(page.lower):
        tail = _tail(match).strip()
        score = _her2_score(tail)
        if score is None or isinstance(score, OneOf):
            more = _her2_score(_whole_tail(page.lower, match.start(match.lastgroup or 0) if match.lastgroup else match.end()))
            score = more if more is not None and not isinstance(more, OneOf) else score
        if score is not None:
            page.observe("ihc.HER2", score, match.start(), match.end(), why=Why.UNCLEAR if isinstance(score, OneOf) else None)
        if re.match(r"[^,;。]{0,4}(?:阳性|过表达|positive)", tail) and score is None:
            page.observe("ihc.HER2_called_positive", True, match.start(), match.end())
    fish = _FISH.search(page.lower)
    if fish is None and page.evidence_type == "molecular_report" and _ISH.search(page.lower):
        fish = _AMPLIFIED.search(page.lower)
    if fish:
        negative = fish["v"] in ("未扩增", "无扩增", "不扩增", "无明显扩增", "未见扩增", "阴性", "not amplified", "negative")
        page.observe("ihc.HER2_fish", "not_amplified" if negative else "amplified", fish.start(), fish.end())


def _read_triple(page: Page) -> None:
    """ "三阴性" states all three at once where the markers are not listed."""
    match = _TRIPLE_NEGATIVE.search(page.lower)
    if match is None or page.assertion(match.start(), match.end()) is not Assertion.PRESENT:
        return
    told = {o.fact for o in page.observations}
    for fact in ("ihc.ER_pct", "ihc.PR_pct"):
        if fact not in told:
            page.observe(fact, 0, match.start(), match.end())


def _her2_score(tail: str) -> str | OneOf | None:
    scored = re.search(r"(?<!\d)([0-3])\s?\+", tail) or re.search(r"(?:score|ihc|\()\s?(?:of|:)?\s?([0-3])(?![\d.%/])", tail)
    if scored:
        return "0" if scored[1] == "0" else f"{scored[1]}+"
    plus = re.match(r"[^\d+]{0,6}(\+{1,3})", tail)
    if plus:
        return f"{len(plus[1])}+"
    if re.match(r"[^\d+]{0,6}0(?![\d.%/])", tail):
        return "0"
    return OneOf(frozenset({"0", "1+"})) if _NEGATIVE.search(tail) else None


def _read_myoepithelium(page: Page) -> None:
    states: set[str] = set()
    where: list[re.Match[str]] = []
    for match in _MYO.finditer(page.lower):
        tail = _tail(match)
        lost = _NEGATIVE.search(tail) or "缺失" in tail or "消失" in tail
        seen = "+" in tail or "阳性" in tail or "存在" in tail or "可见" in tail
        if lost or seen:
            states.add("lost" if lost else "present")
            where.append(match)
    if len(states) == 1:
        page.observe("myoepithelium", states.pop(), where[0].start(), where[0].end())
    elif where:
        page.observe("myoepithelium", None, where[0].start(), where[0].end(), why=Why.UNCLEAR)
