"""Which observable signs a claim shows. Every sign is shown by honest claims too; rings are coached to show fewer, later forgeries are better."""

from __future__ import annotations

import numpy as np

from training.world.assumptions import Assumptions
from training.world.columns import Array, Table, chance, shipped
from training.world.people import TYPOLOGIES, T

FORGETFUL, CONCEALING = "forgetful", "concealing"
INTENTS = ("honest", FORGETFUL, CONCEALING)
CLASSES = ("honest", FORGETFUL, CONCEALING, *TYPOLOGIES[2:])
"""What is behind a claim, as signs.yaml distinguishes it."""


def draw_intent(rng: np.random.Generator, typology: Array, breach: Array, late: Array, a: Assumptions) -> Array:
    """Place in INTENTS: who breaches the health requirement forgot it or conceals it, more of them late; other schemes conceal."""
    share = a["concealing_share"] + a["concealment_drift"] * a["drift"] * late
    conceals = chance(rng, np.clip(share, 0, 1), len(typology))
    schemed = (typology != 0) & (typology != T["non_disclosure"]) & (typology != T["duplicate_claims"])
    return np.where(schemed, 2, np.where(breach, np.where(conceals, 2, 1), 0))


def classes(typology: Array, intent: Array) -> Array:
    """Place in CLASSES: members who breach by their intent, schemes by their id."""
    scheme = np.array([0, 0, *range(3, len(CLASSES))])[typology]
    plain = (typology == 0) | (typology == T["non_disclosure"])
    return np.where(plain, intent, scheme)


def draw_signs(rng: np.random.Generator, behind: Array, ringed: Array, late: Array, a: Assumptions) -> Table:
    """Yes or no for every sign of signals.yaml; `late` is the place in the span, 0 to 1."""
    table = shipped("signals")["signs"]
    kept = np.where(ringed, a["coaching"], 1.0) * a["signal_strength"]
    modern = 1 - (1 - a["modern_forgery"]) * np.clip(a["drift"], 0, 1) * late
    kept = np.where(behind == CLASSES.index("forged_document"), kept * modern, kept)
    return {name: _draw(rng, shown, behind, _kept_of(name, kept, behind), late) for name, shown in table.items()}


def _kept_of(name: str, kept: Array, behind: Array) -> Array:
    """Rings cannot be taught out of the calendar: early diagnoses and the places they use stay."""
    fixed = name in ("early", "small_hospital", "quick_filing") and (behind >= 3)
    return np.where(fixed, np.maximum(kept, 1.0), kept)


def _draw(rng: np.random.Generator, shown: dict[str, float], behind: Array, kept: Array, late: Array) -> Array:
    base = shown["honest"]
    p = np.array([shown.get(name, base) for name in CLASSES])[behind]
    return chance(rng, np.clip(base + kept * (p - base), 0.0, 0.98), len(late))
