"""How texts assert a thing, sentence by sentence: `reading/traps.yaml` is the list to extend."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from triage.reading.assertion import Assertions
from triage.reading.text import lowered, normalise
from triage.reading.vocabulary import vocabulary

TRAPS = yaml.safe_load((Path(__file__).parent / "reading" / "traps.yaml").read_text(encoding="utf-8"))


def asserted(language: str, text: str, term: str, section: str = "") -> str:
    """The assertion of the first occurrence of a term."""
    plain, word = lowered(normalise(text)), lowered(normalise(term))
    at, words = plain.index(word), vocabulary(language)
    return Assertions(plain, words.cues, words.section_defaults).of(at, at + len(word), section).value


@pytest.mark.parametrize(("language", "text", "term", "expected"), TRAPS, ids=lambda v: v[:24])
def test_a_sentence_asserts_what_a_reader_understands(language: str, text: str, term: str, expected: str) -> None:
    """Negation, doubt, family, plans and what only looks like them."""
    assert asserted(language, text, term) == expected


def test_a_section_says_how_its_plain_statements_are_meant() -> None:
    """And its own words still outrank it: what is denied in the past history is denied."""
    assert asserted("zh", "高血压", "高血压", "past_history") == "historical"
    assert asserted("zh", "否认高血压", "高血压", "past_history") == "negated"
    assert asserted("zh", "目前高血压", "高血压", "past_history") == "present"
    assert asserted("zh", "乳腺癌", "乳腺癌", "family_history") == "family"
    assert asserted("zh", "确诊乳腺癌", "乳腺癌", "clinical_dx") == "present"
