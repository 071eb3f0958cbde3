"""What a body can do and which organ holds out: muscle grades by limb, activities of daily living, sight, dialysis, kidney and heart class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from triage.observation import Assertion
from triage.reading.dates import DURATION, duration_days
from triage.reading.page import Page
from triage.reading.quantities import kidney_stage
from triage.values import Interval

_ROMAN = {
    "ⅰ": 1,
    "ⅱ": 2,
    "ⅲ": 3,
    "ⅳ": 4,
    "ⅴ": 5,
    "零": 0,
    "一": 1,
    "二": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "v": 5,
    "两": 2,
}
_LIMB = re.compile(
    r"(?P<zh>四肢|双侧?上肢|双侧?下肢|[左右患]侧?上下肢|[左右]侧?上肢|[左右]侧?下肢|[左右]侧肢体|[左右]侧)"
    r"|(?P<en>(?:left|right|bilateral|both|all) (?:upper|lower|four)? ?(?:extremit(?:y|ies)|limbs?|arms?|legs?))"
)
_GRADE = re.compile(
    r"(?P<g>(?<![\d.])[0-5]|[ⅰ-ⅴ]|(?<![a-z])(?:iv|v|i{1,3})|[零一二三四五])\s?[+-]?\s?级|(?<![\d/])(?P<of5>[0-5])\s?[+-]?\s?/\s?5(?![\d/])"
)
_STRENGTH = re.compile(r"肌力|muscle strength|motor strength|(?<![a-z])strength")
_SENTENCE = re.compile(r"[。;\n]")
_FULL_GRADE = 5


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _ROMAN[text]


def read_muscle(page: Page) -> None:
    """Observes the worst limb, how many limbs are affected (grade below 5) and the best grade among those."""
    grades: dict[str, int] = {}
    spans: list[re.Match[str]] = []
    for limbs, match in _graded(page):
        grade = _number(match["g"] or match["of5"])
        spans.append(match)
        for limb in limbs:
            grades[limb] = min(grade, grades.get(limb, grade))
    if not grades:
        return
    start, end = spans[0].start(), spans[-1].end()
    affected = [g for g in grades.values() if g < _FULL_GRADE]
    page.observe("neuro.worst_limb_muscle_grade", min(grades.values()), start, end, event_on=page.own_date)
    page.observe("neuro.limbs_affected", len(affected), start, end, event_on=page.own_date)
    if affected:
        page.observe("neuro.affected_limbs_muscle_grade_max", max(affected), start, end, event_on=page.own_date)


def _graded(page: Page) -> Iterator[tuple[tuple[str, ...], re.Match[str]]]:
    """Grades in sentences about strength, each with the limbs named last before it (or next after it in English)."""
    for word in _sentences(page, _STRENGTH):
        start, stop = word
        limbs: tuple[str, ...] = ()
        places = [(m.start(), m) for m in _LIMB.finditer(page.lower, start, stop)]
        for match in _GRADE.finditer(page.lower, start, stop):
            before = [m for at, m in places if at < match.start()]
            after = [m for at, m in places if at > match.start()]
            follows = after and re.fullmatch(r" (?:in|of) (?:the )?", page.lower[match.end() : after[0].start()])
            named = after[0] if follows else before[-1] if before else None
            limbs = _limbs(named.group()) if named else limbs
            if limbs:
                yield limbs, match


def _sentences(page: Page, word: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    stop = 0
    for match in word.finditer(page.lower):
        if match.start() < stop:
            continue
        start = max(
            (m.end() for m in _SENTENCE.finditer(page.lower, max(0, match.start() - 60), match.start())), default=max(0, match.start() - 60)
        )
        ends = _SENTENCE.search(page.lower, match.end(), match.end() + 160)
        stop = ends.start() if ends else min(len(page.lower), match.end() + 160)
        yield start, stop


def _limbs(name: str) -> tuple[str, ...]:
    """ "双下肢" is two limbs, "四肢" four, "左侧" the arm and the leg."""
    sides = "l" if name.startswith(("左", "left")) else "r" if name.startswith(("右", "right")) else "p" if name.startswith("患") else "lr"
    upper = "上" in name or "upper" in name or "arm" in name
    lower = "下" in name or "lower" in name or "leg" in name
    parts = "ul" if upper == lower else "u" if upper else "l"
    return tuple(side + part for side in sides for part in parts)


_ADL = re.compile(r"日常生活|生活自理|(?<![a-z])adl|activities of daily living|barthel")
_UNABLE_COUNT = re.compile(
    r"(?:(?P<a>[1-6]|[一二两三四五六])\s?项(?:或\S{0,4})?(?:以上)?[^。;\n,]{0,10}?(?:不能|无法|丧失|不可)|(?:不能|无法|丧失)[^。;\n,]{0,16}?(?P<b>[1-6]|[一二两三四五六])\s?项"
    r"|unable to (?:perform|do) (?P<c>[1-6]) of)"
)
_ACTIVITIES = tuple(
    re.compile(
        rf"(?:{words})\s{{0,2}}[:(]?\s{{0,2}}(?P<s>不能|无法|不可|完全依赖|依赖|丧失|完全不能|需他人完全|0分|unable|dependent|能|可|独立|自理|正常|部分|需|10分|5分|15分|independent|able)"
    )
    for words in (
        "穿衣|穿脱衣服|更衣|dressing",
        "移动|转移|床椅转移|transfer(?:ring)?",
        "行动|平地行走|行走|步行|walking|mobility",
        "如厕|用厕|上厕所|toilet(?:ing)?",
        "进食|吃饭|用餐|feeding|eating",
        "洗澡|沐浴|洗浴|bathing",
    )
)
_UNABLE = ("不能", "无法", "不可", "完全依赖", "依赖", "丧失", "完全不能", "需他人完全", "0分", "unable", "dependent")
_LEAST_ACTIVITIES = 4


def read_activities(page: Page) -> None:
    """Observes how many of the six basic activities cannot be done alone: as counted by the paper, else by its list."""
    if not _ADL.search(page.lower):
        return
    counted = _UNABLE_COUNT.search(page.lower)
    states = [m for found in _ACTIVITIES if (m := found.search(page.lower))]
    if counted:
        value = _number(counted["a"] or counted["b"] or counted["c"])
        page.observe("function.adl_unable_count", value, counted.start(), counted.end(), event_on=page.own_date)
    elif len(states) >= _LEAST_ACTIVITIES:
        unable = sum(m["s"] in _UNABLE for m in states)
        start, end = min(m.start() for m in states), max(m.end() for m in states)
        page.observe("function.adl_unable_count", unable, start, end, event_on=page.own_date)


_DIALYSIS = re.compile(r"血液透析|腹膜透析|血透|腹透|透析|h(?:a)?emodialysis|dialysis")
_REGULAR = re.compile(r"规律|维持性|长期|每周\s?[1-7一二三四]\s?次|regular|maintenance|\d times (?:a|per) week|thrice weekly")
_STARTS = re.compile(r"首次|第一次|开始|起始|起(?=[^\u4e00-\u9fff]|行|规律)|自|since|started|first|initiated")


def read_dialysis(page: Page) -> None:
    """Observes the days of regular dialysis up to the paper's date, from its start or its duration; a single session is none."""
    if not _REGULAR.search(page.lower):
        return
    for match in _DIALYSIS.finditer(page.lower):
        if page.assertion(*match.span()) not in (Assertion.PRESENT, Assertion.HISTORICAL):
            continue
        left, right = page.sentence(*match.span())
        days = _since(page, left, right, match) or _lasted(page, match.end(), right)
        if days is not None:
            page.observe("renal.regular_dialysis_days", days[0], days[1], days[2], event_on=page.own_date)
            return


def _since(page: Page, left: int, right: int, match: re.Match[str]) -> tuple[int | Interval, int, int] | None:
    reference = page.own_date if isinstance(page.own_date, date) else None
    told = page.dates_between(max(left, match.start() - 40), min(right, match.end() + 30))
    for dated in told:
        near = page.lower[max(left, dated.start - 12) : min(right, dated.end + 10)]
        if reference is None or not _STARTS.search(near):
            continue
        low = dated.value.low if isinstance(dated.value, Interval) else dated.value
        high = dated.value.high if isinstance(dated.value, Interval) else dated.value
        if high is not None and high < reference:
            longest, shortest = (reference - low).days, (reference - high).days
            value = shortest if longest == shortest else Interval(shortest, longest)
            return value, min(dated.start, match.start()), max(dated.end, match.end())
    return None


def _lasted(page: Page, at: int, right: int) -> tuple[int | Interval, int, int] | None:
    lasting = DURATION.search(page.lower, at, min(right, at + 14))
    if lasting is None or re.search("每|次", page.lower[at : lasting.start()]):
        return None
    days = duration_days(lasting)
    return (days.low if days.low == days.high else days), at, lasting.end()


_KIDNEY = re.compile(
    r"(?:ckd(?!-?epi)|慢性肾脏病|慢性肾病|慢性肾功能(?:不全|衰竭))[^。;\n,]{0,10}?(?:g|stage\s)?(?P<g>(?<![\d.])[1-5]|[ⅰ-ⅴ]|(?<![a-z])(?:iv|v|i{1,3}))\s?[ab]?\s?(?:期|(?![\d.%a-z]))|(?P<end>尿毒症期|终末期肾病|end.stage renal disease|(?<![a-z])esrd)"
)
_FILTRATION = re.compile(r"(?:egfr|肾小球滤过率|(?<![a-z])gfr)[^\d\n。;]{0,14}(?P<v>\d{1,3}(?:\.\d{1,2})?)\s?(?:ml|毫升)")


def read_kidney(page: Page) -> None:
    """Observes the stage of chronic kidney disease as named; on a laboratory paper by the filtration rate."""
    for match in _KIDNEY.finditer(page.lower):
        if page.assertion(*match.span()) in (Assertion.PRESENT, Assertion.HISTORICAL):
            page.observe(
                "renal.kdoqi_stage", 5 if match["end"] else _number(match["g"]), match.start(), match.end(), event_on=page.own_date
            )
            return
    rate = _FILTRATION.search(page.lower)
    stage = kidney_stage(float(rate["v"])) if rate else None
    if rate and stage is not None:
        page.observe("renal.kdoqi_stage", stage, rate.start(), rate.end(), event_on=page.own_date)


_CLASSES = (
    (
        "cardiac.nyha_class",
        re.compile(
            r"(?:nyha|(?<!killip)心功能)(?:分级|class|心功能分级)?[^。;\n\d]{0,8}?(?P<c>ⅳ|ⅲ|ⅱ|ⅰ|iv|i{1,3}|[1-4])\s?(?:级|(?![a-z\d]))"
        ),
    ),
    ("stage.ann_arbor", re.compile(r"ann\s?-?arbor\s?(?:分期|stage)?[\s:]{0,3}(?P<c>ⅳ|ⅲ|ⅱ|ⅰ|iv|i{1,3}|[1-4])")),
)
_NET = re.compile(r"(?:(?<![a-z])net|神经内分泌(?:肿)?瘤|类癌|neuroendocrine tumou?r)[^。;\n]{0,16}?(?<![a-z])g\s?(?P<g>[123])(?!\d)")
_CLASS_NAMES = {1: "I", 2: "II", 3: "III", 4: "IV"}


def read_classes(page: Page) -> None:
    """Observes NYHA class, Ann Arbor stage and the WHO grade of a neuroendocrine tumour."""
    for fact, found in _CLASSES:
        for match in found.finditer(page.lower):
            if "killip" not in match.group() and page.assertion(*match.span()) in (Assertion.PRESENT, Assertion.HISTORICAL):
                page.observe(fact, _CLASS_NAMES[_number(match["c"])], match.start(), match.end(), event_on=page.own_date)
                break
    grade = _NET.search(page.lower)
    if grade:
        page.observe("pathology.who_grade", f"G{grade['g']}", grade.start(), grade.end(), event_on=page.own_date)


_ACUITY = r"(?P<{0}>无光感|光感|手动|指数|nlp|(?<![a-z])lp|(?<![a-z])hm|(?<![a-z])cf|[0-2]\.\d{{1,2}})"
_EYES = (
    ("left", re.compile(r"(?:左眼|(?<![a-z])o\.?s\.?(?![a-z])|vos|left eye|(?<=视力)[:\s]{0,2}左)[^。;\n右]{0,20}?" + _ACUITY.format("v"))),
    (
        "right",
        re.compile(r"(?:右眼|(?<![a-z])o\.?d\.?(?![a-z])|vod|right eye|(?<=视力)[:\s]{0,2}右)[^。;\n左]{0,20}?" + _ACUITY.format("v")),
    ),
)
_BLIND = {"无光感": 0, "nlp": 0}
_BARELY = Interval(0, 0.01)
"""Light, hand movements or counting fingers: less than the lowest line of a chart, 0.01 or 0.02."""
_BOTH_BLIND = re.compile(r"双眼\s?(?:视力)?[:\s]{0,2}(?:均)?(?:为)?(?P<v>无光感|光感)")


def read_sight(page: Page) -> None:
    """Observes acuity by eye as decimals; light perception and the like as the interval below the chart."""
    both = _BOTH_BLIND.search(page.lower)
    for eye, found in _EYES:
        match = found.search(page.lower) or both
        if match:
            word = match["v"]
            value = _BLIND.get(word, _BARELY) if not word[0].isdigit() else float(word)
            page.observe(f"vision.{eye}_acuity", value, match.start(), match.end(), event_on=page.own_date)


_DATED_BY = {"echocardiography_report": "echo.date", "audiometry_report": "hearing.tested_on"}
_ASSESSMENTS = frozenset({"functional_assessment", "followup_assessment", "muscle_strength_record", "adl_scale", "cognitive_scale_report"})


def read_assessment_date(page: Page) -> None:
    """Observes when the examination of such a paper took place."""
    fact = "function.assessed_on" if page.evidence_type in _ASSESSMENTS else _DATED_BY.get(page.evidence_type)
    shown = next((d for d in page.dates if d.value == page.own_date), None)
    if fact and shown is not None:
        page.observe(fact, shown.value, shown.start, shown.end, event_on=shown.value)


def read_function(page: Page, supplied: frozenset[str]) -> None:
    """Observes all of these where the paper may supply them."""
    read_assessment_date(page)
    told = page.evidence_type in ("", "discharge_summary", "admission_record")
    read_kidney(page)
    read_classes(page)
    for facts, read in (
        ({"neuro.worst_limb_muscle_grade", "neuro.limbs_affected"}, read_muscle),
        ({"function.adl_unable_count"}, read_activities),
        ({"renal.regular_dialysis_days"}, read_dialysis),
        ({"vision.left_acuity"}, read_sight),
    ):
        if told or supplied & facts:
            read(page)
