"""TNM, stage group, grade, lymph nodes and invasive extent."""

from __future__ import annotations

import re
from collections.abc import Iterable

from triage.observation import Assertion, Why
from triage.reading.measures import RATIO, SIZE, extent_mm
from triage.reading.page import Page, Section
from triage.values import Interval

_GAP = r"[\s,、]{0,2}"
TNM = re.compile(
    r"(?<![a-z])(?P<prefix>[ycpra]{0,3})\s?t\s?(?P<t>is|x|1mi(?:c)?|0|[1-4][a-d]?)(?:/is)?\s?(?:\((?:m|dcis|lcis|paget|\d|s){1,8}\))?"
    + _GAP
    + r"(?:[ycp]{0,2}n\s?(?P<n>x|[0-3](?:mi|[a-c])?)\s?(?:\([a-z+\-, ]{1,8}\))?"
    + _GAP
    + r"(?:[cp]{0,1}m\s?(?P<m>x|[01])(?:\(i\+\))?)?)?"
)
_LONE_T = re.compile(r"^(?:is|1mi)")
_GROUP = re.compile(r"(?<![\dⅠ-ⅻa-z.])(?P<g>0|ⅳ|ⅲ|ⅱ|ⅰ|iv|i{1,3})\s?(?P<s>[abc])?\s?期|stage\s+(?P<e>0|iv|i{1,3})(?P<f>[abc])?(?![a-z])")
_ROMAN = {"ⅰ": "I", "ⅱ": "II", "ⅲ": "III", "ⅳ": "IV", "i": "I", "ii": "II", "iii": "III", "iv": "IV", "0": "0"}
_GRADE_VALUE = {"ⅰ": 1, "ⅱ": 2, "ⅲ": 3, "i": 1, "ii": 2, "iii": 3, "1": 1, "2": 2, "3": 3}
_GRADE = re.compile(
    r"(?:组织学分级|组织学级别|组织学|病理分级|nottingham(?:分级)?|分级|癌|非特殊(?:类|)型\)?|nos\)?|nst\)?|grade|,|\()\s{0,2}:?\s{0,2}g?\s?(?P<a>ⅲ|ⅱ|ⅰ|iii|ii|i|[1-3])\s?(?:[-~]\s?(?P<b>ⅲ|ⅱ|ⅰ|iii|ii|i|[1-3]))?\s?级"
    r"|(?:组织学分级|grade|nottingham(?:分级)?)\s{0,2}:?\s{0,2}(?P<c>ⅲ|ⅱ|ⅰ|iii|ii|[1-3])(?![\d.\-/])"
)
_OTHER_GRADE = re.compile(r"miller|payne|(?<![a-z])mp|核分级|核级|核分裂|rads|原位|trg|治疗反应")
_NODE_WORD = re.compile(r"淋巴结|前哨|腋窝|腋下|lymph node|sentinel|(?<![a-z])ln(?![a-z])")
_NODE_TOTAL = re.compile(r"(?:共计?|合计|总计|总数|total)[^。;\n]{0,10}$")
_NODES_IN_WORDS = re.compile(
    r"淋巴结\s{0,2}(?:共)?\s{0,2}(?P<n>\d{1,2})\s{0,2}[枚个][^。;\n]{0,12}?(?P<p>\d{1,2})\s{0,2}[枚个][^。;\n]{0,6}?(?:转移|阳性|见癌)"
)
_NODES_CLEAR = re.compile(
    r"淋巴结\s{0,2}(?:共)?\s{0,2}(?P<n>\d{1,2})\s{0,2}[枚个][^。;\n\d]{0,8}?(?:均未见|未见|均阴性|无)[^。;\n\d]{0,4}转移"
)
_INVASIVE_SIZE = re.compile(
    r"(?:浸润(?:性?癌)?(?:灶|成分|病灶|区|部分)|浸润性?癌|微浸润|invasive (?:component|focus|carcinoma|tumou?r))[^。;,\n]{0,16}?"
    r"(?:最大径|直径|径|大小|范围|长径|size|measur\w{1,4}|,)?[^\d。;\n]{0,8}$"
)
_TUMOUR_SIZE = re.compile(
    r"(?:肿瘤|肿块|肿物|癌灶|瘤体|病灶|癌肿|瘤床|tumou?r)\s{0,2}(?:大小|最大径|直径|体积|范围|长径|size)?[^\d。;\n]{0,8}$|(?:最大径|大小|直径|greatest dimension|size|measuring)[^\d。;\n]{0,6}$"
)

_CANCER = re.compile(r"癌|carcinoma")
_NOT_TUMOUR = re.compile(r"原位|转移灶|切缘|淋巴结|距|皮肤|组织\S{0,4}大小|metasta|margin")


def read_stage(page: Page, *, basis: str | None = None, within: Iterable[Section] | None = None) -> None:
    """Observes TNM (value without suffixes) and the stage group; a y prefix marks staging after neoadjuvant therapy."""
    bodies = list(within) if within is not None else [Section("", 0, len(page.lower))]
    for body in bodies:
        match = next((m for m in TNM.finditer(page.lower, body.start, body.end) if m["n"] or (m["prefix"] and m["t"])), None)
        if match:
            _observe_tnm(page, match, basis)
            break
    for body in bodies:
        group = _GROUP.search(page.lower, body.start, body.end)
        if group:
            page.observe(
                "stage.group",
                _ROMAN[group["g"] or group["e"]] + (group["s"] or group["f"] or "").upper(),
                group.start(),
                group.end(),
                basis=basis,
            )
            break


def _observe_tnm(page: Page, match: re.Match[str], basis: str | None) -> None:
    t = match["t"].replace("1mic", "1mi")
    t = "X" if t == "x" else t
    n, m = (None if v is None else "X" if v == "x" else v for v in (match["n"], match["m"]))
    prefix = match["prefix"]
    if prefix.startswith("c") and page.evidence_type != "pathology_report":
        basis = "clinical"
    start, end = match.start(), match.end()
    if n is not None:
        page.observe("stage.tnm", f"{prefix}T{t}N{n}" + (f"M{m}" if m is not None else ""), start, end, basis=basis)
        page.observe("stage.N", n, start, end, basis=basis)
    page.observe("stage.T", t, start, end, basis=basis)
    if m is not None:
        page.observe("stage.M", m, start, end, basis=basis)
    page.observe("stage.after_neoadjuvant", "y" in prefix, start, end, basis=basis)


def read_grade(page: Page, bodies: Iterable[Section]) -> None:
    """Observes the histological grade; a range is unclear. Other gradings (Miller-Payne, nuclear, BI-RADS) are not it."""
    for body in bodies:
        for match in _GRADE.finditer(page.lower, body.start, body.end):
            if _OTHER_GRADE.search(page.lower, max(body.start, match.start() - 14), match.start() + 4):
                continue
            values = [_GRADE_VALUE[v] for v in (match["a"], match["b"], match["c"]) if v]
            one = values[0] if len(set(values)) == 1 else Interval(min(values), max(values))
            page.observe("grade", one, match.start(), match.end(), why=None if len(set(values)) == 1 else Why.UNCLEAR)
            return


def read_nodes(page: Page, bodies: Iterable[Section]) -> None:
    """Positive and examined nodes: a printed total, else the sum over the groups of the first section that names any."""
    for body in bodies:
        found = [m for m in RATIO.finditer(page.lower, body.start, body.end) if _about_nodes(page, m)]
        totals = [m for m in found if _NODE_TOTAL.search(page.lower, max(body.start, m.start() - 14), m.start())]
        chosen = totals[:1] or found
        if chosen:
            positive, examined = sum(int(m["p"]) for m in chosen), sum(int(m["n"]) for m in chosen)
            page.observe("nodes.positive", positive, chosen[0].start(), chosen[-1].end())
            page.observe("nodes.examined", examined, chosen[0].start(), chosen[-1].end())
            return
        clear = _NODES_CLEAR.search(page.lower, body.start, body.end)
        if clear:
            page.observe("nodes.positive", 0, clear.start(), clear.end())
            page.observe("nodes.examined", int(clear["n"]), clear.start(), clear.end())
            return
        words = _NODES_IN_WORDS.search(page.lower, body.start, body.end)
        if words:
            page.observe("nodes.positive", int(words["p"]), words.start(), words.end())
            page.observe("nodes.examined", int(words["n"]), words.start(), words.end())
            return


def _about_nodes(page: Page, match: re.Match[str]) -> bool:
    left, right = page.sentence(match.start(), match.end())
    near = page.lower[max(left, match.start() - 60) : match.start()]
    if re.search(r"ck\s?$", near):
        return False
    return bool(_NODE_WORD.search(near) or _NODE_WORD.search(page.lower, match.end(), min(right, match.end() + 24)))


def read_invasive_extent(page: Page, bodies: Iterable[Section], *, invasive: bool) -> None:
    """The extent said of the invasive part, else of the tumour where the diagnosis is invasive and no in-situ part shares it."""
    labelled: list[tuple[float, int, int]] = []
    plain: list[tuple[float, int, int]] = []
    for body in bodies:
        for match in SIZE.finditer(page.lower, body.start, body.end):
            extent = extent_mm(match)
            if extent is None:
                continue
            left, _ = page.sentence(match.start(), match.end())
            before = page.lower[max(left, match.start() - 36) : match.start()]
            if _INVASIVE_SIZE.search(before) and page.assertion(match.start(), match.end()) is not Assertion.NEGATED:
                labelled.append((extent, match.start(), match.end()))
            elif _TUMOUR_SIZE.search(before) and not _NOT_TUMOUR.search(before) and _CANCER.search(page.lower, body.start, match.start()):
                plain.append((extent, match.start(), match.end()))
    chosen = labelled or (plain if invasive else [])
    if chosen:
        extent, start, end = max(chosen)
        page.observe("pathology.invasive_size_mm", extent, start, end)
