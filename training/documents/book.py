"""The phrasebooks: for each language a seen and a frozen unseen pool of house styles, terms and templates, as YAML under `phrases/`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from training.documents.dice import key_of
from training.documents.grammar import SCOPES, Grammar

PHRASES = Path(__file__).parent / "phrases"
POOLS = ("seen", "unseen")
LANGUAGES = ("zh", "en")
_HEADING = re.compile(r"§(.+?)§[:：]?\s?")
_EMPTY_LINES = re.compile(r"[ \t]*\n\s*")
_HALF = str.maketrans({"：": ": ", "，": ", ", "（": "(", "）": ")", "；": "; ", "％": "%"})
_FULL = str.maketrans({ord("0") + i: ord("０") + i for i in range(10)})
_NUMERALS = "一二三四五六七八九十"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Style:
    """How one house prints: its dates, sizes, separators, headings. `gap` stands between header fields, `wrap` breaks lines at so many
    characters (0: never), `unit` is the unit of lesion sizes; `spaced` houses write words with spaces between them."""

    id: str
    day_form: str = "{y}-{m:02}-{d:02}"
    heading: str = "{}："
    gap: str = "  "
    times: str = "×"
    unit: str = "cm"
    roman: str = "unicode"
    punctuation: str = "full"
    digits: str = "half"
    wrap: int = 0
    unit_word: str = ""
    spaced: bool = False

    def day(self, on: date) -> str:
        """A date as this house prints it."""
        return self.day_form.format(y=on.year, m=on.month, d=on.day, b=_MONTHS[on.month - 1])

    def laid_out(self, text: str) -> str:
        """Headings, field gaps, punctuation and line breaks of the house, from the template's own marks."""
        text = _EMPTY_LINES.sub("\n", text.replace("  ", " ") if self.spaced else text).strip().replace("‖", self.gap)
        if "§" in text:
            text = _HEADING.sub(self._numbered() if "{n}" in self.heading else self._headed, text)
        if self.punctuation == "half":
            text = text.translate(_HALF)
        if self.digits == "full":
            text = text.translate(_FULL)
        return _wrapped(text, self.wrap) if self.wrap else text

    def _headed(self, match: re.Match[str]) -> str:
        return self.heading.format(match[1])

    def _numbered(self) -> Callable[[re.Match[str]], str]:
        count = iter(range(1, 100))

        def headed(match: re.Match[str]) -> str:
            n = next(count)
            return self.heading.format(match[1], n=_NUMERALS[n - 1] if n <= len(_NUMERALS) else n)

        return headed


def _wrapped(text: str, width: int) -> str:
    """Lines of at most `width` characters, broken at a space near the end of the line when there is one."""
    lines: list[str] = []
    for line in text.split("\n"):
        while len(line) > width:
            space = line.rfind(" ", width - 16, width)
            at = width if space < 0 else space
            lines.append(line[:at])
            line = line[at:].lstrip(" ")
        lines.append(line)
    return "\n".join(lines)


Terms = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Book:
    """One pool of one language. `terms` are words by group and key, each with its alternatives; a paper's rule is named
    `paper.<evidence type>`, or `paper.<evidence type>.<disease>` where the disease has its own."""

    language: str
    pool: str
    styles: tuple[Style, ...]
    terms: Terms
    grammar: Grammar
    salts: dict[str, int] = field(default_factory=dict)

    def salt(self, name: str) -> int:
        """The key of a name, computed once."""
        found = self.salts.get(name)
        if found is None:
            found = self.salts[name] = key_of(name)
        return found

    def words(self, group: str, key: str) -> tuple[str, ...]:
        """The alternatives for one term, () when the book has none."""
        return self.terms.get(group, {}).get(key, ())


def files(language: str, pool: str) -> tuple[Path, ...]:
    """The YAML files of one pool, in order of name."""
    return tuple(sorted((PHRASES / f"{language}_{pool}").glob("*.yaml")))


def digests(pool: str) -> dict[str, str]:
    """sha256 of every file of a pool, by its path below `phrases/`."""
    paths = [path for language in LANGUAGES for path in files(language, pool)]
    return {path.relative_to(PHRASES).as_posix(): sha256(path.read_bytes()).hexdigest() for path in paths}


@lru_cache(maxsize=8)
def book(language: str, pool: str) -> Book:
    """The phrasebook of a language and pool, read once."""
    merged: dict[str, Any] = {"styles": [], "terms": {}, "papers": {}, **{scope: {} for scope in SCOPES}}
    for path in files(language, pool):
        _merge(merged, yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506 (safe)
    merged["house"].update({f"paper.{name}": templates for name, templates in merged["papers"].items()})
    grammar = Grammar({scope: merged[scope] for scope in SCOPES})
    return Book(language, pool, tuple(_style(entry, language) for entry in merged["styles"]), _terms(merged["terms"]), grammar)


def _merge(into: dict[str, Any], loaded: dict[str, Any]) -> None:
    into["styles"] += loaded.get("styles", [])
    for section in ("terms", "papers", *SCOPES):
        for name, value in (loaded.get(section) or {}).items():
            if section == "terms":
                into["terms"].setdefault(name, {}).update(value)
            else:
                into[section][name] = value


def _style(entry: Mapping[str, Any], language: str) -> Style:
    return Style(spaced=language == "en", **{f.name: entry[f.name] for f in fields(Style) if f.name in entry})


def _terms(groups: Mapping[str, Mapping[Any, Any]]) -> Terms:
    return {
        group: {str(key): tuple(map(str, words)) if isinstance(words, list) else (str(words),) for key, words in terms.items()}
        for group, terms in groups.items()
    }
