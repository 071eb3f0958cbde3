"""A filed text as readers want it: one form of every character, words whole again where lines and blanks broke them, printed keys
blanked out. Readers work on `plain` and `lower`; `original` leads every place back to the text as filed.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triage.reading.characters import VANISHING, corrected, simplified, unfolded
from triage.reading.legends import without_legends
from triage.reading.text import lowered, normalise
from triage.reading.vocabulary import Vocabulary
from triage.reading.words import Divisible

_CJK = r"[\u3400-\u4dbf\u4e00-\u9fff]"
_SPACED = re.compile(rf"(?<!{_CJK})(?:{_CJK}[ ]{{1,4}}){{2,30}}{_CJK}(?!{_CJK})")
_SPACED_LINE = re.compile(r"^(?:[^ \n]{1,2} {1,2}){12,400}[^ \n]{0,3}$", re.MULTILINE)
"""A line in which blanks stand between all characters, digits and signs too."""
_HYPHENATED = 3
"""Hyphens at line ends from which every one of them is taken as the printer's."""
_BROKEN = re.compile(rf"(?<={_CJK})(?:[ ]{{1,4}}|[ ]{{0,2}}\n[ ]{{0,4}})(?={_CJK})")
_LINE_END = re.compile(r"(?<=[^\s.;:!?])[ ]{0,2}\n(?=[ ]{0,4}[^\s\-*•#])")
_HYPHENED = re.compile(r"(?<=[a-z])-\n[ ]{0,4}(?=[a-z])")
_NUMBERED = re.compile(r"[(\[]?(?:\d{1,2}|[一二三四五六七八九十]{1,2})\s?[)\].、#:]|[-*•#]")
_AROUND = 24
"""Characters each side of a break in which a word that it broke may stand."""
_WRAPPED = 16
"""A text of shorter lines was not wrapped."""
_FULL = 0.85
"""Share of the wrapping width from which a line counts as full."""


@dataclass(frozen=True)
class Layout:
    """`first` and `last` give, for each character of `plain`, where it starts and ends in `text`; None where nothing moved."""

    text: str
    plain: str
    lower: str
    first: Sequence[int] | None = None
    last: Sequence[int] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the filed text that a span of `plain` came from."""
        if self.first is None or self.last is None:
            return start, end
        if end <= start:
            at = self.first[start] if start < len(self.first) else len(self.text)
            return at, at
        return self.first[start], self.last[end - 1]

    def placed(self, start: int, end: int) -> tuple[int, int] | None:
        """The span of `plain` that a span of the filed text became; None where none of it is here."""
        if self.first is None or self.last is None:
            return (start, end) if end <= len(self.plain) else None
        low, high = bisect_right(self.last, start), bisect_left(self.first, end)
        return (low, high) if low < high else None

    def part(self, start: int, end: int) -> Layout:
        """The layout of the characters from `start` to `end` of `plain` alone."""
        if (start, end) == (0, len(self.plain)):
            return self
        first = self.first[start:end] if self.first is not None else range(start, end)
        last = self.last[start:end] if self.last is not None else range(start + 1, end + 1)
        return Layout(self.text, self.plain[start:end], self.lower[start:end], first, last)


def lay_out(text: str, words: Vocabulary, broken: Divisible) -> Layout:
    """The layout of a filed text. `broken` finds the words whose parts are joined where a line or a blank divides them."""
    plain, first, last = (normalise(text), None, None) if VANISHING.search(text) is None else unfolded(text)
    plain = simplified(plain)
    lower = lowered(plain)
    cuts = _cuts(lower, words, broken)
    if cuts:
        kept = _kept(len(plain), cuts)
        plain, lower = ("".join(whole[a:b] for a, b in kept) for whole in (plain, lower))
        first = [at for a, b in kept for at in (first[a:b] if first else range(a, b))]
        last = [at for a, b in kept for at in (last[a:b] if last else range(a + 1, b + 1))]
    if words.language == "en":
        lower = _run_on(plain, lower, broken)
    return Layout(text, plain, without_legends(corrected(lower), words.legends), first, last)


def _kept(length: int, cuts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    kept, at = [], 0
    for start, end in cuts:
        kept.append((at, start))
        at = end
    return [*kept, (at, length)]


def _cuts(lower: str, words: Vocabulary, broken: Divisible) -> list[tuple[int, int]]:
    """Blanks and line ends to leave out: in letter-spaced words, in wrapped lines, and where a word of the libraries is whole
    only without them."""
    spaced = [(m.start() + b.start(), m.start() + b.end()) for m in _SPACED_LINE.finditer(lower) for b in re.finditer(" +", m.group())]
    if words.language == "en":
        ends = list(_HYPHENED.finditer(lower))
        if len(ends) >= _HYPHENATED:
            return [m.span() for m in ends]
        return [m.span() for m in _HYPHENED.finditer(lower) if _crosses(lower, m.start(), m.end(), "", broken)]
    cuts = {*spaced} | {(m.start() + b.start(), m.start() + b.end()) for m in _SPACED.finditer(lower) for b in re.finditer(" +", m.group())}
    width = _width(lower)
    for match in _BROKEN.finditer(lower):
        start, end = match.span()
        if (start, end) in cuts:
            continue
        wrapped = "\n" in match.group() and _is_full(lower, start, width) and not _starts_anew(lower, end, words)
        if wrapped or _crosses(lower, start, end, "", broken):
            cuts.add((start, end))
    return _apart(sorted(cuts))


def _apart(cuts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those that overlap one before."""
    kept: list[tuple[int, int]] = []
    for start, end in cuts:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def _width(lower: str) -> int:
    """The width at which the text was wrapped: two lines or more of about the longest length; 0 where it was not."""
    lengths = sorted((len(line) for line in lower.split("\n")), reverse=True)
    return lengths[0] if lengths[0] >= _WRAPPED and len(lengths) > 2 and lengths[1] >= lengths[0] * _FULL else 0


def _is_full(lower: str, at: int, width: int) -> bool:
    return width > 0 and at - (lower.rfind("\n", max(0, at - width - 1), at) + 1) >= width * _FULL


def _starts_anew(lower: str, at: int, words: Vocabulary) -> bool:
    return _NUMBERED.match(lower, at) is not None or words.section_header.match(lower, at) is not None


def _crosses(lower: str, start: int, end: int, instead: str, broken: Divisible) -> bool:
    """Whether a word of the libraries stands across the break once `instead` takes its place."""
    before = lower[max(0, start - _AROUND) : start].rpartition("\n")[2]
    return broken.crosses(before, instead, lower[end : end + _AROUND].partition("\n")[0].lstrip(" "))


def _run_on(plain: str, lower: str, broken: Divisible) -> str:
    """Lines that go on in the next (it starts in lower case, or a word is broken) become one; a blank stands for the line's end."""
    ends = [
        m.end() - 1
        for m in _LINE_END.finditer(lower)
        if plain[m.end() : m.end() + 5].lstrip(" ")[:1].islower() or _crosses(lower, m.start(), m.end(), " ", broken)
    ]
    if not ends:
        return lower
    characters = list(lower)
    for at in ends:
        characters[at] = " "
    return "".join(characters)
