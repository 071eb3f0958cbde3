"""The past of linked entities out of the claim store, as of a time: the same counts as `LinkHistory`, by a few bounded queries.

Of each entity the newest claims of other members are fetched (links.yaml `hub`), so a large hospital costs no more than a small one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, union_all

from triage.case_graph import Link
from triage.link_history import ENTITIES, Entity, Seen, Terms, label_before, microseconds, ring_values, tally, terms, values_of
from triage.store.tables import link, outcome

TOGETHER = 40
"""Entities asked for in one statement; SQLite takes at most 500 parts."""


def link_values(connection: Connection, own: Sequence[Link], at: str, known: Terms | None = None) -> dict[str, float]:
    """Every aggregate of `triage.case_graph.AGGREGATES` for a claim that carries `own`, strictly before `at` (ISO text as stored)."""
    known = known or terms()
    entities = list(dict.fromkeys((k.kind, k.key) for k in own if k.kind in ENTITIES))
    asking = _Asking(connection, own[0].claim_id if own else "", own[0].member_id if own else "", at, known)
    past = asking.past(entities, known.hub)
    values: dict[str, float] = {}
    for kind in ENTITIES:
        tallies = [tally(past[entity], asking.now, known) for entity in entities if entity[0] == kind]
        values.update(values_of(kind, tallies, known))
    return {**values, **_ring(asking, [e for e in entities if e[0] in known.ring], past, known)}


def _ring(asking: _Asking, own: Sequence[Entity], past: dict[Entity, list[Seen]], known: Terms) -> dict[str, float]:
    if not own:
        return ring_values(None, known)
    first = _shared((past[entity] for entity in own), known)
    onward = [entity for entity in asking.entities_of(first) if entity not in own]
    second = _shared(asking.past(onward, known.ring_hub + 1).values(), known)
    labels = [label_before(row.labels, asking.now) for row in {**second, **first}.values()]
    return ring_values(labels, known)


def _shared(entities: Iterable[Sequence[Seen]], known: Terms) -> dict[str, Seen]:
    """Claims at the entities that are no businesses."""
    return {row.claim: row for rows in entities if len(rows) <= known.ring_hub for row in rows}


class _Asking:
    """One claim's questions to the store, as of one time."""

    def __init__(self, connection: Connection, claim_id: str, member_id: str, at: str, known: Terms) -> None:
        self.connection, self.at, self.known = connection, at, known
        self.now = microseconds(datetime.fromisoformat(at))
        self._others = (link.c.seen_at < at, link.c.claim_id != claim_id, link.c.member_id != member_id)

    def past(self, entities: Sequence[Entity], most: int) -> dict[Entity, list[Seen]]:
        """The newest `most` claims of other members at each entity, in the order seen, with their labels."""
        found: dict[Entity, list[Any]] = {entity: [] for entity in entities}
        for part in _parts(entities):
            for row in self._all([self._newest(entity, most) for entity in part]):
                found[row.kind, row.link_key].append(row)
        early = self._early({entity: rows[-1].seen_at for entity, rows in found.items() if rows})
        labels = self._labels({row.claim_id for rows in found.values() for row in rows})
        return {entity: [_seen(row, early, labels) for row in reversed(rows)] for entity, rows in found.items()}

    def entities_of(self, claims: Iterable[str]) -> list[Entity]:
        """The entities over which rings go, of other claims."""
        wanted = select(link.c.kind, link.c.link_key).where(
            link.c.claim_id.in_(sorted(claims)), link.c.kind.in_(sorted(self.known.ring)), link.c.seen_at < self.at
        )
        return [(row.kind, row.link_key) for row in self.connection.execute(wanted.distinct())]

    def _newest(self, entity: Entity, most: int) -> Select[Any]:
        columns = (link.c.kind, link.c.link_key, link.c.claim_id, link.c.member_id, link.c.early, link.c.seen_at)
        of_entity = (link.c.kind == entity[0], link.c.link_key == entity[1], link.c.again.is_(False))
        return select(*columns).where(*of_entity, *self._others).order_by(link.c.seen_at.desc(), link.c.id.desc()).limit(most)

    def _all(self, parts: Sequence[Select[Any]]) -> Sequence[Any]:
        """One statement for several limited ones, each of which keeps its order."""
        whole = union_all(*(select(part.subquery()) for part in parts)) if parts else None
        return self.connection.execute(whole).all() if whole is not None else []

    def _early(self, since: dict[Entity, str]) -> dict[tuple[str, str, str], str]:
        """By (kind, key, claim): when a claim that was seen before became early, for entities since a time each."""
        found: dict[tuple[str, str, str], str] = {}
        columns = (link.c.kind, link.c.link_key, link.c.claim_id, link.c.seen_at)
        for part in _parts(list(since)):
            asked = [
                select(*columns).where(
                    link.c.kind == kind,
                    link.c.link_key == key,
                    link.c.again.is_(True),
                    link.c.early.is_(True),
                    link.c.seen_at >= since[kind, key],
                    *self._others,
                )
                for kind, key in part
            ]
            for row in self._all(asked):
                name = (row.kind, row.link_key, row.claim_id)
                found[name] = min(found.get(name, row.seen_at), row.seen_at)
        return found

    def _labels(self, claims: Iterable[str]) -> dict[str, tuple[tuple[int, bool], ...]]:
        found: dict[str, tuple[tuple[int, bool], ...]] = {}
        wanted = select(outcome.c.claim_id, outcome.c.refused, outcome.c.known_at).where(outcome.c.known_at < self.at)
        for part in _parts(sorted(claims), 5000):
            of_part = wanted.where(outcome.c.claim_id.in_(part)).order_by(outcome.c.known_at, outcome.c.id)
            for row in self.connection.execute(of_part):
                label = (microseconds(datetime.fromisoformat(row.known_at)), bool(row.refused))
                found[row.claim_id] = (*found.get(row.claim_id, ()), label)
        return found


def _parts(items: Sequence[Any], size: int = TOGETHER) -> Iterable[Sequence[Any]]:
    return (items[i : i + size] for i in range(0, len(items), size))


def _seen(row: Any, early: dict[tuple[str, str, str], str], labels: dict[str, tuple[tuple[int, bool], ...]]) -> Seen:
    became = row.seen_at if row.early else early.get((row.kind, row.link_key, row.claim_id))
    early_at = None if became is None else microseconds(datetime.fromisoformat(became))
    return Seen(row.claim_id, row.member_id, microseconds(datetime.fromisoformat(row.seen_at)), early_at, labels.get(row.claim_id, ()))
