"""Findings that a text describes rather than names: words that mean a finding only near other words (肿大淋巴结 in the axilla)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import yaml

from triage.reading.dates import DateLike
from triage.reading.graded import Dater
from triage.reading.page import Page
from triage.reading.sides import breast_side
from triage.reading.vocabulary import resource
from triage.reading.words import NEVER, pattern

NEAR = 30
"""Characters before a word within which one of its `near` words must stand."""


@dataclass(frozen=True, slots=True)
class Description:
    """Words of one finding; NEVER stands for a condition not made."""

    finding: str
    words: re.Pattern[str]
    near: re.Pattern[str]
    about: re.Pattern[str]
    unless: re.Pattern[str]
    only: frozenset[str]
    kinds: frozenset[str]


@cache
def descriptions(language: str) -> tuple[Description, ...]:
    """All of one language."""
    return tuple(_description(entry) for entry in yaml.safe_load(resource("described.yaml"))[language])


def _description(entry: Mapping[str, Any]) -> Description:
    near, about, unless = (pattern(entry.get(key, ())) for key in ("near", "about", "unless"))
    only, kinds = (frozenset(entry.get(key, ())) for key in ("only", "kinds"))
    return Description(entry["finding"], pattern(entry["words"]), near, about, unless, only, kinds)


def read_described(page: Page, reference: date, on: DateLike | None, dated: Dater, known: frozenset[str]) -> None:
    """Notes each described finding that no term of it covers already; `known` are the rulebook's findings."""
    covered: dict[str, list[tuple[int, int]]] = {}
    for term in page.terms:
        if term.kind == "finding":
            covered.setdefault(term.id, []).append((term.start, term.end))
    for one in descriptions(page.words.language):
        if one.finding not in known or (one.kinds and page.evidence_type not in one.kinds):
            continue
        if one.about is not NEVER and one.about.search(page.lower) is None:
            continue
        _read(page, one, sorted(covered.get(one.finding, ())), (reference, on), dated)


def _read(page: Page, one: Description, taken: list[tuple[int, int]], days: tuple[date, DateLike | None], dated: Dater) -> None:
    at = 0
    for match in one.words.finditer(page.lower):
        start, end = match.span()
        while at < len(taken) and taken[at][1] <= start:
            at += 1
        if (at < len(taken) and taken[at][0] < end) or not _fits(page, one, start, end):
            continue
        asserted = page.assertion(start, end)
        if one.only and asserted.value not in one.only:
            continue
        side = page.side_near(start, end) or (breast_side(page, start, end, asserted) if one.finding.startswith("pf_b") else "")
        page.mention(one.finding, asserted, start, end, event_on=dated(page, start, end, *days), side=side)


def _fits(page: Page, one: Description, start: int, end: int) -> bool:
    left, right = page.sentence(start, end)
    if one.unless is not NEVER and one.unless.search(page.lower, max(left, start - NEAR), min(right, end + 4)):
        return False
    return one.near is NEVER or one.near.search(page.lower, max(left, start - NEAR), end) is not None
