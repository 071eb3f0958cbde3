"""Papers as hospitals print them: what is read, what is left open, what must not be read."""

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
from triage.reading.text import lowered, normalise
from triage.values import Interval, to_json

FOLDER = Path(__file__).parent / "readings"
PAPERS = {
    f"{path.stem}/{item['id']}": item for path in sorted(FOLDER.glob("*.yaml")) for item in yaml.safe_load(path.read_text(encoding="utf-8"))
}


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
