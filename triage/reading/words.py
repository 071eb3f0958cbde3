"""Words of a resource as patterns: literal words the longest first, ASCII words only as whole words, linear in the text.

Every alternative is a literal or a pattern with bounded repetition, so a scan costs a bounded amount at each character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise, product
from typing import Any

from triage.reading.text import lowered, normalise

NEVER = re.compile(r"(?!)")
PATTERN = "re:"
"""A word of a resource that starts so is a pattern."""


def plain(word: str) -> str:
    """A resource's word as it stands in a normalised lower-case text."""
    return lowered(normalise(word))


def is_pattern(word: str) -> bool:
    """Whether the resource means a pattern, not a literal word."""
    return word.startswith(PATTERN)


def alternation(words: Iterable[str]) -> str:
    """An alternation of words, the longest first, those of one first character together; patterns come before literals."""
    listed = list(words)
    patterns = sorted(w.removeprefix(PATTERN) for w in listed if is_pattern(w))
    ordered = sorted({plain(w) for w in listed if not is_pattern(w)}, key=lambda w: (w[0], -len(w), w))
    grouped = [_group(list(same)) for _, same in groupby(ordered, key=lambda w: w[0])]
    return "|".join([*(f"(?:{p})" for p in patterns), *grouped])


def _group(words: list[str]) -> str:
    """Words of one first character: it is tried once, not once for each word."""
    first = words[0][0]
    rest = "|".join(re.escape(w[1:]) + _right(w) for w in words)
    left = r"(?<![a-z0-9])" if first.isascii() and first.isalnum() else ""
    return f"{left}{re.escape(first)}(?:{rest})"


def _right(word: str) -> str:
    return r"(?![a-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """A compiled alternation; matches nothing for no words."""
    listed = list(words)
    return re.compile(alternation(listed)) if listed else NEVER


def listed(entry: Mapping[str, Any]) -> list[str]:
    """The words of a resource's entry: `words`, and every join of the parts of each of its `products`."""
    joined = ["".join(parts) for groups in entry.get("products", ()) for parts in product(*groups)]
    return [*entry.get("words", ()), *joined]


@dataclass(frozen=True)
class Divisible:
    """Words that are put together again where a line's end or a blank divides them. `joints` are the pairs of characters that
    stand next to each other in any of them, so that most breaks need no search."""

    found: re.Pattern[str]
    joints: frozenset[str]

    @classmethod
    def of(cls, words: Iterable[str]) -> Divisible:
        """From literal words in normalised lower case."""
        known = list(words)
        tight = [w.replace(" ", "") for w in known]
        return cls(pattern(known), frozenset(a + b for word in tight for a, b in pairwise(word)))

    def crosses(self, before: str, instead: str, after: str) -> bool:
        """Whether a word stands across the joint of `before` and `after` once `instead` fills it."""
        if not before or not after or before[-1] + after[0] not in self.joints:
            return False
        return any(m.start() < len(before) < m.end() for m in self.found.finditer(before + instead + after))
