"""The simulated world: the same seed gives the same world, its facts and verdicts are the engine's, and nothing tells the truth by itself."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from knowledge_graph.loader import load
from tests.worlds import case_of, small_world
from training.world.assumptions import Assumptions, OutsideRange, UnknownAssumption
from training.world.columns import full_years
from training.world.make import make_world
from training.world.people import TYPOLOGIES
from training.world.world import NoSuchClaim, NoSuchWorld, World
from training.world_cli import world_app
from triage.case_graph import KINDS
from triage.derive import full_years as full_years_of_one
from triage.judge import Effect
from triage.pipeline import conditions_claimed, suggest

KNOWN = load()
TYPES = {"bool": pl.Boolean, "int": pl.Int64, "number": pl.Float64, "date": pl.Date, "code": pl.String, "text": pl.String}
OBSERVED = ("facts", "attributes", "links", "outcomes")


def auc(score: NDArray[Any], wrong: NDArray[Any]) -> float:
    """Area under the curve by ranks, ties shared."""
    ranks = pl.Series(score).rank("average").to_numpy()
    positives = wrong.sum()
    return float((ranks[wrong].sum() - positives * (positives + 1) / 2) / (positives * (len(wrong) - positives)))


def test_same_seed_same_world() -> None:
    """The same seed and assumptions make the same tables; another seed makes others."""
    one, again, other = make_world(300, 5), make_world(300, 5), make_world(300, 6)
    for name in (*OBSERVED, "latent", "told"):
        assert getattr(one, name).equals(getattr(again, name))
        assert not getattr(one, name).equals(getattr(other, name))


def test_every_assumption_has_range_words_and_source() -> None:
    """Every assumption names its range, its words in both languages, a source and a confidence."""
    for name, entry in Assumptions.load().entries.items():
        assert entry.low <= entry.default <= entry.high, name
        assert entry.low < entry.high, name
        assert entry.zh, name
        assert entry.en, name
        assert entry.source, name
        assert entry.confidence in ("low", "medium", "high"), name


def test_every_assumption_is_asked_for() -> None:
    """Making a world and telling its stories looks every assumption up: none is there for show."""
    asked: set[str] = set()

    class Watched(dict[str, float]):
        def __getitem__(self, name: str) -> float:
            asked.add(name)
            return super().__getitem__(name)

    a = Assumptions.load()
    world = make_world(200, 3, Assumptions(a.entries, Watched(a.values)))
    world.story(world.facts["claim_id"][0])
    assert set(a.names()) == asked


def test_every_table_of_data_has_a_source() -> None:
    """The distribution tables beside config.yaml say where they come from, too."""
    from training.world.columns import shipped

    assert all(shipped(name)["source"] for name in ("clinical", "signals", "places", "rings"))
    assert all(table["source"] for table in shipped("incidence").values())


def test_unknown_and_impossible_assumptions_are_refused() -> None:
    """A name that is not there and a share above one raise, naming the file."""
    with pytest.raises(UnknownAssumption, match=r"config\.yaml"):
        Assumptions.load().with_(no_such_thing=1.0)
    with pytest.raises(OutsideRange, match="ring_share"):
        Assumptions.load().with_(ring_share=1.5)


@pytest.mark.parametrize("end", ["low", "high"])
def test_world_can_be_made_at_the_ends_of_ranges(end: str) -> None:
    """All assumptions at once at one end of their ranges still make a whole world."""
    a = Assumptions.load()
    ends = {name: getattr(entry, end) for name, entry in a.entries.items()}
    world = make_world(400, 2, a.with_(**ends))
    assert world.facts.height == 400
    assert world.latent["p_refused"].is_between(0, 1).all()


def test_smallest_world() -> None:
    """A world of one claim is a world; of none it is not."""
    assert make_world(1, 1).facts.height == 1
    with pytest.raises(ValueError, match="at least one claim"):
        make_world(0, 1)


def test_columns_are_facts_of_the_library() -> None:
    """Every column of `facts` but four is a fact id with the library's type, and holds only values the library lists."""
    frame = small_world().facts
    assert frame.columns[:4] == ["claim_id", "plan", "condition", "filed_on"]
    for name in frame.columns[4:]:
        definition = KNOWN.facts[name]
        assert frame[name].dtype == TYPES[definition.type], name
        if definition.values:
            assert set(frame[name].drop_nulls().unique().to_list()) <= set(definition.values), name
    assert not [name for name in frame.columns if name.startswith("inv.")]


def test_tables_are_in_order_of_filing_and_of_one_length() -> None:
    """One row a claim in every table, the same claim at the same place, sorted by the time of filing."""
    world = small_world()
    ids = world.facts["claim_id"]
    assert ids.n_unique() == ids.len() == 3_000
    for name in ("attributes", "outcomes", "latent"):
        assert getattr(world, name)["claim_id"].equals(ids)
    assert world.outcomes["filed_at"].is_sorted()
    assert (world.outcomes["filed_at"].dt.date() == world.facts["filed_on"]).all()


def test_facts_are_those_of_the_engine() -> None:
    """What the engine derives from the base facts of a claim equals the columns, known and unknown alike."""
    world = small_world()
    for claim_id in world.facts["claim_id"].gather_every(25).to_list():
        case = case_of(world, claim_id)
        facts = suggest(case, KNOWN, None, date(2024, 1, 1)).facts
        for name, value in world.facts.row(world.place(claim_id), named=True).items():
            if name in KNOWN.facts:
                grows = "grows" in (KNOWN.facts[name].derive or {})
                fact = facts.get(name)
                told = fact.bounds()[0] if grows else fact.possible if fact.settled else None
                assert told == value, (claim_id, name)


def test_verdicts_are_those_of_the_engine() -> None:
    """`passes_rules` is what the engine says with everything on file: only the gate and what no paper can show stand in the way."""
    world = small_world()
    for claim_id in world.facts["claim_id"].gather_every(20).to_list():
        case = case_of(world, claim_id)
        place = world.place(claim_id)
        assert conditions_claimed(case.claim, KNOWN) == (world.facts["condition"][place],)
        routed = suggest(case, KNOWN, None, date(2024, 1, 1)).routed
        waits = [o for o in routed.open_ if o.verdict is not None and o.effect not in (Effect.UNSHOWN, Effect.TASK)]
        assert (not routed.grounds and not waits) == world.outcomes["passes_rules"][place], claim_id


def test_flag_weight_is_that_of_the_engine() -> None:
    """The weight of red flags on the outcome row is the one the engine sums up."""
    world = small_world()
    for claim_id in world.facts["claim_id"].gather_every(60).to_list():
        weight = suggest(case_of(world, claim_id), KNOWN, None, date(2024, 1, 1)).flag_weight
        assert weight == world.outcomes["flag_weight"][world.place(claim_id)], claim_id


def test_amounts_are_those_of_the_plans() -> None:
    """Mutual aid pays by age at diagnosis; every amount is one the rulebook names."""
    world = small_world()
    rows = world.facts.join(world.attributes, on="claim_id").filter(pl.col("plan") == "mutual-aid-reference", pl.col("amount") > 50_000)
    assert ((rows["age_at_diagnosis"] < 40) == (rows["amount"] == 300_000)).all()
    assert set(world.attributes["amount"].unique()) <= {50_000, 90_000, 100_000, 300_000}


def test_shares_lie_in_their_ranges() -> None:
    """Each typology's share of the claims filed lies in its range, within chance."""
    a = Assumptions.load()
    shares = dict(small_world().latent["typology"].value_counts(normalize=True).iter_rows())
    for name in TYPOLOGIES[1:]:
        entry = a.entries[f"share_{name}"]
        slack = 4 * np.sqrt(entry.high / 3_000)
        assert entry.low - slack <= shares.get(name, 0.0) <= entry.high + slack, name


def test_rings_are_a_quarter_of_fraud() -> None:
    """At least a quarter of wrongful claims come through rings, of more than one claim, in several waves, and never honest ones."""
    latent = small_world().latent
    wrongful = latent.filter(~pl.col("typology").is_in(["", "duplicate_claims"]))
    assert wrongful["ring_id"].is_not_null().mean() > 0.25  # type: ignore[operator]
    assert latent.filter(pl.col("ring_id").is_not_null(), pl.col("typology") == "").is_empty()
    rings = latent.drop_nulls("ring_id").group_by("ring_id").agg(pl.len(), pl.col("wave").max())
    assert rings["len"].median() >= 4  # type: ignore[operator]
    assert (rings["wave"] > 0).any()


def test_entities_of_rings_change_between_waves() -> None:
    """A ring shares phones or devices, and not the same ones for ever."""
    world = small_world()
    ringed = world.latent.drop_nulls("ring_id").select("claim_id", "ring_id", "wave")
    devices = world.links.filter(pl.col("kind") == "device").join(ringed, on="claim_id")
    shared = devices.group_by("ring_id", "key").agg(pl.len(), pl.col("wave").n_unique().alias("waves")).filter(pl.col("len") > 1)
    assert shared.height >= 10
    per_ring = shared.group_by("ring_id").len()
    assert (per_ring["len"] > 1).any()


def test_sharing_is_mostly_innocent_or_not_at_all() -> None:
    """Honest claims share phones, devices and accounts too."""
    world = small_world()
    honest = world.facts.filter(world.latent["typology"] == "")
    assert 0.005 < honest["links.shared_contact"].mean() < 0.12  # type: ignore[operator]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("review.no_earlier_workup", True),
        ("review.many_platforms", True),
        ("pathology.double_signed", False),
        ("links.shared_contact", True),
        ("doctor.registered", False),
    ],
)
def test_honest_claims_show_every_sign(column: str, value: bool) -> None:
    """No sign is a proof: payable claims show it as well."""
    world = small_world()
    shown = world.latent.filter((world.facts[column] == value).fill_null(value=False))
    assert (shown["typology"] == "").any()


def test_links_are_of_known_kinds_and_named_as_the_product_names_them() -> None:
    """The long table holds the kinds of the case graph, each at most once a claim, seen no earlier than filing."""
    world = small_world()
    assert set(world.links["kind"].unique()) == set(KINDS)
    assert not world.links.select("claim_id", "kind").is_duplicated().any()
    joined = world.links.join(world.outcomes.select("claim_id", "filed_at"), on="claim_id")
    assert (joined["seen_at"] >= joined["filed_at"]).all()
    assert (
        joined.filter(pl.col("kind") != "pathology_number")["seen_at"] == joined.filter(pl.col("kind") != "pathology_number")["filed_at"]
    ).all()


def test_link_facts_look_back_only() -> None:
    """The first claim of a phone shares no contact because of later ones: cutting the world short changes no fact of the claims kept."""
    world = small_world()
    phones = world.links.filter(pl.col("kind").is_in(["phone", "device", "account"])).join(
        world.outcomes.select("claim_id", "filed_at"), on="claim_id"
    )
    first = phones.group_by("kind", "key").agg(pl.col("filed_at").min().alias("first"))
    later = phones.join(first, on=["kind", "key"]).group_by("claim_id").agg((pl.col("filed_at") > pl.col("first")).any().alias("shared"))
    told = world.facts.select("claim_id", "links.shared_contact").join(later, on="claim_id")
    assert (told["shared"] == told["links.shared_contact"]).all()


def test_latent_stands_apart() -> None:
    """No observed table has a column of the truth, nor one of its words, and the truth has no column but its own."""
    world = small_world()
    secret = set(world.latent.columns) - {"claim_id"}
    words = {*TYPOLOGIES[1:], "concealing", "forgetful"}
    for name in (*OBSERVED, "told", "hospitals"):
        frame = getattr(world, name)
        assert not secret & {c for c in frame.columns if c != "illness"}, name
        texts = frame.select(pl.col(pl.String))
        assert not any(words & set(texts[c].unique().to_list()) for c in texts.columns), name


def test_stories_hold_no_latent_words() -> None:
    """A story is told by the same fields for all, and none of them names a scheme, a ring or an intent."""
    world = small_world()
    for claim_id in world.facts["claim_id"].gather_every(150).to_list():
        told = str(asdict(world.story(claim_id)))
        assert not [word for word in (*TYPOLOGIES[1:], "ring", "concealing", "forgetful", "fraud") if f"'{word}" in told]


def test_a_finding_that_is_not_told_is_in_no_story() -> None:
    """What a concealing member hides is in the truth and in no paper."""
    world = small_world()
    hidden = world.latent.filter(pl.col("past_finding").is_not_null() & world.told["past_told"].is_null())
    assert hidden.height > 50
    assert all(not world.story(claim_id).past for claim_id in hidden["claim_id"].head(60).to_list())


def test_ids_order_and_time_of_day_tell_nothing() -> None:
    """Ids, the row's place within its month and the second of the day rank wrongful claims at chance."""
    world = make_world(8_000, 4)
    wrong = world.latent["would_be_refused"].to_numpy()
    numbers = [world.facts["claim_id"], world.told["member_id"], world.told["phone"], world.told["device"], world.told["account"]]
    scores = [column.str.slice(1).str.extract(r"(\d+)$").cast(pl.Int64).to_numpy() for column in numbers]
    moment = world.outcomes["filed_at"]
    scores += [moment.dt.epoch("s").to_numpy() % 86_400, moment.dt.day().to_numpy(), world.told["doctor"].rank("dense").to_numpy()]
    noise = 4 * np.sqrt(1 / (12 * wrong.sum()))
    assert all(abs(auc(score, wrong) - 0.5) < noise for score in scores)


def test_labels_are_seen_only_where_there_was_an_investigation() -> None:
    """What was found is null without an investigation; a released claim has no label and no day on which it is known."""
    outcomes = small_world().outcomes
    released = outcomes.filter(pl.col("lane") == "released")
    assert not released["investigated"].any()
    assert released.select("found", "refused", "label_known_at").null_count().sum_horizontal().item() == 3 * released.height
    seen = outcomes.filter(pl.col("investigated"))
    assert seen.select("found", "refused", "label_known_at").null_count().sum_horizontal().item() == 0
    assert (seen["label_known_at"] > seen["filed_at"]).all()
    truth = small_world().latent.join(seen, on="claim_id")
    assert (truth["would_be_refused"] == truth["refused"]).all()


def test_propensities_are_the_rates_of_investigation() -> None:
    """The logged chance of being investigated holds: one in the shadow period, and after it on average as many as were."""
    outcomes = small_world().outcomes
    assert (outcomes.filter(pl.col("lane") == "shadow")["propensity"] == 1).all()
    later = outcomes.filter(pl.col("passes_rules"), pl.col("lane") != "shadow")
    assert abs(float((later["propensity"] - later["investigated"].cast(pl.Float64)).to_numpy().mean())) < 0.04
    assert later["propensity"].min() > 0.1 - 1e-9  # type: ignore[operator]


def test_nothing_is_paid_that_was_refused_and_not_overturned() -> None:
    """Refusals pay nothing unless an appeal overturned them; the rest pay the amount of the rules or nothing for want of papers."""
    outcomes = small_world().outcomes.join(small_world().attributes.select("claim_id", "amount"), on="claim_id")
    refused = outcomes.filter(pl.col("refused").fill_null(value=False) & ~pl.col("overturned"))
    assert (refused["paid"] == 0).all()
    paid = outcomes.filter(pl.col("paid") > 0)
    assert (paid["paid"] == paid["amount"]).all()


def test_claims_are_complete_at_first_filing_as_the_white_paper_says() -> None:
    """Under thirty per cent of claims bring every paper they need at first filing."""
    assert 0.15 < (small_world().attributes["first_papers_share"] == 1).mean() < 0.3  # type: ignore[operator]


def test_late_typology_comes_late_and_drift_can_be_off() -> None:
    """Identity substitution appears after its start alone; without drift it is there from the beginning."""
    a = Assumptions.load().with_(share_identity_substitution=0.05)
    start = (date(2019, 4, 1) - date(1970, 1, 1)).days + a["late_typology_start"] * a["span_months"] * 30.4
    for assumptions, late in ((a, True), (a.with_(drift=0.0), False)):
        world = make_world(1_500, 3, assumptions)
        days = world.facts.filter(world.latent["typology"] == "identity_substitution")["filed_on"].to_physical()
        assert (days.min() >= start - 2) is late  # type: ignore[operator]


def test_shifted_world_hides_more() -> None:
    """In the shifted world more claims that pass all rules would be refused, at no greater weight of flags."""
    plain, moved = make_world(3_000, 8), make_world(3_000, 8, Assumptions.load().shifted())
    shares = [
        w.latent.filter(w.outcomes["passes_rules"] & (w.outcomes["flag_weight"] < 3))["would_be_refused"].mean() for w in (plain, moved)
    ]
    assert shares[1] > 1.5 * shares[0]  # type: ignore[operator]


def test_saved_world_is_the_same(tmp_path: Path) -> None:
    """A world comes back from its folder as it was, claims included; a folder without one says so."""
    world = make_world(60, 9, Assumptions.load().with_(drift=0.0))
    world.save(tmp_path / "w")
    again = World.load(tmp_path / "w")
    assert all(getattr(again, name).equals(getattr(world, name)) for name in (*OBSERVED, "latent", "told", "hospitals"))
    assert again.assumptions.changed() == {"drift": 0.0}
    first = world.facts["claim_id"][0]
    assert again.claim(first, 2) == world.claim(first, 2)
    with pytest.raises(NoSuchWorld, match="triage world make"):
        World.load(tmp_path)
    with pytest.raises(NoSuchClaim):
        world.story("nobody")


def test_claims_are_in_the_product_format() -> None:
    """A claim validates, brings fewer papers at first than in the end, and its documents name types of the evidence library."""
    world = small_world()
    more = 0
    for claim_id in world.facts["claim_id"].gather_every(100).to_list():
        first, whole = world.claim(claim_id, 0), world.claim(claim_id, 2)
        assert whole.filed_on == world.facts["filed_on"][world.place(claim_id)]
        assert {d.evidence_type for d in whole.documents} <= set(KNOWN.evidence)
        more += len(whole.documents) > len(first.documents)
    assert more > 15


def test_hospitals_of_schemes_are_invented() -> None:
    """A scheme that a hospital would have to know of never names a real one, while honest claims stand at both."""
    world = small_world()
    real = world.attributes["hospital"].is_in(list(KNOWN.hospitals))
    typologies = world.latent["typology"]
    harmless = typologies.is_in(["", "non_disclosure", "duplicate_claims"])
    assert not real.filter(~harmless).any()
    assert 0.3 < real.filter(typologies == "").mean() < 0.7  # type: ignore[operator]


def test_birthdays_on_columns_as_on_dates() -> None:
    """Full years on columns equal those of the engine, leap days included."""
    starts = [date(1984, 2, 29), date(1990, 12, 31), date(2000, 1, 1), date(1975, 3, 1)]
    ends = [date(2019, 2, 28), date(2020, 2, 29), date(2020, 3, 1), date(2021, 12, 31)]
    pairs = [(s, e) for s in starts for e in ends]
    columns = [np.array([(d - date(1970, 1, 1)).days for d in side]) for side in zip(*pairs, strict=True)]
    assert full_years(*columns).tolist() == [full_years_of_one(s, e) for s, e in pairs]


def test_command_writes_claims_and_a_summary(tmp_path: Path) -> None:
    """`world make` writes one claim a line and says what it made; a wrong assumption is a usage error."""
    ran = CliRunner().invoke(world_app, ["make", "--claims", "40", "--out", str(tmp_path / "w"), "--set", "drift=0"])
    assert ran.exit_code == 0, ran.output
    assert len((tmp_path / "w" / "claims.jsonl").read_text(encoding="utf-8").splitlines()) == 40
    assert "lanes" in ran.output
    assert CliRunner().invoke(world_app, ["make", "--out", str(tmp_path), "--set", "nonsense=1"]).exit_code == 2
    assert CliRunner().invoke(world_app, ["make", "--out", str(tmp_path), "--set", "drift"]).exit_code == 2
