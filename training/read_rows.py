"""What our own reader leaves unknown: papers of simulated claims read for real, with the staff and reviewers who fill in the rest.

A world's facts are a perfect reader's. What a service knows when it scores is less: what reading found, what staff looked up, and what
a reviewer entered because a rule could not do without it. Some claims go that way for real; every other claim of the world takes after
one of them of the same condition and loses the facts that one lacked (hot-deck, after Andridge and Little 2010).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from knowledge_graph.loader import Knowledge, load
from triage.assembly import assemble
from triage.assessment import Given
from triage.features import FeatureSet, scalar
from triage.judge import Effect
from triage.observation import FindingMention, Observation, Source
from triage.pipeline import suggest
from triage.reading import Reader

if TYPE_CHECKING:
    from training.dataset import Floats
    from training.world.world import World
    from triage.casefile import CaseFile
    from triage.suggestion import Suggestion

ROUNDS = 3
"""How often a reviewer looks again after entering what was asked."""
_ENTERED = (Effect.REQUEST, Effect.PERSON, Effect.INVESTIGATE)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Readings:
    """Claims gone through for real: their `rows` in the world (m,), features (m, k), whether only the gate is left (m,), and for each
    the facts it lacks although a perfect reader has them."""

    rows: np.ndarray[Any, np.dtype[np.int64]]
    features: Floats
    passes: np.ndarray[Any, np.dtype[np.bool_]]
    lacking: tuple[frozenset[str], ...]


@cache
def _tools() -> tuple[Knowledge, Reader, FeatureSet]:
    knowledge = load()
    return knowledge, Reader.from_knowledge(knowledge), FeatureSet.load()


def read_world(
    world: World, rows: Sequence[int], links: pl.DataFrame, *, workers: int = 1, progress: Progress = lambda _: None
) -> Readings:
    """Reads the papers of the claims at `rows`; `links` holds their columns of linked claims, as `training.world_rows` makes them."""
    past = [name for name in links.columns if name.startswith("links.")]
    jobs = [_Job(world, int(row), {n: v for n, v in links[int(row)].select(past).to_dicts()[0].items() if v is not None}) for row in rows]
    if workers == 1:
        done = list(_told(map(_read, jobs), len(jobs), progress))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:  # a fork would copy locks of polars' threads
            done = list(_told(pool.map(_read, jobs, chunksize=50), len(jobs), progress))
    features = np.array([d[0] for d in done], dtype=np.float64).reshape(len(done), -1)
    return Readings(np.asarray(rows, dtype=np.int64), features, np.array([d[1] for d in done], dtype=bool), tuple(d[2] for d in done))


def _told(done: Iterator[Any], number: int, progress: Progress) -> Iterator[Any]:
    for place, result in enumerate(done, 1):
        if place % 500 == 0:
            progress(f"{place}/{number}")
        yield result


class _Job:
    """One claim on its way to another process: its papers, what is true of it, what links say."""

    def __init__(self, world: World, row: int, links: Mapping[str, float]) -> None:
        claim_id = world.facts["claim_id"][row]
        self.facts = world.facts.row(row, named=True)
        self.claim = world.claim(claim_id, rounds=2)
        self.links = links
        story = world.story(claim_id)
        self.began_on = story.complaint_began_on
        self.found_on = {past.finding: past.on for past in story.past}


def _read(job: _Job) -> tuple[list[float], bool, frozenset[str]]:
    knowledge, reader, features = _tools()
    case = assemble(job.claim, knowledge, reader)
    case = _with(case, _looked_up(job, knowledge))
    suggestion = _suggested(case, job)
    for _ in range(ROUNDS):
        reviewed = _reviewed(case, suggestion, job)
        if suggestion.passes_rules or reviewed == case:
            break
        case = reviewed
        suggestion = _suggested(case, job)
    row = [np.nan if (value := suggestion.assessment.features[name]) is None else value for name in features.names]
    return row, suggestion.passes_rules, frozenset(_lacking(suggestion, job.facts))


def _suggested(case: CaseFile, job: _Job) -> Suggestion:
    return suggest(case, _tools()[0], None, job.facts["filed_on"], Given(links=job.links))


def _with(case: CaseFile, observations: Sequence[Observation]) -> CaseFile:
    return replace(case, observations=(*case.observations, *observations), rounds=2)


def _looked_up(job: _Job, knowledge: Knowledge) -> tuple[Observation, ...]:
    """What staff looked up: the world says where they did."""
    staff = (name for name, fact in knowledge.facts.items() if fact.staff and not name.startswith("inv."))
    return tuple(Observation(name, job.facts[name], Source.REGISTRY) for name in staff if job.facts.get(name) is not None)


def _reviewed(case: CaseFile, suggestion: Suggestion, job: _Job) -> CaseFile:
    """What a reviewer enters, as it is: base facts that open verdicts ask for or contradict each other on, and since when a finding
    that nobody dated was there."""
    open_ = [o.verdict for o in suggestion.routed.open_ if o.verdict is not None and o.effect in _ENTERED]
    pivotal = [fact for verdict in open_ for fact in verdict.pivotal]
    names = dict.fromkeys(name for fact in pivotal for name in fact.needs or (fact.id,))
    known = {name for name in names if (d := suggestion.knowledge.facts.get(name)) is not None and d.derive is None}
    told = {o.fact for o in case.observations if o.source is Source.REVIEWER}
    entered = [Observation(n, job.facts[n], Source.REVIEWER, actor="reviewer") for n in known - told if job.facts.get(n) is not None]
    asks_findings = any(fact.id in suggestion.facts.finding_queries for fact in pivotal)
    findings = tuple(_dated(f, job) for f in case.findings) if asks_findings else case.findings
    return replace(_with(case, entered), findings=findings)


def _dated(mention: FindingMention, job: _Job) -> FindingMention:
    on = job.found_on.get(mention.finding, job.began_on)
    return mention if isinstance(mention.event_on, date) else replace(mention, event_on=on)


def _lacking(suggestion: Suggestion, true: Mapping[str, Any]) -> Iterator[str]:
    """Facts that are true here and unknown there."""
    for name, value in true.items():
        is_fact = name in suggestion.knowledge.facts and not name.startswith("links.")
        if is_fact and value is not None and scalar(suggestion.facts.get(name)) is None:
            yield name


def taking_after(facts: pl.DataFrame, readings: Readings, seed: int) -> pl.DataFrame:
    """The facts of all claims, each without those that a read claim of its condition (any, where none was read) lacked."""
    conditions = facts["condition"].to_numpy()
    drawn = np.random.default_rng((seed, len(facts)))
    donors = np.empty(len(facts), dtype=np.int64)
    for condition in np.unique(conditions):
        mine = conditions == condition
        same = np.flatnonzero(conditions[readings.rows] == condition)
        donors[mine] = drawn.choice(same if len(same) else np.arange(len(readings.rows)), mine.sum())
    donors[readings.rows] = np.arange(len(readings.rows))
    return facts.with_columns(_without(name, donors, readings.lacking) for name in sorted(frozenset().union(*readings.lacking)))


def _without(name: str, donors: Any, lacking: Sequence[frozenset[str]]) -> pl.Expr:
    gone = np.array([name in lost for lost in lacking])[donors]
    return pl.when(pl.Series(gone)).then(None).otherwise(pl.col(name)).alias(name)
