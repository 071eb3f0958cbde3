"""The past of linked entities for a whole table of claims at once: each claim as of its own filing, as the service would have asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from triage.link_history import AGGREGATES, Entity, LinkHistory, Seen, settings

SHARED = "links.shared_contact"
REUSED = "links.pathology_number_elsewhere"
DOCTOR = "links.doctor_early_claims"


def history_of(links: pl.DataFrame, outcomes: pl.DataFrame | None = None) -> LinkHistory:
    """A history out of columns claim_id, member_id, kind, key, seen_at (Datetime), early, and of outcomes claim_id, investigated,
    refused, label_known_at (Datetime). A claim's second row at an entity can only make it early."""
    labels = _labels(outcomes) if outcomes is not None else {}
    plain = links.with_columns(pl.col("seen_at").dt.replace_time_zone(None).cast(pl.Datetime("us")).dt.epoch("us").alias("at"))
    rows = plain.group_by("kind", "key", "claim_id", maintain_order=True).agg(
        pl.col("member_id").first(), pl.col("at").min(), pl.col("at").filter(pl.col("early")).min().alias("early_at")
    )
    found: dict[Entity, list[Seen]] = {}
    columns = rows.sort("at", maintain_order=True).select("kind", "key", "claim_id", "member_id", "at", "early_at")
    for kind, key, claim, member, at, early_at in columns.iter_rows():
        found.setdefault((kind, key), []).append(Seen(claim, member, at, early_at, labels.get(claim, ())))
    return LinkHistory(found)


def _labels(outcomes: pl.DataFrame) -> dict[str, tuple[tuple[int, bool], ...]]:
    known = outcomes.filter(pl.col("investigated") & pl.col("refused").is_not_null() & pl.col("label_known_at").is_not_null())
    times = pl.col("label_known_at").dt.replace_time_zone(None).cast(pl.Datetime("us")).dt.epoch("us").alias("at")
    found: dict[str, tuple[tuple[int, bool], ...]] = {}
    for claim, refused, at in (
        known.select("claim_id", pl.col("refused").cast(pl.Boolean), times).sort("at", maintain_order=True).iter_rows()
    ):
        found[claim] = (*found.get(claim, ()), (at, refused))
    return found


def link_columns(links: pl.DataFrame, outcomes: pl.DataFrame | None = None, as_of: pl.DataFrame | None = None) -> pl.DataFrame:
    """One row a claim: claim_id, every aggregate (NaN for what it does not carry), and the three facts the links tell
    (`links.shared_contact`, `links.pathology_number_elsewhere`, `links.doctor_early_claims`; null for what it does not carry).

    `as_of` gives claim_id and as_of (Datetime); without it each claim is asked as of when its own first link was seen. Of its own links
    those seen by then count.
    """
    history = history_of(links, outcomes)
    moments = as_of if as_of is not None else links.group_by("claim_id", maintain_order=True).agg(pl.col("seen_at").min().alias("as_of"))
    plain = [pl.col(name).dt.replace_time_zone(None).cast(pl.Datetime("us")).dt.epoch("us") for name in ("as_of", "seen_at")]
    own = links.join(moments, on="claim_id").with_columns(*plain).filter(pl.col("seen_at") <= pl.col("as_of"))
    claims = own.group_by("claim_id", maintain_order=True).agg(
        pl.col("member_id").first(), pl.col("as_of").first(), pl.col("kind"), pl.col("key"), pl.col("early").any()
    )
    made: list[dict[str, Any]] = []
    for claim, member, at, kinds, keys, early in claims.iter_rows():
        carried = list(zip(kinds, keys, strict=True))
        values = history.values(carried, member, at)
        made.append({"claim_id": claim, **values, **told(values, set(kinds), early=early)})
    schema = {"claim_id": pl.String, **dict.fromkeys(AGGREGATES, pl.Float64), SHARED: pl.Boolean, REUSED: pl.Boolean, DOCTOR: pl.Int64}
    return moments.select("claim_id").join(pl.DataFrame(made, schema=schema), on="claim_id", how="left", maintain_order="left")


def told(values: Mapping[str, float], kinds: set[str], *, early: bool) -> dict[str, Any]:
    """The facts that links tell, out of the aggregates: the same that `triage.case_graph.linked_observations` says."""
    contact = [values[f"links.{kind}.claims_ever"] for kind in settings()["shared_contact"]]
    elsewhere, doctor = values["links.pathology_number.claims_ever"], values["links.doctor.early_ever"]
    return {
        SHARED: any(v > 0 for v in contact) if kinds & set(settings()["shared_contact"]) else None,
        REUSED: None if math.isnan(elsewhere) else elsewhere > 0,
        DOCTOR: None if math.isnan(doctor) else int(doctor) + early,
    }
