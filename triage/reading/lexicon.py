"""The libraries' surface terms in a spaCy PhraseMatcher: one per language, Chinese by characters.

Word segmentation hides dictionary terms, so Chinese is matched character by character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import spacy
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from knowledge_graph.loader import Knowledge
from triage.reading.page import Term
from triage.reading.text import lowered, normalise

_SHORTEST = 2


@dataclass(frozen=True)
class Lexicon:
    """Terms of one language; `match` returns the longest of each library, without overlaps."""

    nlp: Language
    matcher: PhraseMatcher

    def scan(self, lower: str) -> list[Any]:
        """The bare pass: tokens and phrase matches."""
        doc = self.nlp.make_doc(lower)
        return list(self.matcher(doc)) if len(doc) else []

    def match(self, lower: str) -> tuple[Term, ...]:
        """Terms of a normalised lower-case text, in order."""
        doc = self.nlp.make_doc(lower)
        if not len(doc):
            return ()
        found: list[Term] = []
        for label, first, last in self.matcher(doc):
            start, end = _offsets(doc, first, last)
            if _whole_word(lower, start, end):
                for name in doc.vocab.strings[label].split(" "):
                    kind, _, identity = name.partition(":")
                    found.append(Term(kind, identity, start, end))
        return _longest(found)


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


def lexicon(knowledge: Knowledge, language: str) -> Lexicon:
    """Morphology and positive findings of the rulebook as terms."""
    nlp = spacy.blank(language)
    matcher = PhraseMatcher(nlp.vocab, attr="ORTH")
    labels: dict[str, set[str]] = {}
    for index, row in enumerate(knowledge.morphology):
        for term in row.zh if language == "zh" else row.en:
            labels.setdefault(_plain(term), set()).add(f"morphology:{index}")
    for finding in knowledge.findings.values():
        terms = (finding.zh, *finding.synonyms) if language == "zh" else (finding.en,)
        for term in terms:
            labels.setdefault(_plain(term), set()).add(f"finding:{finding.id}")
    grouped: dict[str, list[Doc]] = {}
    for term, names in labels.items():
        if len(term) >= _SHORTEST:
            grouped.setdefault(" ".join(sorted(names)), []).append(nlp.make_doc(term))
    for label, docs in sorted(grouped.items()):
        matcher.add(label, docs)
    return Lexicon(nlp, matcher)


def _plain(term: str) -> str:
    return lowered(normalise(re.sub(r"\s+", " ", term.strip())))
