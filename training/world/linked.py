"""The entities of all claims as one long table, and what the links say of a claim at filing (only of claims filed no later)."""

from __future__ import annotations

import numpy as np
import polars as pl

from training.world.columns import Array, Table
from training.world.entities import Hospitals
from triage.case_graph import settings

KINDS = ("member", "doctor", "hospital", "phone", "device", "account", "agent", "address", "pathology_number")


def pathology_numbers(rng: np.random.Generator, c: Table) -> Array:
    """The number of each report within its hospital; a reused one repeats the number of an earlier claim of the same ring or hospital."""
    n = len(c["plan"])
    number = rng.permutation(np.arange(n)) + 100_000
    group = np.where(c["ring"] >= 0, c["ring"] + 10_000_000, c["hospital"])
    order = np.lexsort((c["filed_at"], group))
    earlier = np.r_[-1, order[:-1]]
    same = np.r_[False, group[order][1:] == group[order][:-1]]
    source = np.full(n, -1)
    source[order] = np.where(same, earlier, -1)
    reused = (c["number_reused"] == 1) & c["cancer"] & (source >= 0) & c["cancer"][np.maximum(source, 0)]
    hospital = np.where(reused, c["hospital"][np.maximum(source, 0)], c["hospital"])
    number = np.where(reused, number[np.maximum(source, 0)], number)
    return np.where(c["cancer"], hospital.astype(np.int64) * 10_000_000 + number, -1)


def seen_before(key: Array, at: Array) -> Array:
    """For every claim whether another one filed no later carries the same key (-1: no key). Each claim here is its own member's."""
    shared = np.zeros(len(key), dtype=bool)
    mine = np.flatnonzero(key >= 0)
    order = mine[np.lexsort((at[mine], key[mine]))]
    shared[order[1:]] = key[order][1:] == key[order][:-1]
    return shared


def early_of_doctor(doctor: Array, at: Array, early: Array) -> Array:
    """Early claims the doctor signed up to this one, itself included."""
    order = np.lexsort((at, doctor))
    d = doctor[order]
    total = np.cumsum(early[order])
    starts = np.r_[True, d[1:] != d[:-1]]
    before = np.where(starts, total - early[order], 0)
    before = np.maximum.accumulate(before)
    counted = np.zeros(len(doctor), dtype=int)
    counted[order] = total - before
    return counted


def link_facts(c: Table) -> Table:
    """The three facts the case graph supplies, as of filing."""
    contact = np.zeros(len(c["plan"]), dtype=bool)
    for name in settings()["shared_contact"]:
        contact |= seen_before(c[name], c["filed_at"])
    reused = seen_before(c["pathology_number"], c["filed_at"])
    return {
        "links.shared_contact": contact.astype(int),
        "links.pathology_number_elsewhere": np.where(c["cancer"], reused.astype(int), -1),
        "links.doctor_early_claims": early_of_doctor(c["doctor"], c["filed_at"], c["early_claim"]),
    }


def is_early(since_waiting: Array) -> Array:
    """Whether a first diagnosis fell 0 to N days after the waiting period (links.yaml)."""
    return ((since_waiting >= 0) & (since_waiting <= int(settings()["early_days_after_waiting"]))).astype(int)


def texts(c: Table, hospitals: Hospitals, names: pl.Series, doctors: pl.Series, mask: int) -> dict[str, pl.Series]:
    """The key of every kind as text, null where a claim has none. Numbers are scrambled, so that they tell no order."""

    def coded(prefix: str, column: str) -> pl.Series:
        scrambled = ((c[column].astype(np.int64) * 2_654_435_761 + mask * (KINDS.index(column) + 3)) % 4_294_967_291).astype(np.int64)
        text = pl.Series(column, scrambled).cast(pl.String).str.zfill(10)
        return pl.select(pl.when(pl.Series(c[column] >= 0)).then(pl.lit(prefix) + text)).to_series()

    where = hospitals.frame["name"].gather(c["hospital"].astype(np.uint32))
    elsewhere = hospitals.frame["name"].gather(np.maximum(c["pathology_number"] // 10_000_000, 0).astype(np.uint32))
    number = pl.Series((np.maximum(c["pathology_number"], 0) % 10_000_000).astype(np.int64)).cast(pl.String)
    return {
        "member": names,
        "doctor": where + "|" + doctors,
        "hospital": where,
        "phone": coded("1", "phone"),
        "device": coded("dev", "device"),
        "account": coded("acc", "account"),
        "agent": coded("agt", "agent"),
        "address": coded("adr", "address"),
        "pathology_number": pl.select(pl.when(pl.Series(c["pathology_number"] >= 0)).then(elsewhere + "|" + number)).to_series(),
    }


def long_table(c: Table, keys: dict[str, pl.Series], ids: pl.Series, filed_at: pl.Series, papers_at: pl.Series) -> pl.DataFrame:
    """claim_id, member_id, kind, key, seen_at, early; a pathology number is seen when its paper comes."""
    early = pl.Series("early", c["early_claim"] == 1)
    parts = [
        pl.DataFrame(
            {
                "claim_id": ids,
                "member_id": keys["member"],
                "key": keys[kind],
                "seen_at": papers_at if kind == "pathology_number" else filed_at,
                "early": early,
            }
        )
        .with_columns(pl.lit(kind).alias("kind"))
        .filter(pl.col("key").is_not_null())
        for kind in KINDS
    ]
    return (
        pl.concat(parts)
        .select("claim_id", "member_id", "kind", pl.col("key").str.to_lowercase(), "seen_at", "early")
        .sort("seen_at", "claim_id", "kind")
    )
