"""What scans and printers do to a text, and that every quote is still the text as filed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.desks import shipped
from triage.observation import Reading
from triage.reading.corpus import LabelledPaper, papers
from triage.reading.layout import lay_out
from triage.reading.vocabulary import vocabulary


def lower(text: str, language: str = "zh") -> str:
    """The readers' form of a text."""
    terms = shipped()[1].chinese if language == "zh" else shipped()[1].english
    return lay_out(text, vocabulary(language), terms.broken).lower


def read(text: str, evidence_type: str | None = None) -> Reading:
    return shipped()[1].read(text, document_id="d1", evidence_type=evidence_type, filed_on=date(2020, 12, 1))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("病 理 诊 断 报 告", "病理诊断报告"),
        ("浸润性导\n管癌", "浸润性导管癌"),
        ("未见明\n显间质\n浸润", "未见明显间质浸润"),
        ("浸润性 导管癌", "浸润性导管癌"),
        ("姓名 孙某某 性别 女", "姓名 孙某某 性别 女"),
        ("ＥＲ（＋）２．１㎝", "er(+)2.1cm"),
        ("診斷：浸潤性導管癌", "诊断:浸润性导管癌"),
        ("末见癌，淋巴节（0/3）", "未见癌,淋巴结(0/3)"),
        ("pTlcNOMO，Ki一67 3O%", "pt1cn0m0,ki-67 30%"),
        ("2O2O-O5-l8", "2020-05-18"),
        ("Bl-RADS 4A", "bi-rads 4a"),
        ("乳\u200b腺癌\r\n", "乳腺癌\n"),
    ],
)
def test_a_text_takes_the_form_its_reader_expects(text: str, form: str) -> None:
    """Widths, blanks, line ends, scans' errors, traditional characters, invisible ones."""
    assert lower(text) == form


def test_english_lines_go_on() -> None:
    """A hyphen at a line's end, a line that goes on in lower case, a term in capitals over two lines."""
    assert "invasive ductal carcinoma, with lymph node" in lower("Invasive ductal carci-\nnoma, with lymph\nnode metastasis", "en")
    assert lower("INVASIVE DUCTAL\nCARCINOMA\nGRADE 2", "en").startswith("invasive ductal carcinoma\n")


def test_a_printed_key_finds_nothing() -> None:
    """The categories at the foot of a report explain themselves only."""
    key = "BI-RADS分类：0类：需结合其他检查；1类：阴性；2类：良性；3类：可能良性；4类：可疑恶性；5类：高度提示恶性；6类：已证实恶性。"
    reading = read(f"超声检查报告\n检查日期：2020-01-05\n提示：右乳结节，BI-RADS 3类。\n{key}")
    assert [(o.fact, o.value) for o in reading.observations if o.fact.startswith("birads")] == [("birads.right", "3")]


def test_several_papers_in_one_text_are_read_one_by_one() -> None:
    """Each with its own type, dates and findings."""
    text = "某市医院\n超声检查报告单\n检查日期：2020-01-05\n提示：右乳结节，BI-RADS 4A类，建议活检，结合临床，定期复查。\n某市医院\n病理诊断报告单\n报告日期：2020-01-20\n病理诊断：（右乳）浸润性导管癌。\n"
    reading = read(text)
    kinds = {o.evidence_type for o in reading.observations}
    assert kinds == {"ultrasound_report", "pathology_report"}
    assert all(o.span is not None and text[o.span.start : o.span.end] == o.span.quote for o in reading.observations)
    assert [o.value for o in reading.observations if o.fact == "first_diagnosis_date"] == [date(2020, 1, 20)]


def test_a_wrong_type_given_is_noticed() -> None:
    """The title line says what the paper is; it is read as that, and the mistake is an observation."""
    reading = read("某市医院出院小结\n入院日期：2020-05-18\n出院日期：2020-05-28\n出院诊断：左乳癌\n", "pathology_report")
    assert reading.evidence_type == "discharge_summary"
    assert reading.problems
    assert [o.value for o in reading.observations if o.fact == "docs.type_as_filed"] == [False]


@pytest.mark.parametrize("paper", list(papers(Path(__file__).parent / "reading" / "dev")), ids=lambda p: p.id)
def test_both_ways_to_look_terms_up_read_the_same(paper: LabelledPaper) -> None:
    """Through a spaCy document and in bulk."""
    _, reader = shipped()
    ways = [
        r.read(paper.text, document_id="d1", evidence_type=paper.evidence_type, filed_on=paper.filed_on) for r in (reader, reader.in_bulk())
    ]
    assert ways[0] == ways[1]
