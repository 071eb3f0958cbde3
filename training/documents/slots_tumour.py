"""Slots about tumours: histology, size, nodes, stains, stage, and the clinical diagnosis."""

from __future__ import annotations

from training.documents.disease import disease_of
from training.documents.slots_dates import dated
from training.documents.slots_history import main_side, side_word
from training.documents.telling import PATHOLOGY, Telling, slot

_ROMAN = {"III": "Ⅲ", "IV": "Ⅳ", "II": "Ⅱ", "I": "Ⅰ"}


def roman(t: Telling, text: str) -> str:
    """Roman numerals as this house prints them: one character each, or letters."""
    if t.style.roman != "unicode":
        return text
    for letters, char in _ROMAN.items():
        if text.startswith(letters):
            return char + text[len(letters) :]
    return text


def extent(t: Telling, sizes_mm: tuple[float, ...]) -> str:
    """Extents as this house prints them: "2.3×1.8×1.6cm", "23*18mm"; () gives ""."""
    if not sizes_mm:
        return ""
    style = t.style
    scale, digits = (10, 1) if style.unit == "cm" else (1, 0)
    numbers = [f"{round(size / scale, digits):g}" for size in sizes_mm]
    unit = style.unit_word or style.unit
    return style.times.join(numbers) + (f" {unit}" if t.book.language == "en" else unit)


@slot("basis")
def basis(t: Telling) -> str:
    """core_biopsy, resection, frozen or cytology; the paper's own kind prevails for frozen and cytology reports."""
    kind = t.paper.evidence_type
    if kind in ("frozen_report", "cytology_report"):
        return kind.removesuffix("_report")
    return t.specimen.basis if t.specimen else "core_biopsy"


def code(t: Telling) -> str:
    """The morphology code of the specimen."""
    return t.specimen.histology if t.specimen else ""


@slot("behaviour")
def behaviour(t: Telling) -> str:
    """invasive, insitu or benign, by the last digit of the morphology code."""
    return {"2": "insitu", "3": "invasive", "6": "invasive", "9": "invasive"}.get(code(t)[-1:], "benign")


@slot("histology")
def histology(t: Telling) -> str:
    """The histology in words: of the disease where it has its own word for the code, else of the code, else of the behaviour; a
    clinical paper without a specimen has none."""
    if t.specimen is None and t.paper.evidence_type not in PATHOLOGY:
        return ""
    known = t.term("histology", f"{code(t)} {disease_of(t.story)}") or t.term("histology", code(t))
    return known or t.term("histology", behaviour(t))


@slot("microinvasive")
def microinvasive(t: Telling) -> str:
    """A flag: invasion of one millimetre or less."""
    size = t.specimen.invasive_mm if t.specimen else None
    return "yes" if size is not None and size <= 1 and behaviour(t) == "invasive" else ""


@slot("neoadjuvant")
def neoadjuvant(t: Telling) -> str:
    """A flag: the specimen was taken after neoadjuvant treatment."""
    return "yes" if t.specimen and t.specimen.after_neoadjuvant else ""


@slot("grade")
def grade(t: Telling) -> str:
    """The grade as this house writes it: Ⅱ, II or 2."""
    told = t.specimen.grade if t.specimen else None
    return "" if told is None else (roman(t, "I" * told) if t.at_house("grade", 3) else str(told))


@slot("grade_digit")
def grade_digit(t: Telling) -> str:
    """The grade as a digit."""
    told = t.specimen.grade if t.specimen else None
    return "" if told is None else str(told)


@slot("grade_points")
def grade_points(t: Telling) -> str:
    """Nottingham points that give the grade, "3+2+2=7"."""
    told = t.specimen.grade if t.specimen else None
    if told is None or disease_of(t.story) != "breast":
        return ""
    sums = {1: ((2, 2, 1), (1, 2, 1), (2, 1, 1)), 2: ((3, 2, 1), (3, 2, 2), (2, 3, 2)), 3: ((3, 3, 2), (3, 3, 3), (3, 2, 3))}[told]
    parts = sums[t.drawn("points", len(sums))]
    return "+".join(map(str, parts)) + f"={sum(parts)}"


@slot("invasive_size")
def invasive_size(t: Telling) -> str:
    """The largest invasive extent, one number with its unit."""
    size = t.specimen.invasive_mm if t.specimen else None
    return "" if size is None or behaviour(t) != "invasive" else (extent(t, (size,)) if size > 1 else f"{size:g}mm")


@slot("gross_size")
def gross_size(t: Telling) -> str:
    """The tumour seen with the naked eye: the invasive extent and a little more, three ways."""
    size = t.specimen.invasive_mm if t.specimen else None
    if size is None:
        return ""
    largest = size + t.drawn("gross", 3)
    return extent(t, (largest, round(largest * (0.7 + t.drawn("gross2", 3) / 10)), round(largest * (0.5 + t.drawn("gross3", 4) / 10))))


@slot("spread_size")
def spread_size(t: Telling) -> str:
    """The extent of a tumour in situ, two ways."""
    size = (t.specimen.invasive_mm if t.specimen else None) or 8 + t.drawn("spread", 22)
    return extent(t, (size, max(3, round(size * 0.7))))


@slot("block_size")
def block_size(t: Telling) -> str:
    """The specimen as a whole, in centimetres."""
    big = disease_of(t.story) == "breast" and t.story.surgeries and t.story.surgeries[-1].kind in ("mastectomy", "radical_mastectomy")
    sides = (16 + t.drawn("b1", 8), 12 + t.drawn("b2", 6), 3 + t.drawn("b3", 3)) if big else (4 + t.drawn("b1", 4), 3 + t.drawn("b2", 3), 2)
    return t.style.times.join(map(str, sides)) + ("cm" if t.book.language == "zh" else " cm")


@slot("core_count")
def core_count(t: Telling) -> str:
    """How many cores were taken."""
    return str(3 + t.drawn("cores", 6))


@slot("core_length")
def core_length(t: Telling) -> str:
    """The length of the cores, a range in centimetres."""
    return f"{0.5 + t.drawn('core1', 6) / 10:.1f}-{1.2 + t.drawn('core2', 8) / 10:.1f}cm"


def _nodes(t: Telling) -> tuple[int, int] | None:
    return t.specimen.nodes if t.specimen else None


for _name, _index in (("nodes_positive", 0), ("nodes_examined", 1)):
    slot(_name)(lambda t, i=_index: "" if _nodes(t) is None else str((_nodes(t) or (0, 0))[i]))  # type: ignore[misc]


@slot("nodes_told")
def nodes_told(t: Telling) -> str:
    """A flag: nodes were examined."""
    return "yes" if _nodes(t) else ""


@slot("node_positive")
def node_positive(t: Telling) -> str:
    """A flag: at least one node is involved."""
    nodes = _nodes(t)
    return "yes" if nodes and nodes[0] else ""


@slot("sentinel")
def sentinel(t: Telling) -> str:
    """A flag: so few nodes that they were sentinel nodes."""
    nodes = _nodes(t)
    return "yes" if nodes and nodes[1] <= 6 and disease_of(t.story) == "breast" else ""


def _stain(t: Telling, field: str) -> float | None:
    value: float | None = getattr(t.specimen, field, None)
    return value


for _name, _field in (("er_pct", "er_pct"), ("pr_pct", "pr_pct"), ("ki67", "ki67_pct")):
    slot(_name)(lambda t, f=_field: "" if _stain(t, f) is None else f"{_stain(t, f):g}")  # type: ignore[misc]
for _name, _field in (("er_pos", "er_pct"), ("pr_pos", "pr_pct")):
    slot(_name)(lambda t, f=_field: "yes" if (_stain(t, f) or 0) >= 1 else "")  # type: ignore[misc]
for _name, _field in (("er_strength", "er_pct"), ("pr_strength", "pr_pct")):
    slot(_name)(lambda t, f=_field: t.term("strength", str(min(2, int((_stain(t, f) or 0) // 34)))))  # type: ignore[misc]


@slot("er_plus")
def er_plus(t: Telling) -> str:
    """The pluses of the oestrogen receptor."""
    return "+" * (1 + min(2, int((_stain(t, "er_pct") or 0) // 34)))


@slot("pr_plus")
def pr_plus(t: Telling) -> str:
    """The pluses of the progesterone receptor."""
    return "+" * (1 + min(2, int((_stain(t, "pr_pct") or 0) // 34)))


@slot("her2")
def her2(t: Telling) -> str:
    """HER2 as stained: "0" to "3+"."""
    return t.specimen.her2 if t.specimen else ""


@slot("her2_open")
def her2_open(t: Telling) -> str:
    """A flag: HER2 2+, to be settled by FISH."""
    return "yes" if her2(t) == "2+" else ""


@slot("stains")
def stains(t: Telling) -> str:
    """A flag: any stain of a breast panel is told."""
    specimen = t.specimen
    return "yes" if specimen and (specimen.er_pct is not None or specimen.her2 or specimen.ki67_pct is not None) else ""


def _category(told: str, letter: str) -> str:
    return told if told.upper().startswith(letter) else letter + told


@slot("tnm")
def tnm(t: Telling) -> str:
    """The stage as this house writes it, "pT2N1M0": p for a resection, yp after treatment, c for a biopsy."""
    specimen = t.specimen
    if not specimen or not specimen.tnm:
        return ""
    prefix = "yp" if specimen.after_neoadjuvant else ("p" if specimen.basis == "resection" else "c")
    parts = [_category(told, letter) for told, letter in zip(specimen.tnm, "TNM", strict=True)]
    if t.at_house("tnm", 4) == 1:
        return f"{prefix}{parts[0]} {prefix}{parts[1]} {parts[2]}"
    if t.at_house("tnm", 4) == 2:
        return prefix + "".join(parts).replace("p", "")
    return prefix + "".join(parts)


@slot("t_category")
def t_category(t: Telling) -> str:
    """T alone, "pT2"."""
    specimen = t.specimen
    return f"p{_category(specimen.tnm[0], 'T')}" if specimen and specimen.tnm else ""


@slot("stage")
def stage(t: Telling) -> str:
    """The stage group, ⅡB or IIB."""
    return roman(t, t.specimen.stage_group) if t.specimen else ""


@slot("pathology_no")
def pathology_no(t: Telling) -> str:
    """The pathology number, "" when the report has none."""
    return t.specimen.number if t.specimen else ""


@slot("site")
def site(t: Telling) -> str:
    """The organ in words."""
    return t.term("site", disease_of(t.story))


@slot("quadrant")
def quadrant(t: Telling) -> str:
    """Where in the breast: by the fourth digit of the code when it tells, else drawn."""
    told = {"2": "ui", "3": "li", "4": "uo", "5": "lo"}.get(t.story.icd10[4:5]) if t.story.icd10.startswith("C50") else None
    return t.term("quadrant", told or ("uo", "ui", "lo", "li", "uo")[t.drawn("quadrant", 5)])


@slot("specimen_side")
def specimen_side(t: Telling) -> str:
    """The side of the specimen, short."""
    return side_word(t, t.specimen.side if t.specimen else "")


@slot("code_kind")
def code_kind(t: Telling) -> str:
    """What the code of the claim says of the disease: insitu (D00 to D09), uncertain (D37 to D48), benign (other D), else the disease."""
    head = t.story.icd10[:3]
    if "D00" <= head <= "D09":
        return "insitu"
    if "D37" <= head <= "D48":
        return "uncertain"
    return "benign" if head.startswith("D") or (head.startswith("N") and disease_of(t.story) != "ami") else disease_of(t.story)


@slot("told_invasive")
def told_invasive(t: Telling) -> str:
    """A flag: the specimen is invasive, so that its histology may stand in a diagnosis of cancer."""
    return "yes" if behaviour(t) == "invasive" else ""


@slot("operation")
def operation(t: Telling) -> str:
    """The last operation in words, with its side, "" when none is told."""
    if not t.story.surgeries:
        return ""
    last = max(t.story.surgeries, key=lambda surgery: surgery.on)
    pattern = t.term("operation", f"{last.kind} {disease_of(t.story)}") or t.term("operation", last.kind) or t.term("operation", "other")
    text = pattern.replace("(side)", side_word(t, last.side or main_side(t)))
    return " ".join(text.split()) if t.book.language == "en" else text


@slot("earlier_operation")
def earlier_operation(t: Telling) -> str:
    """An operation before the last (a biopsy, most often), "" when none is told."""
    told = sorted(t.story.surgeries, key=lambda surgery: surgery.on)[:-1]
    if not told:
        return ""
    pattern = t.term("operation", told[0].kind) or t.term("operation", "other")
    text = pattern.replace("(side)", side_word(t, told[0].side))
    return " ".join(text.split()) if t.book.language == "en" else text


@slot("earlier_operation_on")
def earlier_operation_on(t: Telling) -> str:
    """The day of the operation before the last."""
    told = sorted(t.story.surgeries, key=lambda surgery: surgery.on)[:-1]
    return t.day(told[0].on) if told else ""


@slot("operation_kind")
def operation_kind(t: Telling) -> str:
    """The kind of the last operation."""
    return max(t.story.surgeries, key=lambda surgery: surgery.on).kind if t.story.surgeries else "other"


for _flag in ("chemotherapy", "endocrine"):
    slot(_flag)(lambda t, f=_flag: "yes" if getattr(t.story, f) else "")  # type: ignore[misc]


@slot("any_treatment")
def any_treatment(t: Telling) -> str:
    """A flag: chemotherapy or endocrine treatment is told."""
    return "yes" if t.story.chemotherapy or t.story.endocrine else ""


@slot("fish")
def fish(t: Telling) -> str:
    """amplified or not_amplified: given as a measure, else by the stain."""
    told = dict(t.story.measures).get("ihc.HER2_fish")
    if told:
        return str(told)
    return {"3+": "amplified", "2+": ("amplified", "not_amplified", "not_amplified", "not_amplified")[t.drawn("fish", 4)]}.get(
        her2(t), "not_amplified"
    )


@slot("path_told")
def path_told(t: Telling) -> str:
    """A flag: pathology was known when the patient left, so that a summary may quote it."""
    return "yes" if t.specimen and t.specimen.reported_on <= dated(t) else ""
