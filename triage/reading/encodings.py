"""Bytes of a filed text: UTF-8, GB18030 or UTF-16, and text that was decoded with the wrong one of them."""

from __future__ import annotations

import codecs

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WRONG = (("gb18030", "utf-8"), ("latin-1", "utf-8"), ("cp1252", "utf-8"), ("latin-1", "gb18030"), ("cp1252", "gb18030"))
"""(decoded as, written as): how a text goes wrong."""
_COMMON = frozenset("的一是了不在有人我他这为之大来以个中上们年月日时分可下过要无见诊断病院性别龄检查报告结节乳腺癌左右姓名科室入出")
_ENOUGH = 0.04
"""Share of everyday characters a Chinese text has; a wrongly decoded one has next to none."""


def decoded(data: bytes) -> str:
    """The text of a file: by its mark, else UTF-8, else GB18030 (bytes that fit neither are replaced)."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("gb18030", errors="replace")


def repaired(text: str) -> str | None:
    """The text as it was written, where it was decoded with the wrong encoding; None where it is as it should be."""
    if not text or _everyday(text) >= _ENOUGH or text.isascii():
        return None
    for decoded_as, written_as in _WRONG:
        try:
            other = text.encode(decoded_as).decode(written_as)
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
        if _everyday(other) >= _ENOUGH and _everyday(other) > 4 * _everyday(text):
            return other
    return None


def _everyday(text: str) -> float:
    return sum(c in _COMMON for c in text) / len(text)
