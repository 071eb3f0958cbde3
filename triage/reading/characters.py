"""One form of every character: traditional as simplified, what scans misread put right, ligatures of print unfolded.

Only `unfolded` changes lengths, and it says where every character came from.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import yaml

from triage.reading.text import normalise
from triage.reading.vocabulary import resource
from triage.reading.words import alternation

_INVISIBLE = "\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u00ad\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
_FOLDED = "㎝㎜㎎㎏㎡℃℡№⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳⑴⑵⑶⑷⑸⑹⑺⑻⑼㈠㈡㈢㈣㈤㈥㈦㈧㈨㈩ﬁﬂﬀﬃﬄ"
VANISHING = re.compile(f"[{_INVISIBLE}{_FOLDED}]|\r\n")
"""Characters that become none or several."""


def unfolded(text: str) -> tuple[str, list[int], list[int]]:
    """The normalised text without invisible characters and with folded ones (㎝, ⑴) written out; for each of its characters where
    it starts and ends in `text`."""
    out: list[str] = []
    first: list[int] = []
    last: list[int] = []
    for at, char in enumerate(text):
        if char == "\r" and text[at + 1 : at + 2] == "\n":
            continue
        plain = unicodedata.normalize("NFKC", char) if char in _FOLDED else "" if VANISHING.match(char) else normalise(char)
        out.append(plain)
        first += [at] * len(plain)
        last += [at + 1] * len(plain)
    return "".join(out), first, last


@cache
def _data() -> tuple[dict[int, str], re.Pattern[str], re.Pattern[str], dict[str, str], tuple[tuple[re.Pattern[str], dict[int, str]], ...]]:
    data = yaml.safe_load(resource("characters.yaml"))
    pairs = "".join(data["traditional"].split())
    table = {ord(a): b for a, b in zip(pairs[::2], pairs[1::2], strict=True) if a != b}
    inside = tuple((re.compile(i["find"]), {ord(k): v for k, v in i["change"].items()}) for i in data["inside"])
    traditional = re.compile(f"[{''.join(map(chr, table))}]")
    return table, traditional, re.compile(alternation(data["words"])), data["words"], inside


def simplified(plain: str) -> str:
    """Traditional characters as simplified ones."""
    table, traditional, *_ = _data()
    return plain.translate(table) if traditional.search(plain) else plain


def corrected(lower: str) -> str:
    """A lower-case text with what scans misread put right; the same length."""
    _, _, wrong, right, inside = _data()
    lower = wrong.sub(lambda m: right[m.group()], lower)
    for found, change in inside:
        lower = found.sub(lambda m, change=change: m.group().translate(change), lower)  # type: ignore[misc]
    return lower
