"""Slots about one imaging study: side, category, extent, the other side, and how suspicious it looked."""

from __future__ import annotations

from training.documents.disease import disease_of
from training.documents.slots_history import main_side, side_word
from training.documents.slots_tumour import extent
from training.documents.telling import Telling, slot
from training.world.story import Imaging

OPPOSITE = {"left": "right", "right": "left"}


def _side(t: Telling) -> str:
    study = t.imaging
    return (study.side if study else "") or main_side(t)


@slot("exam_side")
def exam_side(t: Telling) -> str:
    """The side of the lesion, short."""
    return side_word(t, _side(t))


@slot("exam_side_long")
def exam_side_long(t: Telling) -> str:
    """The side of the lesion, long."""
    return side_word(t, _side(t), "side_long")


@slot("other_side")
def other_side(t: Telling) -> str:
    """The opposite side, short, "" when the lesion has none."""
    return side_word(t, OPPOSITE.get(_side(t), ""))


@slot("category")
def category(t: Telling) -> str:
    """The category as printed: "4A", "4a", Ⅳ where the house uses roman numerals and there is no letter."""
    study = t.imaging
    told = study.category if study else ""
    if told and t.at_house("category_case", 5) == 0:
        return told.lower()
    if told.isdigit() and 1 <= int(told) <= 5 and t.style.roman == "unicode" and t.at_house("category_roman", 4) == 0:
        return "ⅠⅡⅢⅣⅤ"[int(told) - 1]
    return told


@slot("lesion_size")
def lesion_size(t: Telling) -> str:
    """The extents of the lesion as printed, "" when not measured."""
    return extent(t, t.imaging.size_mm) if t.imaging else ""


@slot("lesion")
def lesion(t: Telling) -> str:
    """A flag: there is a lesion to describe (an extent, or a category of 3 and above)."""
    study = t.imaging
    return "yes" if study and (study.size_mm or suspicion_of(study) not in ("none", "benign")) else ""


def suspicion_of(study: Imaging) -> str:
    """none, benign, probable, suspicious or malignant: by the category, else by whether a lesion was measured."""
    if study.category:
        return {"0": "none", "1": "none", "2": "benign", "3": "probable", "4": "suspicious", "5": "malignant", "6": "malignant"}.get(
            study.category[0], "none"
        )
    return "suspicious" if study.size_mm else "none"


@slot("suspicion")
def suspicion(t: Telling) -> str:
    """How suspicious the study looked; a paper without a study of its own reports nothing new."""
    return suspicion_of(t.imaging) if t.imaging else "none"


@slot("study_words")
def study_words(t: Telling) -> str:
    """Words the story adds to the study, when they are in the language of the paper."""
    told = t.imaging.words if t.imaging else ""
    return told if told.isascii() == (t.book.language == "en") else ""


@slot("clock_face")
def clock_face(t: Telling) -> str:
    """Where on the clock face the lesion lies."""
    return str(1 + t.drawn(f"clock{_side(t)}", 12))


@slot("from_nipple")
def from_nipple(t: Telling) -> str:
    """Distance from the nipple."""
    return f"{1 + t.drawn('nipple', 40) / 10:g}cm"


@slot("earlier_study_on")
def earlier_study_on(t: Telling) -> str:
    """The day of the last suspicious ultrasound before the paper, for histories."""
    told = [study for study in t.story.imaging if study.category]
    return t.day(told[0].on) if told else ""


@slot("earlier_category")
def earlier_category(t: Telling) -> str:
    """Its category."""
    told = [study.category for study in t.story.imaging if study.category]
    return told[0] if told else ""


@slot("earlier_size")
def earlier_size(t: Telling) -> str:
    """Its extents."""
    told = [study for study in t.story.imaging if study.size_mm]
    return extent(t, told[0].size_mm) if told else ""


@slot("system")
def system(t: Telling) -> str:
    """BI-RADS or TI-RADS, as this house spells it; "" for organs without one."""
    return t.term("system", disease_of(t.story))
