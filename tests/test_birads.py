"""BI-RADS categories by breast as reports print them: `reading/birads.yaml` is the list to extend."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.desks import shipped

PRINTED = yaml.safe_load((Path(__file__).parent / "reading" / "birads.yaml").read_text(encoding="utf-8"))
LETTERS = {"left": ("L",), "right": ("R",), "both": ("L", "R"), "": ("",)}


def told(evidence_type: str, text: str) -> set[str]:
    """Side and grade of every category, as facts of a side or as findings."""
    reading = shipped()[1].read(text, document_id="d1", evidence_type=evidence_type, filed_on=date(2021, 6, 1))
    facts = {f"{o.fact[7].upper()}{o.value}" for o in reading.observations if o.fact.startswith("birads.")}
    graded = [f for f in reading.findings if f.finding.startswith("pf_bi")]
    return facts | {f"{side}{'4A' if f.grade == '4' else f.grade}" for f in graded for side in LETTERS[f.side]}


@pytest.mark.parametrize(("evidence_type", "text", "expected"), PRINTED, ids=lambda v: v[-30:])
def test_a_category_is_that_of_its_breast(evidence_type: str, text: str, expected: str) -> None:
    """Named beside it, before it, after it, in a column or in what it sums up; a printed key is none."""
    wanted = set(expected.split())
    sides = {f"{letter}{w[1:]}" for w in wanted for letter in ("LR" if w[0] == "B" else w[0]) if not w[0].isdigit()}
    assert told(evidence_type, text) == sides | {w for w in wanted if w[0].isdigit()}
