"""Printed keys (the BI-RADS categories at the foot of a report, the grades of a scale) explain; they find nothing and are blanked out."""

from __future__ import annotations

import re

LEAST = 3
"""Steps of a scale, one after the other, that make a key."""
GAP = 90
"""Characters from one step of a key to the next."""
_ROMAN = {"ⅰ": "1", "ⅱ": "2", "ⅲ": "3", "ⅳ": "4", "ⅴ": "5", "ⅵ": "6", "i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6"}
_ENDS = re.compile(r"[。\n]")


def without_legends(lower: str, step: re.Pattern[str]) -> str:
    """The text with its keys blanked out, the same length: runs of `step` (its group `n` the number) that count upwards."""
    for start, end in reversed(_keys(lower, step)):
        lower = lower[:start] + " " * (end - start) + lower[end:]
    return lower


def _keys(lower: str, step: re.Pattern[str]) -> list[tuple[int, int]]:
    keys: list[tuple[int, int]] = []
    run: list[re.Match[str]] = []
    for match in step.finditer(lower):
        if run and not (match.start() - run[-1].end() <= GAP and _rises(run[-1], match)):
            keys += _key(lower, run)
            run = []
        run.append(match)
    return keys + _key(lower, run)


def _rises(before: re.Match[str], after: re.Match[str]) -> bool:
    return 0 <= _number(after) - _number(before) <= 1


def _number(match: re.Match[str]) -> int:
    return int(_ROMAN.get(match["n"], match["n"]))


def _key(lower: str, run: list[re.Match[str]]) -> list[tuple[int, int]]:
    if len({_number(m) for m in run}) < LEAST:
        return []
    end = _ENDS.search(lower, run[-1].end(), run[-1].end() + GAP)
    return [(run[0].start(), end.start() if end else run[-1].end())]
