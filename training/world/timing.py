"""When things happen: filing over the months, and the days before it back to joining. All columns are days since 1970-01-01."""

from __future__ import annotations

from datetime import date

import numpy as np

from training.world.assumptions import Assumptions
from training.world.columns import NA, Array, Table, chance, day, lognormal, pick, shipped
from training.world.people import I, T

START = day(date(2019, 4, 1))
OPENED = np.array([day(date(2018, 10, 16)), day(date(2009, 10, 1)), day(date(2019, 5, 8))])
"""First days of joining, by plan (plans.yaml)."""

WAITING = 90
MONTH = 30.4375


def span_days(a: Assumptions) -> int:
    """Days from the first filing to the last."""
    return int(a["span_months"] * MONTH)


def draw_filing(rng: np.random.Generator, c: Table, rings: Table, a: Assumptions) -> Array:
    """Filing days: growth and a dip for all, the late typology only after its start, rings by their waves."""
    span = span_days(a)
    months = int(np.ceil(a["span_months"]))
    level = np.linspace(1.0, a["growth"], months)
    first, last = int(a["dip_month"]), int(a["dip_month"] + a["dip_months"])
    level[first:last] *= 1 - np.clip(a["dip_depth"] * a["drift"], 0.0, 0.95)
    n = len(c["plan"])
    offset = (pick(rng, level, n) + rng.random(n)) / months * span
    fresh = rng.random(n)
    offset = np.where(c["plan"] == 2, 170 + fresh * (span - 170), offset)
    late = a["late_typology_start"] if a["drift"] > 0 else 0.0
    offset = np.where(c["typology"] == T["identity_substitution"], (late + fresh * (1 - late)) * span, offset)
    return np.asarray(START + np.floor(np.where(c["ring"] >= 0, _of_rings(rng, c, rings, span, late, a), offset)).astype(int))


def _of_rings(rng: np.random.Generator, c: Table, rings: Table, span: int, late: float, a: Assumptions) -> Array:
    if not len(rings["start"]):
        return np.zeros(len(c["ring"]))
    waves = np.zeros(len(rings["start"]), dtype=int)
    inside = c["ring"] >= 0
    np.maximum.at(waves, c["ring"][inside], c["wave"][inside])
    spread = a["ring_burst_days"] + a["ring_claim_days"] / 2
    lasts = waves * a["ring_wave_days"] + spread
    least = np.where(rings["typology"] == T["identity_substitution"], late * span, 0.0)
    start = least + rings["start"] * np.maximum(span - lasts - least, 1.0)
    ring = np.maximum(c["ring"], 0)
    return np.asarray(np.minimum(start[ring] + c["wave"] * a["ring_wave_days"] + rng.random(len(ring)) * spread, span - 1))


def draw_dates(rng: np.random.Generator, c: Table, a: Assumptions) -> Table:
    """Diagnosis, joining, first visit, complaint and birth, back from filing."""
    n, shapes = len(c["plan"]), shipped("clinical")
    delay = np.floor(np.clip(lognormal(rng, shapes["filing_delay_days"], n), 14, None))
    delay = np.where(c["quick_filing"], 12 + np.floor(rng.random(n) * 9), delay)
    late_filer = chance(rng, a["late_filing_share"], n) & (c["plan"] != 1)
    delay = np.where(late_filer, 181 + np.floor(rng.random(n) * 120), delay)
    delay = np.minimum(delay, np.maximum(c["filed"] - OPENED[c["plan"]] - 30, 12))
    diagnosed = (c["filed"] - delay).astype(int)
    tenure = _tenure(rng, c, diagnosed - OPENED[c["plan"]] - 1, a)
    effective = diagnosed - tenure
    joined = effective - 1
    left = np.where(chance(rng, a["inactive_share"], n) & (tenure > 120), diagnosed - 5 - np.floor(rng.random(n) * 25).astype(int), NA)
    dates = {"diagnosed": diagnosed, "joined": joined, "effective": effective, "left": left, "tenure": tenure}
    return {**dates, **_before(rng, {**c, **dates}, a), "birth": _birth(rng, c, diagnosed, joined)}


def _tenure(rng: np.random.Generator, c: Table, most: Array, a: Assumptions) -> Array:
    """Days from effective to first diagnosis."""
    n = len(most)
    room = np.maximum(most - WAITING, 1)
    mutual = room * rng.beta(1.0, 1.3, n)
    insured = np.minimum(rng.exponential(850, n), room * rng.random(n) ** 0.2)
    drawn = WAITING + np.where(c["plan"] == 1, insured, mutual)
    # Members who had something before joining are diagnosed sooner after it.
    drawn = np.where(c["breach"], WAITING + (drawn - WAITING) * rng.random(n) ** a["breach_sooner"], drawn)
    extra = chance(rng, np.clip((a["early_ratio"] - 1) * 60 / room, 0, 0.5), n)
    soon = np.where(c["typology"] == T["waiting_period_shift"], 30.0, a["ring_claim_days"])
    drawn = np.where(c["early"] | extra, WAITING + rng.random(n) * np.minimum(soon, room), drawn)
    inside = chance(rng, a["waiting_share"], n) & (c["typology"] == 0)
    inside |= (c["typology"] == T["accident_disguise"]) & chance(rng, 0.8, n)
    drawn = np.where(inside, rng.random(n) * (WAITING - 1), drawn)
    return np.asarray(np.floor(np.minimum(drawn, np.maximum(most, 0))).astype(int))


def _before(rng: np.random.Generator, c: Table, a: Assumptions) -> Table:
    """First visit and the start of the complaint: before joining only where a sign says so or somebody did not know."""
    n, shapes = len(c["plan"]), shipped("clinical")
    sudden = np.isin(c["illness"], (I["ami"], I["stroke"], I["brain_injury"]))
    gap = np.where(c["quick_visit"], np.floor(rng.random(n) * 3), np.floor(lognormal(rng, shapes["visit_to_diagnosis_days"], n)))
    # A specimen is taken and read before the diagnosis, after the visit.
    visit = (c["diagnosed"] - np.where(sudden, 0, gap + shapes["specimen_after_visit_days"])).astype(int)
    lasted = np.floor(lognormal(rng, shapes["complaint_days"], n))
    began = visit - np.where(sudden, np.minimum(lasted, 2), lasted)
    since = np.maximum(visit - c["joined"], 1)
    began = np.maximum(began, c["joined"] + 1 + np.floor(rng.random(n) * since * 0.7))
    unknowing = chance(rng, a["symptoms_before_joining"], n) & ~sudden & (c["tenure"] < 500)
    began = np.where(unknowing, c["joined"] - 1 - np.floor(rng.exponential(60, n)), began)
    began = np.where(c["old_complaint"] & ~sudden, c["joined"] - 3 - np.floor(rng.exponential(240, n)), began)
    began = np.minimum(began, visit).astype(int)
    return {"visit": visit, "began": began}


def _birth(rng: np.random.Generator, c: Table, diagnosed: Array, joined: Array) -> Array:
    """A birth day that gives the age drawn; a sign may put it just under 40, and the plans' ages at joining hold."""
    n = len(diagnosed)
    age = np.where(c["under_split"] & (c["age"] >= 40) & (c["age"] < 50), 38 + rng.integers(0, 2, n), c["age"])
    birth = diagnosed - np.floor((age + 0.02 + 0.96 * rng.random(n)) * 365.2425)
    oldest = joined - np.floor(np.where(c["plan"] == 2, 71, 60) * 365.2425) + 2
    youngest = np.where(c["plan"] == 2, joined - np.ceil(60.01 * 365.2425), diagnosed)
    return np.asarray(np.minimum(np.maximum(birth, oldest), youngest).astype(int))
