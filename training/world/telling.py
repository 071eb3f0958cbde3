"""The story and the claim of one row: names, specimens, studies, papers and their rounds. Nothing that only the simulator knows comes in."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from training.world.assumptions import Assumptions
from training.world.columns import shipped
from training.world.papers import NEVER, PAPERS
from training.world.story import Imaging, Paper, PastFinding, Specimen, Story, Surgery
from triage.claim import Claim, Document, Member, Membership

Row = Mapping[str, Any]
_IMAGING_PAPER = {
    "ultrasound": "ultrasound_report",
    "ct": "ct_report",
    "mri": "mri_report",
    "endoscopy": "endoscopy_report",
    "angiography": "angiography_report",
}
_MEASURED = (
    "lab.ctn_x_uln",
    "lab.ckmb_x_uln",
    "echo.lvef_pct",
    "echo.date",
    "angiography.coronary_thrombus",
    "imaging.new_wall_motion_or_viability_loss",
    "imaging.new_ventricular_aneurysm",
    "cardiac.vt_vf_or_shock",
    "ecg.new_pathological_q",
    "ecg.new_ischaemia",
    "cardiac.ischaemic_chest_pain",
    "neuro.worst_limb_muscle_grade",
    "function.adl_unable_count",
    "neuro.language_loss_or_severe_swallow",
    "function.assessed_on",
)
_DENIES = ("hypertension", "diabetes", "heart", "hepatitis", "surgery", "tumour", "trauma")


def story(row: Row, assumptions: Assumptions) -> Story:
    """What the papers of this claim may tell."""
    dice = random.Random(row["name_seed"])  # noqa: S311 - simulation
    data = shipped("clinical")["illnesses"][row["illness"]]
    name = person(dice, row["language"])
    if row["wrong_person"]:
        name = person(dice, row["language"])
    return Story(
        claim_id=row["claim_id"],
        seed=row["seed"],
        plan=row["plan"],
        condition=row["condition"],
        diagnosis_claimed=row["diagnosis_claimed"],
        name=name,
        sex=row["member.sex"],
        birth_date=row["member.birth_date"],
        city=row["city"],
        id_number=id_number(row),
        hospital=row["hospital"],
        department=_department(row),
        doctor=row["doctor"],
        filed_on=row["filed_on"],
        first_visit_on=row["claim.first_visit_on"],
        complaint=data["complaint"][row["seed"] % len(data["complaint"])],
        complaint_began_on=row["history.complaint_began_on"],
        diagnosed_on=row["first_diagnosis_date"],
        admitted_on=row["admission.date"],
        discharged_on=row["discharge.date"],
        icd10=row["diagnosis.icd10"],
        papers=tuple(_papers(row, data, dice, assumptions)),
        imaging=tuple(_imaging(row, data)),
        specimens=tuple(_specimens(row, data, dice)),
        surgeries=tuple(_surgeries(row)),
        past=tuple(_past(row)),
        denies=tuple(kind for kind in _DENIES if dice.random() < 0.5 and not row["past_told"]),
        family_cancer="mother" if dice.random() < 0.04 else "",
        chemotherapy=bool(row["treatment.chemotherapy"]),
        endocrine=bool(row["treatment.endocrine"]),
        accident=row["claim.accident"],
        married=dice.random() < 0.85,
        measures=tuple((name, row[name]) for name in _MEASURED if row[name] is not None),
    )


def person(dice: random.Random, language: str) -> str:
    """An invented name."""
    places = shipped("places")
    if language == "en":
        return f"{dice.choice(places['given_en'])} {dice.choice(places['surnames_en'])}"
    return str(dice.choice(places["surnames"])) + str(dice.choice(places["given"]))


def id_number(row: Row) -> str:
    """An 18-digit number whose area code no real one has, with the right check digit, sex and birth date."""
    order = row["name_seed"] % 500 * 2 + (row["member.sex"] == "M")
    body = f"990000{row['member.birth_date']:%Y%m%d}{order % 1000:03d}"
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def _department(row: Row) -> str:
    if row["language"] != "en":
        return str(row["department"])
    data = shipped("clinical")
    own = data["illnesses"][row["illness"]]
    both = [*zip(own["departments"], own["departments_en"], strict=True)]
    both += zip(data["implausible_departments"], data["implausible_departments_en"], strict=True)
    return str(dict(reversed(both)).get(row["department"], row["department"]))


def _imaging(row: Row, data: Mapping[str, Any]) -> list[Imaging]:
    kind = data["imaging"]
    on = row["imaged"] or min(row["claim.first_visit_on"] + timedelta(days=1), row["first_diagnosis_date"])
    if row["illness"] != "breast":
        return [Imaging(kind, on, row["hospital"])]
    side = row["tumour.laterality"] or "left"
    size = row["pathology.invasive_size_mm"] or 12.0
    return [Imaging("ultrasound", on, row["hospital"], side, row[f"birads.{side}"] or "", (round(size * 1.1, 1), round(size * 0.8, 1)))]


def _specimens(row: Row, data: Mapping[str, Any], dice: random.Random) -> list[Specimen]:
    if row["pathology.collected_on"] is None:
        return []
    side = row["tumour.laterality"] or ""
    doctors = [person(dice, row["language"]) for _ in range(2 if row["pathology.double_signed"] else 1)]
    breast = row["illness"] == "breast"
    shared: dict[str, Any] = {
        "hospital": row["hospital"],
        "histology": row["pathology.icdo"],
        "site": data["organ"],
        "side": side,
        "doctors": tuple(doctors),
        "er_pct": row["ihc.ER_pct"],
        "pr_pct": row["ihc.PR_pct"],
        "her2": row["ihc.HER2"] or "",
        "ki67_pct": row["ihc.ki67_pct"],
        "grade": row["grade"],
    }
    main = Specimen(
        basis="resection",
        number=row["number"],
        collected_on=row["pathology.collected_on"],
        received_on=row["pathology.received_on"],
        reported_on=row["pathology.reported_on"],
        invasive_mm=row["pathology.invasive_size_mm"],
        nodes=(row["nodes.positive"], row["nodes.examined"]) if row["nodes.positive"] is not None else None,
        tnm=(row["stage.T"], row["stage.N"], row["stage.M"]) if breast else None,
        stage_group=row["stage.group"] or "",
        **shared,
    )
    if row["biopsy_on"] is None:
        return [main]
    # The biopsy's report is the first diagnosis; its number is not the operation's.
    number = f"B{int(row['number']) % 999_983:06d}"
    dates = {"collected_on": row["biopsy_on"], "received_on": row["biopsy_on"], "reported_on": row["first_diagnosis_date"]}
    return [main, Specimen(basis="core_biopsy", number=number, **dates, **shared)]


def _surgeries(row: Row) -> list[Surgery]:
    side = row["tumour.laterality"] or ""
    found = [Surgery("core_biopsy", row["biopsy_on"], side)] if row["biopsy_on"] else []
    if row["surgery.date"] is None:
        return found
    kinds = {"thyroid": "thyroidectomy", "lung": "lobectomy"}
    kind = row["surgery.extent"] or kinds.get(row["illness"], "resection")
    return [*found, Surgery(kind, row["surgery.date"], side, row["doctor"])]


def _past(row: Row) -> list[PastFinding]:
    side = row["tumour.laterality"] or ""
    if not row["past_told"]:
        return []
    return [PastFinding(row["past_told"], row["past_told_on"], side if row["illness"] == "breast" else "")]


def _papers(row: Row, data: Mapping[str, Any], dice: random.Random, a: Assumptions) -> list[Paper]:
    made = []
    types = {"imaging": _IMAGING_PAPER[data["imaging"]], "marker": data.get("marker", "lab_report")}
    for kind, brought in zip(PAPERS, row["rounds"], strict=True):
        missing, noisy, level = dice.random() < a["page_missing_share"], dice.random() < a["noise_share"], 0.05 * dice.random() ** 2
        if brought == NEVER:
            continue
        for about in (0, 1) if kind == "pathology_report" and row["biopsy_on"] else (0,):
            noise = round(level, 4) if noisy else 0.0
            made.append(Paper(types.get(kind, kind), brought, row["language"], missing and kind != "claim_form", noise, about))
    return made


def claim(row: Row, keys: Mapping[str, str], rounds: int, assumptions: Assumptions, *, papers: bool, style: str | None) -> Claim:
    """The claim with the papers brought up to a round."""
    told = story(row, assumptions)
    documents: tuple[Document, ...] = ()
    if papers:
        from training.documents import papers_of

        documents = papers_of(told, rounds=rounds, style=style)
    first = random.Random(row["name_seed"])  # noqa: S311 - simulation
    episode = Membership(joined_on=row["membership.joined_on"], effective_on=row["membership.effective_on"], left_on=row["left_on"])
    member = Member(
        member_id=keys["member_id"],
        name=person(first, row["language"]),
        sex=row["member.sex"],
        birth_date=row["member.birth_date"],
        memberships=(episode,),
        city=row["city"],
        id_number=id_number(row),
    )
    return Claim(
        claim_id=row["claim_id"],
        plan=row["plan"],
        filed_on=row["filed_on"],
        diagnosis_claimed=row["diagnosis_claimed"],
        first_visit_on=row["claim.first_visit_on"],
        accident=row["claim.accident"],
        member=member,
        hospital=row["hospital"],
        doctor=row["doctor"],
        phone=keys.get("phone"),
        payee_account=keys.get("account"),
        device_id=keys.get("device"),
        agent=keys.get("agent"),
        address=keys.get("address"),
        documents=documents,
    )
