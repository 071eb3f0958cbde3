"""Which disease a story tells, from its specimens, its code and its condition; and the values the papers print but no story gave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from training.documents.dice import key_of, keyed
from training.world.story import Story

CANCERS = ("breast", "lung", "thyroid", "colon", "rectum", "stomach", "cervix", "other")
_SITES = {
    "breast": "breast",
    "lung": "lung",
    "thyroid": "thyroid",
    "rect": "rectum",
    "col": "colon",
    "stomach": "stomach",
    "gastr": "stomach",
    "cerv": "cervix",
}
_CODES = {
    "C50": "breast",
    "D05": "breast",
    "C34": "lung",
    "D02": "lung",
    "C73": "thyroid",
    "C18": "colon",
    "C19": "rectum",
    "C20": "rectum",
    "D01": "colon",
    "C16": "stomach",
    "D00": "stomach",
    "C53": "cervix",
    "D06": "cervix",
    "I21": "ami",
    "I22": "ami",
    "I60": "stroke",
    "I61": "stroke",
    "I62": "stroke",
    "I63": "stroke",
    "I64": "stroke",
    "I69": "stroke",
    "S06": "trauma",
    "T90": "trauma",
}
_CONDITIONS = {
    "breast_cancer": "breast",
    "ami_severe": "ami",
    "ami_mild": "ami",
    "stroke_severe": "stroke",
    "stroke_mild": "stroke",
    "brain_injury_severe": "trauma",
}


def disease_of(story: Story) -> str:
    """breast, lung, thyroid, colon, rectum, stomach, cervix, ami, stroke, trauma or other."""
    if story.condition in _CONDITIONS:
        return _CONDITIONS[story.condition]
    for specimen in story.specimens:
        for start, disease in _SITES.items():
            if specimen.site.startswith(start):
                return disease
    return _CODES.get(story.icd10[:3], "other")


def stroke_kind(story: Story) -> str:
    """trauma, bleed (I60 to I62) or infarct."""
    if disease_of(story) == "trauma":
        return "trauma"
    return "bleed" if story.icd10[:3] in ("I60", "I61", "I62") else "infarct"


@lru_cache(maxsize=1)
def _assumed() -> Mapping[str, Mapping[str, Any]]:
    path = Path(__file__).parent / "measures.yaml"
    loaded: Mapping[str, Mapping[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def measured(story: Story) -> dict[str, float | str | bool | date]:
    """What the clinical papers of this story say was measured, by fact id: given in `Story.measures`, else drawn from the seed within
    the ranges of measures.yaml for the story's condition. Cancers have none but those given."""
    told: dict[str, float | str | bool | date] = dict(story.measures)
    for fact, spec in _assumed().get(story.condition, {}).items():
        if fact not in told:
            told[fact] = _drawn(story, fact, spec)
    return told


def _drawn(story: Story, fact: str, spec: Mapping[str, Any]) -> float | str | bool | date:
    key = key_of(story.seed, "measure")
    if "share" in spec:
        return keyed(key, key_of(fact), 1000) < 1000 * float(spec["share"])
    step = float(spec.get("step", 1))
    steps = round((spec["high"] - spec["low"]) / step)
    value = round(float(spec["low"]) + step * keyed(key, key_of(fact), steps + 1), 2)
    return story.diagnosed_on + timedelta(days=int(value)) if spec.get("days_after_diagnosis") else value
