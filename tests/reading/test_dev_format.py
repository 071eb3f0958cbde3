"""The development corpus has the form of the held-out one: quotes are in the text, ids are in the libraries, counts are high enough."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
MINIMUM = {
    "zh": {"documents": 160, "mentions": 1200, "per_class": 40},
    "en": {"documents": 110, "mentions": 800, "per_class": 30},
}


def _form() -> ModuleType:
    """The checks of the held-out corpus; they are the same for both."""
    spec = importlib.util.spec_from_file_location("heldout_form", HERE / "test_heldout_format.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _load() -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = []
    for path in sorted((HERE / "dev").glob("[ez][nh]_*.yaml"), key=lambda p: p.name):
        documents += yaml.safe_load(path.read_text(encoding="utf-8"))["documents"]
    return documents


FORM = _form()
DOCUMENTS = _load()


def test_ids_of_documents_are_unique() -> None:
    assert [i for i, n in Counter(d["id"] for d in DOCUMENTS).items() if n > 1] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d["id"])
def test_document_is_well_formed(document: dict[str, Any]) -> None:
    FORM.test_document_is_well_formed(document)


@pytest.mark.parametrize("lang", sorted(MINIMUM))
def test_counts_are_high_enough(lang: str) -> None:
    documents = [d for d in DOCUMENTS if d["lang"] == lang]
    mentions = [m for d in documents for m in d["mentions"]]
    classes = Counter(m["assertion"] for m in mentions)
    print(f"\n{lang}: {len(documents)} documents, {len(mentions)} mentions, {dict(classes)}")
    least = MINIMUM[lang]
    assert len(documents) >= least["documents"]
    assert len(mentions) >= least["mentions"]
    assert {name: classes[name] for name in FORM.CLASSES if classes[name] < least["per_class"]} == {}


def test_every_kind_of_paper_is_there() -> None:
    kinds = {lang: {d["evidence_type"] for d in DOCUMENTS if d["lang"] == lang} for lang in MINIMUM}
    assert set(FORM.EVIDENCE) - kinds["zh"] == set()
    assert set(FORM.EVIDENCE_EN) - kinds["en"] == set()
