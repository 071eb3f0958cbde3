"""TNM, stage group, grade, lymph nodes and invasive extent."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from triage.observation import Assertion, Why
from triage.reading.measures import SIZE, extent_mm
from triage.reading.page import Page, Section
from triage.values import Interval

_GAP = r"[\s,、;/.|]{0,3}"
TNM = re.compile(
    r"(?=[a-z])(?<![a-z])(?P<prefix>[yra]{0,2}[pc]|y|r|)\s?t\s?(?P<t>is|x|1mi(?:c)?|0|[1-4][a-d]?)(?:/is)?\s?(?:\((?:m|dcis|lcis|paget|\d|s){1,8}\))?"
    + _GAP
    + r"(?:[ycp]{0,2}n\s?(?P<n>x|[0-3](?:mi|[a-c])?)\s?(?:\([a-z\d+\-, ]{1,8}\))?"
    + _GAP
    + r"(?:[cp]{0,1}m\s?(?P<m>x|[01])(?:\(i\+\))?)?)?"
)
_LONE_N = re.compile(r"(?<![a-z])y?p\s?n\s?(?P<n>x|[0-3](?:mi|[a-c])?)(?![a-z\d])")
_LONE_M = re.compile(r"(?<![a-z])[pc]m\s?(?P<m>x|[01])(?![a-z\d])")
_STAGE_WORD = re.compile(r"(?:stage|tnm|ajcc|分期|primary tumou?r)[^.;\n]{0,24}$")
_LONE_T = re.compile(r"^(?:is|1mi)")
_GROUP = re.compile(
    r"(?<![\dⅠ-ⅻa-z.])(?P<g>0|ⅳ|ⅲ|ⅱ|ⅰ|iv|i{1,3})\s?(?P<s>[abc])?\s?期|(?:stage|stage group(?:ing)?)\s?:?\s{1,2}(?P<e>0|iv|i{1,3}|[1-4])\s?(?P<f>[abc])?(?![a-z\d]|\.\d)"
)
_OTHER_STAGE = re.compile(r"高血压|肾|肝硬化|尘肺|矽肺|糖尿病|褥疮|压疮|压力性|溃疡|kidney|ckd|renal|pressure|ulcer|decubitus|fibrosis")
_ROMAN = {
    "1": "I",
    "2": "II",
    "3": "III",
    "4": "IV",
    "ⅰ": "I",
    "ⅱ": "II",
    "ⅲ": "III",
    "ⅳ": "IV",
    "i": "I",
    "ii": "II",
    "iii": "III",
    "iv": "IV",
    "0": "0",
}
_GRADE_VALUE = {"ⅰ": 1, "ⅱ": 2, "ⅲ": 3, "i": 1, "ii": 2, "iii": 3, "1": 1, "2": 2, "3": 3}
_LEVEL = r"(?:ⅲ|ⅱ|ⅰ|iii|ii|i|[1-3])"
_GRADE = re.compile(
    rf"(?:组织学分级|组织学级别|组织学|病理分级|nottingham(?:分级)?|sbr(?:分级)?|who(?:分级)?|分级|癌|非特殊(?:类|)型\)?|nos\)?|nst\)?|grade|,|\()\s{{0,2}}:?\s{{0,2}}g?\s?(?P<a>{_LEVEL})\s?(?:[-~]\s?(?P<b>{_LEVEL}))?\s?级"
    rf"|(?:组织学分级|组织学级别|histologic(?:al)? grade|nottingham(?:分级)?|bloom.richardson|(?<![a-z])sbr|grade)(?:\s?\([a-z ,\-]{{2,30}}\))?[\s:,]{{0,3}}(?:grade|score)?[\s:]{{0,2}}(?P<c>{_LEVEL})(?![\da-z]|\.\d|\s?\+)\s?(?:[-~]\s?(?P<d>{_LEVEL})(?![\da-z]))?(?!\s?/\s?9)"
    r"|(?P<words>(?:well|moderately|poorly)[ -]differentiated|高分化|中分化|低分化)(?=[^.。;\n]{0,24}(?:carcinoma|癌))"
)
_DIFFERENTIATED = {"well": 1, "moderately": 2, "poorly": 3, "高分化": 1, "中分化": 2, "低分化": 3}
_OTHER_GRADE = re.compile(r"miller|payne|(?<![a-z])mp|核分级|核级|核分裂|rads|原位|trg|治疗反应|nuclear|in situ|dcis|mitotic")
_INVASIVE_SIZE = re.compile(
    r"(?:浸润(?:性?癌)?(?:灶|成分|病灶|区|部分)|浸润性?癌|微浸润|invasive (?:component|focus|foci|carcinoma|tumou?r))[^。;,\n]{0,16}?"
    r"(?:最大径|直径|径|大小|范围|长径|size|measur\w{1,4}|greatest dimension|,|:)?[^\d。;\n]{0,8}$"
)
_TUMOUR_SIZE = re.compile(
    r"(?:肿瘤|肿块|肿物|癌灶|瘤体|病灶|癌肿|瘤床|tumou?r)\s{0,2}(?:大小|最大径|直径|体积|范围|长径|size)?[^\d。;\n]{0,14}$"
    r"|(?:最大径|大小|直径|greatest dimension|size|measuring|measures|spanning)[^\d。;\n]{0,6}$"
)
_SIZE_AFTER = re.compile(
    r"\s?,?\s?(?:in|at|as) (?:its )?(?:the )?(?:greatest|largest|maximum|maximal|max)|\s?(?:in )?(?:greatest|maximum|maximal) (?:dimension|diameter|extent)"
)
_LISTED = re.compile(r"(?:癌|carcinoma)[^。;\n]{0,80}[,(]\s?$")
_LIST_GOES_ON = re.compile(r"\s?(?:[.,;)。\n]|$)")
"""A bare extent in the list behind a carcinoma ("浸润性导管癌,Ⅱ级,2.1cm,") is the carcinoma's."""
_CANCER = re.compile(r"癌|carcinoma")
_NOT_TUMOUR = re.compile(
    r"原位|转移灶|切缘|淋巴结|距|皮肤|组织\S{0,4}大小|标本\S{0,4}大小|乳腺组织|肌肉|脂肪|metasta|margin|in situ|dcis|lymph node|skin|nipple|distance|specimen|biopsy (?:site|cavity)|clip|excised tissue|extranodal|from the"
)


def read_stage(page: Page, *, basis: str | None = None, within: Iterable[Section] | None = None) -> None:
    """Observes TNM (value without suffixes) and the stage group; a y prefix marks staging after neoadjuvant therapy."""
    bodies = list(within) if within is not None else [Section("", 0, len(page.lower))]
    for body in bodies:
        if match := _tnm(page, body):
            _observe_tnm(page, match, basis)
            break
    for body in bodies:
        _observe_lone(page, body, basis)
    for body in bodies:
        if group := _group(page, body):
            number, letter = group["g"] or group["e"], (group["s"] or group["f"] or "").upper()
            page.observe("stage.group", _ROMAN[number] + letter, group.start(), group.end(), basis=basis)
            break


def _tnm(page: Page, body: Section) -> re.Match[str] | None:
    """The first T with N; else a T that says it is pathological, or that stands behind a word for the stage."""
    lone = None
    for match in TNM.finditer(page.lower, body.start, body.end):
        if match["n"] is not None:
            return match
        if lone is None and ("p" in match["prefix"] or _STAGE_WORD.search(page.lower, max(0, match.start() - 36), match.start())):
            lone = match
    return lone


def _observe_lone(page: Page, body: Section, basis: str | None) -> None:
    """N and M printed apart from T, each with its own prefix, where nothing said them yet."""
    for fact, found, name in (("stage.N", _LONE_N, "n"), ("stage.M", _LONE_M, "m")):
        apart = None if page.has_said(fact) else found.search(page.lower, body.start, body.end)
        if apart:
            value = "X" if apart[name] == "x" else apart[name]
            page.observe(fact, value, apart.start(), apart.end(), basis=basis)


def _group(page: Page, body: Section) -> re.Match[str] | None:
    """The first stage group that is the tumour's, not of a pressure sore, a kidney or a trial."""
    for match in _GROUP.finditer(page.lower, body.start, body.end):
        if not _OTHER_STAGE.search(page.lower, max(body.start, match.start() - 14), match.end()):
            return match
    return None


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
            values = [_GRADE_VALUE[v] for v in (match["a"], match["b"], match["c"], match["d"]) if v] or [_differentiation(match["words"])]
            one = values[0] if len(set(values)) == 1 else Interval(min(values), max(values))
            page.observe("grade", one, match.start(), match.end(), why=None if len(set(values)) == 1 else Why.UNCLEAR)
            return


def _differentiation(words: str) -> int:
    return _DIFFERENTIATED[words if words in _DIFFERENTIATED else words.replace("-", " ").split()[0]]


def read_invasive_extent(page: Page, bodies: Iterable[Section], *, invasive: bool, tumours: Sequence[tuple[int, bool]] = ()) -> None:
    """The extent said of the invasive part, else of the tumour where the diagnosis is invasive and no in-situ part shares it.
    `tumours` are the ends of the morphologies the diagnosis states, in order, and whether each is invasive."""
    labelled: list[tuple[float, int, int]] = []
    plain: list[tuple[float, int, int]] = []
    for body in bodies:
        for match in SIZE.finditer(page.lower, body.start, body.end):
            extent = extent_mm(match)
            if extent is None:
                continue
            left, _ = page.sentence(match.start(), match.end())
            before = page.lower[max(left, match.start() - 90) : match.start()]
            if _INVASIVE_SIZE.search(before[-36:]) and page.assertion(match.start(), match.end()) is not Assertion.NEGATED:
                labelled.append((extent, match.start(), match.end()))
            elif _of_tumour(page, match, before) and not _NOT_TUMOUR.search(before) and page.first(_CANCER, body) < match.start():
                (labelled if _nearest_is_invasive(tumours, left, match.start()) else plain).append((extent, match.start(), match.end()))
    chosen = labelled or (plain if invasive else [])
    if chosen:
        extent, start, end = max(chosen)
        page.observe("pathology.invasive_size_mm", extent, start, end)


def _of_tumour(page: Page, match: re.Match[str], before: str) -> bool:
    bare = _LISTED.search(before) and _LIST_GOES_ON.match(page.lower, match.end())
    return bool(bare or _TUMOUR_SIZE.search(before) or _SIZE_AFTER.match(page.lower, match.end()))


def _nearest_is_invasive(tumours: Sequence[tuple[int, bool]], left: int, at: int) -> bool:
    """Whether the last morphology before an extent in its sentence is an invasive one."""
    index = bisect_right(tumours, (at, True)) - 1
    return index >= 0 and tumours[index][0] >= left and tumours[index][1]
