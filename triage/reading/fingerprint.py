"""How alike two papers' texts are, whatever names, numbers and blanks they differ in: a sketch to keep, and the share two sketches have in common.

The sketch holds the smallest hashes of the text's runs of five letters (a bottom-k sketch); digits count as one sign, so that a
copied report with another date or number stays alike. Pure: the same text has the same sketch everywhere.
"""

from __future__ import annotations

import hashlib
import re

from triage.reading.text import lowered, normalise

RUN = 5
"""Characters of a run."""
SIZE = 128
"""Hashes kept; the likeness of two texts is then known to about 1/sqrt(128), nine hundredths."""
_DIGITS = re.compile(r"\d+")
_SIGNS = re.compile(r"[\W_]+")


def fingerprint(text: str) -> tuple[int, ...]:
    """The sketch of a text, ascending; a text of fewer than five letters has an empty one."""
    letters = _SIGNS.sub("", _DIGITS.sub("0", lowered(normalise(text))))
    runs = {letters[at : at + RUN] for at in range(len(letters) - RUN + 1)}
    hashes = (int.from_bytes(hashlib.blake2b(run.encode(errors="surrogatepass"), digest_size=8).digest(), "big") for run in runs)
    return tuple(sorted(hashes)[:SIZE])


def likeness(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The estimated share of runs two texts have in common (Jaccard), 0 to 1; 0 where either is empty."""
    if not one or not other:
        return 0.0
    joint = sorted({*one, *other})[: min(SIZE, max(len(one), len(other)))]
    both = {*one} & {*other}
    return sum(h in both for h in joint) / len(joint)
