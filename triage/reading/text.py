"""A text made comparable without moving a character: every offset in the normalised text is the same offset in the filed one."""

from __future__ import annotations

import re
import unicodedata

_SPECIAL = {
    "—": "-", "–": "-", "−": "-", "‐": "-", "‑": "-", "－": "-", "﹣": "-",
    "＊": "*", "✕": "×", "╳": "×", "ｘ": "x", "“": '"', "”": '"', "【": "[", "】": "]", "〔": "(", "〕": ")",
    "\u3000": " ", "\u00a0": " ", "\t": " ", "\r": "\n", "。": "。", "、": "、", "：": ":", "；": ";", "，": ",", "？": "?",
}  # fmt: skip


class _Table(dict[int, str]):
    """Maps each character to exactly one: compatibility form where it is one character, else itself."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = _SPECIAL.get(char) or unicodedata.normalize("NFKC", char)
        self[code] = plain if len(plain) == 1 else char
        return self[code]


_TABLE = _Table()
_CHINESE = re.compile("[\u4e00-\u9fff]")


def normalise(text: str) -> str:
    """Full-width forms and dash variants as ASCII; the same length as `text`."""
    return text.translate(_TABLE)


def lowered(text: str) -> str:
    """Lower case, the same length as `text` (a character whose lower case is longer stays)."""
    plain = text.lower()
    return plain if len(plain) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def is_chinese(text: str) -> bool:
    """Whether a tenth of its letters or more are Chinese characters."""
    letters = sum(map(str.isalpha, text))
    return not letters or len(_CHINESE.findall(text)) * 10 >= letters
