"""Which papers a claim needs, which of them were brought first, and which came on request (round 1 or 2) or never."""

from __future__ import annotations

import numpy as np

from training.world.assumptions import Assumptions
from training.world.columns import Array, Table, chance
from training.world.people import CANCERS, I

BASE = ("claim_form", "identity_card", "bank_account", "authorization")
MEDICAL = (
    "discharge_summary",
    "diagnosis_certificate",
    "pathology_report",
    "ihc_report",
    "surgery_record",
    "admission_record",
    "outpatient_record",
    "imaging",
)
MORE = (
    "treatment_record",
    "molecular_report",
    "medical_record_front_page",
    "marker",
    "ecg_report",
    "echocardiography_report",
    "functional_assessment",
)
PAPERS = (*BASE, *MEDICAL, *MORE)
"""In the order they are handed in. `imaging` and `marker` are ultrasound or CT, cardiac markers or stroke record, by illness."""

NEVER = 9


def needed(c: Table) -> Array:
    """(claims, papers): which papers a claim of this illness comes with in the end."""
    n = len(c["illness"])
    cancer = np.isin(c["illness"], CANCERS)
    brain = np.isin(c["illness"], (I["stroke"], I["brain_injury"]))
    heart = c["illness"] == I["ami"]
    has = {name: np.ones(n, dtype=bool) for name in (*BASE, "discharge_summary", "diagnosis_certificate", "outpatient_record", "imaging")}
    has |= {
        "pathology_report": cancer,
        "ihc_report": c["illness"] == I["breast"],
        "surgery_record": cancer,
        "admission_record": ~cancer | (c["illness"] == I["breast"]),
    }
    has |= {"medical_record_front_page": np.ones(n, dtype=bool), "marker": ~cancer, "ecg_report": heart, "echocardiography_report": heart}
    has["functional_assessment"] = brain
    has["treatment_record"] = (c["treatment.chemotherapy"] == 1) | (c["treatment.endocrine"] == 1)
    has["molecular_report"] = c["ihc.HER2_fish"] >= 0
    return np.stack([has[name] for name in PAPERS], axis=1)


def draw_rounds(rng: np.random.Generator, c: Table, a: Assumptions) -> Table:
    """(claims, papers) round of each paper (NEVER: not brought), how complete the first filing was, and rounds asked."""
    need = needed(c)
    n = len(need)
    few = c["few_papers"] == 1
    # The odds of a complete first filing differ by sign; their mean stays the assumption.
    base = a["complete_first_share"] / (0.75 + 0.25 * 0.4)
    complete = chance(rng, np.clip(np.where(few, base * 0.4, base), 0, 1), n)
    later = rng.random((n, len(PAPERS))) < np.where(few, 0.45, 0.25)[:, None]
    later &= need & ~complete[:, None]
    later[:, 0] = False  # a claim begins with its form
    none_later = ~complete & ~later.any(axis=1)
    later[np.flatnonzero(none_later), PAPERS.index("diagnosis_certificate")] = True
    slow = ~chance(rng, a["complete_after_one"], n)
    second = slow[:, None] & (rng.random((n, len(PAPERS))) < 0.6)
    rounds = np.where(later, np.where(second, 2, 1), 0)
    never = chance(rng, a["never_complete_share"] / max(1 - a["complete_first_share"], 0.01), n) & ~complete
    required = np.array([PAPERS.index(name) for name in ("identity_card", "bank_account", "authorization")])
    lost = required[rng.integers(0, len(required), n)]
    rounds[np.flatnonzero(never), lost[never]] = NEVER
    rounds = np.where(need, rounds, NEVER)
    first = (rounds == 0).sum(axis=1) / need.sum(axis=1)
    asked = np.where(never, 2, np.where(rounds == NEVER, 0, rounds).max(axis=1))
    return {"rounds": rounds, "first_share": np.round(first, 4), "asked_rounds": asked, "incomplete": never}
