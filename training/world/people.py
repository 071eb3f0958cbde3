"""Who claims: plan, sex, age, illness, and what is behind the claim; drawn from exposure times incidence, given that a claim is filed.

What is behind a claim (honest, or one of eleven typologies) is drawn first, since schemes choose their illnesses.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from training.world.assumptions import Assumptions
from training.world.columns import Array, Table, pick, shipped

PLANS = ("mutual-aid-reference", "insurer-reference", "seniors-reference")
TYPOLOGIES = (
    "",
    "non_disclosure",
    "diagnosed_then_join",
    "waiting_period_shift",
    "forged_document",
    "identity_substitution",
    "provider_collusion",
    "agent_ring",
    "duplicate_claims",
    "disease_upgrading",
    "accident_disguise",
    "sequela_inflation",
)
"""Ids of fraud.yaml; "" is honest."""

T = {name: place for place, name in enumerate(TYPOLOGIES)}
ILLNESSES: tuple[str, ...] = tuple(shipped("incidence")["conditions"]["names"])
I = {name: place for place, name in enumerate(ILLNESSES)}  # noqa: E741 - beside T
CANCERS = tuple(I[name] for name in ("breast", "thyroid", "lung", "colorectal", "gastric", "cervical"))
AGES = np.arange(18, 76)
_ONLY = {
    "disease_upgrading": ("breast", "lung", "colorectal", "cervical"),
    "accident_disguise": ("brain_injury",),
    "sequela_inflation": ("stroke",),
    "forged_document": ("breast", "lung", "colorectal", "gastric", "thyroid", "cervical"),
    "waiting_period_shift": ("breast", "lung", "colorectal", "gastric", "thyroid", "cervical"),
    "diagnosed_then_join": ("breast", "lung", "colorectal", "gastric", "thyroid", "cervical"),
    "provider_collusion": ("ami", "breast", "stroke"),
    "agent_ring": ("breast", "thyroid", "lung", "cervical"),
}
"""The illnesses a scheme needs; the others take any."""

_NOT_SENIORS = frozenset({"non_disclosure", "accident_disguise", "sequela_inflation", "provider_collusion"})


@cache
def cells() -> NDArray[np.float64]:
    """Weight of a claim by (plan, sex, age, illness): exposure x incidence x share of the illness."""
    tables = shipped("incidence")
    male = np.array(tables["male"]["per_year"])[AGES]
    ratio = _banded(tables["female_over_male"]["bands"])
    incidence = np.stack([male * ratio, male])
    mix = tables["conditions"]
    share = np.array([[_band(mix[sex], int(age)) for age in AGES] for sex in ("F", "M")], dtype=float)
    exposed = np.stack([_exposure(plan, tables["exposure"]) for plan in PLANS])
    weight = exposed[:, None, :, None] * incidence[None, :, :, None] * share[None]
    for plan, covered in tables["plans_cover"].items():
        if plan in PLANS:
            weight[PLANS.index(plan)] *= np.array([name in covered for name in ILLNESSES])
    return np.asarray(weight)


def _band(bands: dict[int, list[float]], age: int) -> list[float]:
    return bands[max(low for low in bands if low <= age)]


def _banded(bands: dict[int, float]) -> Array:
    return np.array([bands[max(low for low in bands if low <= age)] for age in AGES])


def _exposure(plan: str, tables: dict[str, dict[int, float]]) -> Array:
    bands, last = tables[plan], tables["last_age"][plan]  # type: ignore[index]
    return np.array([0.0 if age > last or age < min(bands) else bands[max(b for b in bands if b <= age)] for age in AGES])


def draw_typology(rng: np.random.Generator, n: int, a: Assumptions) -> NDArray[np.int64]:
    """What is behind each claim, by the shares of all claims filed."""
    shares = np.array([0.0, *(a[f"share_{name}"] for name in TYPOLOGIES[1:])])
    shares[0] = 1.0 - shares.sum()
    return pick(rng, shares, n)


def draw_plan(rng: np.random.Generator, typology: Array, a: Assumptions) -> NDArray[np.int64]:
    """The plan a claim is filed under; some schemes have nothing to gain in the seniors plan."""
    shares = np.array([a["share_mutual_aid"], 1 - a["share_mutual_aid"] - a["share_seniors"], a["share_seniors"]])
    plan = pick(rng, np.maximum(shares, 0.0), len(typology))
    barred = np.isin(typology, [T[name] for name in _NOT_SENIORS])
    return np.where(barred & (plan == 2), 0, plan)


def draw_illness(rng: np.random.Generator, plan: Array, typology: Array, chosen: Array) -> Table:
    """Sex, age and illness; `chosen` is an illness a ring has settled on, or -1."""
    weight = cells()
    out = {name: np.zeros(len(plan), dtype=np.int64) for name in ("sex", "age", "illness")}
    key = (plan * len(TYPOLOGIES) + typology) * (len(ILLNESSES) + 1) + chosen + 1
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0])
    for place in np.split(order, starts[1:]):
        first = place[0]
        w = weight[plan[first]] * _allowed(int(typology[first]), int(chosen[first]), int(plan[first]))
        cell = pick(rng, w.ravel(), len(place))
        out["sex"][place], rest = np.divmod(cell, w.shape[1] * w.shape[2])
        age, out["illness"][place] = np.divmod(rest, w.shape[2])
        out["age"][place] = AGES[age]
    return out


def _allowed(typology: int, chosen: int, plan: int) -> Array:
    """Multiplier on (sex, age, illness): what a scheme needs, what a ring has settled on, and who forgets or conceals more."""
    names = _ONLY.get(TYPOLOGIES[typology], ILLNESSES)
    allowed = np.array([float(name in names) for name in ILLNESSES])
    if chosen >= 0 and cells()[plan][:, :, chosen].sum() > 0:
        allowed = np.eye(len(ILLNESSES))[chosen]
    lean = (
        np.exp((AGES - 45) * shipped("incidence")["non_disclosure_by_age"]["per_year"])
        if TYPOLOGIES[typology] == "non_disclosure"
        else np.ones(len(AGES))
    )
    return np.asarray(allowed[None, None, :] * lean[None, :, None])


def illnesses_of(typology: int) -> Array:
    """Weights of the illness a ring of this typology settles on."""
    return np.asarray(cells()[0].sum(axis=(0, 1)) * _allowed(typology, -1, 0)[0, 0])
