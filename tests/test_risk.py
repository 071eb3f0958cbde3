"""The model at work: its score is the booster's, its reasons are in words, a suggestion keeps it all, and replay needs no model."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import lightgbm as lgb
import numpy as np
import pytest

from serving.app import create_app
from tests.bundling import booster, bundle, certificate
from tests.desks import OPEN_GATE, case, database, desk, desk_on, shipped
from triage.actions import DecisionForm, Investigation
from triage.assessment import Assessment, reasons_of
from triage.bundle import Bundle, BundleError, Group, calibrated
from triage.case_graph import past_among
from triage.claim import Claim, InvestigationResult
from triage.desk import Desk
from triage.evaluation import compute, recorded
from triage.features import FeatureSet
from triage.risk import InUse, Scorer, scorer_of
from triage.rows import statement_rows
from triage.store import open_store
from triage.suggestion import canonical

FEATURES = FeatureSet.load()
WIDE = Group(threshold=1.0, n=400, wrong=4, bound=0.03, bound_truth=0.05)


@pytest.fixture(scope="module")
def opening(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A true bundle whose certificate covers any score of the plan."""
    groups = {f"mutual-aid-reference:{band}": WIDE for band in ("under_40", "from_40")}
    return bundle(tmp_path_factory.mktemp("risk") / "b", certificate=certificate(groups=groups, overall=WIDE))


def with_risk(folder: Path, given: Bundle | None) -> Desk:
    """A desk in a folder with a bundle."""
    return desk_on(open_store(database(folder)), bundle=given)


def renamed(claim_id: str, **changes: Any) -> Claim:
    """The worked claim of another member, with its own papers' numbers kept."""
    filed = case("worked-approve")
    member = filed.member.model_copy(update={"member_id": f"m-{claim_id}"})
    return filed.model_copy(update={"claim_id": claim_id, "member": member, "documents": (), **changes})


def some_rows(n: int = 40) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rows with holes."""
    drawn = np.random.default_rng(3)
    x = drawn.normal(size=(n, len(FEATURES.names)))
    x[drawn.random(x.shape) < 0.3] = np.nan
    return x


# ---- the scorer


def test_the_fast_path_scores_as_the_booster_does(opening: Bundle) -> None:
    """Scores and contributions, to the last bits, with unknown values among them."""
    scorer, plain, x = Scorer(opening), lgb.Booster(model_str=booster()), some_rows()
    assert opening.calibration is not None
    margins = np.asarray(plain.predict(x, raw_score=True, num_threads=1))
    told = np.asarray(plain.predict(x, pred_contrib=True, num_threads=1))
    for row, margin, adds in zip(x.tolist(), margins.tolist(), told.tolist(), strict=True):
        assert scorer.score(row) == pytest.approx(calibrated(margin, opening.calibration), abs=1e-12)
        assert scorer.contributions(row) == pytest.approx(adds[:-1], abs=1e-9)


def test_threads_do_not_mix_their_rows(opening: Bundle) -> None:
    """Eight at once get what one after the other gets."""
    scorer, rows = Scorer(opening), some_rows(400).tolist()
    one_by_one = [scorer.score(row) for row in rows]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(scorer.score, rows)) == one_by_one


def test_a_row_of_another_width_is_refused(opening: Bundle) -> None:
    with pytest.raises(ValueError, match="行宽"):
        Scorer(opening).score([0.0])


def test_a_model_lightgbm_does_not_take_is_a_bundle_error(opening: Bundle) -> None:
    """Named, with what to do."""
    broken = replace(opening, model="tree\nversion=v4\n\nend of trees\n")
    with pytest.raises(BundleError, match="LightGBM"):
        Scorer(broken)


def test_a_constant_bundle_scores_anything() -> None:
    """And explains nothing."""
    scorer = Scorer(Bundle.load(OPEN_GATE))
    assert (scorer.score([]), scorer.contributions([])) == (0.01, [])
    assert scorer_of(None) is None


def test_reasons_are_groups_in_words_that_add_up() -> None:
    """The heaviest first, with its direction, the features that push that way, and nothing of what adds nothing."""
    adds = dict.fromkeys(FEATURES.names, 0.0)
    adds |= {"days_since_waiting_end": 1.2, "days_joined_to_complaint": -0.2, "links.phone.claims_ever": -0.4}
    row = [3.0] * len(FEATURES.names)
    first, second = reasons_of(FEATURES, row, list(adds.values()))
    assert (first.group, second.group) == ("timing", "contact")
    assert (first.adds, second.adds) == pytest.approx((1.0, -0.4))
    assert first.zh == "时间关系提高风险：等待期届满至确诊天数 3"
    assert first.en == "timing raises the risk: days from the end of the waiting period to first diagnosis 3"
    assert second.zh.startswith("联系方式与账户共用降低风险")
    assert [p.feature for p in first.parts] == ["days_since_waiting_end", "days_joined_to_complaint"]


# ---- a suggestion with a score


def test_a_suggestion_carries_score_features_reasons_and_certificate(tmp_path: Path, opening: Bundle) -> None:
    """In plain data, in both languages; a demonstration says so."""
    made = with_risk(tmp_path, opening).submit(case("worked-approve"), actor="desk")["suggestion"]
    risk = made["risk"]
    assert 0 < risk["score"] < 1
    assert set(risk["features"]) == set(FEATURES.names)
    assert risk["features"]["links.ring.size"] is None or risk["features"]["links.ring.size"] == 0
    assert risk["bundle"] == {"name": "trial", "purpose": "demonstration", "digest": opening.digest}
    assert (risk["certificate"]["group"], risk["certificate"]["bound"], risk["certificate"]["simulated"]) == (
        made["gate"]["group"],
        0.03,
        True,
    )
    assert risk["reasons"]
    assert all(r["direction"] in ("raises", "lowers") and r["zh"] and r["en"] for r in risk["reasons"])
    assert [d["code"] for d in made["degraded"]] == ["demonstration_bundle"]
    assert (made["gate"]["why"], made["route"]) == ("certified", "clear")


def test_without_a_model_the_features_are_kept_for_training(tmp_path: Path) -> None:
    """There is no score, and the claim is investigated."""
    made = with_risk(tmp_path, None).submit(case("worked-approve"), actor="desk")["suggestion"]
    assert (made["risk"]["score"], made["risk"]["bundle"], made["risk"]["certificate"]) == (None, None, None)
    assert made["risk"]["features"]["member.sex"] == 0
    assert (made["gate"]["why"], made["route"]) == ("no_model", "investigate")


def test_a_model_of_other_features_does_not_score(tmp_path: Path) -> None:
    """Said by the gate and among the notices; it never guesses."""
    other = bundle(tmp_path / "b", features_digest="0" * 64)
    made = with_risk(tmp_path, other).submit(case("worked-approve"), actor="desk")["suggestion"]
    assert (made["risk"]["score"], made["gate"]["why"]) == (None, "features_changed")
    assert "no_score" in {d["code"] for d in made["degraded"]}


def test_a_stateless_suggestion_scores_as_a_stored_one(tmp_path: Path, opening: Bundle) -> None:
    """Links of stored claims included, and nothing is stored."""
    at_desk = with_risk(tmp_path, opening)
    at_desk.submit(renamed("c-1", phone="13800000000"), actor="desk")
    asked = renamed("c-2", phone="13800000000")
    tried = at_desk.suggest(asked)
    stored = at_desk.submit(asked, actor="desk")["suggestion"]
    assert tried["risk"]["features"]["links.phone.claims_ever"] == 1
    assert (tried["risk"]["score"], tried["risk"]["features"]) == (stored["risk"]["score"], stored["risk"]["features"])


def test_claims_at_hand_have_the_past_of_those_filed_by_then() -> None:
    """As the command line asks: the other file of the same day counts, a later one does not."""
    filed = renamed("c-1", phone="13800000000")
    later = renamed("c-3", phone="13800000000", filed_on=filed.filed_on + timedelta(days=1))
    past = past_among([filed, renamed("c-2", phone="13800000000"), later], *shipped())
    told = {name: (values["links.phone.claims_ever"], values["links.ring.size"]) for name, (_, values) in past.items()}
    assert told == {"c-1": (1, 1), "c-2": (1, 1), "c-3": (2, 2)}
    assert {o.value for o in past["c-3"][0] if o.fact == "links.shared_contact"} == {True}


def test_what_investigated_claims_came_to_is_the_past_of_later_ones(tmp_path: Path) -> None:
    """From the decision on: a refusal raises the breach rate of the account, a payment without investigation does not."""
    at_desk = with_risk(tmp_path, None)
    declined = case("worked-decline").model_copy(update={"payee_account": "6222"})
    at_desk.submit(declined, actor="desk")
    before = at_desk.suggest(renamed("later", payee_account="6222"))["risk"]["features"]["links.account.breach_rate"]
    results = (InvestigationResult(task="verify-pathology", result="true"),)
    at_desk.add_investigation("worked-decline", Investigation(results=results, close=True), actor="调查员")
    answer = at_desk.decide("worked-decline", DecisionForm(action="accept"), actor="审核员甲")
    after = at_desk.suggest(renamed("later", payee_account="6222"))["risk"]["features"]["links.account.breach_rate"]
    assert answer["outcome"] == "declined"
    assert before == pytest.approx(0.11)
    assert after == pytest.approx((1 + 10 * 0.11) / 11)


def test_the_model_is_exchanged_between_suggestions(tmp_path: Path, opening: Bundle) -> None:
    """A failing exchange leaves the old one; a suggestion keeps the bundle it was made with."""
    used = InUse(opening)
    knowledge, reader = shipped()
    at_desk = Desk(open_store(database(tmp_path)), knowledge, reader, None, desk(tmp_path).clock, used)
    first = at_desk.submit(renamed("c-1"), actor="desk")["suggestion"]
    with pytest.raises(BundleError):
        used.take(replace(opening, model="tree\n"))
    assert at_desk.suggest(renamed("c-2"))["risk"]["bundle"]["digest"] == opening.digest
    used.take(None)
    assert at_desk.suggest(renamed("c-2"))["gate"]["why"] == "no_model"
    assert at_desk.suggestion("c-1")["suggestion"] == first
    assert at_desk.replay() == []


# ---- replay


def test_replay_needs_neither_lightgbm_nor_the_bundle(tmp_path: Path) -> None:
    """In a process in which LightGBM cannot be imported, after the bundle was deleted and features.yaml is out of reach."""
    made = bundle(tmp_path / "b")
    at_desk = with_risk(tmp_path, made)
    for name in ("worked-approve", "worked-decline", "worked-investigate"):
        at_desk.submit(case(name), actor="desk")
    shutil.rmtree(tmp_path / "b")
    code = (
        "import sys; sys.modules['lightgbm'] = None; import triage.features as f; f._shipped = None;"
        "from triage.cli import main; sys.argv = ['triage', 'replay', '--all', '--json', '--database', sys.argv[1]]; main()"
    )
    done = subprocess.run([sys.executable, "-c", code, database(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)) == (0, []), done.stderr


def test_an_altered_score_is_found(tmp_path: Path, opening: Bundle) -> None:
    """The inputs are under the audit log like everything else."""
    at_desk = with_risk(tmp_path, opening)
    at_desk.submit(case("worked-approve"), actor="desk")
    with closing(sqlite3.connect(tmp_path / "triage.db")) as raw, raw:
        raw.execute("""UPDATE suggestion SET inputs = replace(inputs, '"score":0.', '"score":0.0')""")
    assert {p["claim_id"] for p in at_desk.replay()} == {"worked-approve"}


def test_inputs_of_an_earlier_engine_still_compute(tmp_path: Path) -> None:
    """What held a constant bundle then: the same route and gate come out, and replay says which engine made it."""
    at_desk = desk(tmp_path)
    at_desk.submit(case("worked-approve"), actor="desk")
    with at_desk.store.reading() as connection:
        statements = {r["id"]: r for r in statement_rows(connection, "worked-approve")}
        inputs = json.loads(connection.exec_driver_sql("SELECT inputs FROM suggestion").scalar_one())
    thresholds = {"mutual-aid-reference:under_40": 0.05, "mutual-aid-reference:from_40": 0.05}
    old_certificate = {"alpha": 0.05, "delta": 0.1, "expires_on": "2099-12-31", "thresholds": thresholds}
    old = {k: v for k, v in inputs.items() if k != "assessment"} | {
        "engine": "2",
        "bundle": {"name": "open", "purpose": "test", "score": 0.01, "audit_rate": 0.0, "certificate": old_certificate},
    }
    made = compute(old, [statements[i] for i in old["statements"]], at_desk.knowledge)
    assert (made["route"], made["gate"]["why"], made["risk"]["score"]) == ("clear", "certified", 0.01)
    assert recorded({**old, "bundle": None}) == Assessment()
    with closing(sqlite3.connect(tmp_path / "triage.db")) as raw, raw:
        raw.execute("UPDATE suggestion SET inputs = ?", (json.dumps(old),))
    assert any("engine 2 then, 3 now" in p["problem"] for p in at_desk.replay())


def test_an_assessment_reads_back_equal(opening: Bundle, tmp_path: Path) -> None:
    """Through JSON, to the last bit: canonical bytes and all."""
    with_risk(tmp_path, opening).submit(case("worked-approve"), actor="desk")
    with closing(sqlite3.connect(tmp_path / "triage.db")) as raw:
        told = json.loads(raw.execute("SELECT inputs FROM suggestion").fetchone()[0])["assessment"]
    again = Assessment.from_json(told)
    assert canonical(again.to_json()) == canonical(told)
    assert again.certificate == opening.certificate


# ---- the page


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", ("为什么是这个分", "放行阈值", "模拟数据")), ("en", ("Why this score", "release up to", "simulated data"))]
)
def test_the_page_says_why_this_score(tmp_path: Path, opening: Bundle, lang: str, words: tuple[str, ...]) -> None:
    """Score, reasons, certificate and gate in the page's language, with no script."""
    at_desk = with_risk(tmp_path, opening)
    made = at_desk.submit(case("worked-approve"), actor="desk")["suggestion"]

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(at_desk))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return await http.get("/claims/worked-approve", params={"lang": lang})

    page = asyncio.run(ask())
    assert page.status_code == 200
    assert all(word in page.text for word in words)
    assert made["risk"]["reasons"][0][lang].replace("'", "&#39;") in page.text
    assert "<script" not in page.text


def test_the_page_of_a_suggestion_made_before_there_was_a_model_is_shown(tmp_path: Path) -> None:
    """An old body has no features; its page has no section about them."""
    at_desk = with_risk(tmp_path, None)
    at_desk.submit(case("worked-approve"), actor="desk")
    with closing(sqlite3.connect(tmp_path / "triage.db")) as raw, raw:
        body = json.loads(raw.execute("SELECT body FROM suggestion").fetchone()[0])
        body["risk"] = {k: body["risk"][k] for k in ("score", "flag_weight", "flags")}
        raw.execute("UPDATE suggestion SET body = ?", (json.dumps(body),))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(at_desk)), base_url="http://127.0.0.1") as http:
            return await http.get("/claims/worked-approve")

    assert asyncio.run(ask()).status_code == 200
