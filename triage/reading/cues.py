"""The cues of one language: which words negate, doubt, date back or give away what stands near them, read from its resource."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triage.reading.words import NEVER, PATTERN, alternation, is_pattern, listed, pattern, plain

STOP = "stop"


@dataclass(frozen=True, slots=True)
class Cue:
    """What one word does. `across` says how a forward cue meets a comma (clause, list or sentence), `gap` what may stand before a
    backward one, `closing` that it must end its clause. A stop ends scopes: of `kinds`, of all where that is empty; `now` brings
    the text back to the present."""

    kind: str
    forward: bool = True
    reach: int = 24
    across: str = "clause"
    gap: str = "near"
    closing: bool = False
    kinds: frozenset[str] = frozenset()
    now: bool = False


@dataclass(frozen=True)
class Cues:
    """All cues of a language; patterns expect normalised lower-case text."""

    found: re.Pattern[str]
    literal: Mapping[str, tuple[Cue, ...]]
    grouped: Mapping[str, tuple[Cue, ...]]
    sentence_end: re.Pattern[str]
    fresh: re.Pattern[str]
    comma: re.Pattern[str]
    gaps: Mapping[str, re.Pattern[str]]

    def of(self, match: re.Match[str]) -> tuple[Cue, ...]:
        """What the matched word does."""
        return self.grouped[match.lastgroup] if match.lastgroup else self.literal[match.group()]


def cues(data: Mapping[str, Any]) -> Cues:
    """The cues of a resource's plain data."""
    literal: dict[str, tuple[Cue, ...]] = {}
    patterns: dict[str, tuple[Cue, ...]] = {}
    entries = [*data["cues"], *({"kind": STOP, **stop} for stop in data["stops"])]
    for entry in entries:
        cue = _cue(entry)
        for word in listed(entry):
            into, key = (patterns, word.removeprefix(PATTERN)) if is_pattern(word) else (literal, plain(word))
            into[key] = (*into.get(key, ()), cue)
    names = {f"p{number}": text for number, text in enumerate(patterns)}
    alternatives = [*(f"(?P<{name}>{text})" for name, text in names.items()), alternation(literal)]
    return Cues(
        found=re.compile("|".join(alternatives)),
        literal=literal,
        grouped={name: patterns[text] for name, text in names.items()},
        sentence_end=re.compile(data["sentence_ends"]),
        fresh=pattern(data["fresh_clause"]) if data["fresh_clause"] else NEVER,
        comma=re.compile(data["comma"]),
        gaps={name: re.compile(text) for name, text in data["gaps"].items()},
    )


def _cue(entry: Mapping[str, Any]) -> Cue:
    return Cue(
        kind=entry["kind"],
        forward=entry.get("direction", "forward") == "forward",
        reach=entry.get("reach", 24),
        across=entry.get("across", "clause"),
        gap=entry.get("gap", "near"),
        closing=entry.get("closing", False),
        kinds=frozenset(entry.get("kinds", ())),
        now=entry.get("now", False),
    )
