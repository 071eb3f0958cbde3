"""Stories for tests of papers: one for any seed, of every disease the phrasebooks know, and consistent in itself."""

from __future__ import annotations

from datetime import date, timedelta

from training.documents.dice import Dice
from training.world.story import Imaging, Paper, PastFinding, Specimen, Story, Surgery

DISEASES = ("breast", "lung", "thyroid", "colon", "stomach", "cervix", "ami", "stroke", "trauma")
CODES = {
    "breast": "C50.4",
    "lung": "C34.1",
    "thyroid": "C73",
    "colon": "C18.7",
    "stomach": "C16.9",
    "cervix": "C53.9",
    "ami": "I21.0",
    "stroke": "I63.9",
    "trauma": "S06.2",
}
CONDITIONS = {"breast": "breast_cancer", "ami": "ami_severe", "stroke": "stroke_severe", "trauma": "brain_injury_severe"}
HISTOLOGY = {"breast": "8500/3", "lung": "8140/3", "thyroid": "8260/3", "colon": "8140/3", "stomach": "8490/3", "cervix": "8070/3"}
HOSPITALS = (
    "青禾市中心医院",
    "宁海市肿瘤医院",
    "安澜市人民医院",
    "东岚市第一人民医院",
    "临川县人民医院",
    "澄江市妇幼保健院",
    "云麓市中医院",
)
TYPES = (
    "claim_form",
    "identity_card",
    "bank_account",
    "authorization",
    "guardian_identity",
    "outpatient_record",
    "admission_record",
    "discharge_summary",
    "medical_record_front_page",
    "diagnosis_certificate",
    "pathology_report",
    "frozen_report",
    "cytology_report",
    "ihc_report",
    "molecular_report",
    "ultrasound_report",
    "mammography_report",
    "ct_report",
    "mri_report",
    "endoscopy_report",
    "ecg_report",
    "echocardiography_report",
    "angiography_report",
    "lab_report",
    "cardiac_marker_report",
    "surgery_record",
    "treatment_record",
    "physical_exam_report",
    "functional_assessment",
    "followup_assessment",
    "muscle_strength_record",
    "adl_scale",
    "stroke_unit_record",
    "health_insurance_record",
    "pet_ct_report",
)
KINDS = ("ultrasound", "mammography", "ct", "mri", "endoscopy", "ecg", "echo", "angiography")


def story(seed: int, disease: str | None = None, *, language: str = "zh", in_situ: bool = False, noise: float = 0.0) -> Story:
    """A story told by its seed: who, which disease, which findings before. Every paper type is among its papers."""
    dice = Dice(seed * 7919 + 13)
    disease = disease or DISEASES[dice.below(len(DISEASES))]
    day = date(2019, 1, 1) + timedelta(days=dice.below(1200))
    hospital = HOSPITALS[dice.below(len(HOSPITALS))]
    side = ("left", "right")[dice.below(2)] if disease in ("breast", "lung", "thyroid") else ""
    cancer = disease in HISTOLOGY
    zh = language == "zh"
    papers = tuple(Paper(kind, round=dice.below(3), language=language, noise=noise, about=_about(kind)) for kind in TYPES)
    return Story(
        claim_id=f"C{seed:05}",
        seed=seed,
        plan="mutual-aid-reference",
        condition=CONDITIONS.get(disease, "malignancy_severe"),
        diagnosis_claimed="恶性肿瘤" if zh else "cancer",
        name=("林某", "欧阳某某", "吴海燕")[dice.below(3)],
        sex="M" if disease in ("ami", "stroke", "trauma") else "F",
        birth_date=date(1958 + dice.below(36), 1 + dice.below(12), 1 + dice.below(28)),
        city=hospital[:3],
        id_number=f"9902011980{1 + dice.below(9):02}{10 + dice.below(18)}002X",
        hospital=hospital,
        department=("乳腺外科" if disease == "breast" else "普外科") if zh else "Surgery",
        doctor=("周某", "何建国", "郑海燕", "冯立新")[dice.below(4)],
        filed_on=day + timedelta(days=45),
        first_visit_on=day,
        complaint=("breast_lump" if disease == "breast" else "") if dice.below(2) else ("发现肿物" if zh else "a lump"),
        complaint_began_on=day - timedelta(days=(3, 9, 25, 47, 100, 430, 1000)[dice.below(7)]),
        diagnosed_on=day + timedelta(days=6),
        admitted_on=day + timedelta(days=3),
        discharged_on=day + timedelta(days=15),
        icd10="D05.1" if in_situ else CODES[disease],
        papers=papers,
        imaging=_studies(dice, day, hospital, side, disease),
        specimens=_specimens(dice, day, hospital, side, disease, in_situ) if cancer else (),
        surgeries=_surgeries(day, side, disease),
        past=_past(dice, day, side),
        denies=(("hypertension", "diabetes", "tumour"), ("surgery", "allergy"), ())[dice.below(3)],
        family_cancer=("", "mother", "aunt:breast", "stomach")[dice.below(4)],
        chemotherapy=bool(dice.below(2)),
        endocrine=bool(dice.below(2)),
        married=bool(dice.below(4)),
    )


def _about(kind: str) -> int:
    return 1 if kind in ("pathology_report", "ihc_report", "molecular_report") else 0


def _studies(dice: Dice, day: date, hospital: str, side: str, disease: str) -> tuple[Imaging, ...]:
    category = ("4A", "4B", "4C", "5")[dice.below(4)] if disease in ("breast", "thyroid") else ""
    largest = 8.0 + dice.below(40)
    size = (largest, largest - 2, largest - 4) if disease in HISTOLOGY else ()
    return tuple(
        Imaging(kind, day + timedelta(days=n % 3), hospital, side, category if n < 2 else "", size if n < 5 else ())
        for n, kind in enumerate(KINDS)
    )


def _specimens(dice: Dice, day: date, hospital: str, side: str, disease: str, in_situ: bool) -> tuple[Specimen, ...]:
    code = "8500/2" if in_situ else HISTOLOGY[disease]
    positive = 0 if in_situ else dice.below(5)
    breast = disease == "breast"
    biopsy = Specimen(
        "core_biopsy",
        f"B{day.year}{dice.below(90000) + 10000}",
        hospital,
        day,
        day,
        day + timedelta(days=6),
        code,
        disease,
        side,
        doctors=("孙某", "钱某"),
    )
    resection = Specimen(
        "resection",
        f"{day.year}-{dice.below(90000) + 10000}",
        hospital,
        day + timedelta(days=7),
        day + timedelta(days=7),
        day + timedelta(days=12),
        code,
        disease,
        side,
        1 + dice.below(3),
        6.0 + dice.below(40),
        (positive, positive + 8 + dice.below(9)),
        float((0, 30, 90)[dice.below(3)]) if breast else None,
        float((0, 5, 60)[dice.below(3)]) if breast else None,
        ("0", "1+", "2+", "3+")[dice.below(4)] if breast else "",
        float(5 + dice.below(60)),
        ("is", "0", "0") if in_situ else ("2", "1" if positive else "0", "0"),
        "0" if in_situ else "IIB",
        ("孙某", "钱某"),
    )
    return biopsy, resection


def _surgeries(day: date, side: str, disease: str) -> tuple[Surgery, ...]:
    last = {"breast": "mastectomy", "lung": "lobectomy", "thyroid": "thyroidectomy", "stomach": "gastrectomy", "colon": "colectomy"}
    kind = {**last, "cervix": "hysterectomy", "ami": "pci", "trauma": "craniotomy"}.get(disease)
    if kind is None:
        return ()
    first = (Surgery("core_biopsy", day, side),) if disease in HISTOLOGY else ()
    return (*first, Surgery(kind, day + timedelta(days=7), side, "沈某"))


def _past(dice: Dice, day: date, side: str) -> tuple[PastFinding, ...]:
    offered = (
        PastFinding("pf_bi3", day - timedelta(days=500), side or "left", "history"),
        PastFinding("pf_htn1", day - timedelta(days=1500), "", "history"),
        PastFinding("pf_bnod", day - timedelta(days=700), side or "left", "complaint"),
        PastFinding("pf_fatl", day - timedelta(days=650), "", "checkup"),
        PastFinding("pf_neph", day - timedelta(days=900), "", "history"),
    )
    return tuple(found for found in offered if dice.below(3) == 0)
