"""What happened in one simulated claim, as the hospitals that wrote its papers knew it: the world tells it, the documents put it in words.

A story holds nothing that only the simulator knows (no typology, no truth of fraud): an honest and a fraudulent claim are told by
the same fields, so that no paper can say more than a hospital would.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Imaging:
    """One study. `kind` is ultrasound, mammography, ct, mri, ecg, echo or angiography; `category` a BI-RADS category ("4A") or ""
    where the study has none; `side` left, right or ""; `size_mm` the lesion's extents, the largest first, () where none was measured."""

    kind: str
    on: date
    hospital: str
    side: str = ""
    category: str = ""
    size_mm: tuple[float, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Specimen:
    """One pathology report. `basis` is core_biopsy, resection, frozen or cytology; `histology` an ICD-O-3 code of morphology.yaml
    ("8500/3"); stains are per cent of cells, HER2 "0" to "3+"; nodes are (positive, examined)."""

    basis: str
    number: str
    hospital: str
    collected_on: date
    received_on: date
    reported_on: date
    histology: str
    site: str
    side: str = ""
    grade: int | None = None
    invasive_mm: float | None = None
    nodes: tuple[int, int] | None = None
    er_pct: float | None = None
    pr_pct: float | None = None
    her2: str = ""
    ki67_pct: float | None = None
    tnm: tuple[str, str, str] | None = None
    stage_group: str = ""
    doctors: tuple[str, ...] = ()
    after_neoadjuvant: bool = False


@dataclass(frozen=True, slots=True)
class PastFinding:
    """A finding of the library (its id) known since `on`, and the words of the source: past history, an old check-up, a complaint."""

    finding: str
    on: date
    side: str = ""
    told_in: str = "history"


@dataclass(frozen=True, slots=True)
class Surgery:
    """One operation: `kind` core_biopsy, local_excision, breast_conserving, mastectomy, lobectomy, thyroidectomy, pci, cabg ..."""

    kind: str
    on: date
    side: str = ""
    surgeon: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper the claimant holds: `evidence_type` of the evidence library, `round` 0 when brought at first filing, 1 or 2 when
    brought on request. `pages_missing` drops its tail; `noise` is the share of characters OCR confuses (0 to 0.05)."""

    evidence_type: str
    round: int = 0
    language: str = "zh"
    pages_missing: bool = False
    noise: float = 0.0
    about: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """All that papers of one claim may tell. `condition` is an id of conditions.yaml; `complaint_began_on` is what the patient told
    the hospital; `denies` are kinds of history the patient denied (tumour, hypertension, surgery ...); `Paper.about` is an index into
    `imaging` or `specimens` where the paper is one of these. `measures` are pairs of a fact id and what was measured
    ("lab.ctn_x_uln", 22.0): what is not given, the papers draw from the seed (`training.documents.measured` tells which)."""

    claim_id: str
    seed: int
    plan: str
    condition: str
    diagnosis_claimed: str
    name: str
    sex: str
    birth_date: date
    city: str
    id_number: str
    hospital: str
    department: str
    doctor: str
    filed_on: date
    first_visit_on: date
    complaint: str
    complaint_began_on: date
    diagnosed_on: date
    admitted_on: date | None = None
    discharged_on: date | None = None
    icd10: str = ""
    papers: tuple[Paper, ...] = ()
    imaging: tuple[Imaging, ...] = ()
    specimens: tuple[Specimen, ...] = ()
    surgeries: tuple[Surgery, ...] = ()
    past: tuple[PastFinding, ...] = ()
    denies: tuple[str, ...] = ()
    family_cancer: str = ""
    chemotherapy: bool = False
    endocrine: bool = False
    accident: bool = False
    married: bool = True
    measures: tuple[tuple[str, float | str | bool | date], ...] = ()
