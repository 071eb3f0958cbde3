"""Slots about days: when each paper is dated, and the stretches of time patients tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from training.documents.disease import measured
from training.documents.telling import PATHOLOGY, Telling, slot
from training.world.story import Story


def admitted(story: Story) -> date:
    """Admission, or the diagnosis when the story has no stay."""
    return story.admitted_on or story.diagnosed_on


def discharged(story: Story) -> date:
    """Discharge, or a week after admission when the story has none."""
    return story.discharged_on or admitted(story) + timedelta(days=7)


def operated(story: Story) -> date:
    """The last operation, or the day after admission when none is told."""
    return max((surgery.on for surgery in story.surgeries), default=admitted(story) + timedelta(days=1))


def dated(t: Telling) -> date:
    """The day this paper is dated."""
    kind, story = t.paper.evidence_type, t.story
    if kind in PATHOLOGY and t.specimen:
        return t.specimen.reported_on
    if t.imaging:
        return t.imaging.on
    if kind in _DATED_BY:
        return _DATED_BY[kind](t)
    return story.first_visit_on


def checked_up(t: Telling) -> date:
    """The check-up: when an old finding is told in one, its day; else in the year before the first visit."""
    told = [finding.on for finding in t.story.past if finding.told_in.startswith(("check", "physical"))]
    return min(told, default=t.story.first_visit_on - timedelta(days=40 + t.drawn("checkup", 400)))


def assessed(t: Telling) -> date:
    """The functional assessment."""
    told = measured(t.story).get("function.assessed_on")
    return told if isinstance(told, date) else t.story.diagnosed_on + timedelta(days=190)


_DATED_BY: dict[str, Callable[[Telling], date]] = {
    "claim_form": lambda t: t.story.filed_on,
    "authorization": lambda t: t.story.filed_on,
    "bank_account": lambda t: t.story.filed_on,
    "identity_card": lambda t: t.story.filed_on,
    "admission_record": lambda t: admitted(t.story),
    "lab_report": lambda t: admitted(t.story),
    "cardiac_marker_report": lambda t: admitted(t.story),
    "discharge_summary": lambda t: discharged(t.story),
    "medical_record_front_page": lambda t: discharged(t.story),
    "diagnosis_certificate": lambda t: max(discharged(t.story), t.story.diagnosed_on),
    "surgery_record": lambda t: operated(t.story),
    "treatment_record": lambda t: discharged(t.story) + timedelta(days=14 + t.drawn("cycle", 14)),
    "stroke_unit_record": lambda t: admitted(t.story),
    "physical_exam_report": checked_up,
    "functional_assessment": assessed,
    "followup_assessment": assessed,
    "muscle_strength_record": assessed,
    "adl_scale": assessed,
    "health_insurance_record": lambda t: t.story.filed_on,
}

_DAYS: dict[str, Callable[[Telling], date]] = {
    "paper_on": dated,
    "visit_on": lambda t: t.story.first_visit_on,
    "admitted_on": lambda t: admitted(t.story),
    "discharged_on": lambda t: discharged(t.story),
    "surgery_on": lambda t: operated(t.story),
    "diagnosed_on": lambda t: t.story.diagnosed_on,
    "filed_on": lambda t: t.story.filed_on,
    "began_on": lambda t: t.story.complaint_began_on,
    "assessed_on": assessed,
    "next_cycle_on": lambda t: dated(t) + timedelta(days=21),
    "card_from": lambda t: t.story.filed_on - timedelta(days=400 + t.drawn("card", 2500)),
    "card_until": lambda t: t.story.filed_on - timedelta(days=400 + t.drawn("card", 2500)) + timedelta(days=7305),
}
for _name, _on in _DAYS.items():
    slot(_name)(lambda t, on=_on: t.day(on(t)))  # type: ignore[misc]


@slot("in_hospital")
def in_hospital(t: Telling) -> str:
    """A flag: the story has a stay."""
    return "yes" if t.story.admitted_on else ""


@slot("stay_days")
def stay_days(t: Telling) -> str:
    """Days in hospital."""
    return str(max(1, (discharged(t.story) - admitted(t.story)).days))


for _field in ("collected_on", "received_on", "reported_on"):
    slot(_field)(lambda t, field=_field: t.day(getattr(t.specimen, field, None)))  # type: ignore[misc]


@slot("duration")
def duration(t: Telling) -> str:
    """How long the complaint had lasted when this paper was written (a summary: on admission), as patients say it: days, weeks, months or years."""
    written = admitted(t.story) if t.paper.evidence_type == "discharge_summary" else dated(t)
    return lasted(t, (written - t.story.complaint_began_on).days)


def lasted(t: Telling, days: int) -> str:
    """A stretch of days in words, rounded down to a unit, "more than" said when something was cut off."""
    for unit, length, least in (("year", 365, 1), ("month", 30, 2), ("week", 7, 3)):
        if days >= least * length and not (unit == "week" and t.by_hand("weeks", 2)):
            return _stretch(t, days // length, unit, days % length > length // 8)
    return _stretch(t, max(days, 1), "day", False)


def _stretch(t: Telling, count: int, unit: str, more: bool) -> str:
    words = t.book.words("duration", f"{unit}_more" if more else unit)
    pattern = words[t.by_hand("duration", len(words))]
    number = t.book.words("number", str(count))
    in_words = bool(number) and t.by_hand("numerals", 3) == 0
    plural = "" if count == 1 else "s"
    return pattern.format(number[0] if in_words else count, s=plural)
