"""The code tables: Chinese ICD-10 and ICD-9-CM-3 as trees by code prefix, each code under its chapter.

Tables are the national medical-insurance edition of 2020 (47,101 diagnoses, 17,552 procedures); see NOTICE.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from knowledge_graph.errors import MalformedFile


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of a code system: the codes of `range` (`C00-D48`, or a single stem)."""

    system: str
    range: str
    zh: str
    en: str


@dataclass(frozen=True)
class CodeTable:
    """Codes of one system with their Chinese names."""

    names: Mapping[str, str]
    chapters: tuple[Chapter, ...]

    def parent(self, code: str) -> str | None:
        """The longest listed code that is a proper prefix, else the chapter's range; None where neither is listed."""
        for length in range(len(code) - 1, 1, -1):
            stem = code[:length].rstrip(".x")
            if stem != code and stem in self.names:
                return stem
        return next((c.range for c in self.chapters if in_range(code, c.range)), None)

    def within(self, item: str) -> Iterator[str]:
        """The listed codes that a code or a range such as `D33.0-D33.3` names, at the level of its ends."""
        if "-" not in item:
            if item in self.names:
                yield item
            return
        low, _, high = item.partition("-")
        for code in self.names:
            if len(code) == len(low) and low <= code <= high:
                yield code


def in_range(code: str, item: str) -> bool:
    """Whether a code is, or lies under, a code or a range of codes (ends included)."""
    low, _, high = item.partition("-")
    return low <= code[: len(low)] and code[: len(high or low)] <= (high or low)


@lru_cache(maxsize=8)
def code_table(text: str, chapters: str, system: str, name: str) -> CodeTable:
    """A table out of the text of a CSV with the columns code, zh; parsed once per text."""
    return CodeTable(_names(text, name), tuple(c for c in _chapters(chapters) if c.system == system))


def _names(text: str, name: str) -> dict[str, str]:
    if not text:
        return {}
    rows = csv.reader(io.StringIO(text))
    header = next(rows, [])
    if header != ["code", "zh"]:
        raise MalformedFile(f"{name}: 表头须为 code,zh / the header must be code,zh, it is {','.join(header)}")
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        if len(row) != 2 or not row[0] or not row[1]:
            raise MalformedFile(f"{name}: 第{number}行须有编码和名称 / line {number} needs a code and a name")
        found[row[0]] = row[1]
    return found


@lru_cache(maxsize=8)
def _chapters(text: str) -> tuple[Chapter, ...]:
    try:
        return tuple(Chapter(r["system"], r["range"], r["zh"], r["en"]) for r in csv.DictReader(io.StringIO(text)))
    except KeyError as error:
        raise MalformedFile(f"chapters.csv: 缺少列 {error}，请对照表头补上 / a column is missing, add it") from error
