"""Where rows come from: papers of a simulated world as our reader reads them, and the decided claims of a real store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.desks import Ticking, case, shipped
from training import paper_rows
from training.dataset import Dataset, DatasetError
from training.paper_rows import from_papers
from training.world.make import make_world
from training.world_rows import from_world
from triage.actions import DecisionForm, Investigation
from triage.claim import InvestigationResult
from triage.desk import Desk
from triage.features import FeatureSet
from triage.route import Route
from triage.store import open_store

FOUND_NOTHING = (
    InvestigationResult(task="t1", result="true"),
    InvestigationResult(task="t2", result="false"),
    InvestigationResult(task="t5", result="true", evidence_type="interview_record", text="面访笔录 姓名：林某 性别：女 本人接受面访"),
)


def test_reading_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished parts are kept; the rest is read again to the same numbers; parts of another world are refused."""
    monkeypatch.setattr(paper_rows, "PART", 6)
    world = make_world(18, 5)
    told: list[tuple[int, int]] = []
    first = from_papers(world, tmp_path / "read", progress=lambda done, of: told.append((done, of)))
    assert told == [(6, 18), (12, 18), (18, 18)]
    parts = sorted((tmp_path / "read").glob("part-*.parquet"))
    written = [part.stat().st_mtime_ns for part in parts]
    parts[1].unlink()
    second = from_papers(world, tmp_path / "read")
    assert [part.stat().st_mtime_ns == at for part, at in zip(parts, written, strict=True)] == [True, False, True]
    np.testing.assert_array_equal(first.X, second.X)
    with pytest.raises(DatasetError, match="another world"):
        from_papers(make_world(18, 6), tmp_path / "read")


def test_what_is_read_is_what_was_told(tmp_path: Path) -> None:
    """Links are exact; a fact that papers gave is mostly that of a perfect reader; labels are the same, and fewer claims pass."""
    world = make_world(40, 7)
    read, perfect = from_papers(world, tmp_path / "read"), from_world(world)
    assert read.names == perfect.names
    np.testing.assert_array_equal(read.y, perfect.y)
    for name in ("hospital.level", "links.doctor.claims_90d", "links.agent.burst", "plan"):
        place = read.names.index(name)
        np.testing.assert_array_equal(read.X[:, place], perfect.X[:, place])
    assert not np.any(read.passes_rules & ~perfect.passes_rules)
    known = ~np.isnan(read.X) & ~np.isnan(perfect.X)
    assert np.mean(np.isclose(read.X[known], perfect.X[known])) > 0.85


def test_decided_claims_of_a_store_are_rows(tmp_path: Path) -> None:
    """Investigated and paid: a label of 0 that is known since the decision; decided without a look: none; later ones are not yet there."""
    knowledge, reader = shipped()
    clock = Ticking()
    store = open_store(f"sqlite:///{tmp_path / 'claims.db'}")
    desk = Desk(store, knowledge, reader, None, clock)
    paid = DecisionForm(action="override", route=Route.RECOMMEND_PAY, reason_code="trial", second_actor="wang")
    for name in ("c-1", "c-2"):
        desk.submit(case("worked-approve").model_copy(update={"claim_id": name}), actor="li")
    desk.add_investigation("c-1", Investigation(), actor="li")
    desk.add_investigation("c-1", Investigation(results=FOUND_NOTHING, close=True), actor="li")
    desk.decide("c-1", paid, actor="li")
    clock.days(3)
    desk.decide("c-2", DecisionForm(action="close", reason_code="withdrawn"), actor="li")
    rows = Dataset.from_store(store, knowledge)
    early = Dataset.from_store(store, knowledge, clock.now.replace(tzinfo=None) - timedelta(days=2))
    store.engine.dispose()
    assert rows.names == FeatureSet.load().names
    assert dict(zip(rows.claim_id.tolist(), rows.labelled.tolist(), strict=True)) == {"c-1": True, "c-2": False}
    assert rows.y[rows.claim_id == "c-1"] == 0
    assert np.isnat(rows.label_known_at[rows.claim_id == "c-2"][0])
    assert set(rows.lane.tolist()) <= {"shadow", "rules"}
    assert np.all(rows.propensity == 1.0)
    assert early.claim_id.tolist() == ["c-1"]


def test_an_empty_store_says_what_it_takes(tmp_path: Path) -> None:
    """In both languages."""
    store = open_store(f"sqlite:///{tmp_path / 'claims.db'}")
    with pytest.raises(DatasetError, match=r"调查后的决定.*after an investigation"):
        Dataset.from_store(store, shipped()[0])
    store.engine.dispose()
