"""Reads one paper: recognises its type and language, finds sections, terms and dates, and lets each part's reader observe."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from knowledge_graph.libraries import Morphology
from knowledge_graph.loader import Knowledge
from triage.observation import Reading
from triage.reading.clinical import read_clinical
from triage.reading.history import read_findings, read_history
from triage.reading.imaging import read_imaging
from triage.reading.letterhead import find_dates, labelled_dates, own_date, read_letterhead
from triage.reading.lexicon import Lexicon, lexicon
from triage.reading.page import READER, Page, Section
from triage.reading.pathology import read_pathology
from triage.reading.text import is_chinese, lowered, normalise
from triage.reading.vocabulary import Vocabulary, vocabulary

NODULE = "pf_bnod"
"""The finding that a lump without a category stands for."""

TITLE = 60
PATHOLOGY = frozenset({"pathology_report", "frozen_report", "cytology_report", "ihc_report", "molecular_report"})
IMAGING = frozenset({"ultrasound_report", "mammography_report", "mri_report", "ct_report", "pet_ct_report"})
CLINICAL = frozenset(
    {
        "discharge_summary",
        "medical_record_front_page",
        "admission_record",
        "outpatient_record",
        "surgery_record",
        "diagnosis_certificate",
        "emergency_record",
        "progress_note",
    }
)
CHECK_UP = frozenset({"physical_exam_report"})
FORMS = frozenset({"claim_form", "identity_card", "bank_account", "authorization", "guardian_identity", "invoice_detail"})


@dataclass(frozen=True)
class Reader:
    """One reader serves every claim; it holds no state between papers."""

    morphology: Sequence[Morphology]
    chinese: Lexicon
    english: Lexicon
    digest: str

    @classmethod
    def from_knowledge(cls, knowledge: Knowledge) -> Reader:
        """A reader of the rulebook's terms. Its digest is over all it reads by, and nothing else of the rulebook."""
        terms = [row.model_dump() for row in knowledge.morphology]
        found = [(f.id, f.zh, f.en, f.synonyms) for f in knowledge.findings.values()]
        known = json.dumps([terms, found], ensure_ascii=False, sort_keys=True)
        whole = hashlib.sha256(f"{READER}\n{known}\n{vocabulary('zh').text}\n{vocabulary('en').text}".encode())
        return cls(knowledge.morphology, lexicon(knowledge, "zh"), lexicon(knowledge, "en"), whole.hexdigest())

    def scan(self, text: str) -> object:
        """The bare spaCy pass over a text, without reading it: what the benchmark compares with."""
        lower = lowered(normalise(text))
        return (self.chinese if is_chinese(text) else self.english).scan(lower)

    def read(self, text: str, *, document_id: str, evidence_type: str | None = None, filed_on: date) -> Reading:
        """Every observation and finding of one paper; `evidence_type` None lets the reader recognise it."""
        chinese = is_chinese(text)
        plain = normalise(text)
        lower = lowered(plain)
        words = vocabulary("zh" if chinese else "en")
        kind = evidence_type or recognise(lower, words)
        terms = (self.chinese if chinese else self.english).match(lower) if kind not in FORMS else ()
        page = Page(document_id, text, plain, lower, kind, filed_on, words, sections(lower, words, kind), terms, find_dates(plain))
        self._read_page(page)
        return Reading(tuple(page.observations), tuple(page.findings), kind)

    def _read_page(self, page: Page) -> None:
        roles = labelled_dates(page)
        page.own_date = own_date(page, roles)
        read_letterhead(page, roles)
        on = page.own_date
        if page.evidence_type in PATHOLOGY:
            read_pathology(page, roles, self.morphology)
            _set_basis(page)
        elif page.evidence_type in IMAGING:
            read_imaging(page, on)
        elif page.evidence_type in CLINICAL:
            read_clinical(page, on, self.morphology)
            read_history(page, on, NODULE)
        elif page.evidence_type not in FORMS:
            read_history(page, on, NODULE)
        read_findings(page, on, NODULE)


def _set_basis(page: Page) -> None:
    """What a paper rests on is known only once it was read; the letterhead's observations carry it too."""
    page.observations[:] = [o if o.basis else replace(o, basis=page.basis) for o in page.observations]


def recognise(lower: str, words: Vocabulary) -> str:
    """The evidence type by title, else by anything in the text; empty where nothing tells."""
    for area in (lower[:TITLE], lower):
        places = [(match.start(), order, name) for order, (name, found) in enumerate(words.document_types) if (match := found.search(area))]
        if places:
            return min(places, key=lambda p: (p[1], p[0]))[2]
    return ""


def sections(lower: str, words: Vocabulary, kind: str = "") -> tuple[Section, ...]:
    """The named parts of a text, from one header's end to the next header. 临床诊断 is a mere note on a pathology request, but the
    diagnosis itself on a certificate or a summary."""
    headers = [
        (m.start("all"), m.end("all"), words.sections[re.sub(r"\s+", "" if words.language == "zh" else " ", m["name"])])
        for m in words.section_header.finditer(lower)
    ]
    ends = [begin for begin, _, _ in headers[1:]] + [len(lower)]
    stated = {"clinical_dx": "discharge_dx"} if kind in CLINICAL else {}
    return tuple(Section(stated.get(name, name), start, end) for (_, start, name), end in zip(headers, ends, strict=False))
