"""What a paper's letterhead and labelled fields say: hospital, person, department, dates, numbers, signatures."""

from __future__ import annotations

import re

from triage.reading.dates import DatedSpan, DateLike, dates, days_of_the_year
from triage.reading.identity import identity
from triage.reading.page import Page

_HOSPITAL = re.compile(r"[\u4e00-\u9fff()·]{2,24}?(?:医院|卫生院|保健院|医疗中心|肿瘤中心)")
_HOSPITAL_EN = re.compile(r"[A-Z][A-Za-z'. ]{2,40} (?:Hospital|Medical Center|Clinic)")
_LABELS = r"(?=\s|性别|年龄|出生|科|床|门诊|住院|民族|$|[,;(。|、:/])"
_NAME = re.compile(
    r"(?<!系人)(?<!家属)(?<!护人)(?<!医师)(?<!医生)(?<!请人)(?<!术者)(?:患者姓名|病人姓名|姓\s{0,4}名|患\s{0,2}者(?=\s{0,2}:))\s{0,2}[:]?\s{0,3}(?P<v>[\u4e00-\u9fff·*×]{1,6}?)"
    + _LABELS
)
_NAME_BARE = re.compile(
    r"(?:^|(?<=[\s,。:]))(?:患者)?\s{0,2}(?P<v>[\u4e00-\u9fff]{1,3}某{1,2}|[\u4e00-\u9fff](?:\*{1,2})|[\u4e00-\u9fff]{2,3})[\s,]{1,3}[男女]性?[\s,]{1,3}\d{1,3}\s?岁",
    re.MULTILINE,
)
"""孙某某 女 47岁: the three stand together without labels."""
_NAME_EN = re.compile(
    r"(?:patient(?: name)?|name)\s{0,2}:\s{0,3}(?P<v>[A-Za-z*][A-Za-z.'* -]{1,30}?)(?=\s{2,}|\n|,|;|\||$| sex| age| dob| gender| mrn)",
    re.IGNORECASE,
)
_NOT_NAMES = frozenset(
    {
        "男",
        "女",
        "因",
        "于",
        "自",
        "入院",
        "签名",
        "家属",
        "性别",
        "本人",
        "自述",
        "诉",
        "要求",
        "女性",
        "男性",
        "缘于",
        "年龄",
        "科室",
        "床号",
        "住院号",
        "门诊号",
        "科别",
        "民族",
        "病区",
    }
)
_SEX = re.compile(
    r"性\s{0,4}别\s{0,2}:?\s{0,3}(?:[12]\s?[.、]\s?)?(?P<v>男|女)|(?<=[\s,:、|])(?P<w>男|女)性?(?=[\s,、|]{1,3}(?:年龄)?\D{0,3}\d{1,3}\s{0,2}岁)"
)
_SEX_EN = re.compile(
    r"(?:sex|gender)\s{0,2}:\s{0,3}(?P<v>male|female|m|f)\b|age\s?/\s?sex\s{0,2}:?\s{0,3}\d{1,3}\s?y?\s?/?\s?(?P<w>m|f)\b|\d{1,3}[- ](?:year|yr)s?[- ]old\s(?:[a-z]{3,14}\s){0,2}(?P<x>male|female|woman|man|lady|gentleman)\b",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"(?<!初潮)(?<!绝经)(?<!发病)(?<!初产)(?<!结婚)年\s{0,4}龄\s{0,2}:?\s{0,3}(?P<v>\d{1,3})\s{0,2}(?:岁|周岁|y)?(?![\d个月天])|(?<=[男女性,\s、|])(?P<w>\d{1,3})\s{0,2}岁(?![前时起余])"
)
_AGE_EN = re.compile(
    r"age(?:\s?/\s?sex)?\s{0,2}:\s{0,3}(?P<v>\d{1,3})|(?P<w>\d{1,3})[- ](?:year|yr)s?[- ]old|(?P<x>\d{1,3})\s?y/?o(?![a-z])", re.IGNORECASE
)
_ID_NUMBER = re.compile(r"(?:身份证件?号?码?|公民身份号码|证件号码?)\s{0,2}:?\s{0,3}(?P<v>\d{17}[\dXx])")
_DEPARTMENT = re.compile(
    r"(?:就诊科室|入院科室|出院科室|送检科室|申请科室|科\s{0,4}室|科\s{0,4}别|病\s{0,2}区|department)\s{0,2}:\s{0,3}(?P<v>[\u4e00-\u9fffA-Za-z()]{2,14}?)(?=\s|[,;。|]|床|住院|姓名|$)",
    re.IGNORECASE,
)
_PATHOLOGY_NUMBER = re.compile(
    r"(?:病理(?:检查|标本|诊断)?(?:号|编号|号码)|活检号|accession(?: no\.?| number| #|#)?|(?:pathology|case|surgical|path)(?: no\.?| number| #|#))\s{0,2}:?\s{0,3}(?P<v>[A-Za-z]{0,4}-?\d[A-Za-z0-9-]{2,20})",
    re.IGNORECASE,
)

_PLAIN_NUMBER = re.compile(r"(?:(?<![院诊床])编\s?号|^|(?<=\n))\s{0,2}:?\s{0,2}(?P<v>[A-Z]{0,4}(?:19|20)?\d{2}-?\d{3,7})(?![\d年月/-])")
"""On a pathology report a bare number at a line's start, or behind 编号."""
_COLLECTED = r"标本采集|采集|取材|送检|离体|collected|collection"
_RECEIVED = r"标本接收|接收|收到|收样|收检|签收|received"
_REPORTED = r"报告|签发|审核|诊断报告|reported|report"
_ADMITTED = r"入院|住院|admitted|admission|admit|(?<![a-z])adm"
_DISCHARGED = r"出院|discharged|discharge|disch|(?<![a-z])dis|(?<![a-z])d/c"
_OPERATED = r"手术|operation|surgery|procedure"
_OWN = r"检查|就诊|体检|检验|门诊|开具|记录|出具|exam|examination|visit"
_LABEL_GAP = r"\s{0,2}(?:日\s{0,2}期|时\s{0,2}间|日|于|date|on)?\s{0,2}:?\s{0,3}$"
_ROLES = tuple(
    (role, re.compile(rf"(?:{words}){_LABEL_GAP}", re.IGNORECASE))
    for role, words in (
        ("collected", _COLLECTED),
        ("received", _RECEIVED),
        ("reported", _REPORTED),
        ("admitted", _ADMITTED),
        ("discharged", _DISCHARGED),
        ("operated", _OPERATED),
        ("own", _OWN),
    )
)
_ROLES_AFTER = (
    ("admitted", re.compile(r"(?:日)?\s{0,2}(?:因[^,。;\n]{1,24})?(?:收住?入院|入院|收住院|办理入院)")),
    ("discharged", re.compile(r"(?:日)?\s{0,2}(?:好转|治愈|痊愈|办理)?出院")),
)
"""于2020-08-03入院: a label may follow its date."""
_OF_THE_APPLICANT = frozenset({"claim_form", "bank_account", "authorization", "guardian_identity", "invoice_detail", "kinship_proof"})
"""Forms an applicant other than the member may sign."""

_NOT_OWN = re.compile(r"出生|生于|打印|有效|birth|dob|printed", re.IGNORECASE)
_BARE_DATE = re.compile(r"(?:^|[\s,;|])(?:日\s{0,2}期|时\s{0,2}间|date)\s{0,2}:?\s{0,3}$", re.IGNORECASE)
_FIRST_SIGNER = re.compile(
    r"初诊\s{0,2}:\s{0,3}(?P<x>[\u4e00-\u9fff]{2,4})|(?:报告|诊断|初诊|主检|检验|病理|签发)\s{0,2}(?:医师|医生|者|人)\s{0,2}(?:签名|签字)?\s{0,2}:?\s{0,3}(?P<v>[\u4e00-\u9fff]{2,4}|\S{2,10})|医\s{0,2}[师生]\s{0,2}:\s{0,3}(?P<w>[\u4e00-\u9fff]{2,4})"
)
_SECOND_SIGNER = re.compile(
    r"(?:复核|审核|复诊|审签|审阅|上级|校对|核对|复审)\s{0,2}(?:医师|医生|者|人)?\s{0,2}(?:签名|签字)?\s{0,2}:\s{0,3}(?P<v>[\u4e00-\u9fff]{2,4}|\S{2,10})"
)
_LABEL_WORD = re.compile(r"医师|医生|审核|复核|日期|时间|报告|签名|签字|盖章|检查|电话")
_BESIDE = re.compile(r"[ ]{0,2}[、/,][ ]{0,2}(?P<v>[\u4e00-\u9fff]{2,4})(?![\u4e00-\u9fff])")
HEADER = 400
"""Characters in which the letterhead's fields stand."""


def labelled_dates(page: Page) -> dict[str, list[DatedSpan]]:
    """Dates by the role their label gives them; a date without a label has none."""
    found: dict[str, list[DatedSpan]] = {}
    for dated in page.dates:
        before = page.lower[max(0, dated.start - 16) : dated.start]
        role = next((name for name, label in _ROLES if label.search(before)), "own" if _BARE_DATE.search(before) else "")
        role = role or next((name for name, label in _ROLES_AFTER if label.match(page.lower, dated.end)), "")
        if role:
            found.setdefault(role, []).append(dated)
    return found


_OWN_ROLES = {
    "discharge_summary": ("admitted", "discharged", "own"),
    "medical_record_front_page": ("admitted", "discharged", "own"),
    "admission_record": ("admitted", "own"),
    "surgery_record": ("operated", "own"),
    "pathology_report": ("collected", "received", "reported", "own"),
    "frozen_report": ("collected", "received", "reported", "own"),
    "cytology_report": ("collected", "received", "reported", "own"),
    "ihc_report": ("collected", "received", "reported", "own"),
}


def own_date(page: Page, roles: dict[str, list[DatedSpan]]) -> DateLike | None:
    """When what the paper describes took place: admission, operation, specimen or examination; else its only labelled date."""
    for role in _OWN_ROLES.get(page.evidence_type, ("own", "reported", "operated", "admitted")):
        if role in roles:
            return roles[role][0].value
    header = [d for d in page.dates if d.start < HEADER and not _NOT_OWN.search(page.plain[max(0, d.start - 10) : d.start])]
    return header[0].value if len(header) == 1 else None


def document_date(page: Page, roles: dict[str, list[DatedSpan]]) -> DateLike | None:
    """When the paper was written, by which the printed age counts."""
    order = ("admitted", "own", "collected", "reported", "operated", "discharged")
    return next((roles[role][0].value for role in order if role in roles), page.own_date)


def read_letterhead(page: Page, roles: dict[str, list[DatedSpan]]) -> None:
    """Observes hospital, person, department and labelled dates."""
    _hospital(page)
    if page.evidence_type not in _OF_THE_APPLICANT:
        _person(page, document_date(page, roles))
    match = _DEPARTMENT.search(page.plain)
    if match and page.evidence_type in (
        "discharge_summary",
        "admission_record",
        "outpatient_record",
        "medical_record_front_page",
        "surgery_record",
        "pathology_report",
        "diagnosis_certificate",
        "emergency_record",
        "progress_note",
    ):
        page.observe("department", match["v"], match.start(), match.end())
    for role, fact in (("admitted", "admission.date"), ("discharged", "discharge.date"), ("operated", "surgery.date")):
        if page.evidence_type in ("discharge_summary", "admission_record", "medical_record_front_page", "surgery_record"):
            for dated in roles.get(role, [])[:1]:
                page.observe(fact, dated.value, dated.start, dated.end, event_on=dated.value)


def _hospital(page: Page) -> None:
    opening = page.plain[:120]
    match = _HOSPITAL.search(opening) or _HOSPITAL_EN.search(opening)
    if match:
        page.observe("hospital.name", match.group().strip(" ()"), match.start(), match.end())


def _first(pattern: re.Pattern[str], text: str) -> tuple[str, int, int] | None:
    match = pattern.search(text)
    if match is None:
        return None
    value = next(v for v in match.groupdict().values() if v is not None)
    return value, match.start(), match.end()


_MALE = frozenset({"男", "m", "male", "man", "gentleman"})


def _person(page: Page, on: DateLike | None) -> None:
    header = page.plain[:HEADER]
    name = _first(_NAME, header) or _first(_NAME_BARE, header) or _first(_NAME_EN, header)
    if name and name[0] not in _NOT_NAMES and len(name[0].strip()) > 1:
        page.observe("member.name", name[0].strip(), name[1], name[2])
    sex = _first(_SEX, header) or _first(_SEX_EN, header)
    if sex:
        page.observe("member.sex", "M" if sex[0].lower() in _MALE else "F", sex[1], sex[2])
    age = _first(_AGE, header) or _first(_AGE_EN, header)
    if age and int(age[0]) <= 120:
        page.observe("member.age_stated", int(age[0]), age[1], age[2], event_on=on)
    number = _first(_ID_NUMBER, header)
    if number:
        page.observe("member.id_number", number[0].upper(), number[1], number[2])
        stated = identity(number[0])
        page.observe("member.id_number_valid", stated is not None, number[1], number[2])
        if stated is not None:
            page.observe("member.birth_date", stated.birth_date, number[1], number[2])
    _born(page)


_BORN = re.compile(r"出生(?:日期|年月日?)?\s{0,2}:?\s{0,3}$|(?:dob|date of birth|birth date|born)\s{0,2}:?\s{0,3}$")


def _born(page: Page) -> None:
    """A labelled date of birth, where the number did not state one."""
    for dated in page.dates_between(0, HEADER):
        if not page.has_said("member.birth_date") and _BORN.search(page.lower, max(0, dated.start - 20), dated.start):
            page.observe("member.birth_date", dated.value, dated.start, dated.end)


def read_specimen_dates(page: Page, roles: dict[str, list[DatedSpan]]) -> None:
    """Observes the pathology number and when the specimen was collected, received and reported."""
    number = _PATHOLOGY_NUMBER.search(page.plain) or _PLAIN_NUMBER.search(page.plain, 0, HEADER)
    if number:
        page.observe("pathology.number", number["v"].upper(), number.start("v"), number.end("v"))
    for role, fact in (
        ("collected", "pathology.collected_on"),
        ("received", "pathology.received_on"),
        ("reported", "pathology.reported_on"),
    ):
        for dated in roles.get(role, [])[:1]:
            page.observe(fact, dated.value, dated.start, dated.end, event_on=dated.value)


def read_signatures(page: Page) -> None:
    """Two different names make a double signature; one name under the only label makes none; a label left blank says nothing."""
    first, second = _signer(_FIRST_SIGNER, page.plain), _signer(_SECOND_SIGNER, page.plain)
    if first is None or not first[0]:
        return
    if second is None:
        page.observe("pathology.double_signed", first[3], first[1], first[2])
    elif second[0]:
        page.observe("pathology.double_signed", first[3] or first[0] != second[0], min(first[1], second[1]), max(first[2], second[2]))


def _signer(label: re.Pattern[str], plain: str) -> tuple[str, int, int, bool] | None:
    """Name ("" where the label is left blank), where it stands, and whether a second name stands beside it."""
    match = label.search(plain)
    if match is None:
        return None
    name = next((v for v in match.groupdict().values() if v), "").strip()
    if _LABEL_WORD.search(name):
        return "", match.start(), match.end(), False
    beside = _BESIDE.match(plain, match.end())
    paired = beside is not None and not _LABEL_WORD.search(beside["v"]) and beside["v"] != name
    return name, match.start(), beside.end() if beside and paired else match.end(), paired


def find_dates(plain: str) -> tuple[DatedSpan, ...]:
    """Every date of a page, those without a year by the dates that name one (a date of birth does not)."""
    known = list(dates(plain))
    told = [d for d in known if not _NOT_OWN.search(plain[max(0, d.start - 10) : d.start])]
    return tuple(sorted([*known, *days_of_the_year(plain, told)], key=lambda d: d.start))
