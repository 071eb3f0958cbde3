"""Papers as hospitals print them: what is read, what is left open, what must not be read; and the assertion of terms in context."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.desks import shipped
from triage.cases import load_cases
from triage.observation import FindingMention, Observation, Reading
from triage.reading.assertion import assertion
from triage.reading.text import lowered, normalise
from triage.reading.vocabulary import vocabulary
from triage.values import Interval, to_json

FOLDER = Path(__file__).parent / "readings"
PAPERS = {
    f"{path.stem}/{item['id']}": item for path in sorted(FOLDER.glob("*.yaml")) for item in yaml.safe_load(path.read_text(encoding="utf-8"))
}
ASSERTIONS = [
    ("未见明确间质浸润", "间质浸润", "negated"),
    ("否认高血压、糖尿病、冠心病史", "冠心病", "negated"),
    ("不除外恶性", "恶性", "uncertain"),
    ("考虑乳腺癌可能", "乳腺癌", "uncertain"),
    ("母亲患乳腺癌", "乳腺癌", "family"),
    ("高血压病史10年", "高血压", "historical"),
    ("无痛性肿块", "肿块", "present"),
    ("无诱因出现胸痛", "胸痛", "present"),
    ("若出现发热及时就诊", "发热", "hypothetical"),
    ("腋窝淋巴结未见癌转移（0/16）", "癌转移", "negated"),
    ("腋窝淋巴结见癌转移（2/16）", "癌转移", "present"),
    ("浸润性癌（非特殊型）", "浸润性癌", "present"),
    ("无发热，有咳嗽", "咳嗽", "present"),
    ("未见出血、渗出及占位", "占位", "negated"),
    ("子宫肌瘤", "子宫肌瘤", "present"),
    ("甲状腺癌术后3年", "甲状腺癌", "historical"),
    ("脑梗死？", "脑梗死", "uncertain"),
    ("治疗1年未见好转的咳嗽", "咳嗽", "present"),
    ("体检发现右乳结节，未予重视", "右乳结节", "present"),
    ("左乳未见占位，右乳结节大小1cm", "右乳结节", "present"),
    ("右腋窝淋巴结肿大，性质待定", "淋巴结肿大", "uncertain"),
    ("兄弟姐妹体健，本人患糖尿病", "糖尿病", "present"),
    ("姐姐患乳腺癌", "乳腺癌", "family"),
    ("拟行左乳癌根治术", "左乳癌", "planned"),
]
ENGLISH = [
    ("No evidence of invasion", "invasion", "negated"),
    ("mother had breast cancer", "breast cancer", "family"),
    ("suspicious for invasive carcinoma", "invasive carcinoma", "uncertain"),
    ("history of hypertension", "hypertension", "historical"),
    ("invasive carcinoma of no special type", "invasive carcinoma", "present"),
    ("return if fever", "fever", "hypothetical"),
    ("denies fever, chills", "chills", "negated"),
]


def read(text: str, evidence_type: str | None = None, filed_on: date = date(2020, 12, 1)) -> Reading:
    return shipped()[1].read(text, document_id="d1", evidence_type=evidence_type, filed_on=filed_on)


def said(reading: Reading, fact: str) -> list[Observation]:
    return [o for o in reading.observations if o.fact == fact]


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_is_read_as_a_reviewer_reads_it(name: str) -> None:
    paper = PAPERS[name]
    reading = read(paper["text"], paper.get("evidence_type"))
    problems = []
    for fact, wanted in paper.get("facts", {}).items():
        values = [to_json(o.value) for o in said(reading, fact)]
        if wanted not in values or (
            any(v != wanted for v in values)
            and fact not in ("surgery.extent", "imaging.first_suspicious_on", "stage.T", "history.complaint_duration_days")
        ):
            problems.append(f"{fact}: {values} for {wanted}")
    problems += [f"{fact}: read as {[o.value for o in said(reading, fact)]}" for fact in paper.get("absent", ()) if said(reading, fact)]
    for fact in paper.get("unclear", ()):
        if not said(reading, fact) or any(o.why is None for o in said(reading, fact)):
            problems.append(f"{fact}: {[(o.value, o.why) for o in said(reading, fact)]} for unclear")
    if "type" in paper and reading.evidence_type != paper["type"]:
        problems.append(f"type: {reading.evidence_type}")
    if "basis" in paper and {o.basis for o in said(reading, "pathology.icdo_behavior")} != {paper["basis"]}:
        problems.append(f"basis: {[o.basis for o in said(reading, 'pathology.icdo_behavior')]}")
    assert problems + missing_findings(paper, reading) == []


def missing_findings(paper: dict[str, Any], reading: Reading) -> list[str]:
    """Findings expected of the paper that were not read so."""
    seen = {(f.finding, f.assertion.value, _year(f.event_on)) for f in reading.findings}
    loose = {(f, a) for f, a, _ in seen}
    found = []
    for wanted in paper.get("findings", ()):
        pair = (wanted["finding"], wanted["assertion"])
        if pair not in loose or ("year" in wanted and (*pair, wanted["year"]) not in seen):
            found.append(f"{wanted} not in {sorted(map(str, seen))}")
    return found


def _year(when: date | Interval | None) -> int | None:
    day = when.low if isinstance(when, Interval) else when
    return day.year if isinstance(day, date) else None


@pytest.mark.parametrize("name", PAPERS)
def test_every_quote_is_the_papers_own_text(name: str) -> None:
    text = PAPERS[name]["text"]
    reading = read(text, PAPERS[name].get("evidence_type"))
    statements: list[Observation | FindingMention] = [*reading.observations, *reading.findings]
    for statement in statements:
        assert statement.span is not None
        assert text[statement.span.start : statement.span.end] == statement.span.quote != ""


@pytest.mark.parametrize(("text", "term", "expected"), ASSERTIONS)
def test_assertion_in_chinese(text: str, term: str, expected: str) -> None:
    plain, word = lowered(normalise(text)), lowered(normalise(term))
    at = plain.index(word)
    assert assertion(plain, at, at + len(word), vocabulary("zh")).value == expected


@pytest.mark.parametrize(("text", "term", "expected"), ENGLISH)
def test_assertion_in_english(text: str, term: str, expected: str) -> None:
    plain, word = lowered(normalise(text)), term.lower()
    at = plain.index(word)
    assert assertion(plain, at, at + len(word), vocabulary("en")).value == expected


@settings(max_examples=150, deadline=None)
@given(
    st.text(
        alphabet=st.sampled_from(list("左右乳癌浸润性导管原位未见（）()0123456789/-.：:，。；\n BI-RADSpTNM年月日岁cm%+ⅡİßＡ\u3000𠮷")),
        max_size=300,
    )
)
def test_no_text_breaks_the_reader_and_quotes_stay_true(text: str) -> None:
    assert len(lowered(normalise(text))) == len(text)
    for kind in ("pathology_report", "ultrasound_report", "discharge_summary", None):
        for statement in read(text, kind).observations:
            assert statement.span is not None
            assert text[statement.span.start : statement.span.end] == statement.span.quote


def test_no_paper_of_the_cases_is_read_with_a_wrong_quote() -> None:
    for case in load_cases().values():
        for document in case.claim.documents:
            for statement in read(document.text, document.evidence_type).observations:
                assert statement.span is not None
                assert re.sub(r"\s", "", statement.span.quote) in re.sub(r"\s", "", document.text)
