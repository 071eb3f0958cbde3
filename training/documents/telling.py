"""One paper in the course of being written: its story, its house, its writer's habits, and the values its templates ask for.

Slots are functions registered by name in the modules of this package; each sees one `Telling` and answers words, "" when the
story holds none. Values are worked out once for a paper.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from training.documents.book import Book, Style
from training.documents.dice import Dice, key_of, keyed
from training.world.story import Imaging, Paper, Specimen, Story

Slot = Callable[["Telling"], str]
SLOTS: dict[str, Slot] = {}


def slot(name: str) -> Callable[[Slot], Slot]:
    """Registers the function that answers `{name}` in a template."""

    def register(answer: Slot) -> Slot:
        SLOTS[name] = answer
        return answer

    return register


class Telling:
    """What one paper's templates may ask. `house` is the hospital that writes it, `hand` the doctor; `on` the day it is dated."""

    __slots__ = ("_dice", "_hand_key", "_house_key", "_story_key", "_told", "blanks", "book", "hand", "house", "paper", "story", "style")

    def __init__(self, story: Story, paper: Paper, book: Book, style: Style, house: str, hand: str) -> None:
        self.story, self.paper, self.book, self.style, self.house, self.hand = story, paper, book, style, house, hand
        self.blanks: list[str] = []
        self._house_key, self._hand_key = key_of(house), key_of(hand or house)
        self._dice = Dice(key_of(story.seed, paper.evidence_type, paper.about, paper.round, paper.language))
        self._story_key = key_of(story.seed)
        self._told: dict[str, str] = {}

    def value(self, slot: str) -> str:
        """The words of a slot; an unknown slot is an error of the phrasebook and raises KeyError."""
        told = self._told.get(slot)
        if told is None:
            told = self._told[slot] = SLOTS[slot](self)
        return told

    def below(self, n: int) -> int:
        """A draw for this paper."""
        return self._dice.below(n)

    def habit(self, scope: str, salt: int, n: int) -> int:
        """The draw this house or this doctor always makes."""
        return keyed(self._house_key if scope == "house" else self._hand_key, salt, n)

    def at_house(self, name: str, n: int) -> int:
        """The habit of this house called `name`, in 0..n-1."""
        return keyed(self._house_key, self.book.salt(name), n)

    def by_hand(self, name: str, n: int) -> int:
        """The habit of this doctor called `name`, in 0..n-1."""
        return keyed(self._hand_key, self.book.salt(name), n)

    def drawn(self, name: str, n: int) -> int:
        """A draw of the whole story called `name`: every paper of it draws alike."""
        return keyed(self._story_key, self.book.salt(name), n)

    def told(self, salt: int, n: int) -> int:
        """The same by the salt of a template's alternatives."""
        return keyed(self._story_key, salt, n)

    def term(self, group: str, key: str) -> str:
        """A term as this house calls it, "" when the book has none."""
        words = self.book.words(group, key)
        return words[self.at_house(group, len(words))] if words else ""

    def rule(self, name: str) -> str:
        """What a rule of the grammar writes here, its own blanks counted."""
        return self.book.grammar.dispatched(name, "", self)

    def day(self, on: date | None) -> str:
        """A date as this house prints it, "" for none."""
        return self.style.day(on) if on else ""

    @property
    def specimen(self) -> Specimen | None:
        """The specimen this paper is about; for a clinical paper the last resection, else the last specimen."""
        found = self.story.specimens
        if not found:
            return None
        if self.paper.evidence_type in PATHOLOGY and self.paper.about < len(found):
            return found[self.paper.about]
        resected = [specimen for specimen in found if specimen.basis == "resection"]
        return resected[-1] if resected else found[-1]

    @property
    def imaging(self) -> Imaging | None:
        """The study this paper is about: the one it points to when of its kind, else the first of that kind."""
        return imaging_of(self.story, self.paper)


PATHOLOGY = frozenset({"pathology_report", "ihc_report", "molecular_report", "frozen_report", "cytology_report"})
KINDS = {
    "ultrasound_report": "ultrasound",
    "thyroid_ultrasound_report": "ultrasound",
    "mammography_report": "mammography",
    "ct_report": "ct",
    "mri_report": "mri",
    "ecg_report": "ecg",
    "echocardiography_report": "echo",
    "angiography_report": "angiography",
    "endoscopy_report": "endoscopy",
}
"""The kind of study an imaging paper reports."""


def imaging_of(story: Story, paper: Paper) -> Imaging | None:
    """The study a paper reports, None where the story has none of its kind."""
    kind = KINDS.get(paper.evidence_type)
    if kind is None:
        return None
    if paper.about < len(story.imaging) and story.imaging[paper.about].kind == kind:
        return story.imaging[paper.about]
    return next((study for study in story.imaging if study.kind == kind), None)
