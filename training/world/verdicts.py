"""What the product's rules say of each claim once everything is on file, on columns: what stands in the way, and the amount.

Written from the rulebook's rules for the illnesses of this world; a test holds it against the engine claim by claim.
"""

from __future__ import annotations

import numpy as np

from training.world.columns import NA, Array, Table
from training.world.facts import knowledge
from training.world.history import CONDITIONAL, YES
from training.world.illness import WORDS
from training.world.people import PLANS, I

_SEVERE, _MILD = "severe", "mild"


def judge(c: Table, d: Table) -> Table:
    """`declined` (a definite ground), `held` (a person, an inconsistency or a missing paper), `lesser`, `amount`, `passes_rules`."""
    met, lesser, unsettled = _definition(c)
    declined = (d["member.active_at_diagnosis"] == 0) | ~(met | lesser | unsettled)
    waiting = (d["days_since_waiting_end"] < 0) & ~((d["condition.accident_possible"] == 1) & (d["claim.accident"] == 1))
    declined |= waiting | _breach(c, d)
    held = (d["days_diagnosis_to_filing"] > _parameter("application_window_days", c)) | (d["hospital.eligible"] == 0)
    held |= _inconsistent(c, d) | (d["docs.base_complete"] != 1) | (d["docs.discharge_or_certificate_present"] != 1)
    held |= c["cancer"] & (d["docs.histology_report_present"] != 1)
    # What a finding means that is not plainly a breach, a person decides.
    open_finding = (c["told"] & (c["meaning"] == CONDITIONAL)) | c["complaint_tells"]
    asked = (d["years_joined_to_filing"] < 2) & (c["history.asked_at_joining"] != 0)
    held |= open_finding & ((c["plan"] == 0) | ((c["plan"] == 1) & asked))
    held |= unsettled
    return {
        "declined": declined,
        "held": held & ~declined,
        "lesser": lesser,
        "amount": _amount(c, d, lesser),
        "passes_rules": ~declined & ~held,
    }


def _parameter(name: str, c: Table) -> Array:
    return np.asarray(np.array([knowledge().plans[plan].parameters[name] for plan in PLANS])[c["plan"]])


def _thyroid_one(c: Table) -> Array:
    return np.asarray((c["illness"] == I["thyroid"]) & (c["stage.group"] == WORDS["stage.group"].index("I")))


def _definition(c: Table) -> tuple[Array, Array, Array]:
    """Whether the illness meets its severe definition, else a covered lesser one; unsettled where the two editions differ on it."""
    cancer = c["cancer"]
    new = c["edition"] != 0
    met = cancer & (c["pathology.icdo_behavior"] == 3) & ~(_thyroid_one(c) & new)
    lesser = _thyroid_one(c) & new & (((c["plan"] == 0) & (c["version"] == 1)) | (c["plan"] != 0))
    lesser &= ~((c["plan"] == 2) & (c["edition"] != 1))
    unsettled = _thyroid_one(c) & (c["edition"] < 0)
    heart, brain, mild_brain = _heart(c), _brain(c), _mild_brain(c)
    for new, old in (heart, brain):
        met |= np.where(c["edition"] == 1, new, np.where(c["edition"] == 0, old, new & old))
        unsettled |= (c["edition"] < 0) & (new != old)
    mild_heart = (c["illness"] == I["ami"]) & ~heart[0]
    lesser |= (mild_heart | mild_brain) & (c["plan"] == 1) & (c["edition"] == 1)
    return met, lesser & ~met, unsettled


def _heart(c: Table) -> tuple[Array, Array]:
    """ami-severe and ami-severe-2007."""
    ill = c["illness"] == I["ami"]
    late = np.where(c["echo.date"] == NA, -1, c["echo.date"] - c["diagnosed"])
    weak = c["echo.lvef_pct"] < 50
    signs = [
        c[name] == 1
        for name in (
            "cardiac.ischaemic_chest_pain",
            "ecg.new_ischaemia",
            "ecg.new_pathological_q",
            "imaging.new_wall_motion_or_viability_loss",
            "angiography.coronary_thrombus",
        )
    ]
    severe = (c["lab.ctn_x_uln"] >= 15) | (c["lab.ckmb_x_uln"] >= 2) | (weak & (late >= 42)) | (c["cardiac.vt_vf_or_shock"] == 1)
    new = np.logical_or.reduce(signs) & severe
    old = (signs[0].astype(int) + signs[1] + 1 + (weak & (late >= 90))) >= 3
    return ill & new, ill & old


def _brain(c: Table) -> tuple[Array, Array]:
    """brain-sequela-severe and brain-sequela-severe-2007."""
    ill = np.isin(c["illness"], (I["stroke"], I["brain_injury"]))
    muscle, adl = c["neuro.worst_limb_muscle_grade"], c["function.adl_unable_count"]
    common = (c["neuro.language_loss_or_severe_swallow"] == 1) | (adl >= 3)
    return ill & (common | (muscle <= 2)), ill & (common | (c["function.one_limb_lost"] == 1))


def _mild_brain(c: Table) -> Array:
    """stroke-mild."""
    less = (c["neuro.worst_limb_muscle_grade"] == 3) | (c["function.adl_unable_count"] == 2)
    return np.asarray((c["illness"] == I["stroke"]) & less & ~_brain(c)[0])


def _breach(c: Table, d: Table) -> Array:
    """A told finding that breaches: mutual aid always, the insurer where it asked and the contract is younger than two years."""
    told = c["told"] & (c["meaning"] == YES)
    insurer = (c["plan"] == 1) & (c["history.asked_at_joining"] == 1) & (d["years_joined_to_filing"] < 2)
    return np.asarray(told & ((c["plan"] == 0) | insurer))


def _inconsistent(c: Table, d: Table) -> Array:
    breast = c["illness"] == I["breast"]
    wrong = (d["consistency.identity"] == 0) | (d["consistency.stay_dates"] == 0)
    wrong |= c["cancer"] & (
        (d["consistency.specimen_dates"] == 0) | (d["consistency.specimen_surgery"] == 0) | (d["consistency.code_morphology"] == 0)
    )
    wrong |= (c["pathology.paraffin"] == 1) & (d["pathology.turnaround_days"] < 1)
    wrong |= c["cancer"] & (c["links.pathology_number_elsewhere"] == 1)
    for name in ("size_T", "nodes_N", "stage_group", "nodes_count"):
        wrong |= breast & (d[f"consistency.{name}"] == 0)
    return np.asarray(wrong | (breast & ((d["department.plausible"] == 0) | (c["doctor.registered"] == 0))))


def _amount(c: Table, d: Table, lesser: Array) -> Array:
    """CNY, from the rulebook's benefit rules by plan and level; mutual aid by age at first diagnosis."""
    sums: dict[tuple[str, str], list[int]] = {}
    for rule in knowledge().rules:
        if rule.kind == "benefit":
            sums[str(rule.applies_to.plan), str(rule.applies_to.level)] = [row.amount for row in rule.amounts]
    table = np.array([[[sums[plan, _SEVERE][0], sums[plan, _SEVERE][-1]], [sums[plan, _MILD][0]] * 2] for plan in PLANS])
    older = d["age_at_diagnosis"] >= _parameter("gate_age_split", c)
    return np.asarray(table[c["plan"], lesser.astype(int), older.astype(int)])
