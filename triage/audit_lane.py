"""What investigations found of claims the gate would have released: the audit lane while it is open, every such claim while it is closed.

The alarm and the reopening rest on these rows alone. A claim counts when nothing but the gate held it back, its score was at or below its
group's threshold, it was investigated in full, and a person decided it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from triage import gate_events
from triage.alarm import Evidence, evidence, needed, tail
from triage.bundle import Bundle, Certificate
from triage.store import Store
from triage.store.tables import decision, suggestion

WRONG = {"paid": False, "declined": True}
LANES = ("audit", "gate_closed")
"""The gate's codes under which a claim it could have released is investigated instead."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One answer: the claim's group, whether releasing it would have been wrong, and when that became known (ISO time)."""

    claim_id: str
    group: str
    wrong: bool
    known_at: str


def audited(connection: Connection, bundle: Bundle, *, since: str = "") -> Iterator[Audited]:
    """Answers under that bundle in the order they became known, later than `since`."""
    if bundle.certificate is None:
        return
    wanted = select(decision).where(decision.c.outcome.in_(WRONG), decision.c.decided_at > since).order_by(decision.c.decided_at)
    for row in connection.execute(wanted).mappings():
        basis = _before(connection, row["claim_id"], bundle)
        if basis is not None and _investigated(connection, row["suggestion_id"]):
            yield Audited(row["claim_id"], basis["gate"]["group"], WRONG[row["outcome"]], row["decided_at"])


class ReopeningRefused(Exception):
    """The gate stays closed; the message says what is missing, in both languages."""


def observed(connection: Connection, bundle: Bundle, certificate: Certificate) -> dict[str, Evidence]:
    """By certified group, what the audit lane has shown since the group was last reopened."""
    events = gate_events.newest(connection)
    answers = list(audited(connection, bundle))
    found = {}
    for group in certificate.groups:
        since = events.get(group, events.get(gate_events.EVERY_GROUP, {})).get("created_at", "")
        found[group] = evidence((a.wrong for a in answers if a.group == group and a.known_at > since), certificate.alpha)
    return found


def ring(store: Store, bundle: Bundle | None, at: str) -> list[str]:
    """Closes the gate for every group whose audited claims contradict the certificate; the groups closed now. Raises StoreUnavailable."""
    if bundle is None or bundle.certificate is None:
        return []
    with store.writing() as connection:
        states = gate_events.states(connection)
        rung = []
        for group, shown in observed(connection, bundle, bundle.certificate).items():
            if shown.alarmed and gate_events.why_closed(states, group) is None:
                why = f"审计报警：{shown.n}件中{shown.wrong}件有误 / audit alarm: {shown.wrong} of {shown.n} wrong"
                told = {"n": shown.n, "wrong": shown.wrong, "e_value": shown.peak, "limit": shown.limit}
                gate_events.record(
                    connection, group, "closed", kind="alarm", actor="audit lane", why=why, bundle=bundle.digest, evidence=told, at=at
                )
                rung.append(group)
    return rung


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


def _investigated(connection: Connection, suggestion_id: int | None) -> bool:
    inputs = connection.execute(select(suggestion.c.inputs).where(suggestion.c.id == suggestion_id)).scalar_one_or_none()
    return inputs is not None and bool(json.loads(inputs)["investigated"])


def _before(connection: Connection, claim_id: str, bundle: Bundle) -> Mapping[str, Any] | None:
    """The last suggestion by which the claim would have been released but for its lane, under this bundle."""
    wanted = select(suggestion.c.body, suggestion.c.inputs).where(suggestion.c.claim_id == claim_id).order_by(suggestion.c.id.desc())
    for body, inputs in connection.execute(wanted):
        said = json.loads(body)
        if said["why"] in LANES and _bundle_of(json.loads(inputs)) == bundle.digest and _under(said, bundle):
            return dict(said)
    return None


def _bundle_of(inputs: Mapping[str, Any]) -> str | None:
    digest = (inputs["bundle"] or {}).get("digest")
    return None if digest is None else str(digest)


def _under(said: Mapping[str, Any], bundle: Bundle) -> bool:
    group, score = said["gate"]["group"], said["risk"]["score"]
    certified = bundle.certificate.groups if bundle.certificate is not None else {}
    return group in certified and score is not None and score <= certified[group].threshold
