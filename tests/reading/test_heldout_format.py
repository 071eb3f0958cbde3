"""The held-out corpus is well formed: quotes are in the text, ids are in the libraries, counts are high enough."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent / "heldout"
DATA = Path(__file__).parents[2] / "knowledge_graph" / "data"
CLASSES = (
    "present",
    "negated",
    "uncertain",
    "historical",
    "family",
    "hypothetical",
    "planned",
    "other_person",
)
MINIMUM = {
    "zh": {"documents": 120, "mentions": 700, "per_class": 25},
    "en": {"documents": 60, "mentions": 350, "per_class": 15},
}
EVIDENCE = [
    "outpatient_record",
    "emergency_record",
    "admission_record",
    "discharge_summary",
    "medical_record_front_page",
    "pathology_report",
    "frozen_report",
    "cytology_report",
    "ihc_report",
    "molecular_report",
    "ultrasound_report",
    "mammography_report",
    "ct_report",
    "mri_report",
    "ecg_report",
    "echocardiography_report",
    "lab_report",
    "surgery_record",
    "anaesthesia_record",
    "treatment_record",
    "dialysis_record",
    "functional_assessment",
    "adl_scale",
    "muscle_strength_record",
    "audiometry_report",
    "vision_report",
    "physical_exam_report",
    "health_insurance_record",
    "diagnosis_certificate",
    "identity_card",
    "interview_record",
    "hospital_verification_letter",
    "hospital_search_result",
]
EVIDENCE_EN = ["pathology_report", "mammography_report", "ultrasound_report", "ct_report", "mri_report", "discharge_summary"]
KEYS = {"id", "lang", "evidence_type", "style", "filed_on", "text", "mentions", "ignore", "facts", "absent"}
MENTION_KEYS = {"quote", "nth", "kind", "id", "value", "assertion", "side", "grade", "on", "accept"}
PARTIAL = re.compile(r"\d{4}(-\d{2})?")


def digest(folder: Path = HERE) -> str:
    """sha256 over the YAML files in order of name: name, NUL, bytes, NUL."""
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml"), key=lambda p: p.name):
        total.update(path.name.encode("utf-8") + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def load(folder: Path = HERE) -> list[dict[str, Any]]:
    """Every document of the corpus, in order of file and place."""
    documents: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.yaml"), key=lambda p: p.name):
        documents += yaml.safe_load(path.read_text(encoding="utf-8"))["documents"]
    return documents


def places(text: str, quote: str) -> list[int]:
    """Where the quote begins, overlapping occurrences included; `nth` counts these from 1."""
    return [m.start() for m in re.finditer(f"(?={re.escape(quote)})", text)]


def is_date(value: object) -> bool:
    return isinstance(value, datetime.date) or bool(isinstance(value, str) and PARTIAL.fullmatch(value))


def of_type(value: object, fact: dict[str, Any]) -> bool:
    kind = fact["type"]
    if kind == "bool":
        good = isinstance(value, bool)
    elif kind == "int":
        good = isinstance(value, int) and not isinstance(value, bool)
    elif kind == "number":
        good = isinstance(value, int | float) and not isinstance(value, bool)
    elif kind == "date":
        good = is_date(value)
    else:
        good = isinstance(value, str) and bool(value.strip())
    return good and ("values" not in fact or value in fact["values"])


def _library(name: str) -> dict[str, dict[str, Any]]:
    raw = yaml.safe_load((DATA / f"{name}.yaml").read_text(encoding="utf-8"))
    return {entry["id"]: entry for entry in raw[name]}


DOCUMENTS = load()
FACTS, FINDINGS, TYPES = _library("facts"), _library("findings"), _library("evidence")


def test_the_files_are_those_the_digest_names() -> None:
    assert digest() == (HERE / "DIGEST").read_text(encoding="ascii").split()[0]


def test_ids_of_documents_are_unique() -> None:
    assert [i for i, n in Counter(d["id"] for d in DOCUMENTS).items() if n > 1] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d["id"])
def test_document_is_well_formed(document: dict[str, Any]) -> None:
    assert set(document) <= KEYS
    assert document["lang"] in MINIMUM
    assert document["evidence_type"] in TYPES
    assert "filed_on" not in document or isinstance(document["filed_on"], datetime.date)
    text = document["text"]
    for mention in [*document["mentions"], *document.get("ignore", [])]:
        found = places(text, mention["quote"])
        assert found, mention
        assert ("nth" in mention) == (len(found) > 1), mention
        assert 1 <= mention.get("nth", 1) <= len(found), mention
    for mention in document["mentions"]:
        assert set(mention) <= MENTION_KEYS, mention
        assert mention["assertion"] in CLASSES, mention
        assert mention["assertion"] not in mention.get("accept", []), mention
        assert set(mention.get("accept", [])) <= set(CLASSES), mention
        assert mention.get("side") in (None, "left", "right", "both"), mention
        assert "on" not in mention or is_date(mention["on"]), mention
        assert "grade" not in mention or isinstance(mention["grade"], str), mention
        if mention["kind"] == "finding":
            assert mention["id"] in FINDINGS, mention
            assert "value" not in mention, mention
        else:
            assert mention["kind"] == "fact", mention
            assert mention["id"] in FACTS, mention
            assert of_type(mention["value"], FACTS[mention["id"]]), mention
    for fact, value in document["facts"].items():
        assert of_type(value, FACTS[fact]), (fact, value)
    for absent in document["absent"]:
        assert absent in FACTS or absent in FINDINGS, absent
        assert absent not in document["facts"], absent
        said = [m for m in document["mentions"] if m["id"] == absent and m["assertion"] == "present"]
        assert not said, said


@pytest.mark.parametrize("lang", sorted(MINIMUM))
def test_counts_are_high_enough(lang: str) -> None:
    documents = [d for d in DOCUMENTS if d["lang"] == lang]
    mentions = [m for d in documents for m in d["mentions"]]
    classes = Counter(m["assertion"] for m in mentions)
    kinds = Counter(m["kind"] for m in mentions)
    print(f"\n{lang}: {len(documents)} documents, {len(mentions)} mentions, {dict(kinds)}")
    for name in CLASSES:
        print(f"  {name:13} {classes[name]}")
    print(f"  facts of documents {sum(len(d['facts']) for d in documents)}", end=", ")
    print(f"absent {sum(len(d['absent']) for d in documents)}")
    least = MINIMUM[lang]
    assert len(documents) >= least["documents"]
    assert len(mentions) >= least["mentions"]
    assert {name: classes[name] for name in CLASSES if classes[name] < least["per_class"]} == {}


def test_every_kind_of_paper_is_there() -> None:
    zh = Counter(d["evidence_type"] for d in DOCUMENTS if d["lang"] == "zh")
    en = Counter(d["evidence_type"] for d in DOCUMENTS if d["lang"] == "en")
    print(f"\nzh {dict(sorted(zh.items()))}\nen {dict(sorted(en.items()))}")
    assert [t for t in EVIDENCE if not zh[t]] == []
    assert [t for t in EVIDENCE_EN if not en[t]] == []
