"""Facts that a paper states in words (腹水, 室壁瘤, 已行搭桥): which words state them is data, how they are asserted decides the value.

A fact is read only from papers that may supply it. Said to be so makes it true; doubted leaves it unclear; denied makes it false only
where the paper looked for it, because no paper proves an absence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from triage.observation import Assertion, Why
from triage.reading.page import Page
from triage.reading.vocabulary import resource
from triage.reading.words import NEVER, pattern

NEAR = 24
"""Characters before a word in which a word of `near` must stand."""
_LASTING = ("surgery.", "treatment.", "cause.", "trauma.", "vision.", "rare.")
"""Of these the past counts: what was once done stays done."""


@dataclass(frozen=True, slots=True)
class StatedFact:
    """The words that state one fact, and from which papers."""

    fact: str
    value: Any
    words: re.Pattern[str]
    near: re.Pattern[str]
    unless: re.Pattern[str]
    negatable: bool
    also: frozenset[str]


@cache
def stated_facts(language: str) -> tuple[StatedFact, ...]:
    """All of one language's resource."""
    return tuple(_stated(entry) for entry in yaml.safe_load(resource(f"statements.{language}.yaml"))["statements"])


def _stated(entry: Mapping[str, Any]) -> StatedFact:
    return StatedFact(
        fact=entry["fact"],
        value=entry.get("value", True),
        words=pattern(entry["words"]),
        near=pattern(entry.get("near", ())),
        unless=pattern(entry.get("unless", ())),
        negatable=entry.get("negatable", False),
        also=frozenset(entry.get("also", ())),
    )


def read_statements(page: Page, supplied: frozenset[str]) -> None:
    """Observes each stated fact once: said, else doubted, else denied."""
    for stated in stated_facts(page.words.language):
        if stated.fact in supplied or page.evidence_type in stated.also or not page.evidence_type:
            _read(page, stated)


def _read(page: Page, stated: StatedFact) -> None:
    if stated.unless.search(page.lower) is not None:
        return
    best: tuple[int, Any, Assertion, re.Match[str]] | None = None
    for match in stated.words.finditer(page.lower):
        asserted = _asserted(page, stated, match)
        if asserted in _NOT_OF_THE_MEMBER:
            page.observe(stated.fact, stated.value, match.start(), match.end(), assertion=asserted, event_on=page.own_date)
        elif asserted is not None and (told := _told(stated, asserted)) is not None and (best is None or told[0] > best[0]):
            best = (*told, asserted, match)
    if best is not None:
        _, value, asserted, match = best
        why = Why.UNCLEAR if value is None else None
        page.observe(stated.fact, value, match.start(), match.end(), why=why, assertion=asserted, event_on=page.own_date)


_NOT_OF_THE_MEMBER = frozenset({Assertion.FAMILY, Assertion.HYPOTHETICAL, Assertion.PLANNED, Assertion.OTHER_PERSON})


def _asserted(page: Page, stated: StatedFact, match: re.Match[str]) -> Assertion | None:
    """How one place is asserted; None where it is about something else."""
    start, end = match.span()
    if stated.near is not NEVER and not stated.near.search(page.lower, max(0, start - NEAR), end + 4):
        return None
    return page.assertion(start, end)


def _told(stated: StatedFact, asserted: Assertion) -> tuple[int, Any] | None:
    """(strength, value) of what is asserted of the member; None where it says nothing about the fact."""
    if asserted is Assertion.PRESENT or (asserted is Assertion.HISTORICAL and stated.fact.startswith(_LASTING)):
        return 3, stated.value
    if asserted is Assertion.UNCERTAIN:
        return 2, None
    if asserted is Assertion.NEGATED and stated.negatable and stated.value is True:
        return 1, False
    return None
