"""Makes a case file out of a filed claim: reads its papers, looks the hospital up, turns investigation results into
observations. At the edge: it uses the reader, and nothing here decides anything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib import resources

import yaml

from knowledge_graph.hospital_names import resolve
from knowledge_graph.loader import Knowledge
from triage.casefile import CaseFile, Paper
from triage.claim import Claim, Document, InvestigationResult
from triage.observation import FindingMention, Observation, Reading, Source, Why
from triage.reading import Reader
from triage.reading.encodings import repaired

MIN_CHARACTERS = 6
"""Fewer letters than this cannot be a paper."""

TREATING = frozenset(
    {"pathology_report", "discharge_summary", "diagnosis_certificate", "medical_record_front_page", "surgery_record", "admission_record"}
)
"""Papers of the hospital that made the diagnosis or treated it; a check-up elsewhere is not the hospital of the claim."""

HISTOLOGY = ("consultation", "resection", "core_biopsy", "post_neoadjuvant", "histology", "frozen", "cytology")


def document_id(number: int) -> str:
    """Ids of a claim's documents, in the order filed: d1, d2 ..."""
    return f"d{number}"


def read_document(document: Document, name: str, knowledge: Knowledge, reader: Reader, filed_on: date) -> tuple[Reading, Paper]:
    """What one paper says, and the paper as the checklist counts it."""
    given = document.evidence_type
    known = knowledge.aliases.get(given, given) if given else None
    reading = reader.read(document.text, document_id=name, evidence_type=known if known in knowledge.evidence else None, filed_on=filed_on)
    return reading, Paper(name, reading.evidence_type, basis_of(reading), readable(document.text))


def readable(text: str) -> bool:
    """Whether the text holds enough letters to be a paper at all, is not mostly replacement characters, and was not decoded with
    the wrong encoding."""
    letters = sum(c.isalnum() for c in text)
    return letters >= MIN_CHARACTERS and text.count("�") * 4 < len(text) and repaired(text) is None


def basis_of(reading: Reading) -> str:
    """What a paper rests on: the strongest histological basis among its observations."""
    found = {o.basis for o in reading.observations}
    return next((basis for basis in HISTOLOGY if basis in found), "")


def legibility(paper: Paper) -> Observation:
    """Papers that cannot be read leave `docs.readable` unclear; they never make it false."""
    value, why = (True, None) if paper.readable else (None, Why.UNCLEAR)
    return Observation("docs.readable", value, Source.DOCUMENT, paper.evidence_type, document=paper.document, why=why)


def registry(claim: Claim, knowledge: Knowledge, read: Iterable[Observation]) -> tuple[Observation, ...]:
    """Level and ownership of the hospital named on the form, else of the one the papers name; nothing where it is
    unknown. Names are understood as people write them."""
    treating = [o for o in read if o.fact == "hospital.name" and o.evidence_type in TREATING]
    names = [claim.hospital] if claim.hospital else [o.value for o in treating if isinstance(o.value, str)]
    # Where a name may mean several hospitals nothing is known: staff look it up, whatever the listed ones have in common.
    meant = [h for h in (resolve(n, knowledge).hospital for n in dict.fromkeys(names)) if h is not None]
    found = []
    for hospital in meant[:1] if claim.hospital else meant:
        for fact, value in (("hospital.level", hospital.level), ("hospital.ownership", hospital.ownership)):
            if value is not None:
                found.append(Observation(fact, value, Source.REGISTRY, "hospital_registry"))
    return tuple(found)


def investigation_reading(
    results: Iterable[InvestigationResult], knowledge: Knowledge, reader: Reader, filed_on: date, first: int
) -> tuple[tuple[Observation, ...], tuple[FindingMention, ...], tuple[Paper, ...]]:
    """Results of tasks as observations of the fact each task answers; their papers are read as papers are."""
    observations: list[Observation] = []
    findings: list[FindingMention] = []
    papers: list[Paper] = []
    for number, result in enumerate(results, first):
        name = document_id(number)
        if result.text:
            reading, paper = read_document(
                Document(evidence_type=result.evidence_type, text=result.text), name, knowledge, reader, filed_on
            )
            observations += [o for o in reading.observations if not o.fact.startswith("inv.")]
            findings += reading.findings
            papers.append(paper)
        task = knowledge.tasks.get(result.task)
        if task is not None and result.result is not None:
            observations.append(_answer(task.fact, result, name if result.text else ""))
    return tuple(observations), tuple(findings), tuple(papers)


@cache
def _answers() -> dict[str, str]:
    """The investigators' words by what they mean (results.yaml)."""
    data = yaml.safe_load(resources.files("triage").joinpath("results.yaml").read_text(encoding="utf-8"))
    return {word: meaning for meaning in ("true", "false", "unobtainable") for word in data[meaning]}


def _answer(fact: str, result: InvestigationResult, document: str) -> Observation:
    meaning = _answers().get((result.result or "").strip().casefold(), "unclear")
    value = {"true": True, "false": False}.get(meaning)
    why = None if value is not None else Why(meaning)
    return Observation(fact, value, Source.INVESTIGATION, result.evidence_type or "", document=document, why=why)


def assemble(claim: Claim, knowledge: Knowledge, reader: Reader, *, links: Iterable[Observation] = ()) -> CaseFile:
    """The case file of a claim as filed, with what links to other claims tell."""
    observations: list[Observation] = []
    findings: list[FindingMention] = []
    papers: list[Paper] = []
    for number, document in enumerate(claim.documents, 1):
        reading, paper = read_document(document, document_id(number), knowledge, reader, claim.filed_on)
        observations += [*(o for o in reading.observations if o.fact != "docs.readable"), legibility(paper)]
        findings += reading.findings
        papers.append(paper)
    found, mentioned, produced = investigation_reading(claim.investigation, knowledge, reader, claim.filed_on, len(papers) + 1)
    observations += [*found, *registry(claim, knowledge, observations), *links]
    closed = any(o.fact == "inv.prior_breach_found" and o.value is not None for o in found)
    return CaseFile(claim, tuple(observations), (*findings, *mentioned), (*papers, *produced), investigated=closed)
