"""Writes the papers of a story: each in the style of the house that issues it, with what OCR and lost pages do to it."""

from __future__ import annotations

from training.documents import slots_clinical, slots_dates, slots_history, slots_imaging, slots_person, slots_tumour
from training.documents.dice import key_of
from training.documents.disease import disease_of
from training.documents.noise import first_pages, noisy
from training.documents.styles import style_of
from training.documents.telling import PATHOLOGY, Telling, imaging_of
from training.world.story import Paper, Story
from triage.claim import Document

__all__ = ["body", "draft", "papers_of", "write"]
SLOT_MODULES = (slots_clinical, slots_dates, slots_history, slots_imaging, slots_person, slots_tumour)
"""Imported so that their slots are registered."""

OF_THE_PLAN = frozenset({"claim_form", "authorization", "bank_account"})
OF_THE_CITY = {
    "identity_card": ("公安局", " Public Security Bureau"),
    "guardian_identity": ("公安局", " Public Security Bureau"),
    "health_insurance_record": ("医疗保障局", " Healthcare Security Bureau"),
    "physical_exam_report": ("健康体检中心", " Health Check Centre"),
}
"""Papers of no hospital: who in the member's city issues them, in Chinese and English."""
LIKE = {"trauma": "stroke"}
"""Diseases whose papers read like another's."""


def write(story: Story, paper: Paper, *, style: str | None = None) -> Document:
    """The paper as text. Deterministic in the story and the names in it; `style` as in `style_of` (None: the seen pool). Papers brought
    at filing carry that day; the day later ones came is not the hospital's to know and is left open."""
    telling = draft(story, paper, style)
    text = telling.style.laid_out(body(telling))
    if paper.pages_missing:
        text = first_pages(text, story.seed)
    if paper.noise:
        text = noisy(text, paper.noise, key_of(story.seed, "noise", paper.evidence_type, paper.about, paper.round))
    received = story.filed_on if paper.round == 0 else None
    return Document(evidence_type=paper.evidence_type, text=text, received_on=received, issued_by=telling.house)


def papers_of(story: Story, *, rounds: int | None = None, style: str | None = None) -> tuple[Document, ...]:
    """The papers brought up to a round (0: at first filing; None: all), in the story's order."""
    return tuple(write(story, paper, style=style) for paper in story.papers if rounds is None or paper.round <= rounds)


def draft(story: Story, paper: Paper, style: str | None = None) -> Telling:
    """The telling of a paper before a word is written."""
    house = _house(story, paper)
    book, chosen = style_of(house, paper.language, style)
    return Telling(story, paper, book, chosen, house, _hand(story, paper))


def body(telling: Telling) -> str:
    """The paper as its templates write it, before the house lays it out."""
    rules, kind, disease = telling.book.grammar.rules, telling.paper.evidence_type, disease_of(telling.story)
    for name in (f"paper.{kind}.{LIKE.get(disease, disease)}", f"paper.{kind}", "paper.other"):
        if name in rules:
            return rules[name](telling)
    raise AssertionError("every phrasebook has a paper called other")


def _house(story: Story, paper: Paper) -> str:
    kind = paper.evidence_type
    if kind in OF_THE_PLAN:
        return story.plan
    if kind in OF_THE_CITY:
        return story.city + OF_THE_CITY[kind][paper.language == "en"]
    if kind in PATHOLOGY and paper.about < len(story.specimens):
        return story.specimens[paper.about].hospital
    study = imaging_of(story, paper)
    return (study.hospital if study else "") or story.hospital


def _hand(story: Story, paper: Paper) -> str:
    if paper.evidence_type in PATHOLOGY and paper.about < len(story.specimens):
        doctors = story.specimens[paper.about].doctors
        return doctors[0] if doctors else ""
    return "" if imaging_of(story, paper) else story.doctor
