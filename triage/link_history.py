"""What was known of an entity before a time: how many claims of other members carried it, how close together, how early after the
waiting period, and how many were investigated and refused.

Strictly before: a claim seen, a claim that became early and a label that became known at or after the time change nothing. Claims of
the same member never count. Times are microseconds. `LinkHistory` answers from memory, `triage.link_queries` from the store; both
count with the same words here and a test holds them equal.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import Any, NamedTuple

import yaml

ENTITIES = ("doctor", "hospital", "phone", "device", "account", "agent", "address", "pathology_number")
"""Kinds of links whose past is looked at."""

OF_KIND = ("claims_90d", "claims_365d", "claims_ever", "burst", "early_365d", "early_ever", "early_share", "breach_rate")
AGGREGATES = (*(f"links.{kind}.{name}" for kind in ENTITIES for name in OF_KIND), "links.ring.size", "links.ring.refused")
"""Every aggregate by name. NaN for a kind the claim does not carry."""

DAY = 24 * 3600 * 1_000_000
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time: only differences count


class Seen(NamedTuple):
    """One claim at one entity: since when it was seen there, since when it is known to be early (None: not), and its labels, each
    known since a time: True where an investigation ended in a refusal."""

    claim: str
    member: str
    at: int
    early_at: int | None
    labels: tuple[tuple[int, bool], ...] = ()


class Tally(NamedTuple):
    """Counts over the newest claims of other members at one entity."""

    recent: int = 0
    quarter: int = 0
    year: int = 0
    ever: int = 0
    early_year: int = 0
    early_ever: int = 0
    investigated: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """The numbers of links.yaml, times in microseconds."""

    recent: int
    quarter: int
    year: int
    smoothing: float
    early: tuple[float, float]
    breach: tuple[float, float]
    hub: int
    ring: frozenset[str]
    ring_hub: int
    ring_most: int


@cache
def settings() -> Mapping[str, Any]:
    """links.yaml."""
    data: Mapping[str, Any] = yaml.safe_load(resources.files("triage").joinpath("links.yaml").read_text(encoding="utf-8"))
    return data


@cache
def terms() -> Terms:
    """How far the past is looked at."""
    past = settings()["past"]
    early, breach, ring = past["early_share"], past["breach_rate"], past["ring"]
    return Terms(
        past["burst"]["days"] * DAY,
        past["claims_90d"]["days"] * DAY,
        past["claims_365d"]["days"] * DAY,
        past["burst"]["smoothing"],
        (early["prior"], early["strength"]),
        (breach["prior"], breach["strength"]),
        past["hub"]["claims"],
        frozenset(ring["kinds"]),
        ring["hub"],
        ring["most"],
    )


def microseconds(when: datetime | date) -> int:
    """Of wall time; a date is its midnight."""
    wall = when.replace(tzinfo=None) if isinstance(when, datetime) else datetime(when.year, when.month, when.day)  # noqa: DTZ001
    return (wall - EPOCH) // timedelta(microseconds=1)


def label_before(labels: Sequence[tuple[int, bool]], at: int) -> bool | None:
    """The newest label known before `at`; a later decision on the same claim replaces an earlier one."""
    known = [refused for since, refused in labels if since < at]
    return known[-1] if known else None


def tally(rows: Iterable[Seen], at: int, known: Terms) -> Tally:
    """Counts over claims at one entity, in the order seen; those of the asking member are left out by the caller."""
    before = [row for row in rows if row.at < at][-known.hub :]
    labels = [label for row in before if (label := label_before(row.labels, at)) is not None]
    return Tally(
        sum(row.at >= at - known.recent for row in before),
        sum(row.at >= at - known.quarter for row in before),
        sum(row.at >= at - known.year for row in before),
        len(before),
        sum(row.early_at is not None and at - known.year <= row.early_at < at for row in before),
        sum(row.early_at is not None and row.early_at < at for row in before),
        len(labels),
        sum(labels),
    )


def values_of(kind: str, tallies: Sequence[Tally], known: Terms) -> dict[str, float]:
    """The aggregates of one kind; where a claim carries several entities of it, the greatest of each."""
    if not tallies:
        return {f"links.{kind}.{name}": math.nan for name in OF_KIND}
    each = [_values(one, known) for one in tallies]
    return {f"links.{kind}.{name}": max(values) for name, values in zip(OF_KIND, zip(*each, strict=True), strict=True)}


def _values(one: Tally, known: Terms) -> tuple[float, ...]:
    usual = (one.year - one.recent) * known.recent / (known.year - known.recent)
    return (
        float(one.quarter),
        float(one.year),
        float(one.ever),
        (one.recent + known.smoothing) / (usual + known.smoothing),
        float(one.early_year),
        float(one.early_ever),
        _shrunken(one.early_year, one.year, known.early),
        _shrunken(one.refused, one.investigated, known.breach),
    )


def _shrunken(hits: int, n: int, towards: tuple[float, float]) -> float:
    prior, strength = towards
    return (hits + strength * prior) / (n + strength)


Entity = tuple[str, str]


class _Past:
    """One entity's claims in the order seen, with what is counted of them as sorted times."""

    __slots__ = ("at", "claims", "early", "label_sums", "label_times", "rows")

    def __init__(self, rows: list[Seen]) -> None:
        self.rows = rows
        self.at = [row.at for row in rows]
        self.early = sorted(row.early_at for row in rows if row.early_at is not None)
        changes = sorted(change for row in rows for change in _changes(row))
        self.label_times = [time for time, _, _ in changes]
        self.label_sums = list(accumulate(((n, r) for _, n, r in changes), lambda a, b: (a[0] + b[0], a[1] + b[1]), initial=(0, 0)))

    def tally(self, at: int, own: Sequence[Seen], known: Terms) -> Tally:
        """By bisection where all claims count; row by row at a hub. `own` are the asking member's rows here."""
        end = bisect_left(self.at, at)
        ours = [row for row in own if row.at < at]
        if end - len(ours) > known.hub:
            members = {row.member for row in own}
            newest = [row for row in self.rows[max(0, end - known.hub - len(ours)) : end] if row.member not in members]
            return tally(newest, at, known)
        early = bisect_left(self.early, at)
        n, refused = self.label_sums[bisect_left(self.label_times, at)]
        mine = tally(ours, at, known)
        return Tally(
            end - bisect_left(self.at, at - known.recent) - mine.recent,
            end - bisect_left(self.at, at - known.quarter) - mine.quarter,
            end - bisect_left(self.at, at - known.year) - mine.year,
            end - mine.ever,
            early - bisect_left(self.early, at - known.year) - mine.early_year,
            early - mine.early_ever,
            n - mine.investigated,
            refused - mine.refused,
        )


def _changes(row: Seen) -> Iterable[tuple[int, int, int]]:
    """(time, investigated, refused) by which each label of a claim changes the counts: none before the claim is seen here."""
    before: bool | None = None
    for since, refused in row.labels:
        yield max(since, row.at), int(before is None), int(refused) - int(before or False)
        before = refused


class LinkHistory:
    """All links and labels of many claims, asked as of any time; made once, never changed."""

    def __init__(self, links: Mapping[Entity, list[Seen]], known: Terms | None = None) -> None:
        self._terms = known or terms()
        self._past = {entity: _Past(rows) for entity, rows in links.items()}
        self._of_member: dict[str, list[tuple[Entity, Seen]]] = {}
        self._of_claim: dict[str, list[tuple[Entity, Seen]]] = {}
        for entity, rows in links.items():
            for row in rows:
                self._of_member.setdefault(row.member, []).append((entity, row))
                if entity[0] in self._terms.ring:
                    self._of_claim.setdefault(row.claim, []).append((entity, row))

    def values(self, own: Iterable[Entity], member: str, at: int) -> dict[str, float]:
        """Every aggregate for a claim of `member` that carries the entities `own`, as of `at`."""
        carried: dict[str, list[Entity]] = {kind: [] for kind in ENTITIES}
        for entity in dict.fromkeys(own):
            if entity[0] in carried:
                carried[entity[0]].append(entity)
        mine = self._of_member.get(member, [])
        made: dict[str, float] = {}
        for kind, entities in carried.items():
            tallies = [self._tally(entity, mine, at) for entity in entities]
            made.update(values_of(kind, tallies, self._terms))
        return {**made, **self.ring([e for kind in self._terms.ring for e in carried.get(kind, [])], member, at)}

    def _tally(self, entity: Entity, mine: Sequence[tuple[Entity, Seen]], at: int) -> Tally:
        past = self._past.get(entity)
        if past is None:
            return Tally()
        return past.tally(at, [row for carried, row in mine if carried == entity], self._terms)

    def ring(self, own: Sequence[Entity], member: str, at: int) -> dict[str, float]:
        """The other members' claims within two steps from the entities `own`, and how many were refused."""
        if not own:
            return ring_values(None, self._terms)
        first = {row.claim: row for entity in own for row in self._shared(entity, member, at)}
        onward = {entity for claim in first for entity, row in self._of_claim.get(claim, ()) if row.at < at} - set(own)
        second = {row.claim: row for entity in onward for row in self._shared(entity, member, at)}
        return ring_values([label_before(row.labels, at) for row in {**second, **first}.values()], self._terms)

    def _shared(self, entity: Entity, member: str, at: int) -> list[Seen]:
        """The other members' claims at an entity, none where there are too many of them for a ring."""
        past = self._past.get(entity)
        if past is None:
            return []
        end = bisect_left(past.at, at)
        found: list[Seen] = []
        for place in range(end - 1, -1, -1):
            if past.rows[place].member != member:
                found.append(past.rows[place])
                if len(found) > self._terms.ring_hub:
                    return []
        return found


def ring_values(labels: Sequence[bool | None] | None, known: Terms) -> dict[str, float]:
    """Size of a ring and how many of its claims were refused; None where the claim carries nothing to share."""
    if labels is None:
        return {"links.ring.size": math.nan, "links.ring.refused": math.nan}
    return {
        "links.ring.size": float(min(len(labels), known.ring_most)),
        "links.ring.refused": float(min(sum(label is True for label in labels), known.ring_most)),
    }
