"""How a text asserts a term: negated, uncertain, historical, of the family, planned ... after ConText, one mechanism for every language.

The cues of a text are found once, the longest word at each place, so that what only looks like a cue (无痛性, 非特殊型, no change)
hides it. A term is then judged by the cues of its sentence: those before it that still reach it, those after it that point back.
Precedence: family, hypothetical, planned, other person, negated, uncertain, historical, the section's default, present.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from triage.observation import Assertion
from triage.reading.cues import STOP, Cue, Cues

WINDOW = 240
"""Characters a sentence may have either way of a term; a text without full stops is still read in linear time."""
BACK = 44
"""Characters after a term within which a backward cue may stand."""

_ADJACENT = re.compile(r"[\s明显确切的任何有a-z]{0,4}")
_CLOSES = re.compile(r"[\s)\]\"”]{0,3}(?:[,、。;.:\n]|$)")
_PERSONS = frozenset({"family", "other_person"})
_NOT_OF_THE_MEMBER = ("hypothetical", "planned", "other_person")


@dataclass(frozen=True, slots=True)
class FoundCue:
    """A cue word at `start` to `end`."""

    start: int
    end: int
    cues: tuple[Cue, ...]


class Assertions:
    """Judges the terms of one normalised lower-case text."""

    def __init__(self, text: str, words: Cues, defaults: Mapping[str, str]) -> None:
        self._text, self._words, self._defaults = text, words, defaults
        self._found = [FoundCue(m.start(), m.end(), words.of(m)) for m in words.found.finditer(text)]
        self._starts = [f.start for f in self._found]
        self._ends = [m.start() for m in words.sentence_end.finditer(text)]

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """The bounds of the sentence around a span, at most `WINDOW` characters either way."""
        before, after = bisect_left(self._ends, start) - 1, bisect_left(self._ends, end)
        left = self._ends[before] + 1 if before >= 0 else 0
        right = self._ends[after] if after < len(self._ends) else len(self._text)
        return max(left, start - WINDOW), min(right, end + WINDOW)

    def of(self, start: int, end: int, section: str = "") -> Assertion:
        """The assertion of the term at `start` to `end`."""
        left, right = self.sentence(start, end)
        active, now = self._before(start, end, left, right)
        active |= self._after(end, right)
        return self._decided(active, None if now else self._defaults.get(section))

    def _decided(self, active: set[str], default: str | None) -> Assertion:
        if "family" in active:
            return Assertion.NEGATED if "negated" in active else Assertion.FAMILY
        if default == "family":
            default = None if active & {*_NOT_OF_THE_MEMBER, "negated"} else default
        for kind in (*_NOT_OF_THE_MEMBER, "negated", "uncertain", "historical"):
            if kind in active:
                return Assertion(kind)
        if default is None or ("present" in active and default == "uncertain"):
            return Assertion.PRESENT
        return Assertion(default)

    def _before(self, start: int, end: int, left: int, right: int) -> tuple[set[str], bool]:
        """Kinds of the cues before the term that still hold at it, the nearest first, and whether the text speaks of today."""
        active: dict[str, FoundCue] = {}
        stopped: set[str] = set()
        for found in self._backwards(start, left):
            for cue in found.cues:
                if cue.kind == STOP and not cue.kinds:
                    return set(active), cue.now
                if cue.kind == STOP:
                    stopped |= cue.kinds
                elif cue.forward and cue.kind not in stopped and self._holds(cue, found, start, end, right, active):
                    active.setdefault(cue.kind, found)
                    if cue.kind in _PERSONS:
                        stopped |= _PERSONS
        return set(active), False

    def _backwards(self, start: int, left: int) -> Iterator[FoundCue]:
        for index in range(bisect_left(self._starts, start) - 1, -1, -1):
            found = self._found[index]
            if found.start < left:
                return
            if found.end <= start:
                yield found
            else:  # 未见异常肿大淋巴结: the cue runs into the term
                yield FoundCue(found.start, start, found.cues)

    def _holds(self, cue: Cue, found: FoundCue, start: int, end: int, right: int, active: Mapping[str, FoundCue]) -> bool:
        if cue.kind == "pseudo" or start - found.end > cue.reach:
            return False
        if cue.kind == "negated" and found.end < start and self._text[found.end] in ",;。":
            return False  # 房颤无，室早: it denied what stands before it
        doubt = active.get("uncertain")
        if cue.kind == "negated" and doubt is not None and not _ADJACENT.fullmatch(self._text, found.end, doubt.start):
            return False  # 未见强化，考虑良性: the nearer doubt is not what was denied
        if cue.across == "sentence":
            return True
        comma = self._words.comma.search(self._text, found.end, start)
        return comma is None or (cue.across == "list" and self._only_lists(comma.start(), end, right))

    def _only_lists(self, comma: int, end: int, right: int) -> bool:
        """Whether the clauses from a comma to the term's own only list things, and state nothing themselves."""
        clause = self._words.comma.search(self._text, end, right)
        return not self._words.fresh.search(self._text, comma + 1, clause.start() if clause else right)

    def _after(self, end: int, right: int) -> set[str]:
        """Kinds of the cues after the term that point back at it."""
        active: set[str] = set()
        for index in range(bisect_left(self._starts, end), len(self._found)):
            found = self._found[index]
            if found.start > right or found.start - end > BACK or any(c.kind == STOP and not c.kinds for c in found.cues):
                break
            active |= {c.kind for c in found.cues if not c.forward and self._points_back(c, found, end)}
        return active

    def _points_back(self, cue: Cue, found: FoundCue, end: int) -> bool:
        if not self._words.gaps[cue.gap].fullmatch(self._text, end, found.start):
            return False
        if cue.gap == "list" and not re.search("[、和及与或]| and | or |,", self._text[end : found.start]):
            return False
        return not cue.closing or _CLOSES.match(self._text, found.end) is not None

    def next_end(self, at: int) -> int:
        """Where the sentence at an offset ends."""
        index = bisect_right(self._ends, at)
        return self._ends[index] if index < len(self._ends) else len(self._text)
