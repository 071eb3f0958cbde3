"""How a text asserts a term: negated, uncertain, historical, of the family, planned ... after ConText, for Chinese and English.

A cue works within its sentence, up to a terminator; a comma ends it unless the cue enumerates (否认高血压，糖尿病). Cues that
only look like cues (无痛性, 非特殊型) are masked first. Precedence: family, hypothetical, negated, uncertain, historical, present.
"""

from __future__ import annotations

import re

from triage.observation import Assertion
from triage.reading.vocabulary import Vocabulary

REACH = {"negated": 40, "uncertain": 24, "historical": 30, "family": 40, "hypothetical": 24, "planned": 16}
BACK = 14
WINDOW = 240
"""Longer than any cue reaches; a text without full stops is still read in linear time."""

_LINK = re.compile(r"[\s:(均呈为是已也]{0,4}(?:is|was|are)?\s?")
"""What may stand between a term and the negation after it: 间质浸润：未见."""
_NEAR = re.compile(r"[^,、。;]{0,4}")
_ACROSS = re.compile(r"[^。;]{0,8}")
_COMMA = re.compile(r"[,]")
_LIST_COMMA = re.compile(r",(?=.{0,12}(?:[有见伴示诊行予为]|探及|发现|考虑|出现|大小|\bhas\b|\bwith\b))")


def sentence(text: str, start: int, end: int, ends: str) -> tuple[int, int]:
    """The bounds of the sentence around a span, at most `WINDOW` characters either way; a decimal point does not end one."""
    left, right = start, end
    first, last = max(0, start - WINDOW), min(len(text), end + WINDOW)
    while left > first and not _ends_at(text, left - 1, ends):
        left -= 1
    while right < last and not _ends_at(text, right, ends):
        right += 1
    return left, right


def _ends_at(text: str, at: int, ends: str) -> bool:
    char = text[at]
    if char not in ends:
        return False
    return not (char == "." and at + 1 < len(text) and not text[at + 1].isspace())


def _masked(found: re.Pattern[str], text: str) -> str:
    return found.sub(lambda m: "□" * len(m.group()), text)


def _forward(cue: re.Pattern[str], before: str, reach: int, words: Vocabulary) -> bool:
    """Whether a cue in `before` still holds at its end."""
    for match in cue.finditer(before):
        between = before[match.end() :]
        if len(between) > reach or words.terminators.search(between):
            continue
        comma = _LIST_COMMA if match.group() in words.enumerating else _COMMA
        if not comma.search(between):
            return True
    return False


def _backward(cue: re.Pattern[str], after: str, between: re.Pattern[str]) -> bool:
    """Whether a cue follows with nothing but `between` before it."""
    match = cue.search(after[:BACK])
    return match is not None and between.fullmatch(after[: match.start()]) is not None


def assertion(text: str, start: int, end: int, words: Vocabulary, section: str = "") -> Assertion:
    """The assertion of the term at `start` to `end` of a normalised lower-case text."""
    left, right = sentence(text, start, end, words.sentence_ends)
    before, after = text[left:start], text[end : right + 1]
    plain_before, plain_after = _masked(words.pseudo, before), _masked(words.pseudo, after)
    found = _not_of_the_member(_masked(words.family_guard, plain_before), words)
    if found is not None:
        return found
    default = words.section_defaults.get(section)
    if default == "family":
        negated = _forward(words.negation_forward, plain_before, REACH["negated"], words)
        return Assertion.NEGATED if negated else Assertion.FAMILY
    uncertain = _uncertain(plain_before, plain_after, words)
    without_hedges = _masked(words.uncertain_forward, plain_before)
    if not uncertain and (
        _forward(words.negation_forward, without_hedges, REACH["negated"], words) or _backward(words.negation_backward, plain_after, _LINK)
    ):
        return Assertion.NEGATED
    if uncertain:
        return Assertion.UNCERTAIN
    if _historical(plain_before, plain_after, words):
        return Assertion.HISTORICAL
    return Assertion(default) if default else Assertion.PRESENT


def _not_of_the_member(before: str, words: Vocabulary) -> Assertion | None:
    for cue, reach, kind in (
        (words.family, REACH["family"], Assertion.FAMILY),
        (words.hypothetical, REACH["hypothetical"], Assertion.HYPOTHETICAL),
        (words.planned, REACH["planned"], Assertion.PLANNED),
        (words.other_person, REACH["family"], Assertion.OTHER_PERSON),
    ):
        matches = [m for m in cue.finditer(before) if len(before) - m.end() <= reach]
        if matches and (kind is Assertion.FAMILY or "," not in before[matches[-1].end() :]):
            return kind
    return None


def _uncertain(before: str, after: str, words: Vocabulary) -> bool:
    return (
        _forward(words.uncertain_forward, before, REACH["uncertain"], words)
        or _backward(words.uncertain_backward, after, _NEAR)
        or _backward(words.detached, after, _ACROSS)
    )


def _historical(before: str, after: str, words: Vocabulary) -> bool:
    match = words.historical_backward.search(after[:8])
    follows = match is not None and match.start() <= 2
    return follows or _forward(words.historical_forward, before, REACH["historical"], words)
