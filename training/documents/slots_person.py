"""Slots about the person, the hospital's numbers for them, and the people who sign."""

from __future__ import annotations

from training.documents.dice import key_of, keyed
from training.documents.disease import disease_of
from training.documents.slots_dates import dated
from training.documents.telling import PATHOLOGY, Telling, slot

_PLAIN = {
    "name": lambda t: t.story.name,
    "hospital": lambda t: t.house,
    "clinic": lambda t: t.story.hospital,
    "city": lambda t: t.story.city,
    "id_number": lambda t: t.story.id_number,
    "department": lambda t: t.term("department", t.story.department) or t.story.department,
    "doctor": lambda t: t.story.doctor,
    "icd10": lambda t: t.story.icd10,
    "claim_id": lambda t: t.story.claim_id,
    "disease": lambda t: disease_of(t.story),
    "married": lambda t: "yes" if t.story.married else "",
    "accident": lambda t: "yes" if t.story.accident else "",
    "female": lambda t: "yes" if t.story.sex == "F" else "",
    "diagnosis_claimed": lambda t: t.story.diagnosis_claimed,
    "sex": lambda t: t.term("sex", t.story.sex),
    "marital": lambda t: t.term("marital", "married" if t.story.married else "single"),
    "birth": lambda t: t.day(t.story.birth_date),
    "occupation": lambda t: t.term("occupation", str(t.drawn("occupation", 8))),
    "ethnicity": lambda t: t.term("ethnicity", str(min(t.drawn("ethnicity", 40), 4))),
    "road": lambda t: t.term("road", str(t.drawn("road", 12))),
    "bank": lambda t: t.term("bank", str(t.drawn("bank", 6))),
    "ward": lambda t: str(1 + t.drawn("ward", 18)),
    "door": lambda t: str(1 + t.drawn("door", 398)),
    "bed": lambda t: f"{1 + t.drawn('bed', 48):02}",
    "clock": lambda t: f"{8 + t.below(9):02}:{t.below(60):02}",
}
for _name, _answer in _PLAIN.items():
    slot(_name)(_answer)


@slot("age")
def age(t: Telling) -> str:
    """Full years on the day of the paper."""
    born, on = t.story.birth_date, dated(t)
    return str(max(0, on.year - born.year - ((on.month, on.day) < (born.month, born.day))))


def _number(t: Telling, name: str, digits: int) -> str:
    return str(t.drawn(f"{name}:{t.house}", 9 * 10 ** (digits - 1)) + 10 ** (digits - 1))


@slot("admission_no")
def admission_no(t: Telling) -> str:
    """The number of the stay, the same in all its papers at this hospital."""
    prefix = ("", "ZY", "00", "A")[t.at_house("admission_no", 4)]
    return prefix + _number(t, "stay", 6 + t.at_house("admission_digits", 3))


@slot("outpatient_no")
def outpatient_no(t: Telling) -> str:
    """The number of the card."""
    return ("M", "", "K", "10")[t.at_house("outpatient_no", 4)] + _number(t, "card", 8)


@slot("exam_no")
def exam_no(t: Telling) -> str:
    """The number of the study, sample or assessment this paper reports."""
    prefix = ("US", "CT", "", "E", "R")[t.at_house("exam_no", 5)]
    return prefix + str(10**7 + t.drawn(f"exam:{t.house}:{t.paper.evidence_type}:{t.paper.about}", 9 * 10**7))


@slot("account_tail")
def account_tail(t: Telling) -> str:
    """The last four digits of the payee's account: the rest is masked on the paper itself."""
    return f"{t.drawn('account', 10000):04}"


def staff(t: Telling, role: str) -> str:
    """One of the few people who sign in this role at this hospital; kept by name, so that rings of doctors arise only from stories."""
    surnames, given = t.book.words("staff", "surname"), t.book.words("staff", "given")
    who = f"{t.house}:{role}:{t.drawn(role, 3)}"
    key = key_of(who)
    gap = " " if t.book.language == "en" else ""
    first, last = given[keyed(key, 1, len(given))], surnames[keyed(key, 2, len(surnames))]
    return f"{first}{gap}{last}" if gap else f"{last}{first}"


@slot("reporter")
def reporter(t: Telling) -> str:
    """Who reports: a pathologist of the specimen, else staff of the department that made the study."""
    if t.paper.evidence_type in PATHOLOGY:
        return _pathologist(t, 0)
    return staff(t, f"reporter:{t.paper.evidence_type}")


@slot("reviewer")
def reviewer(t: Telling) -> str:
    """Who reviews: the second pathologist of the specimen ("" when only one signed), else staff."""
    if t.paper.evidence_type in PATHOLOGY:
        return _pathologist(t, 1)
    return staff(t, f"reviewer:{t.paper.evidence_type}")


def _pathologist(t: Telling, index: int) -> str:
    specimen = t.specimen
    return specimen.doctors[index] if specimen and index < len(specimen.doctors) else ""


@slot("surgeon")
def surgeon(t: Telling) -> str:
    """The surgeon of the operation told, else the doctor of the claim."""
    told = [surgery.surgeon for surgery in t.story.surgeries if surgery.surgeon]
    return told[-1] if told else t.story.doctor


for _role in ("assistant", "anaesthetist", "nurse", "head_doctor", "guardian", "resident"):
    slot(_role)(lambda t, role=_role: staff(t, role))  # type: ignore[misc]
