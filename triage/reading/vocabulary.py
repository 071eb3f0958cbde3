"""The words of one language, read from its resource file once and compiled into patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from triage.reading.cues import Cues, cues
from triage.reading.text import lowered, normalise
from triage.reading.words import alternation, pattern


@dataclass(frozen=True)
class Vocabulary:
    """Compiled words of one language; all patterns expect normalised lower-case text."""

    language: str
    text: str
    sections: Mapping[str, str]
    section_header: re.Pattern[str]
    section_defaults: Mapping[str, str]
    cues: Cues
    legends: re.Pattern[str]
    whole: tuple[str, ...]
    sides: Mapping[str, str]
    side: re.Pattern[str]
    any_sides: Mapping[str, str]
    any_side: re.Pattern[str]
    organ: re.Pattern[str]
    quadrants: Mapping[str, str]
    quadrant: re.Pattern[str]
    document_types: tuple[tuple[str, re.Pattern[str]], ...]
    signs: tuple[tuple[str, re.Pattern[str]], ...]
    malignant: re.Pattern[str]
    clinical_terms: Mapping[str, str]
    finding_terms: Mapping[str, tuple[str, ...]]
    morphology_terms: Mapping[str, tuple[str, ...]]


def _inverted(groups: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {lowered(normalise(word)): name for name, words in groups.items() for word in words}


def _header(names: Iterable[str], language: str) -> re.Pattern[str]:
    """A header stands at a line's start or after a blank or full stop, may be numbered or in brackets, and ends in a colon,
    a bracket or the line's end. Chinese headers may be printed with blanks between the characters."""
    ordered = sorted(names, key=lambda n: (-len(n), n))
    words = "|".join((r"\s{0,4}" if language == "zh" else "").join(map(re.escape, n)) for n in ordered)
    number = r"(?:[(\[]?[一二三四五六七八九十\d]{1,2}[)\]、.]\s{0,2})?"
    return re.compile(
        rf"(?:^|(?<=[\s。;,.\]]))(?P<all>{number}\[?(?P<name>{words})(?:\([^()\n]{{1,12}}\))?(?:\][ :]{{0,2}}| {{0,2}}:| {{0,2}}(?=\n)|(?<=[诊断过称历史诉体往]) {{1,4}}(?=[\u4e00-\u9fff])))",
        re.MULTILINE,
    )


@cache
def vocabulary(language: str) -> Vocabulary:
    """The shipped vocabulary of `zh` or `en`."""
    words, assertion = resource(f"{language}.yaml"), resource(f"assertion.{language}.yaml")
    return _compiled(language, words + assertion, yaml.safe_load(words), yaml.safe_load(assertion))


def resource(name: str) -> str:
    """The text of a resource file of the reader."""
    return resources.files("triage.reading.resources").joinpath(name).read_text(encoding="utf-8")


def _compiled(language: str, text: str, data: Mapping[str, Any], assertion: Mapping[str, Any]) -> Vocabulary:
    sections, sides = _inverted(data["sections"]), _inverted(data["sides"])
    quadrants = {lowered(k): v for k, v in data["quadrants"].items()}
    return Vocabulary(
        language=language,
        text=text,
        sections=sections,
        section_header=_header(sections, language),
        section_defaults=data["section_defaults"],
        cues=cues(assertion),
        legends=re.compile(data["legends"]),
        whole=tuple(lowered(normalise(w)) for w in data["whole"]),
        sides=sides,
        side=pattern(sides),
        any_sides=_inverted(data["any_sides"]),
        any_side=re.compile(f"(?:{alternation(_inverted(data['any_sides']))}){data['not_a_side']}"),
        organ=re.compile(data["organs"]),
        quadrants=quadrants,
        quadrant=pattern(quadrants),
        document_types=tuple((name, pattern(words)) for name, words in data["document_types"].items()),
        signs=tuple((name, pattern(words)) for name, words in data["signs"].items()),
        malignant=pattern(data["malignant"]),
        clinical_terms=_inverted(data["clinical_terms"]),
        finding_terms={name: tuple(terms) for name, terms in data["finding_terms"].items()},
        morphology_terms={code: tuple(terms) for code, terms in data["morphology_terms"].items()},
    )
