"""Rings: several wrongful claims arranged by the same people. They come in waves, and change phones, devices and doctors between them."""

from __future__ import annotations

import numpy as np

from training.world.assumptions import Assumptions
from training.world.columns import Array, Table, chance, pick, shipped
from training.world.people import TYPOLOGIES, T, illnesses_of

_HABITS = shipped("rings")

WRONGFUL = tuple(T[name] for name in TYPOLOGIES if name not in ("", "duplicate_claims"))


def draw_rings(rng: np.random.Generator, typology: Array, plan: Array, a: Assumptions) -> tuple[Table, Table]:
    """Per claim: ring (-1 none), wave, the ring's illness (-1 none). Per ring: typology, plan, illness, start as a share of the span."""
    n = len(typology)
    ringed = _ringed(rng, typology, a)
    ring = np.full(n, -1)
    rings: dict[str, list[Array]] = {"typology": [], "plan": [], "illness": []}
    count = 0
    for kind in WRONGFUL:
        members = rng.permutation(np.flatnonzero(ringed & (typology == kind)))
        sizes = _sizes(rng, len(members), a)
        ring[members] = count + np.repeat(np.arange(len(sizes)), sizes)
        count += len(sizes)
        rings["typology"].append(np.full(len(sizes), kind))
        rings["plan"].append(pick(rng, _HABITS["plans"], len(sizes)))
        rings["illness"].append(pick(rng, illnesses_of(kind), len(sizes)))
    table = {name: np.concatenate(parts).astype(int) for name, parts in rings.items()}
    table["start"] = rng.random(count)
    inside = ring >= 0
    plan[inside] = table["plan"][ring[inside]]
    stays = chance(rng, _HABITS["same_illness"], n) & inside
    chosen = np.where(stays, table["illness"][np.maximum(ring, 0)], -1) if count else np.full(n, -1)
    return {"ring": ring, "wave": _waves(rng, ring, a), "chosen": chosen}, table


def _ringed(rng: np.random.Generator, typology: Array, a: Assumptions) -> Array:
    """Which wrongful claims are a ring's: each typology by its leaning, non-disclosure up to `ring_share` of all."""
    leaning = np.zeros(len(TYPOLOGIES))
    for name, share in _HABITS["leaning"].items():
        leaning[T[name]] = share
    counts = np.bincount(typology, minlength=len(TYPOLOGIES))
    wanted = a["ring_share"] * counts[list(WRONGFUL)].sum() - (leaning * counts).sum()
    leaning[T["non_disclosure"]] = np.clip(wanted / max(counts[T["non_disclosure"]], 1), 0.0, _HABITS["most_of_non_disclosure"])
    return chance(rng, leaning[typology], len(typology))


def _sizes(rng: np.random.Generator, n: int, a: Assumptions) -> Array:
    """Ring sizes that add up to n; the last one takes what is left."""
    least, most = int(a["ring_least"]), int(a["ring_most"])
    drawn = least + np.floor((most - least + 1) * rng.beta(1.0, 1.6, n // least + 1)).astype(int)
    ends = np.cumsum(drawn)
    whole = drawn[ends <= n]
    left = n - int(whole.sum())
    if left >= least or (left and not len(whole)):
        return np.append(whole, left)
    if left:
        whole[-1] += left
    return whole


def _waves(rng: np.random.Generator, ring: Array, a: Assumptions) -> Array:
    """The wave of its ring in which a claim comes."""
    wave = np.zeros(len(ring), dtype=int)
    inside = np.flatnonzero(ring >= 0)
    order = inside[np.lexsort((rng.random(len(inside)), ring[inside]))]
    starts = np.r_[True, np.diff(ring[order]) != 0]
    place = np.arange(len(order)) - np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    wave[order] = place // max(int(a["ring_wave"]), 1)
    return wave


def lineage(rng: np.random.Generator, rings: int, waves: int, rotation: float) -> Array:
    """(rings, waves): which generation of an entity a ring uses in each wave; it is changed with chance `rotation` between waves."""
    changed = chance(rng, rotation, rings * max(waves - 1, 0)).reshape(rings, max(waves - 1, 0))
    return np.asarray(np.concatenate([np.zeros((rings, 1), dtype=int), np.cumsum(changed, axis=1)], axis=1))
