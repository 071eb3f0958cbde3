"""Slots about hearts, brains and laboratory values: what `measured` says, in the numbers and words of a report."""

from __future__ import annotations

from training.documents.disease import disease_of, measured, stroke_kind
from training.documents.telling import Telling, slot

TROPONIN = ((0.04, "ng/mL", 2), (0.3, "ng/mL", 2), (14.0, "ng/L", 0))
CKMB = ((25.0, "U/L", 0), (4.9, "ng/mL", 1))


def _number(t: Telling, fact: str, default: float) -> float:
    value = measured(t.story).get(fact, default)
    return float(value) if isinstance(value, (int, float)) else default


def _flag(t: Telling, fact: str) -> str:
    return "yes" if measured(t.story).get(fact) else ""


def _is_heart(t: Telling) -> bool:
    return disease_of(t.story) == "ami"


def _marker(t: Telling, scale: tuple[float, str, int], fact: str, share: float) -> str:
    times = _number(t, fact, 0.4) if _is_heart(t) else 0.3
    return f"{scale[0] * times * share:.{scale[2]}f}"


def _troponin(t: Telling) -> tuple[float, str, int]:
    return TROPONIN[t.at_house("troponin", len(TROPONIN))]


def _ckmb(t: Telling) -> tuple[float, str, int]:
    return CKMB[t.at_house("ckmb", len(CKMB))]


for _n, _share in enumerate((0.18, 1.0, 0.42), 1):
    slot(f"ctn_{_n}")(lambda t, s=_share: _marker(t, _troponin(t), "lab.ctn_x_uln", s))  # type: ignore[misc]
    slot(f"ckmb_{_n}")(lambda t, s=_share: _marker(t, _ckmb(t), "lab.ckmb_x_uln", max(s, 0.3)))  # type: ignore[misc]

_VALUES = {
    "ctn_unit": lambda t: _troponin(t)[1],
    "ctn_limit": lambda t: f"{_troponin(t)[0]:g}",
    "ckmb_unit": lambda t: _ckmb(t)[1],
    "ckmb_limit": lambda t: f"{_ckmb(t)[0]:g}",
    "lvef": lambda t: f"{_number(t, 'echo.lvef_pct', 63):g}",
    "lvef_low": lambda t: "yes" if _number(t, "echo.lvef_pct", 63) < 50 else "",
    "thrombus": lambda t: _flag(t, "angiography.coronary_thrombus"),
    "wall_motion": lambda t: _flag(t, "imaging.new_wall_motion_or_viability_loss"),
    "aneurysm": lambda t: _flag(t, "imaging.new_ventricular_aneurysm"),
    "shock": lambda t: _flag(t, "cardiac.vt_vf_or_shock"),
    "q_wave": lambda t: _flag(t, "ecg.new_pathological_q"),
    "st_change": lambda t: _flag(t, "ecg.new_ischaemia"),
    "chest_pain": lambda t: _flag(t, "cardiac.ischaemic_chest_pain"),
    "vessel": lambda t: t.term("vessel", str(t.drawn("vessel", 3))),
    "wall": lambda t: t.term("wall", str(t.drawn("vessel", 3))),
    "leads": lambda t: t.term("leads", str(t.drawn("vessel", 3))),
    "stenosis": lambda t: str((80, 90, 95, 99, 100)[t.drawn("stenosis", 5)]),
    "ecg_heart": lambda t: "yes" if _is_heart(t) else "",
    "stented": lambda t: "yes" if any(surgery.kind == "pci" for surgery in t.story.surgeries) else "",
    "stroke_infarct": lambda t: "yes" if stroke_kind(t.story) == "infarct" else "",
    "stroke_kind": lambda t: stroke_kind(t.story),
    "brain_area": lambda t: t.term("brain_area", str(t.drawn("brain_area", 5))),
    "weak_side": lambda t: t.term("side" if t.style.spaced else "side_long", ("left", "right")[t.drawn("weak", 2)]),
    "brain_side": lambda t: t.term("side" if t.style.spaced else "side_long", ("right", "left")[t.drawn("weak", 2)]),
    "muscle": lambda t: f"{_number(t, 'neuro.worst_limb_muscle_grade', 4):g}",
    "muscle_arm": lambda t: f"{_number(t, 'neuro.worst_limb_muscle_grade', 4):g}",
    "muscle_leg": lambda t: f"{min(5, _number(t, 'neuro.worst_limb_muscle_grade', 4) + t.drawn('leg', 2)):g}",
    "language_loss": lambda t: _flag(t, "neuro.language_loss_or_severe_swallow"),
    "adl_unable": lambda t: f"{_number(t, 'function.adl_unable_count', 0):g}",
    "barthel": lambda t: str(max(5, 95 - 15 * int(_number(t, "function.adl_unable_count", 0)))),
    "nihss": lambda t: str(3 + t.drawn("nihss", 4) + 3 * max(0, 4 - int(_number(t, "neuro.worst_limb_muscle_grade", 4)))),
    "infarct_size": lambda t: f"{12 + t.drawn('infarct', 25)}×{8 + t.drawn('infarct2', 12)}mm",
    "bleed_ml": lambda t: str(8 + t.drawn("bleed", 40)),
    "hr": lambda t: str(62 + t.drawn("hr", 40)),
    "bp": lambda t: f"{112 + t.drawn('sys', 26)}/{66 + t.drawn('dia', 20)}",
    "temperature": lambda t: f"{36.2 + t.drawn('temp', 7) / 10:.1f}",
    "breaths": lambda t: str(16 + t.drawn("breaths", 5)),
    "height": lambda t: str((158 if t.story.sex == "F" else 168) + t.drawn("height", 12)),
    "weight": lambda t: str((50 if t.story.sex == "F" else 60) + t.drawn("weight", 18)),
    "lv_mm": lambda t: str(46 + t.drawn("lv", 12)),
}
for _name, _answer in _VALUES.items():
    slot(_name)(_answer)

_TASKS = ("dressing", "transfer", "walking", "toilet", "feeding", "bathing")
_LOST_FIRST = (5, 2, 0, 1, 3, 4)
"""The order in which the six activities are lost, by index into _TASKS: bathing, walking, dressing, transfer, toilet, feeding."""


def _lost(t: Telling, index: int) -> bool:
    return _LOST_FIRST.index(index) < int(_number(t, "function.adl_unable_count", 0))


for _index, _task in enumerate(_TASKS):
    slot(f"adl_{_task}")(lambda t, i=_index: t.term("adl", "unable" if _lost(t, i) else "able"))  # type: ignore[misc]


@slot("blood_count")
def blood_count(t: Telling) -> str:
    """Rows of a routine panel in the column order of this house; all within their limits."""
    row = t.book.words("lab_row", "pattern")
    pattern = row[t.at_house("lab_row", len(row))]
    return "\n".join(pattern.format(**_analyte(t, key)) for key in t.book.terms["analyte"])


def _analyte(t: Telling, key: str) -> dict[str, str]:
    name, low, high, unit, digits = t.term("analyte", key).split("|")
    span = float(high) - float(low)
    value = float(low) + span * (0.15 + 0.7 * t.drawn(f"lab:{key}", 1000) / 1000)
    return {"name": name, "value": f"{value:.{digits}f}", "range": f"{low}-{high}", "unit": unit, "code": key}
