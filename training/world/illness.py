"""The illness as the papers of a hospital tell it: specimen, stage, stains, treatment, heart or brain; columns named by fact id.

A claim that misses the definition is in situ, or not severe. What a scheme changes is changed here, in the same columns.
"""

from __future__ import annotations

import numpy as np

from training.world.assumptions import Assumptions
from training.world.columns import NA, Array, Table, chance, lognormal, maybe, pick, pick_by, shipped
from training.world.people import CANCERS, ILLNESSES, I, T

_DATA = shipped("clinical")
_ILL = _DATA["illnesses"]
BREAST_T: tuple[str, ...] = tuple(_DATA["stages"]["breast"]["T"])
BREAST_N: tuple[str, ...] = tuple(_DATA["stages"]["breast"]["N"])
HISTOLOGIES: tuple[str, ...] = tuple(
    dict.fromkeys(code for i in ILLNESSES for code in (*_ILL[i].get("histology", {}), _ILL[i].get("in_situ", "")) if code)
)
CODES: tuple[str, ...] = tuple(
    dict.fromkeys(code for i in ILLNESSES for code in (*_ILL[i]["codes"], _ILL[i].get("code_in_situ", "")) if code)
)
DEPARTMENTS: tuple[str, ...] = tuple(
    dict.fromkeys([d for i in ILLNESSES for d in _ILL[i]["departments"]] + _DATA["implausible_departments"])
)
WORDS: dict[str, tuple[str, ...]] = {
    "pathology.icdo": HISTOLOGIES,
    "diagnosis.icd10": CODES,
    "department": DEPARTMENTS,
    "stage.T": ("is", *BREAST_T),
    "stage.N": BREAST_N,
    "stage.M": ("0", "1"),
    "stage.group": ("0", "IA", "IIA", "IIB", "IIIA", "IIIB", "IIIC", "IV", "I", "II", "III"),
    "ihc.HER2": tuple(_DATA["markers"]["her2"]),
    "ihc.HER2_fish": ("amplified", "not_amplified"),
    "tumour.site": ("breast", "thyroid", "other"),
    "tumour.laterality": ("left", "right"),
    "surgery.extent": ("local_excision", "mastectomy"),
    "birads": ("1", "2", *_DATA["birads"]),
    "member.sex": ("F", "M"),
    "hospital.ownership": ("public", "private"),
}
"""The words that places stand for, by fact id."""

_GROUPS = WORDS["stage.group"]


def place(name: str, word: str) -> int:
    """The place of a word among those of a fact."""
    return WORDS[name].index(word)


def anatomic_group(t: Array, n: Array, m: Array) -> Array:
    """Stage group of the breast by AJCC 8 (as staging.yaml), as a place in WORDS."""
    size = np.array([0 if w == "is" else int(w[0]) for w in WORDS["stage.T"]])[t]
    table = np.array(
        [
            [_GROUPS.index(g) for g in row]
            for row in (
                ("0", "IIA", "IIIA"),
                ("IA", "IIA", "IIIA"),
                ("IIA", "IIB", "IIIA"),
                ("IIB", "IIIA", "IIIA"),
                ("IIIB", "IIIB", "IIIB"),
            )
        ]
    )
    group = table[size, np.minimum(n, 2)]
    group = np.where(n == 3, place("stage.group", "IIIC"), group)
    return np.where(m == 1, place("stage.group", "IV"), group)


def draw_illness_facts(rng: np.random.Generator, c: Table, a: Assumptions) -> Table:
    """Every clinical column, for all claims at once; what an illness does not have is unknown."""
    cancer = np.isin(c["illness"], CANCERS)
    missed = chance(rng, a["not_covered_share"], len(cancer)) & (c["illness"] != I["thyroid"]) & (c["typology"] <= 1)
    upgraded = c["typology"] == T["disease_upgrading"]
    plain = upgraded & chance(rng, 0.25, len(cancer))  # the pathology still says what it is, only the certificate does not
    in_situ = cancer & (missed | plain)
    table = _tumour(rng, c, cancer, in_situ)
    table |= _surgery(rng, c, cancer, table)
    table |= _stains(rng, c, cancer, in_situ)
    table |= _heart(rng, c, missed)
    table |= _brain(rng, c, missed)
    table["diagnosis.icd10"] = _code(rng, c, in_situ & ~upgraded)
    table |= _breasts(rng, c)
    return {**table, "missed": missed | in_situ, "cancer": cancer}


def _code(rng: np.random.Generator, c: Table, in_situ: Array) -> Array:
    weights = np.zeros((2 * len(ILLNESSES), len(CODES)))
    for row, name in enumerate(ILLNESSES):
        weights[2 * row, [CODES.index(code) for code in _ILL[name]["codes"]]] = 1
        benign = _ILL[name].get("code_in_situ") or _ILL[name]["codes"][0]
        weights[2 * row + 1, CODES.index(benign)] = 1
    return pick_by(rng, weights, 2 * c["illness"] + in_situ)


def _tumour(rng: np.random.Generator, c: Table, cancer: Array, in_situ: Array) -> Table:
    n, breast = len(cancer), c["illness"] == I["breast"]
    weights = np.full((2 * len(ILLNESSES), len(HISTOLOGIES)), 1e-12)
    for row, name in enumerate(ILLNESSES):
        for code, weight in _ILL[name].get("histology", {}).items():
            weights[2 * row, HISTOLOGIES.index(code)] = weight
        if _ILL[name].get("in_situ"):
            weights[2 * row + 1, HISTOLOGIES.index(_ILL[name]["in_situ"])] = 1
    t, nodes, metastatic, group = _stage(rng, c, in_situ)
    band = np.array([[0.0, 0.0], *([_DATA["sizes_mm"][w][0], _DATA["sizes_mm"][w][1]] for w in BREAST_T)])[t]
    site = np.array([_DATA["site_sizes_mm"].get(name, [0, 0]) for name in ILLNESSES])[c["illness"]]
    low, high = np.where(breast[:, None], band, site).T
    size = np.round(low + (high - low) * rng.random(n), 1)
    size = np.where(cancer & ~in_situ, np.where(size > 5, np.round(size), size), np.nan)
    examined = np.where(nodes == 0, rng.integers(2, 18, n), rng.integers(10, 26, n))
    positive = np.select([nodes == 0, nodes == 1, nodes == 2], [0, rng.integers(1, 4, n), rng.integers(4, 10, n)], rng.integers(10, 16, n))
    invasive = cancer & ~in_situ
    counted = breast & invasive
    return {
        "pathology.icdo": maybe(cancer, pick_by(rng, weights, 2 * c["illness"] + in_situ)),
        "pathology.icdo_behavior": maybe(cancer, np.where(in_situ, 2, 3), none=NA),
        "pathology.histology_confirmed": maybe(cancer, np.ones(n)),
        "pathology.any_invasion": maybe(cancer, ~in_situ),
        "pathology.invasive_size_mm": size,
        "pathology.paraffin": maybe(cancer, np.ones(n)),
        "grade": maybe(invasive & breast, 1 + pick(rng, list(_DATA["markers"]["grades"].values()), n), none=NA),
        "tumour.site": maybe(cancer, np.array([0, 1, 2, 2, 2, 2, 2, 2, 2])[c["illness"]]),
        "tumour.laterality": maybe(breast, c["side"]),
        "nodes.positive": maybe(counted, positive, none=NA),
        "nodes.examined": maybe(counted, np.maximum(examined, positive), none=NA),
        "stage.T": maybe(breast, t),
        "stage.N": maybe(breast, nodes),
        "stage.M": maybe(breast, metastatic),
        "stage.group": maybe(cancer, group),
    }


def _stage(rng: np.random.Generator, c: Table, in_situ: Array) -> tuple[Array, Array, Array, Array]:
    n = len(in_situ)
    breast = c["illness"] == I["breast"]
    mild = c["mild_course"] & ~in_situ
    t = np.where(in_situ, 0, 1 + pick(rng, list(_DATA["stages"]["breast"]["T"].values()), n))
    t = np.where(mild & (t > 4), 1 + pick(rng, [0, 1, 3, 6], n), t)
    nodes = np.where(in_situ | mild, 0, pick(rng, list(_DATA["stages"]["breast"]["N"].values()), n))
    spread = chance(rng, _DATA["stages"]["breast"]["metastatic"], n) & ~in_situ & ~mild
    weights = np.array(
        [[*_DATA["stages"].get(name, {"I": 1}).values(), *[0] * 4][:4] if name != "breast" else [1, 0, 0, 0] for name in ILLNESSES],
        dtype=float,
    )
    other = np.array([_GROUPS.index(g) for g in ("I", "II", "III", "IV")])[
        np.where(mild & (c["illness"] != I["thyroid"]), 0, pick_by(rng, weights, c["illness"]))
    ]
    other = np.where(in_situ, 0, other)
    return t, nodes, spread.astype(int), np.where(breast, anatomic_group(t, nodes, spread.astype(int)), other)


def _surgery(rng: np.random.Generator, c: Table, cancer: Array, tumour: Table) -> Table:
    """Dates of specimens and of the stay. Where a biopsy came first its report is the diagnosis and the operation follows."""
    n = len(cancer)
    breast = c["illness"] == I["breast"]
    room = np.maximum(c["filed"] - c["diagnosed"], 6)
    biopsy = cancer & chance(rng, _DATA["biopsy_first"], n) & (room > 20)
    gap = 1 + np.floor(rng.random(n) * np.minimum(14, room - 14)).astype(int)
    collected = np.where(biopsy, c["diagnosed"] + gap, c["diagnosed"] - rng.integers(2, 8, n))
    reported = np.where(biopsy, collected + rng.integers(2, 6, n), c["diagnosed"])
    same_day = c["same_day"] & ~biopsy
    collected = np.where(same_day, reported, collected)
    admitted = np.where(cancer, collected - rng.integers(1, 4, n), c["diagnosed"])
    stay = np.where(cancer, rng.integers(3, 10, n), rng.integers(6, 16, n))
    discharged = np.minimum(np.where(cancer, collected, c["diagnosed"]) + stay, np.maximum(c["filed"] - 1, collected))
    mastectomy = pick(rng, list(_DATA["surgery"].values()), n)
    chemo = chance(rng, np.where(np.isin(tumour["stage.group"], (0, 1, 8)), 0.35, 0.85), n)
    chemo &= ~(c["mild_course"] & chance(rng, 0.8, n))
    return {
        "biopsy": biopsy,
        "biopsy_on": np.where(biopsy, c["diagnosed"] - rng.integers(2, 6, n), NA),
        "pathology.collected_on": np.where(cancer, collected, NA),
        "pathology.received_on": np.where(cancer, collected, NA),
        "pathology.reported_on": np.where(cancer, reported, NA),
        "surgery.date": np.where(cancer, collected, NA),
        "surgery.extent": maybe(breast, np.where(c["mild_course"], 0, mastectomy)),
        "admission.date": admitted,
        "discharge.date": discharged,
        "treatment.chemotherapy": maybe(cancer & chance(rng, 0.9, n), chemo),
    }


def _stains(rng: np.random.Generator, c: Table, cancer: Array, in_situ: Array) -> Table:
    n = len(cancer)
    tested = (c["illness"] == I["breast"]) & ~in_situ
    m = _DATA["markers"]
    er = chance(rng, m["er_positive"], n)
    pr = chance(rng, np.where(er, m["pr_given_er"], m["pr_alone"]), n)
    her2 = pick(rng, list(m["her2"].values()), n)
    fish = (her2 == 2) & chance(rng, m["fish_after_2plus"], n)
    amplified = chance(rng, m["fish_amplified"], n)
    tens = 10.0 * rng.integers(1, 10, (3, n))
    return {
        "ihc.ER_pct": np.where(tested, np.where(er, tens[0], 0.0), np.nan),
        "ihc.PR_pct": np.where(tested, np.where(pr, tens[1], 0.0), np.nan),
        "ihc.HER2": maybe(tested, her2),
        "ihc.HER2_fish": maybe(tested & fish, np.where(amplified, 0, 1)),
        "ihc.ki67_pct": np.where(tested, np.maximum(5.0, tens[2]), np.nan),
        "treatment.endocrine": maybe(tested & (er | pr) & chance(rng, 0.85, n), np.ones(n)),
    }


def _heart(rng: np.random.Generator, c: Table, missed: Array) -> Table:
    n, ill = len(missed), c["illness"] == I["ami"]
    d = _DATA["cardiac"]
    troponin = np.where(missed, 3 + 9 * rng.random(n), lognormal(rng, d["troponin_x"], n))
    ckmb = np.where(missed, 0.8 + rng.random(n), lognormal(rng, d["ckmb_x"], n))
    lvef = np.where(missed, 52 + 10 * rng.random(n), np.clip(d["lvef"]["mean"] + d["lvef"]["sd"] * rng.standard_normal(n), 22, 70))
    echo = np.where(chance(rng, 0.35, n), rng.integers(92, 120, n), rng.integers(1, 10, n))
    return {
        "cardiac.marker_dynamic_change": maybe(ill, np.ones(n)),
        "cardiac.ischaemic_chest_pain": maybe(ill, chance(rng, d["chest_pain"], n)),
        "ecg.new_ischaemia": maybe(ill, chance(rng, d["new_ischaemia"], n)),
        "ecg.new_pathological_q": maybe(ill, chance(rng, d["new_q"], n)),
        "angiography.coronary_thrombus": maybe(ill & chance(rng, 0.6, n), chance(rng, d["thrombus"], n)),
        "lab.ctn_x_uln": np.where(ill, np.round(troponin, 1), np.nan),
        "lab.ckmb_x_uln": np.where(ill, np.round(ckmb, 1), np.nan),
        "echo.lvef_pct": np.where(ill, np.round(lvef), np.nan),
        "echo.date": np.where(ill, c["diagnosed"] + echo, NA),
        "cardiac.vt_vf_or_shock": maybe(ill, chance(rng, d["shock"], n) & ~missed),
        "imaging.new_ventricular_aneurysm": maybe(ill, np.zeros(n)),
        "echo.new_papillary_dysfunction_with_moderate_mr": maybe(ill, np.zeros(n)),
        "imaging.new_wall_motion_or_viability_loss": maybe(ill, chance(rng, 0.6, n)),
        "cardiac.non_coronary_ctn_rise": maybe(ill, np.zeros(n)),
    }


def _brain(rng: np.random.Generator, c: Table, missed: Array) -> Table:
    n, stroke, hurt = len(missed), c["illness"] == I["stroke"], c["illness"] == I["brain_injury"]
    ill, d = stroke | hurt, _DATA["neuro"]
    adl = np.array(list(d["adl"]))[pick(rng, list(d["adl"].values()), n)]
    muscle = pick(rng, list(d["muscle_grades"].values()), n)
    least, most = d["assessed_after_days"]
    after = np.where(
        (c["typology"] == T["sequela_inflation"]) & chance(rng, 0.7, n), rng.integers(180, 187, n), rng.integers(least, most, n)
    )
    return {
        "neuro.cerebrovascular_event": maybe(stroke, np.ones(n)),
        "imaging.brain_ct_or_mri_confirms": maybe(stroke, np.ones(n)),
        "trauma.head_mechanical_force": maybe(hurt, np.ones(n)),
        "imaging.brain_ct_mri_pet_confirms": maybe(hurt, np.ones(n)),
        "neuro.worst_limb_muscle_grade": maybe(ill, np.where(missed, 3, muscle), none=NA),
        "neuro.language_loss_or_severe_swallow": maybe(ill, chance(rng, d["language"], n) & ~missed),
        "function.adl_unable_count": maybe(ill, np.where(missed, 2, adl), none=NA),
        "function.one_limb_lost": maybe(ill, (muscle == 0) & ~missed),
        "function.assessed_on": np.where(ill, c["diagnosed"] + after, NA),
    }


def _breasts(rng: np.random.Generator, c: Table) -> Table:
    """BI-RADS of both sides; the first suspicious study is shortly before the diagnosis, or inside the waiting period where a sign says so."""
    n, breast = len(c["illness"]), c["illness"] == I["breast"]
    side = c["side"]
    category = 2 + pick(rng, list(_DATA["birads"].values()), n)
    near = c["visit"] + rng.integers(0, 2, n)
    inside = c["effective"] + 15 + np.floor(rng.random(n) * 74).astype(int)
    moved = c["imaging_inside"] & (c["tenure"] >= 95) & (c["tenure"] < 500)
    seen = np.where(moved, np.minimum(inside, c["diagnosed"] - 1), near)
    suspicious = breast & (category >= 3)
    return {
        "imaged": np.where(breast, seen, NA),
        "imaging.first_suspicious_on": np.where(suspicious, seen, NA),
        "birads.left": maybe(breast, np.where(side == 0, category, -1)),
        "birads.right": maybe(breast, np.where(side == 1, category, -1)),
    }
