"""What investigations found of claims the gate would have released: the audit lane while it is open, every such claim while it is closed.

The alarm and the reopening rest on these rows alone. A claim counts when it passes all rules, its score is at or below its group's
threshold, and an investigation and a person's decision answered it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from triage import gate_events
from triage.alarm import Evidence, evidence, needed, tail
from triage.bundle import Bundle, Certificate
from triage.store import Store
from triage.store.tables import outcome, suggestion

LANES = ("audit", "gate_closed")
"""The gate's codes under which a claim it would have released is investigated instead."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One answer: the claim's group, whether releasing it would have been wrong, and when that became known (ISO time)."""

    claim_id: str
    group: str
    wrong: bool
    known_at: str


def audited(connection: Connection, digest: str) -> Iterator[Audited]:
    """Answers of claims scored by the bundle of that digest, in the order they became known; of a claim the last."""
    rows = connection.execute(select(outcome).order_by(outcome.c.known_at, outcome.c.id)).mappings()
    last = {row["claim_id"]: row for row in rows}
    for row in sorted(last.values(), key=lambda row: (row["known_at"], row["id"])):
        group = _held_back(connection, row["claim_id"], digest)
        if group is not None:
            yield Audited(row["claim_id"], group, bool(row["refused"]), row["known_at"])


def _held_back(connection: Connection, claim_id: str, digest: str) -> str | None:
    """The group of a claim that this bundle would have released but for its lane; None for any other."""
    wanted = select(suggestion.c.body).where(suggestion.c.claim_id == claim_id).order_by(suggestion.c.id.desc())
    for body in connection.execute(wanted).scalars():
        said = json.loads(body)
        held, bundle = said["gate"], said["risk"].get("bundle")
        if held["why"] in LANES and held.get("passes_rules") and bundle is not None and bundle["digest"] == digest:
            return str(held["group"])
    return None


class ReopeningRefused(Exception):
    """The gate stays closed; the message says what is missing, in both languages."""


def observed(connection: Connection, bundle: Bundle, certificate: Certificate) -> dict[str, Evidence]:
    """By certified group, what the audit lane has shown since the group was last reopened."""
    events = gate_events.newest(connection)
    answers = list(audited(connection, bundle.digest))
    found = {}
    for group in certificate.groups:
        since = events.get(group, events.get(gate_events.EVERY_GROUP, {})).get("created_at", "")
        found[group] = evidence((a.wrong for a in answers if a.group == group and a.known_at > since), certificate.alpha)
    return found


def ring(store: Store, bundle: Bundle | None, at: str) -> list[str]:
    """Closes the gate for every group whose audited claims contradict the certificate; the groups closed now. The answers are gone
    through without holding up those who write, and again before anything is closed. Raises StoreUnavailable."""
    if bundle is None or bundle.certificate is None:
        return []
    with store.reading() as connection:
        if not _alarmed(connection, bundle, bundle.certificate):
            return []
    with store.writing() as connection:
        rung = _alarmed(connection, bundle, bundle.certificate)
        for group, shown in rung.items():
            why = f"审计报警：{shown.n}件中{shown.wrong}件有误 / audit alarm: {shown.wrong} of {shown.n} wrong"
            told = {"n": shown.n, "wrong": shown.wrong, "e_value": shown.peak, "limit": shown.limit}
            gate_events.record(
                connection, group, "closed", kind="alarm", actor="audit lane", why=why, bundle=bundle.digest, evidence=told, at=at
            )
    return list(rung)


def _alarmed(connection: Connection, bundle: Bundle, certificate: Certificate) -> dict[str, Evidence]:
    """The groups still open whose answers contradict the certificate."""
    states = gate_events.states(connection)
    shown = observed(connection, bundle, certificate)
    return {group: seen for group, seen in shown.items() if seen.alarmed and gate_events.why_closed(states, group) is None}


def reopen(store: Store, bundle: Bundle, group: str, *, by: str, why: str, at: str) -> Evidence:
    """A person reopens a group on answers later than its closing that show the promise by themselves. Raises ReopeningRefused."""
    certificate = bundle.certificate
    if certificate is None or group not in certificate.groups:
        raise ReopeningRefused(f"{group}: 该组别没有证书，请先提升新模型 / the group is not certified: promote a model that certifies it")
    with store.writing() as connection:
        if gate_events.why_closed(gate_events.states(connection), group) is None:
            raise ReopeningRefused(f"{group}: 并未关闭 / it is not closed")
        shown = observed(connection, bundle, certificate)[group]
        if shown.n == 0 or tail(shown.n, shown.wrong, certificate.alpha) > certificate.delta:
            enough = needed(shown.wrong, certificate.alpha, certificate.delta)
            raise ReopeningRefused(
                f"{group}: 关闭后只有{shown.n}件新答案（{shown.wrong}件有误），须至少{enough}件"
                f" / since the closing there are {shown.n} answers ({shown.wrong} wrong), at least {enough} are needed"
            )
        told = {"n": shown.n, "wrong": shown.wrong}
        gate_events.record(connection, group, "reopened", kind="person", actor=by, why=why, bundle=bundle.digest, evidence=told, at=at)
    return shown
