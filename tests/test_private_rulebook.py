"""docs/private-rulebook.md is carried out as written: a condition, stage, evidence type and plan without a line of Python."""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from knowledge_graph.cli import rules_app
from knowledge_graph.errors import UnknownReference
from knowledge_graph.loader import load, load_texts, rulebook_text
from triage.assembly import assemble
from triage.claim import Claim
from triage.observation import Observation, Source
from triage.pipeline import suggest
from triage.reading import Reader

GUIDE = (Path(__file__).parents[1] / "docs" / "private-rulebook.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^`([\w/.]+\.yaml)`\n\n```yaml\n(.*?)```", re.MULTILINE | re.DOTALL)
CLAIM: dict[str, Any] = {
    "plan": "village-plan",
    "filed_on": "2021-06-01",
    "diagnosis_claimed": "痛风",
    "hospital": "青禾市中心医院",
    "member": {
        "member_id": "m1",
        "name": "于某",
        "sex": "M",
        "birth_date": "1980-01-01",
        "memberships": [{"joined_on": "2021-01-01", "effective_on": "2021-01-02"}],
    },
    "documents": [
        {"evidence_type": t, "text": "姓名：于某 性别：男 青禾市中心医院"}
        for t in ("claim_form", "identity_card", "bank_account", "authorization", "discharge_summary")
    ],
}


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """The directory the guide makes."""
    texts = rulebook_text()
    for name, body in BLOCK.findall(GUIDE):
        records = yaml.safe_load(body)
        if isinstance(records, dict):
            texts[name] = body
            continue
        data = yaml.safe_load(texts[name])
        data[name.removesuffix(".yaml")] += records
        texts[name] = yaml.safe_dump(data, allow_unicode=True)
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_the_guide_makes_a_rulebook_in_order(private: Path) -> None:
    assert {name for name, _ in BLOCK.findall(GUIDE)} >= {"stages.yaml", "evidence.yaml", "conditions.yaml", "plans.yaml"}
    done = CliRunner().invoke(rules_app, ["check", "--rulebook", str(private)])
    assert done.exit_code == 0, done.output


def test_a_claim_takes_the_new_way(private: Path) -> None:
    """It stands in the new stage, the new paper is asked for, and with it the claim goes on."""
    knowledge = load(private)
    reader = Reader.from_knowledge(knowledge)
    entered = (
        Observation("first_diagnosis_date", date(2021, 4, 1), Source.REVIEWER),
        Observation("joint.urate_crystals", True, Source.REVIEWER),
    )

    def tried(claim: dict[str, Any]) -> dict[str, Any]:
        case = assemble(Claim.model_validate(claim), knowledge, reader)
        case = dataclasses.replace(case, observations=(*case.observations, *entered))
        return suggest(case, knowledge, None, date(2021, 6, 2)).to_json()

    waiting = tried(CLAIM)
    assert (waiting["position"], waiting["route"]) == ("medical_review", "request_evidence")
    assert [m["evidence_type"] for m in waiting["missing_evidence"]] == ["joint_fluid_report"]
    report = {"evidence_type": "joint_fluid_report", "text": "关节液检验报告 姓名：于某 查见尿酸盐结晶"}
    going_on = tried({**CLAIM, "documents": [*CLAIM["documents"], report]})
    assert (going_on["position"], going_on["route"]) == ("investigation", "investigate")


@pytest.mark.parametrize("gone", ["investigation", "second_review"])
def test_the_stages_routing_needs_must_be_there(gone: str) -> None:
    texts = rulebook_text()
    data = yaml.safe_load(texts["stages.yaml"])
    data["stages"] = [s for s in data["stages"] if s["id"] != gone]
    with pytest.raises(UnknownReference, match=rf"stages\.yaml: {gone}: .* add it"):
        load_texts({**texts, "stages.yaml": yaml.safe_dump(data, allow_unicode=True)})
