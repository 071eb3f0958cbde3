"""The past of linked entities for a whole table of claims at once: each claim as of its own filing, as the service would have asked.

The same counts as `LinkHistory`, by sorting and bisection over arrays; a test holds both equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from triage.link_history import AGGREGATES, ENTITIES, OF_KIND, Entity, LinkHistory, Seen, Terms, settings, terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

SHARED = "links.shared_contact"
REUSED = "links.pathology_number_elsewhere"
DOCTOR = "links.doctor_early_claims"
NEVER = np.iinfo(np.int64).max
"""A time that does not come."""
AT_ONCE = 2000
"""Rows of hubs gathered at once: bounds the memory, changes no value."""


def _micros(name: str) -> pl.Expr:
    return pl.col(name).dt.replace_time_zone(None).cast(pl.Datetime("us")).dt.epoch("us")


def _rows(links: pl.DataFrame) -> pl.DataFrame:
    """One row for each claim at each entity, in the order seen: claim_id, member_id, kind, key, at, early_at (null: not early)."""
    early = pl.when(pl.col("early")).then(_micros("seen_at")).alias("early_at")
    plain = links.select("kind", "key", "claim_id", "member_id", _micros("seen_at").alias("at"), early)
    one = plain.group_by("kind", "key", "claim_id", maintain_order=True).agg(
        pl.col("member_id").first(), pl.col("at").min(), pl.col("early_at").min()
    )
    return one.sort("at", maintain_order=True)


def _labels(outcomes: pl.DataFrame | None) -> pl.DataFrame:
    """claim_id, at, refused: every label of an investigated claim, in the order known."""
    if outcomes is None:
        return pl.DataFrame(schema={"claim_id": pl.String, "at": pl.Int64, "refused": pl.Boolean})
    known = outcomes.filter(pl.col("investigated") & pl.col("refused").is_not_null() & pl.col("label_known_at").is_not_null())
    return known.select("claim_id", _micros("label_known_at").alias("at"), pl.col("refused").cast(pl.Boolean)).sort(
        "at", maintain_order=True
    )


def history_of(links: pl.DataFrame, outcomes: pl.DataFrame | None = None, known: Terms | None = None) -> LinkHistory:
    """A history out of columns claim_id, member_id, kind, key, seen_at (Datetime), early, and of outcomes claim_id, investigated,
    refused, label_known_at (Datetime). A claim's second row at an entity can only make it early."""
    return _history(_rows(links), _labels(outcomes), known or terms())


def _history(rows: pl.DataFrame, labels: pl.DataFrame, known: Terms) -> LinkHistory:
    told: dict[str, tuple[tuple[int, bool], ...]] = {}
    for claim, at, refused in labels.iter_rows():
        told[claim] = (*told.get(claim, ()), (at, refused))
    found: dict[Entity, list[Seen]] = {}
    for kind, key, claim, member, at, early_at in rows.select("kind", "key", "claim_id", "member_id", "at", "early_at").iter_rows():
        found.setdefault((kind, key), []).append(Seen(claim, member, at, early_at, told.get(claim, ())))
    return LinkHistory(found, known)


class _Sums:
    """Sums of weights of dated things, by a code, strictly before a time."""

    def __init__(self, codes: Ints, times: Ints, *weights: Ints) -> None:
        self._times = np.unique(times)
        self._width = len(self._times) + 1
        place = codes * self._width + np.searchsorted(self._times, times)
        order = np.argsort(place, kind="stable")
        self._place = place[order]
        self._starts = np.searchsorted(self._place, np.arange(int(codes.max(initial=0)) + 2) * self._width)
        self._sums = [np.concatenate([[0], np.cumsum(w[order])]) for w in weights]

    def starts(self, codes: Ints) -> Ints:
        """Where a code's things begin."""
        starts: Ints = self._starts[np.minimum(codes, len(self._starts) - 1)]
        return starts

    def ends(self, codes: Ints, times: Ints) -> Ints:
        """Where a code's things before a time end."""
        return np.searchsorted(self._place, codes * self._width + np.searchsorted(self._times, times))

    def before(self, codes: Ints, times: Ints, weight: int = 0) -> Ints:
        """The sum."""
        sums: Ints = self._sums[weight]
        return sums[self.ends(codes, times)] - sums[self.starts(codes)]


@dataclass(frozen=True)
class _Table:
    """Rows of one kind as arrays in the order (entity, seen), and the labels of each row by rank: time (NEVER: none), refused."""

    entity: Ints
    claim: Ints
    member: Ints
    at: Ints
    early: Ints
    label_at: tuple[Ints, ...]
    label: tuple[Ints, ...]

    def changes(self) -> tuple[Ints, Ints, Ints, Ints]:
        """(row, time, investigated, refused) by which each label changes the counts, none before the row is seen."""
        parts, before = [], np.zeros(len(self.at), dtype=np.int64)
        for rank, (since, refused) in enumerate(zip(self.label_at, self.label, strict=True)):
            told = np.flatnonzero(since != NEVER)
            first = np.full(len(told), int(rank == 0))
            parts.append((told, np.maximum(since, self.at)[told], first, (refused - before)[told]))
            before = refused
        if not parts:
            nothing = np.zeros(0, dtype=np.int64)
            return nothing, nothing, nothing, nothing
        row, time, n, refused = (np.concatenate(column) for column in zip(*parts, strict=True))
        return row, time, n, refused


class _Kind:
    """Counts for many (entity, member, time) at once."""

    def __init__(self, table: _Table, known: Terms) -> None:
        self.table, self.known = table, known
        self._members = int(table.member.max(initial=0)) + 1
        pair = table.entity * self._members + table.member
        self._pairs, coded = np.unique(pair, return_inverse=True)
        ones = np.ones(len(table.at), dtype=np.int64)
        row, time, n, refused = table.changes()
        self._seen = _Sums(table.entity, table.at, ones), _Sums(coded, table.at, ones)
        early = np.flatnonzero(table.early != NEVER)
        self._early = [_Sums(codes[early], table.early[early], ones[early]) for codes in (table.entity, coded)]
        self._labels = [_Sums(codes[row], time, n, refused) for codes in (table.entity, coded)]

    def tallies(self, entity: Ints, member: Ints, at: Ints) -> Floats:
        """(queries, 8) counts in the order of `Tally`."""
        pair = entity * self._members + member
        place = np.minimum(np.searchsorted(self._pairs, pair), max(len(self._pairs) - 1, 0))
        codes = entity, place

        def others(sums: tuple[_Sums, _Sums] | list[_Sums], times: Ints, weight: int = 0) -> Ints:
            return sums[0].before(codes[0], times, weight) - sums[1].before(codes[1], times, weight)

        known = self.known
        ever = others(self._seen, at)
        windows = [ever - others(self._seen, at - days) for days in (known.recent, known.quarter, known.year)]
        early = others(self._early, at)
        early_year = early - others(self._early, at - known.year)
        counts = [*windows, ever, early_year, early, others(self._labels, at), others(self._labels, at, 1)]
        made = np.stack(counts, axis=1).astype(float)
        hubs = np.flatnonzero(ever > known.hub)
        for part in range(0, len(hubs), AT_ONCE):
            some = hubs[part : part + AT_ONCE]
            made[some] = self._at_hub(entity[some], member[some], at[some])
        return made

    def _at_hub(self, entity: Ints, member: Ints, at: Ints) -> Floats:
        """The newest claims of other members, one column each."""
        table, known = self.table, self.known
        start, end = self._seen[0].starts(entity), self._seen[0].ends(entity, at)
        pair = np.searchsorted(self._pairs, entity * self._members + member)
        own = self._seen[1].before(np.minimum(pair, len(self._pairs) - 1), at)
        rows = end[:, None] - 1 - np.arange(known.hub + int(own.max(initial=0)))
        counted = (rows >= start[:, None]) & (table.member[rows] != member[:, None])
        counted &= np.cumsum(counted, axis=1) <= known.hub
        now = at[:, None]
        told, refused = np.zeros(rows.shape, dtype=bool), np.zeros(rows.shape, dtype=bool)
        for since, label in zip(table.label_at, table.label, strict=True):
            newer = since[rows] < now
            told, refused = told | newer, np.where(newer, label[rows] == 1, refused)
        early = table.early[rows] < now
        seen = [table.at[rows] >= now - days for days in (known.recent, known.quarter, known.year)]
        masks = [*seen, counted, early & (table.early[rows] >= now - known.year), early, told, refused]
        return np.stack([(mask & counted).sum(axis=1) for mask in masks], axis=1).astype(float)


def _aggregates(counts: Floats, known: Terms) -> Floats:
    """(queries, 8) in the order of OF_KIND, by the formulas of `triage.link_history`."""
    recent, quarter, year, ever, early_year, early_ever, investigated, refused = counts.T
    usual = (year - recent) * known.recent / (known.year - known.recent)
    burst = (recent + known.smoothing) / (usual + known.smoothing)
    (early_prior, early_strength), (prior, strength) = known.early, known.breach
    share = (early_year + early_strength * early_prior) / (year + early_strength)
    rate = (refused + strength * prior) / (investigated + strength)
    return np.stack([quarter, year, ever, burst, early_year, early_ever, share, rate], axis=1)


def link_columns(
    links: pl.DataFrame, outcomes: pl.DataFrame | None = None, as_of: pl.DataFrame | None = None, known: Terms | None = None
) -> pl.DataFrame:
    """One row a claim: claim_id, every aggregate (NaN for what it does not carry), and the three facts the links tell
    (`links.shared_contact`, `links.pathology_number_elsewhere`, `links.doctor_early_claims`; null for what it does not carry).

    `as_of` gives claim_id and as_of (Datetime); without it each claim is asked as of when its own first link was seen. Of its own links
    those seen by then count. Inputs as for `history_of`.
    """
    moments = as_of if as_of is not None else links.group_by("claim_id", maintain_order=True).agg(pl.col("seen_at").min().alias("as_of"))
    claims = moments.select("claim_id", _micros("as_of").alias("now")).with_row_index("row")
    rows, labels, known = _rows(links), _labels(outcomes), known or terms()
    coded = rows.with_columns(pl.col("claim_id", "member_id").rank("dense").cast(pl.Int64).name.suffix("_code"))
    asked = coded.join(claims, on="claim_id").filter(pl.col("at") <= pl.col("now"))
    early = asked.filter(pl.col("early_at") <= pl.col("now"))["row"].unique().to_numpy()
    made = {name: np.full(claims.height, np.nan) for name in AGGREGATES}
    for kind in ENTITIES:
        part = coded.filter(pl.col("kind") == kind).with_columns(pl.col("key").rank("dense").cast(pl.Int64).alias("entity"))
        if part.height:
            own = asked.filter(pl.col("kind") == kind).join(part.select("key", "entity").unique(), on="key").sort("entity", "now")
            _fill(made, kind, own, _Kind(_table(part, labels), known))
    _fill_rings(made, asked, rows, labels, claims, known)
    columns = [pl.Series(name, values) for name, values in made.items()]
    return claims.select("claim_id").with_columns(*columns, *_told(made, early))


def _table(part: pl.DataFrame, labels: pl.DataFrame) -> _Table:
    ordered = part.sort("entity", "at", maintain_order=True)
    ranked = labels.with_columns(pl.int_range(pl.len()).over("claim_id").alias("rank"))
    times, said = [], []
    for rank in ranked["rank"].unique(maintain_order=True):
        of_rank = ranked.filter(pl.col("rank") == rank).select("claim_id", pl.col("at").alias("since"), "refused")
        joined = ordered.select("claim_id").join(of_rank, on="claim_id", how="left", maintain_order="left")
        times.append(joined["since"].fill_null(NEVER).to_numpy())
        said.append(joined["refused"].fill_null(value=False).cast(pl.Int64).to_numpy())
    columns = (ordered[name].to_numpy().astype(np.int64) for name in ("entity", "claim_id_code", "member_id_code", "at"))
    entity, claim, member, at = columns
    early = ordered["early_at"].fill_null(NEVER).to_numpy()
    return _Table(entity, claim, member, at, early, tuple(times), tuple(said))


def _fill(made: dict[str, Floats], kind: str, own: pl.DataFrame, counted: _Kind) -> None:
    """The greatest over the entities of a kind that each claim carries."""
    entity, member, now, row = (own[name].to_numpy().astype(np.int64) for name in ("entity", "member_id_code", "now", "row"))
    values = _aggregates(counted.tallies(entity, member, now), counted.known)
    for place, name in enumerate(OF_KIND):
        np.fmax.at(made[f"links.{kind}.{name}"], row, values[:, place])


def _fill_rings(
    made: dict[str, Floats], asked: pl.DataFrame, rows: pl.DataFrame, labels: pl.DataFrame, claims: pl.DataFrame, known: Terms
) -> None:
    """Rings claim by claim, but only for those that share anything at all."""
    size, refused = made["links.ring.size"], made["links.ring.refused"]
    carried = asked.filter(pl.col("kind").is_in(list(known.ring)))
    size[carried["row"].unique().to_numpy()] = refused[carried["row"].unique().to_numpy()] = 0.0
    shared = rows.filter(pl.col("kind").is_in(list(known.ring)) & (pl.len().over("kind", "key") > 1))
    history = _history(shared, labels, known)
    some = np.nan_to_num(np.max([np.nan_to_num(made[f"links.{kind}.claims_ever"]) for kind in known.ring], axis=0)) > 0
    linked = carried.join(claims.filter(pl.Series(some)).select("row"), on="row")
    for row, kinds, keys, member, now in (
        linked.group_by("row").agg("kind", "key", pl.col("member_id").first(), pl.col("now").first()).iter_rows()
    ):
        ring = history.ring(list(zip(kinds, keys, strict=True)), member, now)
        size[row], refused[row] = ring["links.ring.size"], ring["links.ring.refused"]


def _told(made: dict[str, Floats], early: Ints) -> list[pl.Series]:
    """The facts that links tell, out of the aggregates: the same that `triage.case_graph.linked_observations` says."""
    contact = np.stack([made[f"links.{kind}.claims_ever"] for kind in settings()["shared_contact"]])
    elsewhere, doctor = made["links.pathology_number.claims_ever"], made["links.doctor.early_ever"].copy()
    doctor[early] += 1
    return [
        pl.Series(SHARED, _known(np.any(np.nan_to_num(contact) > 0, axis=0), np.all(np.isnan(contact), axis=0)), dtype=pl.Boolean),
        pl.Series(REUSED, _known(elsewhere > 0, np.isnan(elsewhere)), dtype=pl.Boolean),
        pl.Series(DOCTOR, doctor).fill_nan(None).cast(pl.Int64),
    ]


def _known(values: Any, unknown: Any) -> list[bool | None]:
    return [None if u else bool(v) for v, u in zip(values, unknown, strict=True)]
