"""Hospital names as people write them: one hospital, several, or none, measured on 400 variants written before the resolver."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from knowledge_graph.cli import graph_app
from knowledge_graph.hospital_names import resolve
from knowledge_graph.loader import Knowledge, load
from triage.assembly import registry
from triage.claim import Claim

PRECISION, RECALL = 0.995, 0.85


@pytest.fixture(scope="module")
def shipped() -> Knowledge:
    """The shipped rulebook."""
    return load()


def test_precision_and_recall_on_the_variants(shipped: Knowledge) -> None:
    """`*` expects several candidates, an empty field none. A hospital named where another or none is meant counts against precision."""
    text = (Path(__file__).parent / "hospital_variants.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 400
    right = wrong = missed = 0
    for row in rows:
        found = resolve(row["written"], shipped, row["place"] or None)
        named = found.hospital.name if found.hospital else ""
        if row["expected"] == "*":
            assert len(found.hospitals) > 1, row
            continue
        right += bool(named) and named == row["expected"]
        wrong += bool(named) and named != row["expected"]
        missed += bool(row["expected"]) and not named
    print(
        f"precision {right / (right + wrong):.4f}, recall {right / (right + wrong + missed):.4f}: {right} right, {wrong} wrong, {missed} missed"
    )
    assert right / (right + wrong) >= PRECISION
    assert right / (right + wrong + missed) >= RECALL


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("青禾市中心医院", "青禾市中心医院"),
        ("青禾市中心医院 乳腺外科", "青禾市中心医院"),
        ("青禾中心医院", "青禾市中心医院"),
        ("北医三院", "北京大学第三医院（北医三院）"),
    ],
)
def test_one_hospital(shipped: Knowledge, written: str, expected: str) -> None:
    found = resolve(written, shipped).hospital
    assert found is not None
    assert found.name == expected


@pytest.mark.parametrize("written", ["", "x", "白鹭市中心医院", "宁海市第三人民医院", "青禾市第二中心医院"])
def test_none(shipped: Knowledge, written: str) -> None:
    """Another number or place is another hospital."""
    assert resolve(written, shipped).hospital is None


def test_a_place_chooses_among_several(shipped: Knowledge) -> None:
    assert len(resolve("第一人民医院", shipped).hospitals) > 10
    assert {h.city for h in resolve("第一人民医院", shipped, "宜昌").hospitals} == {"宜昌市"}


def test_several_hospitals_leave_the_level_open(shipped: Knowledge) -> None:
    """Unknown, whatever the listed candidates have in common: the one that is meant may not be listed."""
    member = {"member_id": "m", "name": "于某", "sex": "F", "birth_date": "1980-01-01"}
    claim = Claim.model_validate(
        {"plan": "mutual-aid-reference", "filed_on": "2021-01-01", "diagnosis_claimed": "x", "hospital": "妇幼保健院", "member": member}
    )
    assert len(resolve("妇幼保健院", shipped).hospitals) > 1
    assert registry(claim, shipped, ()) == ()


def test_every_institution_of_the_lists_is_there(shipped: Knowledge) -> None:
    assert len(shipped.hospitals) > 4300
    assert {h.level for h in shipped.hospitals.values()} == {0, 1, 2, 3, None} - {0}


def test_the_prompt_names_the_hospital() -> None:
    done = CliRunner().invoke(graph_app, ["hospital", "北医三院"])
    assert done.exit_code == 0
    assert "北京大学第三医院" in done.output
    assert CliRunner().invoke(graph_app, ["hospital", "白鹭市中心医院"]).exit_code == 1
