"""How well the reader agrees with a labelled corpus: precision, recall and F1 by reader and by assertion class, with intervals.

A finding counts where the reader mentions the same finding at the labelled place; its assertion counts where that mention is
asserted as labelled. A fact counts where the paper's observations combine to the labelled value. Intervals are 95 % percentile
intervals over resampled papers.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import FactDefinition
from triage.observation import FindingMention, Observation, Reading
from triage.reading.corpus import LabelledPaper, Mention, Place, place
from triage.reading.reader import Reader
from triage.values import Interval, OneOf, to_json

RESAMPLES = 400
_ASIDE = ("side", "grade", "on")


@dataclass
class Tally:
    """Agreements and both kinds of disagreement of one group in one paper."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, other: Tally) -> None:
        """Adds another paper's counts."""
        self.right, self.wrong, self.missed = self.right + other.right, self.wrong + other.wrong, self.missed + other.missed

    @property
    def precision(self) -> float:
        """Share of what was read that is labelled so."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of what is labelled that was read so."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.right / (2 * self.right + self.wrong + self.missed) if self.right + self.wrong + self.missed else 1.0


@dataclass
class PaperScore:
    """One paper's counts by group, and what it got wrong in words."""

    paper: str
    groups: dict[str, Tally] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def count(self, right: bool, *groups: str, missed: bool = True, wrong: bool = True) -> None:
        """Counts one label in each group; an error is wrong, missed or both."""
        for group in groups:
            tally = self.groups.setdefault(group, Tally())
            tally.add(Tally(1) if right else Tally(0, int(wrong), int(missed)))


@dataclass(frozen=True)
class Line:
    """One group's figures over the corpus."""

    group: str
    n: int
    precision: float
    recall: float
    f1: float
    low: float
    high: float


def score_paper(paper: LabelledPaper, reader: Reader, knowledge: Knowledge) -> PaperScore:
    """Reads one paper and compares."""
    reading = reader.read(paper.text, document_id=paper.id, evidence_type=paper.evidence_type, filed_on=paper.filed_on)
    found = PaperScore(paper.id)
    for mention in paper.mentions:
        _score_mention(found, paper, mention, reading)
    _score_unlabelled(found, paper, reading)
    for fact, wanted in paper.facts.items():
        _score_fact(found, paper, fact, wanted, reading, knowledge.facts.get(fact))
    for fact in paper.absent:
        told = [o.value for o in reading.observations if o.fact == fact and o.value is not None]
        found.count(not told, f"{paper.lang} fact", f"{paper.lang} fact {_family(fact)}", missed=False)
        if told:
            found.errors.append(f"{fact}: read as {told[:3]}, must not be")
    return found


def _score_mention(found: PaperScore, paper: LabelledPaper, mention: Mention, reading: Reading) -> None:
    at, lang = place(paper, mention), paper.lang
    same = _at_place(mention, at, reading)
    family = "finding" if mention.kind == "finding" else f"mention {_family(mention.id)}"
    found.count(bool(same), f"{lang} {family}", wrong=False)
    if not same:
        found.count(False, f"{lang} assertion", f"{lang} assertion {mention.assertion}", wrong=False)
        found.errors.append(f"{mention.id} at {mention.quote!r}: not read")
        return
    best = next((s for s in same if s.assertion.value == mention.assertion), same[0])
    right = best.assertion.value == mention.assertion
    found.count(right, f"{lang} assertion")
    found.count(right, f"{lang} assertion {mention.assertion}", wrong=False)
    if not right:
        found.count(False, f"{lang} assertion {best.assertion.value}", missed=False)
        found.errors.append(f"{mention.id} at {mention.quote!r}: {best.assertion.value}, labelled {mention.assertion}")
    if mention.kind == "finding":
        for name in _ASIDE:
            _score_aside(found, lang, name, mention, best)
    elif mention.value is not None:
        _count_value(found, lang, mention, best)


def _count_value(found: PaperScore, lang: str, mention: Mention, best: Any) -> None:
    right = agrees(best.value, mention.value)
    found.count(right, f"{lang} fact", f"{lang} fact {_family(mention.id)}")
    if not right:
        found.errors.append(f"{mention.id} at {mention.quote!r}: {to_json(best.value)}, labelled {mention.value}")


def _at_place(mention: Mention, at: Place, reading: Reading) -> list[Any]:
    def overlaps(one: Observation | FindingMention) -> bool:
        return one.span is not None and one.span.start < at.end and at.start < one.span.end

    if mention.kind == "finding":
        return [f for f in reading.findings if f.finding == mention.id and overlaps(f)]
    return [o for o in reading.observations if o.fact == mention.id and overlaps(o)]


def _score_aside(found: PaperScore, lang: str, name: str, mention: Mention, best: FindingMention) -> None:
    wanted = getattr(mention, name)
    if wanted is None:
        return
    told = best.event_on if name == "on" else getattr(best, name)
    right = agrees(told, wanted)
    found.count(right, f"{lang} {name}")
    if not right:
        found.errors.append(f"{mention.id} at {mention.quote!r}: {name} {to_json(told)}, labelled {wanted}")


def _score_unlabelled(found: PaperScore, paper: LabelledPaper, reading: Reading) -> None:
    """A finding asserted of the member that the paper's labels do not know at all is a wrong one."""
    labelled = {m.id for m in paper.mentions if m.kind == "finding"}
    extra = {f.finding: f for f in reading.findings if f.finding not in labelled and f.assertion.value in ("present", "historical")}
    if not labelled:
        return
    for finding, mention in extra.items():
        found.count(False, f"{paper.lang} finding", missed=False)
        found.errors.append(f"{finding} at {mention.span.quote if mention.span else ''!r}: not labelled")


def _score_fact(
    found: PaperScore, paper: LabelledPaper, fact: str, wanted: Any, reading: Reading, definition: FactDefinition | None
) -> None:
    told = combined([o for o in reading.observations if o.fact == fact], definition)
    right = any(agrees(value, wanted) for value in told[:1]) and len(told) == 1
    found.count(right, f"{paper.lang} fact", f"{paper.lang} fact {_family(fact)}", wrong=bool(told))
    if not right:
        found.errors.append(f"{fact}: {[to_json(v) for v in told]}, labelled {wanted}")


def combined(told: Sequence[Observation], definition: FactDefinition | None) -> list[Any]:
    """The distinct values a paper's observations leave, by the fact's way to combine; more than one is a contradiction."""
    values = list(dict.fromkeys(o.value for o in told if o.value is not None))
    way = definition.combine if definition is not None else "agree"
    if len(values) < 2:
        return values
    ways: dict[str, Callable[[list[Any]], Any]] = {
        "any": lambda v: any(x is True for x in v),
        "all": lambda v: all(x is True for x in v),
        "first": lambda v: v[0],
        "earliest": lambda v: min(v, key=_low),
        "max": lambda v: max(v, key=_low),
        "max_listed": lambda v: max(v, key=lambda x: definition.values.index(x) if definition and x in definition.values else -1),
    }
    return [ways[way](values)] if way in ways else values


def _low(value: Any) -> Any:
    low = value.low if isinstance(value, Interval) else value
    return low if not isinstance(low, date) else low.toordinal()


def agrees(told: Any, wanted: Any) -> bool:
    """Whether a value read is the one labelled: equal, a part of an interval labelled, or an interval around the value labelled."""
    if told is None or isinstance(told, OneOf):
        return bool(to_json(told) == wanted)
    a, b = _bounds(to_json(told)), _bounds(wanted)
    if a == b:
        return True
    if a[0] == a[1] and b[0] == b[1]:
        return bool(_number(a[0]) == _number(b[0]))
    low = max((x[0] for x in (a, b) if x[0] is not None), default=None)
    high = min((x[1] for x in (a, b) if x[1] is not None), default=None)
    return low is None or high is None or bool(low <= high)


def _bounds(value: Any) -> tuple[Any, Any]:
    if isinstance(value, dict) and {"from", "to"} >= set(value):
        return _plain(value.get("from")), _plain(value.get("to"))
    return _plain(value), _plain(value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _family(fact: str) -> str:
    return fact.partition(".")[0]


def score(papers: Iterable[LabelledPaper], reader: Reader, knowledge: Knowledge) -> list[PaperScore]:
    """Every paper's score."""
    return [score_paper(paper, reader, knowledge) for paper in papers]


def lines(scores: Sequence[PaperScore], *, seed: int = 1) -> list[Line]:
    """The corpus's figures by group, with 95 % intervals of F1."""
    groups = sorted({group for s in scores for group in s.groups})
    draw = random.Random(seed)  # noqa: S311 - resampling, not secrets
    samples = [draw.choices(scores, k=len(scores)) for _ in range(RESAMPLES)] if scores else []
    return [_line(group, scores, samples) for group in groups]


def _line(group: str, scores: Sequence[PaperScore], samples: Sequence[Sequence[PaperScore]]) -> Line:
    whole = _sum(group, scores)
    spread = sorted(_sum(group, sample).f1 for sample in samples)
    low, high = spread[int(0.025 * len(spread))], spread[int(0.975 * len(spread)) - 1]
    return Line(group, whole.right + max(whole.wrong, whole.missed), whole.precision, whole.recall, whole.f1, low, high)


def _sum(group: str, scores: Iterable[PaperScore]) -> Tally:
    total = Tally()
    for s in scores:
        if group in s.groups:
            total.add(s.groups[group])
    return total


def labels(papers: Iterable[LabelledPaper]) -> Counter[str]:
    """How many labels a corpus has by language: mentions, facts and absences."""
    counted: Counter[str] = Counter()
    for paper in papers:
        counted[paper.lang] += len(paper.mentions) + len(paper.facts) + len(paper.absent)
    return counted
