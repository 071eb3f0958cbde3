"""The patient's story: how long the complaint has lasted, and findings with the date they were made."""

from __future__ import annotations

import re
from datetime import date

from triage.observation import Assertion
from triage.reading.birads import categories
from triage.reading.dates import DURATION, DateLike, before, duration_days, is_ago, told_relatively
from triage.reading.described import read_described
from triage.reading.graded import read_graded
from triage.reading.imaging import observe_category, observe_sides
from triage.reading.page import Page, Section, Term, any_between
from triage.reading.sides import breast_side
from triage.values import Interval

STORY = ("chief_complaint", "present_illness", "past_history", "personal_history", "")
_ASSERTED = (Assertion.PRESENT, Assertion.HISTORICAL, Assertion.UNCERTAIN)
_LUMP = re.compile(
    r"(?:乳(?:腺|房)?|腋[窝下])[^。;,\n]{0,6}?(?:结节|肿[块物]|包块|占位|疼痛|胀痛|溢液|凹陷|硬块|团块|淋巴结)|乳头[^。;,\n]{0,4}(?:溢液|溢血|凹陷|糜烂)|breast[^.;,\n]{0,12}?(?:lump|mass|nodule|pain|lesion|thickening)|(?:lump|mass|nodule|pain|lesion)[^.;,\n]{0,12}breast|nipple[^.;,\n]{0,8}(?:discharge|retraction)"
)
NODULE = re.compile(
    r"(?:左|右|双)侧?乳(?:腺|房)?[^。;,\n癌未无没]{0,8}?(?:结节|肿[块物]|包块|占位|团块)|乳(?:腺|房)(?:内)?[^。;,\n癌未无没]{0,4}?(?:结节|肿[块物]|包块|占位|团块)|breast (?:lump|mass|nodule)"
)


_LASTED = re.compile(r"(?:(?:[^,。;\d]{0,8}(?:术|化疗|放疗|治疗)后)|(?:病)?史?)[ 约近达已有,]{0,3}")


def read_history(page: Page, on: DateLike | None, nodule: str) -> None:
    """Observes the complaint's duration and the dated findings; `nodule` is the finding a lump without a category stands for."""
    reference = on if isinstance(on, date) else page.filed_on if on is None else on.high or page.filed_on
    for section in page.bodies("chief_complaint"):
        _read_complaint(page, section, reference, dated=on is not None)
    _read_nodules(page, reference, on, nodule)
    _read_categories(page, reference, on)


_OTHERWISE = re.compile(
    r"术|化疗|放疗|透析|治疗|用药|服药|复查|复诊|随访|史|确诊|诊断|后$"
    r"|surg|operat|post|s/p|status|chemo|radio|dialys|treat|follow|known|history of|diagnosed|since"
)


def _read_complaint(page: Page, section: Section, reference: date, *, dated: bool) -> None:
    """The longest of the durations given with the complaint; the shorter ones say when it changed. Without a lump, the time since an
    operation or a treatment, or that of an old disease, is none of the complaint's."""
    spans = [(duration_days(m), m) for m in DURATION.finditer(page.lower, section.start, section.end)]
    if not _LUMP.search(page.lower, section.start, section.end):
        spans = [(days, m) for days, m in spans if not _OTHERWISE.search(page.lower, page.sentence(m.start(), m.end())[0], m.end() + 2)]
    if not spans:
        return
    days, match = max(spans, key=lambda item: item[0].high)
    page.observe(
        "history.complaint_duration_days", days.low if days.low == days.high else days, match.start(), match.end(), basis="clinical"
    )
    if dated:
        page.observe("history.complaint_began_on", before(reference, days), section.start, match.end(), basis="clinical")


_BARE_YEAR = re.compile(r"[\s,(]{0,2}(?:(?:dx|diagnosed|excised|in|since|on)\s)?(?P<y>(?:19|20)\d{2})年?(?=[\s,.;:)、。]|$)")
_FOUND_THEN = re.compile(
    r"(?<![a-z])(?:found|diagnosed|detected|seen|noted|identified|excised|removed|treated)(?![a-z])|发现|诊断|确诊|检出|查出"
)
_EXAM = re.compile(
    r"[^,。;\n]{0,16}(?:彩超|超声|b超|ct|mri|mr|钼靶|x线|造影|病理|胃镜|肠镜|心电图|ultrasound|mammogra|biopsy|scan|sonogra|x-ray)"
)
_TODAY = re.compile(r"查体|体检:|今|现|诊断:|本次|入院|(?<![a-z])(?:now|today|currently|admi)")
CARRIED = 160
"""Characters within which the date of an examination holds for the sentences after it on its line."""


def event_date(page: Page, start: int, end: int, reference: date, on: DateLike | None) -> DateLike | None:
    """When a finding told in a story was made: the date before it in its sentence, "…前" or "去年" counted back, its duration, the date
    after it, that of the examination its line tells, else None in the past history and the paper's own date elsewhere."""
    left, right = page.sentence(start, end)
    year = _year_behind(page, end)
    if year and "," not in page.lower[end : year[1]]:
        return year[0]
    told = page.dates_between(left, start)
    if told:
        return told[-1].value
    ago = [m for m in DURATION.finditer(page.lower, left, start) if is_ago(m)]
    if ago:
        return before(reference, duration_days(ago[-1]))
    relative = told_relatively(page.lower, left, start, reference)
    if relative is not None:
        return relative
    after = _dated_after(page, (start, end), right, reference) or _exam_date(page, left)
    return after or (None if page.section_at(start) == "past_history" else on)


def _dated_after(page: Page, term: tuple[int, int], right: int, reference: date) -> DateLike | None:
    """How long it has lasted, the year behind it, or the day behind it on which it was found."""
    start, end = term
    section = page.section_at(start)
    lasted = _LASTED.match(page.lower, end, min(right, end + 16)) if section in STORY[:-1] else None
    lasting = DURATION.match(page.lower, lasted.end(), min(right, end + 24)) if lasted else None
    if lasting:
        return before(reference, duration_days(lasting))
    year = _year_behind(page, end)
    if year:
        return year[0]
    following = page.dates_between(end, min(right, end + 16))
    if following and section in ("past_history", "personal_history"):
        return following[0].value
    return next((d.value for d in page.dates_between(end, min(right, end + 60)) if _found_then(page.lower[end : d.start])), None)


def _year_behind(page: Page, end: int) -> tuple[Interval, int] | None:
    """A bare year directly behind a finding (stroke, 2015) and where it starts."""
    year = _BARE_YEAR.match(page.lower, end, min(len(page.lower), end + 24))
    return (Interval(date(int(year["y"]), 1, 1), date(int(year["y"]), 12, 31)), year.start("y")) if year else None


def _found_then(between: str) -> bool:
    return not any(mark in between for mark in ",;、") and _FOUND_THEN.search(between) is not None


def _exam_date(page: Page, left: int) -> DateLike | None:
    """The date of the examination whose account goes on in this sentence, on the same line."""
    if page.basis == "imaging":
        return None
    line = page.lower.rfind("\n", max(0, left - CARRIED), left) + 1
    for dated in reversed(page.dates_between(max(line, left - CARRIED), left)):
        near = page.lower[max(0, dated.start - 16) : dated.start]
        if _EXAM.match(page.lower, dated.end) or _EXAM.search(near.rstrip("( :")):
            return None if _TODAY.search(page.lower, dated.end, left) else dated.value
    return None


def read_findings(page: Page, on: DateLike | None, nodule: str, known: frozenset[str] = frozenset()) -> None:
    """Every positive finding of the library the paper names, with how it is asserted and when it was made."""
    reference = on if isinstance(on, date) else page.filed_on
    read_graded(page, reference, on, event_date)
    read_described(page, reference, on, event_date, known)
    graded = sorted(c.start for c in categories(page))
    for term in page.terms:
        if term.kind == "finding" and not (term.id == nodule and _is_graded(page, term, graded)):
            _read_finding(page, term, reference, on)


def _is_graded(page: Page, term: Term, graded: list[int]) -> bool:
    """A lump whose category follows is that category's finding; on an imaging or check-up report any category grades it."""
    whole = page.basis == "imaging" or page.evidence_type == "physical_exam_report"
    return bool(graded) and (whole or any_between(graded, term.end, term.end + 24))


def _read_finding(page: Page, term: Term, reference: date, on: DateLike | None) -> None:
    asserted = page.assertion(term.start, term.end)
    when = event_date(page, term.start, term.end, reference, on)
    side = page.side_near(term.start, term.end) or (breast_side(page, term.start, term.end, asserted) if term.of_breast else "")
    page.mention(term.id, asserted, term.start, term.end, event_on=when, side=side)


def _read_nodules(page: Page, reference: date, on: DateLike | None, nodule: str) -> None:
    """A lump in the story that no library term covers, for example "左乳见一低回声结节"."""
    covered = [t.start for t in page.terms if t.kind == "finding"]
    graded = sorted(c.start for c in categories(page))
    for match in NODULE.finditer(page.lower):
        if page.section_at(match.start()) not in STORY or any_between(covered, match.start() - 6, match.end()):
            continue
        if any_between(graded, match.end(), match.end() + 24):
            continue
        asserted = page.assertion(match.start(), match.end())
        if asserted in _ASSERTED:
            when = event_date(page, match.start(), match.end(), reference, on)
            page.mention(nodule, asserted, match.start(), match.end(), event_on=when, side=page.side_of(match.start(), match.end()))


def _read_categories(page: Page, reference: date, on: DateLike | None) -> None:
    """BI-RADS categories told in a story, an admission diagnosis or a check-up's summary."""
    for category in categories(page):
        if page.assertion(category.start, category.end) is Assertion.NEGATED:
            continue
        when = event_date(page, category.start, category.end, reference, on)
        told = page.section_at(category.start) in STORY and page.section_at(category.start) != ""
        observe_category(page, category, when, Assertion.HISTORICAL if told else Assertion.PRESENT)
        if page.evidence_type == "physical_exam_report":
            observe_sides(page, category, when)
