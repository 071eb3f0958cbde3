"""Reads one paper: recognises its type and language, finds sections, terms and dates, and lets each part's reader observe."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from knowledge_graph.libraries import Morphology
from knowledge_graph.loader import Knowledge
from triage.observation import Reading
from triage.reading.clinical import read_clinical
from triage.reading.document_types import CLINICAL, FORMS, IMAGING, PATHOLOGY, mistaken, parts, recognise, titles
from triage.reading.function import read_function
from triage.reading.history import read_findings, read_history
from triage.reading.imaging import read_imaging
from triage.reading.layout import Layout, lay_out
from triage.reading.letterhead import find_dates, labelled_dates, own_date, read_letterhead
from triage.reading.lexicon import Lexicon, lexicon
from triage.reading.page import READER, Page, Section
from triage.reading.pathology import read_pathology
from triage.reading.quantities import read_quantities
from triage.reading.statements import read_statements
from triage.reading.text import is_chinese, lowered, normalise
from triage.reading.vocabulary import Vocabulary, resource, vocabulary

RESOURCES = (
    "zh.yaml",
    "en.yaml",
    "assertion.zh.yaml",
    "assertion.en.yaml",
    "statements.zh.yaml",
    "statements.en.yaml",
    "quantities.yaml",
    "described.yaml",
    "characters.yaml",
    "birads.yaml",
)
"""What a reader's digest covers beside the rulebook."""

FILED_AS = "docs.type_as_filed"
"""The fact that a wrong type given makes false."""

NODULE = "pf_bnod"
"""The finding that a lump without a category stands for."""


@dataclass(frozen=True)
class Reader:
    """One reader serves every claim; it holds no state between papers."""

    morphology: Sequence[Morphology]
    chinese: Lexicon
    english: Lexicon
    supplies: Mapping[str, frozenset[str]]
    findings: frozenset[str]
    digest: str

    @classmethod
    def from_knowledge(cls, knowledge: Knowledge) -> Reader:
        """A reader of the rulebook's terms. Its digest is over all it reads by, and nothing else of the rulebook."""
        supplies = {name: frozenset(evidence.supplies) for name, evidence in knowledge.evidence.items()}
        terms = [row.model_dump() for row in knowledge.morphology]
        found = [(f.id, f.zh, f.en, f.synonyms, f.system) for f in knowledge.findings.values()]
        supplied = sorted((name, sorted(facts)) for name, facts in supplies.items())
        known = json.dumps([terms, found, supplied], ensure_ascii=False, sort_keys=True)
        whole = hashlib.sha256("\n".join([READER, known, *map(resource, RESOURCES)]).encode())
        return cls(
            knowledge.morphology,
            lexicon(knowledge, "zh"),
            lexicon(knowledge, "en"),
            supplies,
            frozenset(knowledge.findings),
            whole.hexdigest(),
        )

    def scan(self, text: str) -> object:
        """The bare spaCy pass over a text, without reading it: what the benchmark compares with."""
        lower = lowered(normalise(text))
        return (self.chinese if is_chinese(text) else self.english).scan(lower)

    def in_bulk(self) -> Reader:
        """The same reader with its terms looked up without a spaCy document: the same readings, faster."""
        return replace(self, chinese=replace(self.chinese, bulk=True), english=replace(self.english, bulk=True))

    def read(self, text: str, *, document_id: str, evidence_type: str | None = None, filed_on: date) -> Reading:
        """Every observation and finding of one paper; `evidence_type` None lets the reader recognise it. A text that holds several
        papers is read as each of them; one whose title says that it is of another kind than given is read as what it says."""
        pages = self.pages(text, document_id=document_id, evidence_type=evidence_type, filed_on=filed_on)
        told = any(o.fact == FILED_AS for o in pages[0].observations)
        problems = (f"filed as {evidence_type}, its title says {pages[0].evidence_type}",) if told else ()
        observations = tuple(o for p in pages for o in p.observations)
        return Reading(observations, tuple(f for p in pages for f in p.findings), pages[0].evidence_type, problems)

    def pages(self, text: str, *, document_id: str, evidence_type: str | None = None, filed_on: date) -> list[Page]:
        """The papers in one text, each read."""
        words = vocabulary("zh" if is_chinese(text) else "en")
        terms = self.chinese if words.language == "zh" else self.english
        whole = lay_out(text, words, terms.broken)
        found = titles(whole.lower, words)
        told = mistaken(evidence_type, found) if evidence_type else ""
        pages = []
        for start, end in parts(whole.lower, found):
            layout = whole.part(start, end)
            given = (told or evidence_type) if start == 0 else None
            pages.append(self._page(document_id, layout, given or recognise(layout.lower, words), filed_on, words))
        if told:
            pages[0].observe(FILED_AS, False, *pages[0].title())
        return pages

    def _page(self, document: str, layout: Layout, kind: str, filed_on: date, words: Vocabulary) -> Page:
        lower = layout.lower
        terms = (self.chinese if words.language == "zh" else self.english).match(lower) if kind not in FORMS else ()
        page = Page(document, layout, kind, filed_on, words, sections(lower, words, kind), terms, find_dates(lower))
        self._read_page(page)
        return page

    def _read_page(self, page: Page) -> None:
        roles = labelled_dates(page)
        page.own_date = own_date(page, roles)
        page.read_by("letterhead", read_letterhead, roles)
        kind, on = page.evidence_type, page.own_date
        if kind in PATHOLOGY:
            page.read_by("pathology", read_pathology, roles, self.morphology)
            _set_basis(page)
        elif kind in IMAGING:
            page.read_by("imaging", read_imaging, on)
        elif kind in CLINICAL:
            page.read_by("clinical", read_clinical, on, self.morphology)
        if kind not in PATHOLOGY | IMAGING | FORMS:
            page.read_by("history", read_history, on, NODULE)
        if kind not in FORMS:
            self._read_other_conditions(page)
        page.read_by("findings", read_findings, on, NODULE, self.findings)

    def _read_other_conditions(self, page: Page) -> None:
        supplied = self.supplies.get(page.evidence_type, frozenset())
        page.read_by("statements", read_statements, supplied)
        page.read_by("quantities", read_quantities, supplied)
        page.read_by("function", read_function, supplied)


def _set_basis(page: Page) -> None:
    """What a paper rests on is known only once it was read; the letterhead's observations carry it too."""
    page.observations[:] = [o if o.basis else replace(o, basis=page.basis) for o in page.observations]


def sections(lower: str, words: Vocabulary, kind: str = "") -> tuple[Section, ...]:
    """The named parts of a text, from one header's end to the next header. 临床诊断 is a mere note on a pathology request, but the
    diagnosis itself on a certificate or a summary."""
    headers = [
        (m.start("all"), m.end("all"), words.sections[re.sub(r"\s+", "" if words.language == "zh" else " ", m["name"])])
        for m in words.section_header.finditer(lower)
    ]
    ends = [begin for begin, _, _ in headers[1:]] + [len(lower)]
    stated = {"clinical_dx": "discharge_dx"} if kind in CLINICAL else {}
    if kind in PATHOLOGY:
        # A pathology report's "procedure" is a field of its synopsis, and the story on it comes from the request.
        headers = [h for h in headers if h[2] not in _NOT_OF_PATHOLOGY]
        ends = [begin for begin, _, _ in headers[1:]] + [len(lower)]
        stated = {"present_illness": "clinical_dx", "chief_complaint": "clinical_dx", "past_history": "clinical_dx"}
    found = (Section(stated.get(name, name), start, end) for (_, start, name), end in zip(headers, ends, strict=False))
    return tuple(part for section in found for part in _closed(section, lower, words))


def _closed(section: Section, lower: str, words: Vocabulary) -> list[Section]:
    """The clinical note on a request is one sentence; what follows it without a header is not part of it."""
    end = words.cues.sentence_end.search(lower, section.start + 1, section.end) if section.name == "clinical_dx" else None
    if end is None or not lower[section.start : end.start()].strip():
        return [section]
    return [Section(section.name, section.start, end.start()), Section("", end.start(), section.end)]


_NOT_OF_PATHOLOGY = frozenset({"surgery", "course", "treatment", "physical_exam", "auxiliary_exam", "personal_history"})
