"""The past of linked entities: three ways of counting that agree, hand-worked numbers, and nothing later than the time asked about."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert

from tests.builders import claim
from tests.desks import database
from triage.case_graph import AGGREGATES, Link, linked_observations
from triage.link_columns import DOCTOR, REUSED, SHARED, history_of, link_columns
from triage.link_history import DAY, EPOCH, terms
from triage.link_queries import link_values
from triage.rows import insert_claim
from triage.store import Store, open_store
from triage.store.tables import claim as claim_table
from triage.store.tables import link, membership_episode, outcome

ZONE = ZoneInfo("Asia/Shanghai")
SMALL = replace(terms(), hub=4, ring_hub=3, ring_most=5)
"""Bounds that small worlds reach."""
KINDS = ("doctor", "phone", "agent", "pathology_number", "member")


def on(day: float) -> datetime:
    """A wall time so many days after the beginning."""
    return datetime(2020, 1, 1) + timedelta(days=day)  # noqa: DTZ001


def stored(day: float) -> str:
    """The same as the store writes it."""
    return on(day).replace(tzinfo=ZONE).isoformat(timespec="microseconds")


def a_link(claim_id: str, kind: str, key: str, day: float, *, member: str = "", early: bool = False) -> dict[str, Any]:
    """One row of the links table; the member is the claim's own unless given."""
    return {"claim_id": claim_id, "member_id": member or f"m-{claim_id}", "kind": kind, "key": key, "seen_at": day, "early": early}


def links_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """As the simulated world gives them."""
    schema: dict[str, Any] = {
        "claim_id": pl.String,
        "member_id": pl.String,
        "kind": pl.String,
        "key": pl.String,
        "seen_at": pl.Datetime("us"),
        "early": pl.Boolean,
    }
    return pl.DataFrame([{**r, "seen_at": on(r["seen_at"])} for r in rows], schema=schema)


def outcomes_frame(rows: list[tuple[str, bool, float]]) -> pl.DataFrame:
    """(claim, refused, day known), and one claim that was never investigated."""
    given_ = [{"claim_id": c, "investigated": True, "refused": r, "label_known_at": on(d)} for c, r, d in rows]
    given_.append({"claim_id": "c-never", "investigated": False, "refused": None, "label_known_at": None})
    return pl.DataFrame(
        given_, schema={"claim_id": pl.String, "investigated": pl.Boolean, "refused": pl.Boolean, "label_known_at": pl.Datetime("us")}
    )


DAYS = st.sampled_from([0.0, 1.0, 29.0, 30.0, 31.0, 60.0, 89.0, 90.0, 91.0, 120.0, 364.0, 365.0, 366.0, 395.0, 400.0, 500.0])
"""Days at which windows begin and end, so that ties and borders occur."""


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[tuple[str, bool, float]]]:
    """A few claims of fewer members, their links (some seen later than the filing, some early later) and labels, some of them reversed."""
    rows: list[dict[str, Any]] = []
    labels: list[tuple[str, bool, float]] = []
    for number in range(draw(st.integers(2, 11))):
        name, day, member = f"c-{number}", draw(DAYS), f"m-{draw(st.integers(0, 6))}"
        early = draw(st.booleans())
        for kind in KINDS:
            for key in draw(st.lists(st.sampled_from("ab"), max_size=2 if kind == "pathology_number" else 1, unique=True)):
                seen = day if draw(st.integers(0, 4)) else day + draw(DAYS)
                rows.append(a_link(name, kind, key, seen, member=member, early=early))
                if not early and draw(st.integers(0, 3)) == 0:
                    rows.append(a_link(name, kind, key, seen + draw(DAYS), member=member, early=True))
        known = day
        for refused in draw(st.lists(st.booleans(), max_size=2)):
            known += draw(DAYS) + 0.5
            labels.append((name, refused, known))
    return sorted(rows, key=lambda r: r["seen_at"]), labels


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(database(tmp_path_factory.mktemp("links")))
    yield opened
    opened.engine.dispose()


def fill(connection: Connection, rows: list[dict[str, Any]], labels: list[tuple[str, bool, float]]) -> None:
    """The world in an emptied store."""
    for table in (outcome, link, membership_episode, claim_table):
        connection.execute(delete(table))
    for name in {r["claim_id"] for r in rows} | {label[0] for label in labels}:
        insert_claim(connection, claim(claim_id=name), drawn=False, at=stored(0))
    carried: set[tuple[str, str, str]] = set()
    for r in rows:
        entity = (r["claim_id"], r["kind"], r["key"])
        given_ = {k: r[k] for k in ("claim_id", "member_id", "kind", "early")}
        connection.execute(insert(link), [{**given_, "link_key": r["key"], "again": entity in carried, "seen_at": stored(r["seen_at"])}])
        carried.add(entity)
    for name, refused, day in sorted(labels, key=lambda label: label[2]):
        connection.execute(insert(outcome), [{"claim_id": name, "refused": refused, "known_at": stored(day)}])


def own_links(rows: list[dict[str, Any]], name: str, day: float) -> list[Link]:
    """What a claim carries as of a day, as `links_of` gives it."""
    mine = [r for r in rows if r["claim_id"] == name and r["seen_at"] <= day]
    early = any(r["early"] for r in mine)
    return [Link(r["kind"], r["key"], name, r["member_id"], date(2020, 1, 1), early) for r in mine]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(worlds(), st.data())
def test_memory_table_and_store_count_alike(store: Store, world: tuple[Any, Any], data: st.DataObject) -> None:
    """Whatever the ties, borders, hubs, late links, reversed labels and claims of one member; and the facts told are those of today."""
    rows, labels = world
    if not rows:
        return
    name = data.draw(st.sampled_from(sorted({r["claim_id"] for r in rows})))
    day = max(data.draw(DAYS) * 2, min(r["seen_at"] for r in rows if r["claim_id"] == name))
    own = own_links(rows, name, day)
    links, outcomes = links_frame(rows), outcomes_frame(labels)
    at = int(day * DAY) + (datetime(2020, 1, 1) - EPOCH).days * DAY  # noqa: DTZ001
    in_memory = history_of(links, outcomes, SMALL).values([(k.kind, k.key) for k in own], own[0].member_id, at)
    moments = pl.DataFrame({"claim_id": [name], "as_of": [on(day)]}, schema_overrides={"as_of": pl.Datetime("us")})
    [table] = link_columns(links, outcomes, moments, SMALL).to_dicts()
    with store.writing() as connection:
        fill(connection, rows, labels)
        in_store = link_values(connection, own, stored(day), SMALL)
    assert in_memory == pytest.approx(in_store, nan_ok=True, abs=0)
    assert {n: table[n] for n in AGGREGATES} == pytest.approx(in_store, nan_ok=True, abs=1e-12)
    assert list(in_store) == list(AGGREGATES)


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_the_facts_told_are_those_of_a_single_claim(world: tuple[Any, Any]) -> None:
    """`link_columns` tells shared contacts, reused numbers and early claims of the doctor as `linked_observations` does."""
    rows, labels = world
    if not rows:
        return
    table = {r["claim_id"]: r for r in link_columns(links_frame(rows), outcomes_frame(labels)).to_dicts()}
    for name, row in table.items():
        day = min(r["seen_at"] for r in rows if r["claim_id"] == name)
        own = own_links(rows, name, day)
        before = [r for r in rows if r["seen_at"] < day]
        others = [Link(r["kind"], r["key"], r["claim_id"], r["member_id"], date(2020, 1, 1), r["early"]) for r in before]
        said = {o.fact: o.value for o in linked_observations(own, others)}
        assert {k: row[k] for k in (SHARED, REUSED, DOCTOR) if row[k] is not None} == said


@settings(max_examples=60, deadline=None)
@given(worlds(), st.sampled_from([30.0, 90.0, 365.0, 400.0]))
def test_nothing_after_the_time_asked_about_changes_a_value(world: tuple[Any, Any], day: float) -> None:
    """A world cut off at a time and the whole world say the same as of that time."""
    rows, labels = world
    before = [r for r in rows if r["seen_at"] < day]
    names = sorted({r["claim_id"] for r in before})
    if not names:
        return
    moments = pl.DataFrame({"claim_id": names, "as_of": [on(day)] * len(names)}, schema_overrides={"as_of": pl.Datetime("us")})
    cut = link_columns(links_frame(before), outcomes_frame([label for label in labels if label[2] < day]), moments, SMALL)
    whole = link_columns(links_frame(rows), outcomes_frame(labels), moments, SMALL)
    at_once = [r for r in rows if r["seen_at"] == day]
    if not {r["claim_id"] for r in at_once} & set(names):
        assert cut.equals(whole, null_equal=True)


def test_numbers_worked_by_hand() -> None:
    """A doctor: five other claims, two early, three investigated of which one refused, and one claim of the same member."""
    rows = [
        a_link("old", "doctor", "d", 0),
        a_link("spring", "doctor", "d", 300, early=True),
        a_link("may", "doctor", "d", 380),
        a_link("june-1", "doctor", "d", 440, early=True),
        a_link("june-2", "doctor", "d", 449),
        a_link("own-before", "doctor", "d", 445, member="m-asked"),
        a_link("asked", "doctor", "d", 450),
    ]
    labels = [("old", False, 60.0), ("spring", True, 350.0), ("may", False, 449.9), ("june-1", True, 450.0)]
    table = link_columns(links_frame(rows), outcomes_frame(labels)).filter(pl.col("claim_id") == "asked").to_dicts()[0]
    told = {n.removeprefix("links.doctor."): table[n] for n in AGGREGATES if n.startswith("links.doctor.")}
    assert (told["claims_90d"], told["claims_365d"], told["claims_ever"]) == (3, 4, 5)
    assert (told["early_365d"], told["early_ever"]) == (2, 2)
    assert told["breach_rate"] == pytest.approx((1 + 10 * 0.11) / (3 + 10))
    assert told["early_share"] == pytest.approx((2 + 10 * 0.10) / (4 + 10))
    assert told["burst"] == pytest.approx((2 + 1) / (2 * 30 / 335 + 1))


def test_a_ring_is_two_steps_and_no_business() -> None:
    """Over the phone to a claim, over its account to another; a third step and a busy agent are not followed."""
    rows = [
        a_link("third", "device", "x", 0),
        a_link("second", "device", "x", 1),
        a_link("second", "account", "acc", 1),
        a_link("first", "account", "acc", 2),
        a_link("first", "phone", "p", 2),
        *(a_link(f"busy-{n}", "agent", "office", 3) for n in range(terms().ring_hub + 1)),
        a_link("asked", "phone", "p", 4),
        a_link("asked", "agent", "office", 4),
    ]
    labels = [("second", True, 3.5), ("first", True, 4.5), ("third", True, 1.5)]
    table = {r["claim_id"]: r for r in link_columns(links_frame(rows), outcomes_frame(labels)).to_dicts()}
    assert (table["asked"]["links.ring.size"], table["asked"]["links.ring.refused"]) == (2, 1)
    assert table["asked"]["links.agent.claims_ever"] == terms().ring_hub + 1


def test_claims_of_the_same_member_never_count() -> None:
    """Nor does the claim itself, however often it is asked."""
    rows = [a_link(f"c-{n}", "phone", "p", n, member="m") for n in range(5)]
    table = link_columns(links_frame(rows), outcomes_frame([("c-0", True, 0.5)])).to_dicts()
    assert {(r["links.phone.claims_ever"], r["links.ring.size"], r["links.ring.refused"]) for r in table} == {(0.0, 0.0, 0.0)}


def test_what_a_claim_does_not_carry_is_unknown() -> None:
    """And what it carries alone is zero, with the shares at their prior."""
    [row] = link_columns(links_frame([a_link("c", "agent", "a", 0)])).to_dicts()
    assert (row["links.agent.claims_ever"], row["links.agent.breach_rate"], row["links.ring.size"]) == (0.0, pytest.approx(0.11), 0.0)
    assert math.isnan(row["links.phone.claims_ever"])
    assert (row[SHARED], row[REUSED], row[DOCTOR]) == (None, None, None)


def test_a_hub_is_looked_at_to_its_newest_claims(tmp_path: Path) -> None:
    """A hospital with more claims than the bound: the counts stop there, in the table and in the store."""
    most = terms().hub
    rows = [a_link(f"c-{n:04}", "hospital", "h", n / 10, early=n < 5) for n in range(most + 20)]
    labels = [(f"c-{n:04}", n % 10 == 0, n / 10 + 1) for n in range(0, most + 20, 3)]
    table = link_columns(links_frame(rows), outcomes_frame(labels)).to_dicts()[-1]
    own = own_links(rows, rows[-1]["claim_id"], 1e9)
    opened = open_store(database(tmp_path))
    with opened.writing() as connection:
        fill(connection, rows, labels)
        in_store = link_values(connection, own, stored(rows[-1]["seen_at"]))
    assert table["links.hospital.claims_ever"] == most
    assert table["links.hospital.early_ever"] == 0
    assert {n: table[n] for n in AGGREGATES} == pytest.approx(in_store, nan_ok=True, abs=1e-12)
