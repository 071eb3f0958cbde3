"""What the plan does with each claim: lane, investigation, second review, appeal, payment; and what it would have found in any case.

Investigators miss things and reviewers err. Whether a full investigation and second review would refuse is drawn for every claim,
and seen by the plan only where it investigated.
"""

from __future__ import annotations

import numpy as np

from training.world.assumptions import Assumptions
from training.world.columns import Array, Table, chance, shipped
from training.world.history import CONDITIONAL
from training.world.people import TYPOLOGIES, T
from training.world.timing import MONTH, START

LANES = ("shadow", "audit", "risk", "rules", "released")
SHADOW, AUDIT, RISK, RULES, RELEASED = range(5)


def truth(rng: np.random.Generator, c: Table, d: Table, v: Table, a: Assumptions) -> Table:
    """`payable`: the rules, with all truth known, would pay this amount. `p_refused` and the draw from it: `would_be_refused`."""
    insured_free = (c["plan"] == 1) & ((d["years_joined_to_filing"] >= 2) | (c["history.asked_at_joining"] == 0))
    wrong = c["breach"] & ~insured_free
    wrong |= ~np.isin(c["typology"], [T[name] for name in ("", "non_disclosure", "duplicate_claims")])
    detection = np.array([0.0, *(a[f"detection_{name}"] for name in TYPOLOGIES[1:])])[c["typology"]]
    traces = a["detection_by_traces"] * (traces_of(c) - a["traces_usual"])
    detection = _spread(rng, np.where(c["typology"] == 0, 0.5, detection), a["detection_spread"], traces)
    detection = np.where(c["ring"] >= 0, 1 - (1 - detection) * (1 - a["ring_withdraw"]), detection)
    open_finding = ((c["told"] & (c["meaning"] == CONDITIONAL)) | c["complaint_tells"]) & (c["plan"] == 0)
    lawful = np.where(open_finding, a["conditional_refused"], a["false_refusal"])
    p = np.where(v["declined"], 1 - a["false_refusal"], np.where(wrong, detection, lawful))
    held = v["held"] & (d["hospital.eligible"] == 0)
    p = np.where(held & ~wrong, np.maximum(p, a["ineligible_refused"]), p)
    refused = rng.random(len(p)) < p
    return {"payable": ~wrong & ~v["declined"], "p_refused": p, "would_be_refused": refused}


def traces_of(c: Table) -> Array:
    """How many of the signs a claim shows (n,): where papers show more, the field has more to find."""
    return np.asarray(sum(c[name].astype(float) for name in shipped("signals")["traces"]))


def _spread(rng: np.random.Generator, p: Array, sigma: float, shift: Array) -> Array:
    """Probabilities moved on the logit scale: some cases are harder than others."""
    return np.asarray(1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift + sigma * rng.standard_normal(len(p))))))


def lanes(rng: np.random.Generator, c: Table, v: Table, flag_weight: Array, a: Assumptions) -> Table:
    """Lane and logged chance of being investigated. Shadow first; then the audit draw and an incumbent policy by flag weight."""
    n = len(flag_weight)
    shadow = c["filed"] < START + a["shadow_months"] * MONTH
    policy = np.clip(a["risk_floor"] + a["risk_per_weight"] * flag_weight, 0.0, 0.95)
    policy = np.where(flag_weight >= a["risk_weight_certain"], np.maximum(policy, a["risk_when_flagged"]), policy)
    audit, drawn = chance(rng, a["audit_rate"], n), chance(rng, policy, n)
    lane = np.select([~v["passes_rules"], shadow, audit, drawn], [RULES, SHADOW, AUDIT, RISK], RELEASED)
    propensity = np.where(shadow, 1.0, a["audit_rate"] + (1 - a["audit_rate"]) * policy)
    propensity = np.where(v["declined"], 0.0, np.where(v["held"], 1.0, propensity))
    investigated = np.isin(lane, (SHADOW, AUDIT, RISK)) | (v["held"] & (lane == RULES))
    return {"lane": lane, "propensity": propensity, "investigated": investigated}


def decide(rng: np.random.Generator, c: Table, v: Table, t: Table, h: Table, a: Assumptions) -> Table:
    """Findings, reviewers, appeals, dates (seconds since 1970) and money."""
    n = len(h["lane"])
    investigated, declined = h["investigated"], v["declined"]
    refused = np.where(investigated, t["would_be_refused"], declined)
    disagreed = chance(rng, a["label_noise"], n)
    appealed = refused & chance(rng, a["appeal_share"], n)
    overturned = appealed & ~declined & chance(rng, a["appeal_overturned"], n)
    costs = a["investigation_cost"] * np.exp(0.35 * rng.standard_normal(n) - 0.06)
    fieldwork = np.ceil(a["investigation_days"] * np.exp(0.4 * rng.standard_normal(n)))
    papers = c["asked_rounds"] * np.ceil(a["round_days"] * np.exp(0.4 * rng.standard_normal(n)))
    review = np.ceil(a["review_days"] * np.exp(0.4 * rng.standard_normal(n)) + 7 * disagreed)
    decided = (
        c["filed_at"] + 86_400 * (1 + papers + np.where(investigated, fieldwork, 0) + review).astype(np.int64) + rng.integers(0, 28_800, n)
    )
    paid = np.where((refused & ~overturned) | v["declined"] | c["incomplete"], 0, v["amount"])
    found = t["would_be_refused"] & ~chance(rng, 0.02, n)
    return {
        "found": np.where(investigated, found, -1),
        "refused": np.where(investigated | declined, refused, -1),
        "label_known_at": np.where(investigated | declined, decided, -1),
        "decided_at": decided,
        "investigation_cost": np.where(investigated, np.round(costs, 2), 0.0),
        "investigation_days": np.where(investigated, fieldwork, 0).astype(int),
        "reviewer": rng.integers(0, 24, n),
        "second_reviewer_agrees": ~disagreed,
        "appealed": appealed,
        "overturned": overturned,
        "paid": paid,
        "papers_at": c["filed_at"] + 86_400 * np.minimum(papers, 60).astype(np.int64),
    }
