"""Side and date of a finding as told in lists, headings, stories and earlier examinations: `reading/told.yaml` is the list to extend."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.desks import shipped
from triage.reading.corpus import days
from triage.reading.score import agrees

TOLD = yaml.safe_load((Path(__file__).parent / "reading" / "told.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("evidence_type", "text", "finding", "side", "on"), TOLD, ids=lambda v: str(v)[-24:])
def test_a_finding_has_the_side_and_date_it_was_told_with(evidence_type: str, text: str, finding: str, side: str, on: str | None) -> None:
    """Its own words first, then its list, its heading, the examination it belongs to."""
    reading = shipped()[1].read(text, document_id="d1", evidence_type=evidence_type, filed_on=date(2020, 7, 1))
    found = [f for f in reading.findings if f.finding in finding.split("|")]
    assert found
    assert {f.side for f in found} == {side}
    assert on is None or all(agrees(f.event_on, days(on)) for f in found)
