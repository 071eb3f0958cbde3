"""The database itself refuses what must never be, and keeps a transaction whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from tests.databases import Database
from tests.desks import case, desk
from triage.observation import Assertion, FindingMention, Observation, Source, Span, Why
from triage.store import Store, open_store
from triage.store.codec import statement_from, statement_json
from triage.store.errors import StoreUnavailable
from triage.store.tables import SealedText, metadata
from triage.values import Interval, OneOf

DECLINED = {
    "claim_id": "worked-decline",
    "suggestion_id": 1,
    "action": "accept",
    "outcome": "declined",
    "actor_kind": "person",
    "actor": "审核员甲",
    "ground": "in-situ-or-benign",
    "ground_on": "2021-01-19",
    "clause": "恶性肿瘤（重度）除外项",
    "plan_version": "v3",
    "decided_at": "2021-03-01T09:00:00+08:00",
}


def insert_raw(place: Database, row: dict[str, Any]) -> None:
    """Raw SQL, as somebody with a database shell would write it."""
    place.execute(f"INSERT INTO decision ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", **row)


@pytest.mark.parametrize(
    "change",
    [
        {"actor_kind": "gate"},
        {"actor_kind": "machine"},
        {"actor": ""},
        {"ground": None},
        {"ground": ""},
        {"ground": " "},
        {"ground_on": None},
        {"ground_on": ""},
        {"ground_on": "soon"},
        {"clause": " "},
        {"clause": None},
        {"clause": ""},
        {"plan_version": None},
        {"suggestion_id": None},
        {"outcome": "refused"},
    ],
)
def test_the_database_refuses_a_decline_by_a_machine_or_without_ground(place: Database, change: dict[str, Any]) -> None:
    desk(place).submit(case("worked-decline"), actor="desk")
    with pytest.raises(DBAPIError):
        insert_raw(place, DECLINED | change)
    insert_raw(place, DECLINED)


def test_a_claims_status_cannot_be_set_to_declined_without_a_persons_decision(place: Database) -> None:
    at_desk = desk(place)
    at_desk.submit(case("worked-decline"), actor="desk")
    with pytest.raises(DBAPIError, match="declin"):
        place.execute("UPDATE claim SET status = 'declined'")
    place.execute("UPDATE claim SET status = 'paid'")
    assert [p["claim_id"] for p in at_desk.replay()] == ["worked-decline"]


def test_the_gate_can_only_release(place: Database) -> None:
    desk(place).submit(case("worked-decline"), actor="desk")
    for outcome in ("paid", "investigation_opened", "declined"):
        with pytest.raises(DBAPIError):
            insert_raw(place, DECLINED | {"actor_kind": "gate", "outcome": outcome})


def test_the_migrations_make_the_tables_that_are_declared(place: Database) -> None:
    store = open_store(place.url)
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": lambda *_: None})
        assert compare_metadata(context, metadata) == []
    open_store(place.url)


def test_a_read_only_database_is_said_by_name_and_nothing_is_half_written(tmp_path: Path) -> None:
    at_desk = desk(tmp_path)
    at_desk.submit(case("worked-approve"), actor="desk")
    at_desk.store.engine.dispose()
    store = open_store(f"sqlite:///file:{tmp_path / 'triage.db'}?mode=ro&uri=true")
    with pytest.raises(StoreUnavailable, match="案件库暂不可写"):
        store.check_writable()
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM claim").scalar_one() == 1


def write_half(store: Store) -> None:
    """Writes a row and fails before the end."""
    with store.writing() as connection:
        connection.exec_driver_sql("INSERT INTO store_setting (name, value) VALUES ('half', 'written')")
        raise RuntimeError


def test_an_error_in_a_transaction_leaves_nothing(place: Database) -> None:
    store = open_store(place.url)
    with pytest.raises(RuntimeError):
        write_half(store)
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM store_setting WHERE name = 'half'").scalar_one() == 0


class Reversed:
    """A cipher anyone can check by eye."""

    def seal(self, text: str) -> str:
        return "sealed:" + text[::-1]

    def open(self, sealed: str) -> str:
        return sealed.removeprefix("sealed:")[::-1]


def test_sealed_text_passes_through_the_operators_cipher(place: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SealedText, "cipher", Reversed())
    opened = desk(place)
    opened.submit(case("worked-approve"), actor="desk")
    texts = [t for (t,) in place.query("SELECT text FROM document UNION SELECT form FROM claim UNION SELECT body FROM observation")]
    assert all(t.startswith("sealed:") for t in texts)
    assert opened.claim("worked-approve")["documents"][0]["text"] == case("worked-approve").documents[0].text
    assert opened.replay() == []


@pytest.mark.parametrize(
    "statement",
    [
        Observation("days_since_effective", Interval(1, None), Source.REVIEWER, actor="甲"),
        Observation(
            "pathology.icdo_behavior", OneOf(frozenset({2, 3})), Source.DOCUMENT, "pathology_report", "core_biopsy", why=Why.UNCLEAR
        ),
        Observation("hospital.level", None, Source.REGISTRY, why=Why.UNOBTAINABLE),
        FindingMention(
            "pf_bi4a",
            Assertion.HISTORICAL,
            Source.DOCUMENT,
            None,
            "left",
            "4A",
            "ultrasound_report",
            Span("d1", 0, 2, "左乳"),
            "",
            "",
            "d1",
        ),
    ],
)
def test_statements_read_back_equal(statement: Observation | FindingMention) -> None:
    types = {"days_since_effective": "int", "pathology.icdo_behavior": "int", "hospital.level": "int"}
    assert statement_from(statement_json(statement), types) == statement
