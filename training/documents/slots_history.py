"""Slots about what the patient told: the complaint, what was known before, what was denied, the family."""

from __future__ import annotations

from training.documents.disease import disease_of
from training.documents.library import finding_names
from training.documents.slots_dates import dated, lasted
from training.documents.telling import Telling, slot
from training.world.story import PastFinding

IN_HISTORY = ("history", "past", "admission_record", "discharge_summary", "outpatient_record")
IN_COMPLAINT = ("complaint", "present")
IN_CHECKUP = ("check", "physical")


def side_word(t: Telling, side: str, group: str = "side") -> str:
    """A side as this book names it, "" for none."""
    return t.term(group, side) if side else ""


def main_side(t: Telling) -> str:
    """The side of the disease: of the specimen, else of the operation, else of the first study with one."""
    if t.specimen and t.specimen.side:
        return t.specimen.side
    sides = [told.side for told in t.story.surgeries] + [told.side for told in t.story.imaging]
    return next(filter(None, sides), "")


@slot("side")
def side(t: Telling) -> str:
    """The side of the disease, short: 左, left."""
    return side_word(t, main_side(t))


@slot("side_long")
def side_long(t: Telling) -> str:
    """The side of the disease, long: 左侧, left-sided."""
    return side_word(t, main_side(t), "side_long")


@slot("complaint")
def complaint(t: Telling) -> str:
    """The complaint: an id of the terms, or the story's own words when they are in the language of the paper, else the usual one."""
    told = t.story.complaint
    words = t.book.words("complaint", told)
    if not words and told and told.isascii() == (t.book.language == "en"):
        return told
    words = words or t.book.words("complaint", f"usual_{disease_of(t.story)}") or t.book.words("complaint", "usual_other")
    pattern = words[t.by_hand("complaint", len(words))]
    return _tidy(pattern.replace("(side)", side_word(t, main_side(t))), t)


@slot("felt_lump")
def felt_lump(t: Telling) -> str:
    """A flag: what brought the patient was a lump they felt, so that its size and the breast may be described in their words."""
    told = complaint(t)
    lump = any(word in told for word in ("肿", "块", "硬结", "疙瘩", "lump", "mass", "spot"))
    return "yes" if lump and not any(word in told for word in ("检", "check", "screen")) else ""


@slot("fruit")
def fruit(t: Telling) -> str:
    """The size of a lump as patients tell it, by the largest extent measured; "" when none was."""
    largest = max((size for study in t.story.imaging for size in study.size_mm), default=0.0)
    steps = ((6, "bean"), (11, "soy"), (16, "peanut"), (22, "broad_bean"), (30, "quail_egg"), (42, "walnut"), (999, "egg"))
    return t.term("fruit", next(word for most, word in steps if largest <= most)) if 0 < largest <= 999 else ""


def _tidy(text: str, t: Telling) -> str:
    return " ".join(text.split()) if t.book.language == "en" else text


def past_in(t: Telling, *sources: str) -> list[PastFinding]:
    """Past findings told in these sources, the earliest first."""
    return sorted((found for found in t.story.past if found.told_in.startswith(sources)), key=lambda found: found.on)


def finding_word(t: Telling, found: PastFinding) -> str:
    """A past finding as this house words it; the library's name in this language when the book has no words of its own."""
    pattern = t.term("finding", found.finding) or _library_name(found.finding, t.book.language)
    return _tidy(pattern.replace("(side)", side_word(t, found.side)), t)


def _library_name(finding: str, language: str) -> str:
    return finding_names().get(finding, {}).get(language, finding)


def _told(t: Telling, found: PastFinding, group: str) -> str:
    pattern = t.book.words(group, "pattern")
    chosen = pattern[t.by_hand(group, len(pattern))]
    months = (
        t.day(found.on) if t.by_hand("past_day", 3) == 0 else t.book.words("month", "pattern")[0].format(y=found.on.year, m=found.on.month)
    )
    ago = lasted(t, max(1, (dated(t) - found.on).days))
    told = chosen.format(what=finding_word(t, found), month=months, ago=ago)
    return told[0].upper() + told[1:]


def _joined(t: Telling, parts: list[str], group: str) -> str:
    return t.book.words("joint", group)[0].join(parts)


@slot("past_told")
def past_told(t: Telling) -> str:
    """What past history tells, a sentence for each finding, "" when nothing is told."""
    return _joined(t, [_told(t, found, "past") for found in past_in(t, *IN_HISTORY)], "sentence")


@slot("earlier_told")
def earlier_told(t: Telling) -> str:
    """What the present illness tells of earlier findings, "" when nothing is told."""
    return _joined(t, [_told(t, found, "earlier") for found in past_in(t, *IN_COMPLAINT)], "sentence")


@slot("checkup_found")
def checkup_found(t: Telling) -> str:
    """What the check-up found, numbered, "" when nothing is told in one."""
    found = [finding_word(t, found) for found in past_in(t, *IN_CHECKUP)]
    return "\n".join(f"{n}. {what}" for n, what in enumerate(found, 1))


@slot("insured_visits")
def insured_visits(t: Telling) -> str:
    """Lines of the insurance record: every finding known before, then the visit and the stay of this claim."""
    line = t.book.words("visit_line", "pattern")[0]
    rows = [(found.on, finding_word(t, found)) for found in t.story.past]
    rows += [(t.story.first_visit_on, complaint(t))]
    rows += [(t.story.admitted_on, t.rule("diagnosis_plain"))] if t.story.admitted_on else []
    told = sorted(rows, key=lambda row: row[0])
    return "\n".join(
        line.format(day=t.day(on), where=t.story.hospital, what=what, cost=80 + t.drawn(f"cost{n}", 900))
        for n, (on, what) in enumerate(told)
    )


@slot("denied")
def denied(t: Telling) -> str:
    """The list of what the patient denied, in the story's order; kinds the book does not know are left out."""
    words = [t.term("denied", kind) for kind in t.story.denies]
    return _joined(t, [word for word in words if word], "list")


@slot("denies_tumour")
def denies_tumour(t: Telling) -> str:
    """A flag: a history of tumour was denied."""
    return "yes" if {"tumour", "tumor", "cancer"} & set(t.story.denies) else ""


@slot("family")
def family(t: Telling) -> str:
    """Who in the family had which cancer, "" when none is told. The story writes "mother", "aunt:breast", a site, or its own words."""
    told = t.story.family_cancer
    if not told or not told.isascii():
        return (
            told if t.book.language == "zh" or not told else t.term("relative", "mother") + " " + t.term("cancer_of", disease_of(t.story))
        )
    who, _, site = told.partition(":")
    if not t.book.words("relative", who):
        who, site = ("mother", "aunt", "father")[t.drawn("relative", 2 + (who not in ("breast", "cervix")))], who
    pattern = t.book.words("family", "pattern")
    what = t.term("cancer_of", site or disease_of(t.story)) or t.term("cancer_of", "other")
    line = pattern[t.by_hand("family", len(pattern))].format(who=t.term("relative", who), what=what)
    return line[0].upper() + line[1:]
