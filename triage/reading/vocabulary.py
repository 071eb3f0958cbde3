"""The words of one language, read from its resource file once and compiled into patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from triage.reading.text import lowered, normalise

NEVER = re.compile(r"(?!)")


def alternation(words: Iterable[str]) -> str:
    """An alternation of literal words, the longest first; ASCII words only as whole words."""
    ordered = sorted({lowered(normalise(w)) for w in words}, key=lambda w: (-len(w), w))
    return "|".join(_literal(w) for w in ordered)


def _literal(word: str) -> str:
    text = re.escape(word)
    if word[0].isascii() and word[0].isalnum():
        text = r"(?<![a-z0-9])" + text
    if word[-1].isascii() and word[-1].isalnum():
        text += r"(?![a-z0-9])"
    return text


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """A compiled alternation; matches nothing for no words."""
    listed = list(words)
    return re.compile(alternation(listed)) if listed else NEVER


@dataclass(frozen=True)
class Vocabulary:
    """Compiled words of one language; all patterns expect normalised lower-case text."""

    language: str
    text: str
    sections: Mapping[str, str]
    section_header: re.Pattern[str]
    section_defaults: Mapping[str, str]
    sentence_ends: str
    terminators: re.Pattern[str]
    negation_forward: re.Pattern[str]
    enumerating: frozenset[str]
    negation_backward: re.Pattern[str]
    pseudo: re.Pattern[str]
    uncertain_forward: re.Pattern[str]
    uncertain_backward: re.Pattern[str]
    detached: re.Pattern[str]
    historical_forward: re.Pattern[str]
    historical_backward: re.Pattern[str]
    family: re.Pattern[str]
    family_guard: re.Pattern[str]
    hypothetical: re.Pattern[str]
    planned: re.Pattern[str]
    other_person: re.Pattern[str]
    sides: Mapping[str, str]
    side: re.Pattern[str]
    quadrants: Mapping[str, str]
    quadrant: re.Pattern[str]
    document_types: tuple[tuple[str, re.Pattern[str]], ...]
    clinical_terms: Mapping[str, str]


def _inverted(groups: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {lowered(normalise(word)): name for name, words in groups.items() for word in words}


def _header(names: Iterable[str], language: str) -> re.Pattern[str]:
    """A header stands at a line's start or after a blank or full stop, may be numbered or in brackets, and ends in a colon,
    a bracket or the line's end. Chinese headers may be printed with blanks between the characters."""
    ordered = sorted(names, key=lambda n: (-len(n), n))
    words = "|".join((r"\s{0,4}" if language == "zh" else "").join(map(re.escape, n)) for n in ordered)
    number = r"(?:[(\[]?[一二三四五六七八九十\d]{1,2}[)\]、.]\s{0,2})?"
    return re.compile(
        rf"(?:^|(?<=[\s。;,.\]]))(?P<all>{number}\[?(?P<name>{words})(?:\([^()\n]{{1,12}}\))?(?:\][ :]{{0,2}}| {{0,2}}:| {{0,2}}(?=\n)|(?<=[诊断过称历]) {{1,4}}(?=[\u4e00-\u9fff])))",
        re.MULTILINE,
    )


@cache
def vocabulary(language: str) -> Vocabulary:
    """The shipped vocabulary of `zh` or `en`."""
    text = resources.files("triage.reading.resources").joinpath(f"{language}.yaml").read_text(encoding="utf-8")
    return _compiled(language, text, yaml.safe_load(text))


def _compiled(language: str, text: str, data: Mapping[str, Any]) -> Vocabulary:
    sections, sides = _inverted(data["sections"]), _inverted(data["sides"])
    kin = data["family"]
    single = (
        f"|(?:其|患者|之)(?:{alternation(kin['single'])})|(?:{alternation(kin['single'])})(?=患|因|死于|有|曾)" if kin["single"] else ""
    )
    quadrants = {lowered(k): v for k, v in data["quadrants"].items()}
    return Vocabulary(
        language=language,
        text=text,
        sections=sections,
        section_header=_header(sections, language),
        section_defaults=data["section_defaults"],
        sentence_ends=normalise(data["sentence_ends"]),
        terminators=pattern(data["terminators"]),
        negation_forward=pattern(data["negation"]["forward"]),
        enumerating=frozenset(data["negation"]["enumerating"]),
        negation_backward=pattern(data["negation"]["backward"]),
        pseudo=pattern(data["pseudo"]),
        uncertain_forward=pattern(data["uncertain"]["forward"]),
        uncertain_backward=pattern(data["uncertain"]["backward"]),
        detached=pattern(data["uncertain"]["detached"]),
        historical_forward=pattern(data["historical"]["forward"]),
        historical_backward=pattern(data["historical"]["backward"]),
        family=re.compile(alternation(kin["forward"]) + single),
        family_guard=pattern(kin["guard"]),
        hypothetical=pattern(data["hypothetical"]),
        planned=pattern(data["planned"]),
        other_person=pattern(data["other_person"]),
        sides=sides,
        side=pattern(sides),
        quadrants=quadrants,
        quadrant=pattern(quadrants),
        document_types=tuple((name, pattern(words)) for name, words in data["document_types"].items()),
        clinical_terms=_inverted(data["clinical_terms"]),
    )
