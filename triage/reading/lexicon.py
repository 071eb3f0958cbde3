"""The libraries' surface terms in a spaCy PhraseMatcher: one per language, Chinese by characters.

Word segmentation hides dictionary terms, so Chinese is matched character by character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import spacy
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from knowledge_graph.loader import Knowledge
from triage.reading.page import Term
from triage.reading.text import lowered, normalise
from triage.reading.vocabulary import vocabulary
from triage.reading.words import Divisible

_SHORTEST = 2
_DIVISIBLE = 3
"""Characters of the shortest word that is put together again where a line or a blank divides it."""


@dataclass(frozen=True)
class Lexicon:
    """Terms of one language; `match` returns the longest of each library, without overlaps."""

    nlp: Language
    matcher: PhraseMatcher
    broken: Divisible
    systems: Mapping[str, str]
    by_start: Mapping[str, Sequence[tuple[str, tuple[str, ...]]]]
    bulk: bool = False

    def scan(self, lower: str) -> list[Any]:
        """The bare pass: tokens and phrase matches."""
        doc = self.nlp.make_doc(lower)
        return list(self.matcher(doc)) if len(doc) else []

    def match(self, lower: str) -> tuple[Term, ...]:
        """Terms of a normalised lower-case text, in order. English is always looked up: run-on scans glue words to what follows, and
        a tokenizer would hide them."""
        found: list[Term] = []
        for names, start, end in self._looked_up(lower) if self.bulk or self.nlp.lang == "en" else self._matched(lower):
            if _whole_word(lower, start, end):
                for name in names:
                    kind, _, identity = name.partition(":")
                    found.append(Term(kind, identity, start, end, self.systems.get(identity, "")))
        return _longest(found)

    def _matched(self, lower: str) -> Iterator[tuple[Iterable[str], int, int]]:
        doc = self.nlp.make_doc(lower)
        for label, first, last in self.matcher(doc) if len(doc) else ():
            yield doc.vocab.strings[label].split(" "), *_offsets(doc, first, last)

    def _looked_up(self, lower: str) -> Iterator[tuple[Iterable[str], int, int]]:
        """Every term at every place, by its first two characters. A lone blank does not part Chinese words, as in a document."""
        blanks = [m.start() for m in _LONE_BLANK.finditer(lower)] if self.nlp.lang == "zh" else []
        text = _LONE_BLANK.sub("", lower) if blanks else lower
        places = _without(blanks, len(lower)) if blanks else range(len(lower))
        by_start = self.by_start
        for at, pair in enumerate(map("".join, pairwise(text))):
            for term, names in by_start.get(pair, ()):
                if text.startswith(term, at):
                    yield names, places[at], places[at + len(term) - 1] + 1


_LONE_BLANK = re.compile(r"(?<![ \n])[ ](?![ \n])")


def _without(blanks: Sequence[int], length: int) -> list[int]:
    """The offsets that stay when those of `blanks` are left out."""
    out = set(blanks)
    return [at for at in range(length) if at not in out]


def _offsets(doc: Doc, first: int, last: int) -> tuple[int, int]:
    token = doc[last - 1]
    return doc[first].idx, token.idx + len(token)


def _whole_word(text: str, start: int, end: int) -> bool:
    inner = text[start].isascii() and text[start].isalnum() and start > 0 and text[start - 1].isascii() and text[start - 1].isalnum()
    outer = text[end - 1].isascii() and text[end - 1].isalnum() and end < len(text) and text[end].isascii() and text[end].isalnum()
    return not (inner or outer)


def _longest(found: list[Term]) -> tuple[Term, ...]:
    """The longest terms of each library; one place may name several entries of it."""
    taken: dict[str, dict[int, tuple[int, int]]] = {}
    kept = []
    for term in sorted(found, key=lambda t: (t.start - t.end, t.start, t.id)):
        places, span = taken.setdefault(term.kind, {}), (term.start, term.end)
        if all(places.get(at, span) == span for at in range(*span)):
            places.update(dict.fromkeys(range(*span), span))
            kept.append(term)
    return tuple(sorted(kept, key=lambda t: (t.start, t.kind, t.id)))


def labels(knowledge: Knowledge, language: str) -> dict[str, frozenset[str]]:
    """Terms of the rulebook's morphology and positive findings in one language, each with the entries it names."""
    found: dict[str, set[str]] = {}
    for index, row in enumerate(knowledge.morphology):
        for term in row.zh if language == "zh" else row.en:
            found.setdefault(_plain(term), set()).add(f"morphology:{index}")
    for finding in knowledge.findings.values():
        terms = (finding.zh, *finding.synonyms) if language == "zh" else (finding.en,)
        for term in terms:
            found.setdefault(_plain(term), set()).add(f"finding:{finding.id}")
    _add_further(found, knowledge, language)
    return {term: frozenset(names) for term, names in found.items() if len(term) >= _SHORTEST}


def _add_further(found: dict[str, set[str]], knowledge: Knowledge, language: str) -> None:
    """The reader's own words for entries of the libraries; for entries a rulebook does not have they mean nothing."""
    words = vocabulary(language)
    for finding, terms in words.finding_terms.items():
        for term in terms if finding in knowledge.findings else ():
            found.setdefault(_plain(term), set()).add(f"finding:{finding}")
    by_code = {row.icdo: index for index, row in reversed(list(enumerate(knowledge.morphology))) if row.icdo}
    for code, terms in words.morphology_terms.items():
        for term in terms if code in by_code else ():
            found.setdefault(_plain(term), set()).add(f"morphology:{by_code[code]}")


def lexicon(knowledge: Knowledge, language: str) -> Lexicon:
    """Those terms in a matcher, with the pattern that finds them where a line's end divides them."""
    nlp = spacy.blank(language)
    matcher = PhraseMatcher(nlp.vocab, attr="ORTH")
    terms = labels(knowledge, language)
    grouped: dict[str, list[Doc]] = {}
    by_start: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for term, names in terms.items():
        grouped.setdefault(" ".join(sorted(names)), []).append(nlp.make_doc(term))
        tight = _LONE_BLANK.sub("", term) if language == "zh" else term
        by_start.setdefault(tight[:2], []).append((tight, tuple(sorted(names))))
    for label, docs in sorted(grouped.items()):
        matcher.add(label, docs)
    words = vocabulary(language)
    divisible = (w for w in (*terms, *words.cues.literal, *words.sections, *words.whole) if len(w) >= _DIVISIBLE)
    systems = {finding.id: finding.system for finding in knowledge.findings.values()}
    return Lexicon(nlp, matcher, Divisible.of(divisible), systems, by_start)


def _plain(term: str) -> str:
    return lowered(normalise(re.sub(r"\s+", " ", term.strip())))
