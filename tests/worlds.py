"""A small world shared by tests, and the case file that its facts would give the engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from knowledge_graph.loader import load
from knowledge_graph.rules import FactDefinition
from training.world.columns import shipped
from training.world.make import make_world
from training.world.world import World
from triage.casefile import CaseFile, Paper
from triage.observation import Assertion, FindingMention, Observation, Source

_OF_THE_REPORT = ("pathology.", "stage.", "nodes.", "ihc.", "grade")
_OF_THE_FORM = ("claim.", "member.", "docs.", "condition.")


@cache
def small_world() -> World:
    """3,000 claims; tests only read it."""
    return make_world(3_000, 11)


def case_of(world: World, claim_id: str) -> CaseFile:
    """The case file a perfect reader would make of all papers of a claim."""
    place = world.place(claim_id)
    told, story = world.told.row(place, named=True), world.story(claim_id)
    facts = world.facts.row(place, named=True)
    observations = [_observed(name, value) for name, value in facts.items() if value is not None and _is_base(name)]
    observations.append(Observation("member.name", story.name, Source.DOCUMENT, "discharge_summary", document="d0"))
    observations.append(Observation("docs.readable", True, Source.DOCUMENT, document="d0"))
    if told["biopsy_on"]:
        dates = {"collected": told["biopsy_on"], "received": told["biopsy_on"], "reported": facts["first_diagnosis_date"]}
        observations += [_of_report(f"pathology.{name}_on", value, "core_biopsy", "d2") for name, value in dates.items()]
    findings = tuple(FindingMention(p.finding, Assertion.HISTORICAL, Source.DOCUMENT, p.on, document="d0") for p in story.past)
    complaint = shipped("clinical")["illnesses"][told["illness"]].get("complaint_finding", {}).get(story.complaint)
    if complaint:
        findings += (FindingMention(complaint, Assertion.PRESENT, Source.DOCUMENT, story.complaint_began_on, document="d0"),)
    papers = tuple(
        Paper(f"p{n}", p.evidence_type, "resection" * (p.evidence_type == "pathology_report")) for n, p in enumerate(story.papers)
    )
    return CaseFile(world.claim(claim_id, papers=False), tuple(observations), findings, papers, rounds=2)


def _is_base(name: str) -> bool:
    definition = load_facts().get(name)
    return definition is not None and definition.derive is None and not name.startswith(_OF_THE_FORM)


@cache
def load_facts() -> Mapping[str, FactDefinition]:
    """The facts library by id."""
    return load().facts


def _observed(name: str, value: object) -> Observation:
    if name.startswith(_OF_THE_REPORT):
        return _of_report(name, value, "resection", "d1")
    source = Source.CASE_GRAPH if name.startswith("links.") else Source.REGISTRY if name.startswith("hospital.") else Source.DOCUMENT
    return Observation(name, value, source, "discharge_summary", document="d0")  # type: ignore[arg-type]


def _of_report(name: str, value: object, basis: str, document: str) -> Observation:
    return Observation(name, value, Source.DOCUMENT, "pathology_report", basis, document=document)  # type: ignore[arg-type]
