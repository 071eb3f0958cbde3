"""The facts of each claim, as a perfect reader would have them of all papers finally on file: base facts and those derived from them.

What the rulebook derives is derived here by the same tables (staging, departments, codes, plans); a test holds both against each other.
Answers of an investigation are not among them.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import polars as pl

from knowledge_graph.loader import Knowledge, load
from training.world.assumptions import Assumptions
from training.world.columns import NA, Array, Table, as_fact, chance, day, full_years, maybe, shipped, words
from training.world.entities import Hospitals
from training.world.history import YES, findings, meaning, past_on, severities
from training.world.illness import DEPARTMENTS, WORDS
from training.world.papers import NEVER, PAPERS
from training.world.people import ILLNESSES, PLANS, I

EDITIONS = ("ci-2007", "ci-2020")
VERSION_WORDS = ("v1", "v2", "v3", "i1", "s1")
_SPLITS = tuple(day(v.from_) for v in load().plans["mutual-aid-reference"].versions[1:])


@cache
def knowledge() -> Knowledge:
    """The shipped rulebook."""
    return load()


def version(c: Table) -> Array:
    """Place in VERSION_WORDS of the plan version in force at first diagnosis."""
    mutual = np.searchsorted(np.array(_SPLITS), c["diagnosed"], side="right")
    return np.where(c["plan"] == 0, mutual, np.where(c["plan"] == 1, 3, 4))


def edition(c: Table) -> Array:
    """Place in EDITIONS; -1 for contracts of the transition, which may speak either."""
    old_until, new_from = (day(e) for e in _transition())
    insured = np.where(c["joined"] > old_until, 1, np.where(c["joined"] >= new_from, -1, 0))
    return np.where(c["plan"] == 1, insured, np.where(c["plan"] == 0, (c["version"] > 0).astype(int), 1))


def _transition() -> tuple[date, date]:
    old, new = knowledge().plans["insurer-reference"].editions
    assert old.to is not None
    return old.to, new.from_


def slips(rng: np.random.Generator, c: Table, a: Assumptions) -> Table:
    """Which consistency rule a claim breaks, if any: by a slip of the pen or by a forger's mistake. Changes the columns they concern."""
    n = len(c["plan"])
    slip = (c["slip"] == 1) | chance(rng, a["error_share"], n)
    kind = np.where(slip, rng.integers(0, 5, n), -1)
    breast = (c["illness"] == I["breast"]) & (c["stage.T"] > 0)
    known = breast & ~np.isnan(c["pathology.invasive_size_mm"])
    t = np.where(known & (kind == 0), np.where(c["stage.T"] >= 5, 4, 5), c["stage.T"])
    nodes = np.where(known & (kind == 1), np.where(c["stage.N"] == 0, 1, 0), c["stage.N"])
    group = np.where(known & (kind == 2), np.where(c["stage.group"] <= 1, 4, 1), c["stage.group"])
    count = np.where(known & (kind == 3), c["nodes.positive"] - 1, c["nodes.examined"])
    count = np.where(known & (kind == 3) & (c["nodes.positive"] == 0), c["nodes.examined"], count)
    moved = np.where(c["cancer"] & (kind == 4), c["surgery.date"] + 2, c["surgery.date"])
    return {"stage.T": t, "stage.N": nodes, "stage.group": group, "nodes.examined": count, "surgery.date": moved}


def staff_answers(rng: np.random.Generator, c: Table, hospitals: Hospitals, a: Assumptions) -> Table:
    """What staff look up or answer; hospital and platform data are always at hand."""
    n = len(c["plan"])

    def answered(sign: Array) -> Array:
        return maybe(chance(rng, a["answered_share"], n), sign == 1)

    insured = c["plan"] == 1
    old_credit = (c["plan"] == 0) & (c["joined"] <= day_of_credit())
    return {
        "hospital.level": hospitals.column("level")[c["hospital"]],
        "hospital.ownership": hospitals.column("ownership")[c["hospital"]],
        "doctor.registered": maybe(chance(rng, a["answered_share"], n), c["unregistered"] == 0),
        "review.image_tampered": answered(c["tampered"]),
        "review.many_platforms": answered(c["many_platforms"]),
        "review.no_earlier_workup": answered(c["no_workup"]),
        "history.asked_at_joining": maybe(insured, chance(rng, a["asked_share"], n)),
        "credit.zhima_score": np.where(old_credit, rng.integers(650, 850, n), NA),
        "credit.composite_pass": maybe((c["plan"] == 0) & ~old_credit, np.ones(n)),
    }


def day_of_credit() -> int:
    """The last day of joining by credit score (rule credit-2018)."""
    rule = next(r for r in knowledge().rules if r.id == "credit-2018")
    assert rule.effective is not None
    assert rule.effective.to is not None
    return day(rule.effective.to)


def derived(c: Table) -> Table:
    """Everything the facts library derives, from the base columns."""
    on_file = {name: c["rounds"][:, place] != NEVER for place, name in enumerate(PAPERS)}
    d: Table = {"claim.filed_on": c["filed"], "claim.first_visit_on": c["visit"], "member.sex": c["sex"], "member.birth_date": c["birth"]}
    d |= {"membership.joined_on": c["joined"], "membership.effective_on": c["effective"], "first_diagnosis_date": c["diagnosed"]}
    d["claim.disease_mapped"] = np.ones(len(c["plan"]))
    d["condition.accident_possible"] = (c["illness"] == I["brain_injury"]).astype(int)
    d["claim.accident"] = (c["illness"] == I["brain_injury"]).astype(int)
    d["member.active_at_diagnosis"] = ((c["left"] == NA) | (c["diagnosed"] <= c["left"])).astype(int)
    d |= _durations(c)
    d |= {"history.complaint_began_on": c["began"]}
    d |= _documents(on_file, c)
    d |= _hospital(c)
    d |= _consistency(c)
    return d | _history(c)


def _durations(c: Table) -> Table:
    waiting = np.array([knowledge().plans[plan].parameters["waiting_days"] for plan in PLANS]).astype(int)[c["plan"]]
    imaging = c["imaging.first_suspicious_on"]
    return {
        "days_since_effective": c["diagnosed"] - c["effective"],
        "days_since_waiting_end": c["diagnosed"] - c["effective"] - waiting,
        "days_diagnosis_to_filing": c["filed"] - c["diagnosed"],
        "age_at_diagnosis": full_years(c["birth"], c["diagnosed"]),
        "days_birth_to_diagnosis": c["diagnosed"] - c["birth"],
        "days_birth_to_joining": c["joined"] - c["birth"],
        "age_at_joining": full_years(c["birth"], c["joined"]),
        "days_joined_to_complaint": c["began"] - c["joined"],
        "history.complaint_duration_days": np.maximum(c["admission.date"], c["visit"]) - c["began"],
        "days_effective_to_imaging": np.where(imaging == NA, NA, imaging - c["effective"]),
        "years_joined_to_filing": full_years(c["joined"], c["filed"]),
        "echo.days_since_diagnosis": np.where(c["echo.date"] == NA, NA, c["echo.date"] - c["diagnosed"]),
        "neuro.days_since_diagnosis": np.where(c["function.assessed_on"] == NA, NA, c["function.assessed_on"] - c["diagnosed"]),
    }


def _documents(on_file: dict[str, Array], c: Table) -> Table:
    def there(held: Array) -> Array:
        return np.where(held, 1, -1)

    base = [on_file[name] for name in ("claim_form", "identity_card", "bank_account", "authorization")]
    held = {
        f"docs.{name}": there(mask)
        for name, mask in zip(("claim_form", "identity_card", "bank_account", "authorization"), base, strict=True)
    }
    return {
        **held,
        "docs.base_complete": there(np.logical_and.reduce(base)),
        "docs.histology_report_present": there(on_file["pathology_report"] & c["cancer"]),
        "docs.discharge_or_certificate_present": there(on_file["discharge_summary"] | on_file["diagnosis_certificate"]),
        "docs.functional_assessment_present": there(on_file["functional_assessment"]),
        "docs.surgery_record_present": there(on_file["surgery_record"]),
        "docs.readable": np.ones(len(c["plan"])),
    }


@cache
def _plausible() -> Array:
    """1, 0 or -1 for each department, by the area the facts library names."""
    area = knowledge().departments["breast"]
    yes = [any(word in name for word in area.plausible) for name in DEPARTMENTS]
    no = [any(word in name for word in area.implausible) for name in DEPARTMENTS]
    return np.array([1 if y else 0 if n else -1 for y, n in zip(yes, no, strict=True)])


def _hospital(c: Table) -> Table:
    least = int(knowledge().plans["mutual-aid-reference"].parameters["hospital_min_level"])
    level = (c["hospital.level"] >= least).astype(int)
    public = (c["hospital.ownership"] == 0).astype(int)
    return {
        "hospital.level_eligible": level,
        "hospital.public": public,
        "hospital.eligible": level & public,
        "department.plausible": _plausible()[c["department"]],
    }


def _fits(ask: object, *columns: Array) -> Array:
    """The rulebook's own test over the distinct combinations of some columns: 1, 0 or -1."""
    stacked = np.stack([np.asarray(column) for column in columns], axis=1)
    rows, at = np.unique(stacked, axis=0, return_inverse=True)
    answers = [ask(*row) for row in rows.tolist()]  # type: ignore[operator]
    return np.array([-1 if answer is None else int(answer) for answer in answers])[at.ravel()]


def _word(name: str, place: float) -> str | None:
    return WORDS[name][int(place)] if place >= 0 else None


def _consistency(c: Table) -> Table:
    staging = knowledge().staging
    tenths = np.where(np.isnan(c["pathology.invasive_size_mm"]), -1, np.round(c["pathology.invasive_size_mm"] * 10))
    behaviours = np.array([[b in knowledge().behaviours_of(code) for b in (2, 3)] for code in WORDS["diagnosis.icd10"]])
    implied = np.array([bool(knowledge().behaviours_of(code)) for code in WORDS["diagnosis.icd10"]])
    code, behaviour = c["diagnosis.icd10"], c["pathology.icdo_behavior"]
    agree = np.where(behaviour == 2, behaviours[code, 0], behaviours[code, 1])
    malignant = np.array([code.startswith("C") for code in WORDS["diagnosis.icd10"]])
    turnaround = np.where(c["cancer"], c["pathology.reported_on"] - c["pathology.collected_on"], NA)
    turnaround = np.where(c["biopsy"], np.minimum(turnaround, c["diagnosed"] - c["biopsy_on"]), turnaround)
    stay = (c["admission.date"] <= c["surgery.date"]) & (c["surgery.date"] <= c["discharge.date"])
    counted = (c["nodes.positive"] != NA) & (c["nodes.examined"] != NA)
    return {
        "bilateral": maybe(c["tumour.laterality"] >= 0, np.zeros(len(code))),
        "diagnosis.icd10_malignant": malignant[code].astype(int),
        "stage.N_positive": _fits(lambda n: None if n < 0 else _word("stage.N", n) != "0", c["stage.N"]),
        "stage.M1": _fits(lambda m: None if m < 0 else _word("stage.M", m) == "1", c["stage.M"]),
        "stage.T1_or_less": _fits(lambda t: None if t < 0 else (_word("stage.T", t) or "")[0] in "1i", c["stage.T"]),
        "consistency.identity": (c["wrong_person"] == 0).astype(int),
        "consistency.size_T": _fits(lambda t, s: staging.size_fits(_word("stage.T", t), s / 10 if s >= 0 else None), c["stage.T"], tenths),
        "consistency.nodes_N": _fits(
            lambda n, p: staging.nodes_fit(_word("stage.N", n), int(p) if p >= 0 else None), c["stage.N"], c["nodes.positive"]
        ),
        "consistency.stage_group": _fits(_group_fits, c["stage.group"], c["stage.T"], c["stage.N"], c["stage.M"]),
        "consistency.nodes_count": maybe(counted, c["nodes.positive"] <= c["nodes.examined"]),
        "consistency.specimen_dates": maybe(c["cancer"], np.ones(len(code))),
        "consistency.specimen_surgery": maybe(c["cancer"], c["surgery.date"] == c["pathology.collected_on"]),
        "consistency.stay_dates": maybe(c["cancer"], stay),
        "consistency.code_morphology": maybe(c["cancer"] & implied[code], agree),
        "pathology.turnaround_days": turnaround,
        "pathology.double_signed": maybe(c["cancer"], c["one_signature"] == 0),
    }


def _group_fits(group: float, t: float, n: float, m: float) -> bool | None:
    words_ = _word("stage.group", group), _word("stage.T", t), _word("stage.N", n), _word("stage.M", m)
    return knowledge().staging.group_fits(*words_)


def _history(c: Table) -> Table:
    """Findings the papers tell with a date before joining. No paper proves an absence: what is not told stays unknown."""
    positive = (c["told"] & (severities()[np.maximum(c["past"], 0)] > 1)) | c["complaint_tells"]
    cancers = np.isin(c["past"], [place for place, name in enumerate(findings()) if name in ("pf_bdcis", "pf_bcancer")])
    breaching = c["told"] & (c["plan"] == 0) & (c["meaning"] == YES)
    return {
        "history.pre_join_positive_finding": np.where(positive, 1, -1),
        "history.health_requirement_breach": np.where(breaching, 1, -1),
        "history.cancer_before_joining": np.where(c["told"] & cancers, 1, -1),
    }


def as_frame(c: Table, d: Table, linked: Table, ids: pl.Series) -> pl.DataFrame:
    """The facts frame: claim_id, plan, condition, filed_on, then columns named and typed as in the facts library."""
    library = knowledge().facts
    conditions = _conditions()
    series = [
        ids,
        words("plan", c["plan"], PLANS),
        words("condition", c["illness"], conditions),
        as_fact(library["claim.filed_on"], c["filed"], ()).rename("filed_on"),
    ]
    named = {**{k: v for k, v in c.items() if k in library}, **d, **linked}
    for name in sorted(named, key=list(library).index):
        key = "birads" if name.startswith("birads.") else name
        series.append(as_fact(library[name], named[name], WORDS.get(key, ())))
    series.append(words("plan.version", c["version"], VERSION_WORDS))
    series.append(words("norm.edition", c["edition"], EDITIONS))
    return pl.DataFrame(series)


@cache
def _conditions() -> tuple[str, ...]:
    return tuple(shipped("clinical")["illnesses"][name]["condition"] for name in ILLNESSES)


def finding_meaning(c: Table) -> Table:
    """What the finding from before means, and since when it was known."""
    return {"meaning": meaning(c), "past_on": past_on(c)}
