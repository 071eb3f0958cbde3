"""One thing that somebody or something said about a claim: who said it, where, and how surely.

An observation is never changed or deleted: a correction is a new one of a higher rank. Reading makes them from documents,
the form and the registry make them from what was filed, people enter them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from triage.values import Interval, Value


class Assertion(StrEnum):
    """How a text asserts a thing (after i2b2 2010 and ConText)."""

    PRESENT = "present"
    NEGATED = "negated"
    UNCERTAIN = "uncertain"
    HISTORICAL = "historical"
    FAMILY = "family"
    HYPOTHETICAL = "hypothetical"
    PLANNED = "planned"
    OTHER_PERSON = "other_person"


class Source(StrEnum):
    """Who made the observation, the weakest first: a later one outranks an earlier one."""

    FORM = "form"
    DOCUMENT = "document"
    MODEL = "model"
    CASE_GRAPH = "case_graph"
    REGISTRY = "registry"
    INVESTIGATION = "investigation"
    REVIEWER = "reviewer"


class Why(StrEnum):
    """Why a fact is unknown; it decides whether papers are asked for or a person is."""

    NOT_SUPPLIED = "not_supplied"
    UNCLEAR = "unclear"
    UNOBTAINABLE = "unobtainable"
    INTERPRETATION = "interpretation"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (end excluded) of the document's text as filed; `quote` is exactly that text."""

    document: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Observation:
    """`fact` was observed to be `value`.

    `basis` says what the statement rests on (resection, core_biopsy, frozen, cytology, consultation, imaging, clinical,
    post_neoadjuvant ...): evidence limits and precedence are written in terms of it. `why` is set, and `value` is None,
    where the source speaks of the fact without settling it. `actor` names the person who entered it: what a person enters
    later replaces what the same person entered before.
    """

    fact: str
    value: Value | None
    source: Source
    evidence_type: str = ""
    basis: str = ""
    assertion: Assertion = Assertion.PRESENT
    event_on: date | Interval | None = None
    span: Span | None = None
    section: str = ""
    reader: str = ""
    why: Why | None = None
    document: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class FindingMention:
    """A positive finding of the library was mentioned: how, when it was found, on which side, of which grade.

    `event_on` is when the finding was made (not when the paper was written); None where the text does not say.
    `grade` is the finding's own scale as printed, for example a BI-RADS category "4A".
    """

    finding: str
    assertion: Assertion
    source: Source
    event_on: date | Interval | None = None
    side: str = ""
    grade: str = ""
    evidence_type: str = ""
    span: Span | None = None
    section: str = ""
    reader: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read from one document."""

    observations: tuple[Observation, ...] = ()
    findings: tuple[FindingMention, ...] = ()
    evidence_type: str = ""
    problems: tuple[str, ...] = field(default=())
