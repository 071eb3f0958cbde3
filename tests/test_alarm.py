"""The audit lane's alarm: rarely wrong however often it is looked at, quick when the rate has doubled; and who may reopen."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from scipy.stats import binom
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from tests.desks import database
from triage import gate_events
from triage.alarm import evidence, needed, tail
from triage.store import open_store
from triage.store.tables import gate_event

AT = "2021-03-01T09:00:00+08:00"


def alarms(rate: float, alpha: float, claims: int, runs: int) -> float:
    """The share of runs in which the alarm rings at any time."""
    drawn = random.Random(7)
    return sum(evidence((drawn.random() < rate for _ in range(claims)), alpha).alarmed for _ in range(runs)) / runs


def test_at_the_promised_rate_it_rings_in_at_most_one_life_of_twenty() -> None:
    """Looked at after every one of 1,000 claims; .05 + 1.645 standard errors of 400 runs."""
    assert alarms(0.05, 0.05, 1_000, 400) <= 0.05 + 1.645 * math.sqrt(0.05 * 0.95 / 400)


def test_a_rate_three_times_the_promise_is_found() -> None:
    """Within 300 audited claims, nearly always."""
    assert alarms(0.15, 0.05, 300, 100) >= 0.95


@pytest.mark.parametrize(("n", "wrong", "alpha"), [(45, 0, 0.05), (400, 7, 0.03), (59, 3, 0.01), (1, 1, 0.5)])
def test_the_tail_is_the_exact_binomial(n: int, wrong: int, alpha: float) -> None:
    """As scipy has it."""
    assert tail(n, wrong, alpha) == pytest.approx(float(binom.cdf(wrong, n, alpha)), rel=1e-9)


@pytest.mark.parametrize(("wrong", "alpha", "expected"), [(0, 0.05, 45), (0, 0.01, 230), (1, 0.01, 388)])
def test_the_least_sample_is_the_least(wrong: int, alpha: float, expected: int) -> None:
    """One claim fewer would not show it."""
    n = needed(wrong, alpha, 0.1)
    assert n == expected
    assert tail(n, wrong, alpha) <= 0.1 < tail(n - 1, wrong, alpha)


def test_the_newest_event_holds_and_a_group_follows_every_group(tmp_path: Path) -> None:
    """Closing everything closes a group that was reopened; reopening one leaves the others closed."""
    store = open_store(database(tmp_path))
    told = [("a", "closed"), ("a", "reopened"), ("*", "closed"), ("a", "reopened")]
    with store.writing() as connection:
        for n, (group, event) in enumerate(told):
            gate_events.record(connection, group, event, kind="person", actor="li", why=str(n), bundle="d", evidence={}, at=AT)
        states = gate_events.states(connection)
    assert [gate_events.why_closed(states, group) for group in ("a", "b")] == [None, "2"]
    assert gate_events.why_closed({}, "a") is None


def test_an_alarm_cannot_reopen(tmp_path: Path) -> None:
    """The database refuses it, whoever asks."""
    row = {
        "group_name": "a",
        "event": "reopened",
        "actor_kind": "alarm",
        "actor": "triage",
        "why": "x",
        "bundle_digest": "d",
        "evidence": "{}",
    }
    with pytest.raises(IntegrityError), open_store(database(tmp_path)).writing() as connection:
        connection.execute(insert(gate_event), [{**row, "created_at": AT}])
