"""How well the reader agrees with a labelled corpus: precision, recall and F1 by reader and by assertion class, with intervals.

A finding counts where the reader mentions the same finding at the labelled place. Assertion is judged at every labelled place, as
i2b2 does with given concepts: by what was read there, else by the same mechanism at that place ("assertion and place" counts only
what was read). A fact counts where the paper's observations combine to the labelled value. Intervals are 95 % percentile
intervals over resampled papers.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import FactDefinition
from triage.observation import Assertion, FindingMention, Observation, Reading
from triage.reading.corpus import LabelledPaper, Mention, Place, days, place
from triage.reading.page import Page
from triage.reading.reader import Reader
from triage.values import Interval, OneOf, to_json

RESAMPLES = 400
_NOT_OF_THE_MEMBER = frozenset({Assertion.FAMILY, Assertion.OTHER_PERSON, Assertion.HYPOTHETICAL, Assertion.PLANNED})
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
    pages = reader.pages(paper.text, document_id=paper.id, evidence_type=paper.evidence_type, filed_on=paper.filed_on)
    reading = Reading(tuple(o for p in pages for o in p.observations), tuple(f for p in pages for f in p.findings))
    found = PaperScore(paper.id)
    for mention in paper.mentions:
        _score_mention(found, paper, mention, reading, pages)
    _score_unlabelled(found, paper, reading)
    for fact, wanted in paper.facts.items():
        _score_fact(found, paper, fact, wanted, reading, knowledge.facts.get(fact))
    for fact in paper.absent:
        said = [o for o in reading.observations if o.fact == fact and o.value is not None]
        told = [o.value for o in said if o.assertion in (Assertion.PRESENT, Assertion.HISTORICAL)]
        told += [f.assertion.value for f in reading.findings if f.finding == fact and f.assertion.value in ("present", "historical")]
        found.count(not told, f"{paper.lang} fact", f"{paper.lang} fact {_family(fact)}", missed=False)
        if told:
            found.errors.append(f"{fact}: read as {told[:3]}, must not be")
    return found


def _score_mention(found: PaperScore, paper: LabelledPaper, mention: Mention, reading: Reading, pages: Sequence[Page]) -> None:
    at, lang = place(paper, mention), paper.lang
    same = _at_place(mention, at, reading)
    family = "finding" if mention.kind == "finding" else f"mention {_family(mention.id)}"
    found.count(bool(same), f"{lang} {family}", wrong=False)
    fitting = (mention.assertion, *mention.accept)
    if not same:
        found.count(False, f"{lang} assertion and place", wrong=False)
        found.errors.append(f"{mention.id} at {mention.quote!r}: not read")
        # A number or a code that was not read has no assertion to judge.
        judged = mention.kind == "finding" or mention.value is None or isinstance(mention.value, bool)
        if judged and (asserted := _judged(at, pages)) is not None:
            _score_assertion(found, lang, mention, asserted)
        return
    best = min(same, key=lambda s: fitting.index(s.assertion.value) if s.assertion.value in fitting else len(fitting))
    found.count(best.assertion.value in fitting, f"{lang} assertion and place")
    _score_assertion(found, lang, mention, best.assertion.value)
    if mention.kind == "finding":
        for name in _ASIDE:
            _score_aside(found, lang, name, mention, best)
    elif mention.value is not None and paper.facts.get(mention.id, mention.value) == mention.value:
        # The count of one group of nodes is a part of the paper's, which is what is read.
        _count_value(found, lang, mention, best)


def _score_assertion(found: PaperScore, lang: str, mention: Mention, asserted: str) -> None:
    right = asserted == mention.assertion or asserted in mention.accept
    found.count(right, f"{lang} assertion")
    found.count(right, f"{lang} assertion {mention.assertion}", wrong=False)
    if not right:
        found.count(False, f"{lang} assertion {asserted}", missed=False)
        found.errors.append(f"{mention.id} at {mention.quote!r}: {asserted}, labelled {mention.assertion}")


def _judged(at: Place, pages: Sequence[Page]) -> str | None:
    """How the reader's mechanism asserts a place at which it read nothing; a quote may hold its own cue (未见肿大, HBsAg阴性)."""
    for page in pages:
        placed = page.layout.placed(at.start, at.end)
        if placed is not None:
            start, end = placed
            asserted = [page.assertion(*span) for span in ((start, end), (end - 1, end), (start, start + 1))]
            plain = {Assertion.PRESENT.value, page.words.section_defaults.get(page.section_at(start), "present")}
            return next((a.value for a in asserted if a.value not in plain), asserted[0].value)
    return None


def _count_value(found: PaperScore, lang: str, mention: Mention, best: Any) -> None:
    # What is denied is labelled true and negated; it is read as false.
    denied = mention.assertion == "negated" and mention.value is True
    right = best.value is False if denied else agrees(best.value, mention.value)
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
    right = agrees(told, days(wanted) if name == "on" else wanted)
    found.count(right, f"{lang} {name}")
    if not right:
        found.errors.append(f"{mention.id} at {mention.quote!r}: {name} {to_json(told)}, labelled {wanted}")


def _score_unlabelled(found: PaperScore, paper: LabelledPaper, reading: Reading) -> None:
    """A finding read where the labels know none of it is a wrong one, each once in a paper."""
    if paper.partial or not paper.mentions:
        return
    known = [(m.id, place(paper, m)) for m in paper.mentions if m.kind == "finding"] + [("", place(paper, i)) for i in paper.ignore]
    extra: dict[str, str] = {}
    for mention in reading.findings:
        span = mention.span
        if span is not None and not any(
            name in ("", mention.finding) and span.start < at.end and at.start < span.end for name, at in known
        ):
            extra.setdefault(mention.finding, f"{mention.finding} at {span.quote!r}: {mention.assertion.value}, not labelled")
    for error in extra.values():
        found.count(False, f"{paper.lang} finding", missed=False)
        found.errors.append(error)


def _score_fact(
    found: PaperScore, paper: LabelledPaper, fact: str, wanted: Any, reading: Reading, definition: FactDefinition | None
) -> None:
    told = combined([o for o in reading.observations if o.fact == fact and o.assertion not in _NOT_OF_THE_MEMBER], definition)
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


_STAGE = re.compile(r"^[ycpra]{0,3}T", re.IGNORECASE)


def _plain(value: Any) -> Any:
    """Dates as text; a TNM without blanks and without the prefixes it repeats (pT2 pN0 pMX is pT2N0MX)."""
    if isinstance(value, str) and _STAGE.match(value) and "N" in value:
        return re.sub(r"[\s,;]+|(?<=.)[ycpr]+(?=[NM])|\([^()]{1,8}\)", "", value)
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
