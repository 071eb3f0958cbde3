"""One paper while it is read: its text, sections, terms and dates, and what was observed so far."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from triage.observation import Assertion, FindingMention, Observation, Source, Span, Why
from triage.reading.assertion import Assertions
from triage.reading.dates import DatedSpan, DateLike
from triage.reading.layout import Layout
from triage.reading.vocabulary import Vocabulary
from triage.values import Interval

READER = "reading-2"
HEADING = 140
"""Characters above a line in which its heading names the side, on a report of specimens or images."""
STORIES = frozenset({"outpatient_record", "admission_record", "discharge_summary", "progress_note", "emergency_record", "interview_record"})
"""Papers that tell what came before them."""
RECENT = 90
"""Days before its own date up to which what a paper tells is not history."""
NEAR_SIDE = 10
"""Characters before a thing within which its side stands."""

LISTED = 60
"""Characters over which a list or an account of one organ keeps its side."""
_BRACKETED = re.compile(r"\s?\(\s?(?=[左右双两]侧?[^()\n]{0,3}\))")


def any_between(starts: list[int], low: int, high: int) -> bool:
    """Whether an ascending list has a number in [low, high)."""
    index = bisect_left(starts, low)
    return index < len(starts) and starts[index] < high


@dataclass(frozen=True, slots=True)
class Section:
    """A named part of the paper: its body from `start` to `end`."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a library: `kind` morphology or finding, `id` its index or id, `system` the finding's organ system."""

    kind: str
    id: str
    start: int
    end: int
    system: str = ""

    @property
    def of_breast(self) -> bool:
        """Whether its side is the breast's."""
        return self.system == "breast"


@dataclass
class Page:
    """Offsets are those of the layout's `plain` and `lower` throughout; a span's are those of the filed text."""

    document: str
    layout: Layout
    evidence_type: str
    filed_on: date
    words: Vocabulary
    sections: tuple[Section, ...]
    terms: tuple[Term, ...]
    dates: tuple[DatedSpan, ...]
    basis: str = ""
    reader: str = READER
    own_date: DateLike | None = None
    observations: list[Observation] = field(default_factory=list)
    findings: list[FindingMention] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _date_starts: list[int] = field(default_factory=list)
    _term_starts: list[int] = field(default_factory=list)
    _said: set[str] = field(default_factory=set)
    _firsts: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._starts = [s.start for s in self.sections]
        self._date_starts = [d.start for d in self.dates]
        self._term_starts = [t.start for t in self.terms]

    @property
    def text(self) -> str:
        """The text as filed."""
        return self.layout.text

    @property
    def plain(self) -> str:
        """The text in readers' form, upper case kept."""
        return self.layout.plain

    @property
    def lower(self) -> str:
        """The text in readers' form, lower case, scans' errors put right."""
        return self.layout.lower

    @cached_property
    def assertions(self) -> Assertions:
        """The page's cues, found once."""
        return Assertions(self.lower, self.words.cues, self.words.section_defaults)

    def dates_between(self, low: int, high: int) -> list[DatedSpan]:
        """Dates that start in [low, high)."""
        return list(self.dates[bisect_left(self._date_starts, low) : bisect_left(self._date_starts, high)])

    def has_said(self, fact: str) -> bool:
        """Whether the fact was observed already."""
        return fact in self._said

    def terms_in(self, section: Section, kind: str) -> list[Term]:
        """The terms of a library that start in a section."""
        low, high = (bisect_left(self._term_starts, at) for at in (section.start, section.end))
        return [t for t in self.terms[low:high] if t.kind == kind]

    @cached_property
    def is_malignant(self) -> bool:
        """Whether the text speaks of a malignancy anywhere."""
        return self.words.malignant.search(self.lower) is not None

    def first(self, found: re.Pattern[str], section: Section) -> int:
        """Where a pattern first matches in a section, its end where it does not; looked for once."""
        key = (found.pattern, section.start, section.end)
        if key not in self._firsts:
            match = found.search(self.lower, section.start, section.end)
            self._firsts[key] = match.start() if match else section.end
        return self._firsts[key]

    def section_at(self, at: int) -> str:
        """The name of the section around an offset; empty before the first header."""
        index = bisect_right(self._starts, at) - 1
        return self.sections[index].name if index >= 0 else ""

    def bodies(self, *names: str) -> Iterator[Section]:
        """The sections of these names, in order."""
        return (s for s in self.sections if s.name in names)

    def has(self, *names: str) -> bool:
        """Whether a section of these names has any text."""
        return any(self.lower[s.start : s.end].strip() for s in self.bodies(*names))

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """The sentence around a span."""
        return self.assertions.sentence(start, end)

    def assertion(self, start: int, end: int) -> Assertion:
        """How the text asserts what stands at a span."""
        return self.assertions.of(start, end, self.section_at(start))

    def read_by(self, name: str, read: Callable[..., None], *args: Any) -> None:
        """Lets a reader observe; what it notes carries its name."""
        self.reader = f"{READER}/{name}"
        read(self, *args)

    def title(self) -> tuple[int, int]:
        """Where the first line with any text stands."""
        start = len(self.lower) - len(self.lower.lstrip())
        end = self.lower.find("\n", start)
        return start, len(self.lower) if end < 0 else end

    def span(self, start: int, end: int) -> Span:
        """A span with its quote, blanks around it left out."""
        start, end = self.layout.original(start, end)
        while start < end and self.text[start].isspace():
            start += 1
        while end > start and self.text[end - 1].isspace():
            end -= 1
        return Span(self.document, start, end, self.text[start:end])

    def observe(
        self,
        fact: str,
        value: Any,
        start: int,
        end: int,
        *,
        why: Why | None = None,
        basis: str | None = None,
        assertion: Assertion = Assertion.PRESENT,
        event_on: DateLike | None = None,
    ) -> None:
        """Notes an observation with the span that says so."""
        self._said.add(fact)
        self.observations.append(
            Observation(
                fact,
                value,
                Source.DOCUMENT,
                self.evidence_type,
                self.basis if basis is None else basis,
                assertion,
                event_on,
                self.span(start, end),
                self.section_at(start),
                self.reader,
                why,
                self.document,
            )
        )

    def mention(
        self, finding: str, asserted: Assertion, start: int, end: int, *, event_on: DateLike | None, side: str = "", grade: str = ""
    ) -> None:
        """Notes a positive finding of the library; one that is dated well before the paper is history."""
        if asserted is Assertion.PRESENT and self._is_long_ago(event_on, start):
            asserted = Assertion.HISTORICAL
        span = self.span(start, end)
        self.findings.append(
            FindingMention(
                finding,
                asserted,
                Source.DOCUMENT,
                event_on,
                side,
                grade,
                self.evidence_type,
                span,
                self.section_at(start),
                self.reader,
                self.document,
            )
        )

    def _is_long_ago(self, when: DateLike | None, at: int) -> bool:
        """Whether a printed date before a place puts it well before the paper's own; what has merely lasted is not history."""
        latest = when.high if isinstance(when, Interval) else when
        own = self.own_date.low if isinstance(self.own_date, Interval) else self.own_date
        if own is None and self.evidence_type in STORIES:
            own = self.filed_on
        if latest is None or own is None or (own - latest).days <= RECENT:
            return False
        return bool(self.dates_between(self.sentence(at, at)[0], at))

    def side_before(self, at: int, left: int) -> str:
        """The side named last between `left` and `at`; empty where none is."""
        found = ""
        for match in self.words.side.finditer(self.lower, left, at):
            found = self.words.sides[match.group()]
        return found

    def side_span(self, side: str, start: int, end: int) -> tuple[int, int]:
        """Where the sentence around a span names a side; the span itself where it does not."""
        left, right = self.sentence(start, end)
        found = [m.span() for m in self.words.side.finditer(self.lower, left, right) if self.words.sides[m.group()] == side]
        return found[0] if found else (start, end)

    def side_of(self, start: int, end: int) -> str:
        """The side a span is about: named in it or before it in its sentence, else after it; on a report of specimens or images else
        in the lines above, which head what follows."""
        left, right = self.sentence(start, end)
        near = self.side_before(end, left)
        if near:
            return near
        after = self.words.side.search(self.lower, end, right)
        if after:
            return self.words.sides[after.group()]
        bare = list(self.words.any_side.finditer(self.lower, max(left, start - 3 * NEAR_SIDE), start))
        if bare:
            return self.words.any_sides[bare[-1].group()]
        return self.side_before(start, max(0, start - HEADING)) if self.basis and self.basis != "clinical" else ""

    @cached_property
    def breast_sides(self) -> frozenset[str]:
        """Every side of the breast the paper names."""
        return frozenset(self.words.sides[m.group()] for m in self.words.side.finditer(self.lower))

    def side_near(self, start: int, end: int) -> str:
        """The side of a thing of any organ: named in it or close before it in its clause (右肾囊肿), in English also close behind it
        (renal cyst, left)."""
        english = self.words.language == "en"
        reach = NEAR_SIDE * 3 if english else NEAR_SIDE
        clause = max(self.lower.rfind(mark, max(0, start - reach), start) for mark in (".;\n" if english else ",、;。\n ")) + 1
        found = list(self.words.any_side.finditer(self.lower, max(clause, start - reach), end))
        if found:
            return self.words.any_sides[found[-1].group()]
        stop = min((at for mark in ".;\n" if (at := self.lower.find(mark, end, end + reach)) >= 0), default=end + reach)
        after = self.words.any_side.search(self.lower, end, stop) if english else _BRACKETED.match(self.lower, end)
        if after and not english:
            after = self.words.any_side.match(self.lower, after.end())
        return self.words.any_sides[after.group()] if after else self._listed_side(start, end)

    def _listed_side(self, start: int, end: int) -> str:
        """The side of the organ a list or an account began with (左肾囊肿、结石), where no other organ comes in between."""
        left, _ = self.sentence(start, end)
        sides = list(self.words.any_side.finditer(self.lower, max(left, start - LISTED), start))
        organs = {m.group() for m in self.words.organ.finditer(self.lower, sides[-1].start(), end)} if sides else set()
        return self.words.any_sides[sides[-1].group()] if len(organs) == 1 else ""
