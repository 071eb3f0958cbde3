"""Dates and durations as printed: whole days, months and years as intervals, "一年余前" as an interval before a reference day."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from triage.values import Interval

DateLike = date | Interval
_DAY = r"(?P<y>(?:19|20)\d{2})\s{0,2}(?:[-/.]\s{0,2}(?P<m>\d{1,2})\s{0,2}[-/.]\s{0,2}(?P<d>\d{1,2})(?!\d)|年\s{0,2}(?P<m2>\d{1,2})\s{0,2}月\s{0,2}(?P<d2>\d{1,2})\s{0,2}[日号]?)"
_COMPACT = r"(?<!\d)(?P<c>(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?!\d)"
_MONTH = r"(?<!\d)(?P<y3>(?:19|20)\d{2})(?:\s{0,2}年\s{0,2}(?P<m3>\d{1,2})\s{0,2}月(?!\s{0,2}\d)|[-/.](?P<m4>\d{1,2})(?![-/.\d]))"
_YEAR = r"(?<!\d)(?P<y5>(?:19|20)\d{2})\s{0,2}年(?!\s{0,2}\d)"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = rf"(?P<{{0}}>{'|'.join(_MONTHS)})[a-z]{{{{0,6}}}}\.?"
_ENGLISH = rf"(?<![a-zA-Z])(?i:{_NAME.format('en')})\s(?P<ed>\d{{1,2}})(?:[snrt][tdh])?,?\s(?P<ey>(?:19|20)\d{{2}})|(?<!\d)(?P<fd>\d{{1,2}})[\s-](?i:{_NAME.format('fn')})[\s,-]{{1,2}}(?P<fy>(?:19|20)\d{{2}})"
_ENGLISH_MONTH = rf"(?<![a-zA-Z])(?i:{_NAME.format('mn')}),?\s(?P<my>(?:19|20)\d{{2}})(?![\d/])"
_ENGLISH_YEAR = r"(?<![a-zA-Z])(?i:in|since|until|by|from|of|year|circa)\s(?P<ny>(?:19|20)\d{2})(?![\d/-]|\.\d)"
_SLASHED = r"(?<![\d/.-])(?P<s1>\d{1,2})/(?P<s2>\d{1,2})/(?P<sy>(?:19|20)\d{2})(?!\d)"
_CHINESE = (
    r"(?P<cy>[一二][九〇零○][〇零○一二三四五六七八九]{2})年(?P<cm>[一二三四五六七八九十]{1,2})月(?P<cd>[一二三四五六七八九十]{1,3})[日号]"
)
DATE = re.compile(
    rf"(?=[\da-zA-Z一二])(?:{_CHINESE}|(?<!\d){_DAY}|{_COMPACT}|{_MONTH}|{_YEAR}|{_ENGLISH}|{_ENGLISH_MONTH}|{_ENGLISH_YEAR}|{_SLASHED})"
)
_NUMBER = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "半": 0.5}
_WORDS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "half": 0.5,
}
_UNIT_DAYS = {
    "年": 365.25, "月": 30.44, "周": 7, "星期": 7, "天": 1, "日": 1, "小时": 0.05,
    "year": 365.25, "yr": 365.25, "month": 30.44, "mo": 30.44, "week": 7, "wk": 7, "day": 1, "hour": 0.05,
}  # fmt: skip
DURATION = re.compile(
    r"(?<![\d年月/.-])(?P<n>\d{1,3}(?:\.\d)?|[一二两三四五六七八九十]{1,3}|半|数|多|几)\s{0,1}(?P<plus1>余|多|\+|来)?\s{0,1}(?:个)?(?P<half1>半)?(?P<unit>年|月|周|星期|天|日|小时)(?P<half>半)?(?P<plus2>余|多|来|\+)?(?P<ago>以?前)?"
    rf"|(?<![a-z\d])(?P<en>\d{{1,3}}(?:\.\d)?|{'|'.join(sorted(_WORDS, key=len, reverse=True))}|several|few|couple of)(?P<plus3>\+)?[ -](?:and a half )?(?P<enunit>year|yr|month|mo|week|wk|day|hour)s?(?![a-z])(?P<enago> ago| prior| before| earlier)?"
)


def is_ago(match: re.Match[str]) -> bool:
    """Whether the duration counts back from the day of writing."""
    return bool(match["ago"] or match["enago"])


@dataclass(frozen=True, slots=True)
class DatedSpan:
    """A date (or an interval it lies in) printed at `start` to `end`."""

    start: int
    end: int
    value: DateLike


def _whole(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def dates(text: str) -> Iterator[DatedSpan]:
    """Every date in a normalised text, in order; what is not a calendar day is passed over."""
    first_is = _order(text)
    for match in DATE.finditer(text):
        value = _value(match, first_is)
        if value is not None:
            yield DatedSpan(match.start(), match.end(), value)


_MONTH_DAY = re.compile(r"(?<![\d年/.-])(?P<m>\d{1,2})\s{0,1}月\s{0,1}(?P<d>\d{1,2})\s{0,1}日")


def days_of_the_year(text: str, known: list[DatedSpan]) -> list[DatedSpan]:
    """ "3月5日" beside dates that name the year: the day nearest to the first of them. A text without a year has no such dates."""
    reference = next((d.value for d in known if isinstance(d.value, date)), None)
    if reference is None:
        return []
    taken = {at for d in known for at in range(d.start, d.end)}
    found = []
    for match in _MONTH_DAY.finditer(text):
        if match.start() in taken:
            continue
        days = [_whole(reference.year + n, int(match["m"]), int(match["d"])) for n in (-1, 0, 1)]
        nearest = min((d for d in days if d is not None), key=lambda d: abs((d - reference).days), default=None)
        if nearest is not None:
            found.append(DatedSpan(match.start(), match.end(), nearest))
    return found


def _value(match: re.Match[str], first_is: str) -> DateLike | None:
    part = match.groupdict()
    if part["y"]:
        return _whole(int(part["y"]), int(part["m"] or part["m2"]), int(part["d"] or part["d2"]))
    if part["c"]:
        return _whole(int(part["c"][:4]), int(part["c"][4:6]), int(part["c"][6:]))
    if part["y3"]:
        return _whole_month(int(part["y3"]), int(part["m3"] or part["m4"]))
    if part["ey"] or part["fy"]:
        name, day, of = (part["en"], part["ed"], part["ey"]) if part["ey"] else (part["fn"], part["fd"], part["fy"])
        return _whole(int(of), _MONTHS.index(name.lower()) + 1, int(day))
    if part["my"]:
        return _whole_month(int(part["my"]), _MONTHS.index(part["mn"].lower()) + 1)
    if part["ny"]:
        return Interval(date(int(part["ny"]), 1, 1), date(int(part["ny"]), 12, 31))
    if part["sy"]:
        return _slashed(int(part["s1"]), int(part["s2"]), int(part["sy"]), first_is)
    if part["cy"]:
        return _whole(_digits(part["cy"]), int(_count(part["cm"]) or 0), int(_count(part["cd"]) or 0))
    year = int(part["y5"])
    return Interval(date(year, 1, 1), date(year, 12, 31))


def _whole_month(year: int, month: int) -> DateLike | None:
    return Interval(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])) if 1 <= month <= 12 else None


_SLASHED_DAY = re.compile(r"(?<![\d/.-])(\d{1,2})/(\d{1,2})/(?:19|20)\d{2}(?!\d)")
_TOLD_ORDER = re.compile(r"mm/dd|month/day|(?P<d>dd/mm|day/month)", re.IGNORECASE)
_HIGHEST_MONTH = 12


def _order(text: str) -> str:
    """Whether month or day stands first in slashed dates: as the page says, or as its unambiguous dates show; "" where neither."""
    told = _TOLD_ORDER.search(text)
    if told:
        return "day" if told["d"] else "month"
    pairs = [(int(a), int(b)) for a, b in _SLASHED_DAY.findall(text)]
    months, days = any(b > _HIGHEST_MONTH for _, b in pairs), any(a > _HIGHEST_MONTH for a, _ in pairs)
    return "month" if months and not days else "day" if days and not months else ""


def _digits(text: str) -> int:
    return int("".join(str("〇一二三四五六七八九".find(c.replace("零", "〇").replace("○", "〇"))) for c in text))


def _slashed(first: int, second: int, year: int, first_is: str) -> DateLike | None:
    """Month and day may stand in either order: where both readings are days and the page does not tell, the date lies between."""
    if first_is:
        return _whole(year, *((first, second) if first_is == "month" else (second, first)))
    readings = sorted({d for d in (_whole(year, first, second), _whole(year, second, first)) if d is not None})
    return None if not readings else readings[0] if len(readings) == 1 else Interval(readings[0], readings[-1])


def _count(text: str) -> float | None:
    if text in _WORDS:
        return _WORDS[text]
    if text[0].isdigit():
        return float(text)
    if "十" in text and len(text) > 1:
        tens, _, ones = text.partition("十")
        return (_NUMBER.get(tens, 1) if tens else 1) * 10 + (_NUMBER.get(ones, 0) if ones else 0)
    return _NUMBER.get(text)


def duration_days(match: re.Match[str]) -> Interval:
    """A duration as the interval of days it may mean: "10天" is 10, "1年余" is 1 to 2 years, "2年" is 2 years give or take half."""
    unit = _UNIT_DAYS[match["unit"] or match["enunit"]]
    count = _count(match["n"] or match["en"])
    if count is None:
        return Interval(round(2 * unit), round(10 * unit))
    if match["half"] or match["half1"]:
        count += 0.5
    if match["plus1"] or match["plus2"] or match["plus3"]:
        return Interval(round(count * unit), round((count + 1) * unit))
    slack = 0.0 if unit <= 1 else unit / 2 if count >= 1 else unit / 6
    return Interval(round(count * unit - slack), round(count * unit + slack))


def before(reference: date, days: Interval) -> DateLike:
    """The day or days that lie `days` before `reference`."""
    low, high = reference - timedelta(days=days.high), reference - timedelta(days=days.low)
    return low if low == high else Interval(low, high)


_RELATIVE = re.compile(
    r"(?P<year>今年|去年|前年|大前年|(?<![a-z])(?:this|last) year)(?:\s?(?P<month>\d{1,2})\s?月)?"
    r"|(?P<span>上个?月|上个?周|上个?星期|昨[日天晚]|前[日天](?![前后])|(?<![a-z])(?:last (?:month|week)|yesterday))"
)
_YEARS_BACK = {"今年": 0, "去年": 1, "前年": 2, "大前年": 3, "this year": 0, "last year": 1}
_SHORT_YEAR = re.compile(
    r"(?:^|(?<=[,。;:\n\s(、于自从在患]))(?P<y>[012]\d|9\d)年(?:(?P<m>\d{1,2})月)?(?=[^,。;\n前余多来史\d]{0,8}(?:行|因|体检|发现|诊|查|患|做|手术|[^,。;\n]{0,4}术))"
)


def told_relatively(text: str, start: int, end: int, reference: date) -> DateLike | None:
    """The last day, month or year that a stretch of text names by today's ("去年3月", "last year") or by two digits ("18年体检")."""
    found = [*_RELATIVE.finditer(text, start, end), *_SHORT_YEAR.finditer(text, start, end)]
    if not found:
        return None
    match = max(found, key=lambda m: m.start())
    part = match.groupdict()
    if part.get("span"):
        return _lately(match["span"], reference)
    year = reference.year - _YEARS_BACK[match["year"]] if "year" in part else _full_year(int(match["y"]), reference)
    month = part.get("month") or part.get("m")
    return _whole_month(year, int(month)) if month else Interval(date(year, 1, 1), date(year, 12, 31))


def _full_year(year: int, reference: date) -> int:
    return 2000 + year if 2000 + year <= reference.year else 1900 + year


def _lately(span: str, reference: date) -> DateLike | None:
    if "月" in span or "month" in span:
        before_it = reference.replace(day=1) - timedelta(days=1)
        return _whole_month(before_it.year, before_it.month)
    if any(word in span for word in ("周", "星期", "week")):
        return Interval(reference - timedelta(days=13), reference - timedelta(days=1))
    return reference - timedelta(days=2 if span.startswith("前") else 1)
