"""What to ask for, in which order, so that a claim can be decided at the least price: look-ups first, then one batch of papers a round,
then visits, each step only as long as the end can still change.

Questions are the open facts that verdicts ask for, the papers of the checklist counting as one. Their answers are reduced to what the
rules tell apart; the router says where each combination ends, the investigation counted as closed. Up to the rulebook's number of
questions the plan is the cheapest there is (`plan_search`); beyond it everything asked for is planned in order and that is said. A claim
is planned anew after every answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from knowledge_graph.libraries import EvidenceType, InvestigationTask
from triage.candidates import Candidates
from triage.completions import answered, values_of
from triage.explain import value_in_words
from triage.facts import Facts
from triage.judge import Effect, Outcome, Verdict, judge
from triage.plan_search import CLAIMANT, INVESTIGATOR, STAFF, Item, Search, Step
from triage.reasons import inplay
from triage.route import Router
from triage.suggestion import Suggestion
from triage.whole_claim import End

PAPERS = "papers"
"""The question whether the papers of the checklist are there."""
_UNSETTLED = (Outcome.UNKNOWN, Outcome.CONFLICT)
_PASSING = frozenset({Effect.PASS, Effect.AMOUNT, Effect.NOTED, Effect.FLAG, Effect.UNSHOWN, Effect.TASK})


@dataclass(frozen=True, slots=True)
class Question:
    """An open question: kinds of answers (a value for each fact it stands for), the first letting the most rules pass, and their shares."""

    id: str
    answers: tuple[Mapping[str, Any], ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What an item asks: papers or records, or one task of an investigator."""

    item: Item
    evidence: tuple[EvidenceType, ...] = ()
    task: InvestigationTask | None = None


@dataclass(frozen=True, slots=True)
class EvidencePlan:
    """Steps in order, the price on average (CNY), the probability that the claim is then decided, and whether it is the cheapest there is;
    `beside` are the ends that may come of each item's questions when everything else passes."""

    questions: tuple[Question, ...]
    sources: Mapping[str, Source]
    steps: tuple[Step, ...]
    price: float
    decided: float
    exact: bool
    beside: Mapping[str, tuple[tuple[str, Mapping[str, Any], End], ...]] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        """CNY if every step is needed, asked once."""
        return sum(self.once(i) for s in self.steps for i in s.items)

    def once(self, item: Item) -> float:
        """CNY of an item asked once."""
        source = self.sources[item.id]
        return source.task.cost if source.task is not None else sum(e.cost for e in source.evidence)


def evidence_plan(suggestion: Suggestion) -> EvidencePlan:
    """The plan for a claim as it stands; no steps when nothing that can be asked for changes its end."""
    draft = _Draft(suggestion)
    questions = draft.questions()
    sources = {s.item.id: s for s in draft.sources(questions)}
    size = 1
    for question in questions:
        size *= len(question.answers)
    yields = suggestion.knowledge.yields
    if len(questions) > yields.questions or size > yields.combinations:
        return EvidencePlan(questions, sources, tuple(draft.in_order(sources.values())), 0, 0, exact=False)
    table, ends = draft.ends(questions)
    rounds = max(0, suggestion.facts.plan.request_rounds - suggestion.case.rounds)
    items = [s.item for s in sources.values()]
    search = Search([q.shares for q in questions], table, items, rounds, yields.day_price)
    found = search.cheapest()
    beside = {i.id: tuple(_beside(questions, i, table, ends)) for s in found.steps for i in s.items}
    return EvidencePlan(questions, sources, found.steps, found.price, found.decided, exact=True, beside=beside)


def _beside(questions: Sequence[Question], item: Item, table: Any, ends: Sequence[End]) -> Iterator[tuple[str, Mapping[str, Any], End]]:
    for number, question in enumerate(questions):
        if item.answers >> number & 1:
            for kind, answer in enumerate(question.answers):
                place = tuple(kind if n == number else 0 for n in range(len(questions)))
                yield question.id, answer, ends[int(table[place])]


def _weighs(effects: Sequence[Effect]) -> int:
    """How far a verdict is from passing: not at all, still asking, or against the claim."""
    return 0 if set(effects) <= _PASSING else 1 if Effect.REQUEST in effects else 2


class _Draft:
    """The questions, sources and ends of one claim."""

    def __init__(self, suggestion: Suggestion) -> None:
        self._s, self._knowledge, self._facts = suggestion, suggestion.knowledge, suggestion.facts
        self._play: Candidates = inplay(suggestion)
        self._number = {r.rule.id: n for n, r in enumerate(self._play.rules)}
        case = replace(suggestion.case, investigated=True)
        self._router = Router(case, self._knowledge, self._facts.plan, suggestion.gate, 0)
        self._demands = [o for o in suggestion.routed.open_ if o.verdict is not None and o.verdict.outcome in _UNSETTLED]
        self._checklist = self._papers()

    def _papers(self) -> dict[str, EvidenceType]:
        """The cheapest paper for each open fact of the checklist, one paper for several where it serves."""
        chosen: dict[str, EvidenceType] = {}
        for fact in self._asked():
            if self._on_checklist(fact):
                options = self._papers_for(fact)
                chosen[fact] = next((e for e in options if e in chosen.values()), options[0])
        return chosen

    def _on_checklist(self, name: str) -> bool:
        kinds = {v.rule.kind for v in self._asking(name)}
        return kinds == {"document"} and bool(self._papers_for(name))

    def _papers_for(self, name: str) -> list[EvidenceType]:
        derive = self._knowledge.facts[name].derive or {}
        named = [self._knowledge.evidence[e] for e in derive["paper"]] if "paper" in derive else list(self._knowledge.suppliers(name))
        return sorted((e for e in named if e.asked_of == "claimant"), key=lambda e: (e.cost, e.id))

    def _asking(self, name: str) -> list[Verdict]:
        """The verdicts that ask for a fact and stand in the way."""
        return [o.verdict for o in self._demands if o.verdict is not None and any(self._closing(n) == name for n in o.verdict.asks)]

    def _asked(self) -> list[str]:
        """Open facts that obligations ask for, and what staff can look up."""
        needs = [n for o in self._demands if o.verdict is not None for n in o.verdict.asks]
        names = [self._closing(n) for n in (*needs, *self._s.routed.lookups)]
        return [n for n in dict.fromkeys(names) if n is not None and not self._facts.get(n).settled]

    def _closing(self, need: str) -> str | None:
        """The fact that answers a question about findings: the search for them."""
        query = self._facts.finding_queries.get(need)
        return query.get("closed_by") if query is not None else need if need in self._knowledge.facts else None

    def questions(self) -> tuple[Question, ...]:
        """One for the checklist, then one for each other fact that some source answers and some rule tells apart."""
        found = []
        if self._checklist:
            there = dict.fromkeys(self._checklist, True)
            passes = self._knowledge.yields.passes.get("document", 0.5)
            found.append(Question(PAPERS, (there, dict.fromkeys(self._checklist, False)), (passes, 1 - passes)))
        for name in self._asked():
            if name not in self._checklist and self._sources_of(name):
                question = self._question(name)
                if len(question.answers) > 1:
                    found.append(question)
        return tuple(found)

    def _question(self, name: str) -> Question:
        judged = {self._number[v.rule.id] for v in self._s.verdicts if v.rule.kind != "red_flag"}
        rules = sorted(self._play.hangs.reached(name) & judged)
        kinds: dict[tuple[Any, ...], Any] = {}
        for value in values_of(name, self._facts, self._play.hangs):
            verdicts = self._verdicts({name: value}, rules)
            kinds.setdefault(tuple((v.outcome, v.effects, v.amounts) for v in verdicts), value)
        ordered = sorted(kinds.items(), key=lambda k: sum(_weighs(effects) for _, effects, _ in k[0]))
        return Question(name, tuple({name: v} for _, v in ordered), self._shares(name, len(ordered)))

    def _shares(self, name: str, kinds: int) -> tuple[float, ...]:
        """The first kind of answer by what lets the rules pass (for a task, by what it may find); the others share the rest."""
        tasks = [t for t in self._knowledge.tasks.values() if t.fact == name]
        asking = [v.rule.kind for v in self._asking(name)] or ["consistency"]
        passes = min((self._knowledge.yields.passes.get(kind, 0.5) for kind in asking), default=0.5)
        first = 1 - max(t.yield_ for t in tasks) if tasks else passes
        return (first, *((1 - first) / (kinds - 1) for _ in range(kinds - 1))) if kinds > 1 else (1.0,)

    def _verdicts(self, answers: Mapping[str, Any], rules: Sequence[int]) -> list[Verdict]:
        given = {n: answered(n, v) for n, v in answers.items()}
        dependents = frozenset(d for n in given for d in self._play.hangs.dependents.get(n, ()))
        facts: Facts = self._facts.supposing(given, dependents - set(given))
        return [judge(self._play.rules[n], facts) for n in rules]

    # ---- sources

    def _sources_of(self, name: str) -> list[EvidenceType | InvestigationTask]:
        """Who can answer: staff where a record tells it; else the claimant, for what is requested and not for staff alone; and of the tasks
        that answer it the one that finds most for its cost."""
        suppliers = self._knowledge.suppliers(name)
        staff = [e for e in suppliers if e.asked_of == "staff"]
        if staff:
            return list(staff)
        requested = any(Effect.REQUEST in v.effects for v in self._asking(name)) and not self._router.staff_only(name)
        asked = [e for e in suppliers if e.asked_of == "claimant"] if requested else []
        done = {r.task for r in self._s.case.claim.investigation}
        named = {t for o in self._demands if o.verdict is not None for t in o.verdict.rule.tasks} - done
        tasks = [t for t in self._knowledge.tasks.values() if t.fact == name and t.id in named]
        return [*asked, *sorted(tasks, key=lambda t: (-t.yield_ / t.cost if t.cost else 0, t.cost, t.id))[:1]]

    def sources(self, questions: Sequence[Question]) -> Iterator[Source]:
        """The checklist's papers as one item, then every other paper, record and task that answers a question."""
        place = {q.id: n for n, q in enumerate(questions)}
        answers: dict[str, int] = {}
        by_id: dict[str, EvidenceType | InvestigationTask] = {}
        for name in place:
            for source in self._sources_of(name) if name != PAPERS else ():
                by_id[source.id] = source
                answers[source.id] = answers.get(source.id, 0) | 1 << place[name]
        bundle = tuple(dict.fromkeys(self._checklist.values()))
        if PAPERS in place:
            bits = 1 << place[PAPERS]
            for paper in bundle:
                bits |= answers.pop(paper.id, 0)
            yield Source(self._item(PAPERS, bits, bundle), bundle)
        for name, bits in answers.items():
            source = by_id[name]
            if isinstance(source, InvestigationTask):
                cost = source.cost / max(0.01, self._knowledge.yields.answers.get("investigator", 1))
                yield Source(Item(name, INVESTIGATOR, bits, cost, sum(source.days) / 2), (), source)
            else:
                yield Source(self._item(name, bits, (source,)), (source,))

    def _item(self, name: str, bits: int, evidence: Sequence[EvidenceType]) -> Item:
        """What asks nothing of the claimant is a look-up; a paper that does not come is asked for again."""
        cost = sum(e.cost / max(0.01, self._knowledge.yields.answering(e)) for e in evidence)
        sort = STAFF if all(e.asked_of == "staff" for e in evidence) else CLAIMANT
        return Item(name, sort, bits, cost, max(e.delay_days for e in evidence))

    def in_order(self, sources: Any) -> Iterator[Step]:
        """Something for every question, sort by sort and the cheapest for what it answers first, when there are too many to weigh."""
        known = 0
        for sort in (STAFF, CLAIMANT, INVESTIGATOR):
            chosen: list[Item] = []
            while left := [s.item for s in sources if s.item.sort == sort and s.item.answers & ~known]:
                best = min(left, key=lambda i: (i.cost / (i.answers & ~known).bit_count(), i.id))
                known |= best.answers
                chosen.append(best)
            if chosen:
                yield Step(tuple(chosen), sum(i.cost for i in chosen), 1.0)

    # ---- ends

    def ends(self, questions: Sequence[Question]) -> tuple[Any, list[End]]:
        """The end for each combination of answers, as numbers into the list beside it."""
        fixed, moving = self._split(questions)
        numbers: dict[End, int] = {}
        known: dict[tuple[Any, ...], int] = {}
        table = np.zeros(tuple(len(q.answers) for q in questions), dtype=np.int64)
        for place in product(*(range(len(q.answers)) for q in questions)):
            verdicts = [found[tuple(place[n] for n in on)] for on, found in moving]
            key = tuple((v.outcome, v.effects, v.amounts) for v in verdicts)
            if key not in known:
                routed = self._router.route((*fixed, *verdicts))
                known[key] = numbers.setdefault(End(routed.position, routed.route, routed.amount), len(numbers))
            table[place] = known[key]
        return table, list(numbers)

    def _split(self, questions: Sequence[Question]) -> tuple[list[Verdict], list[tuple[tuple[int, ...], dict[tuple[int, ...], Verdict]]]]:
        """Verdicts that no question touches, and for the others their verdict by the answers to the questions that do."""
        fixed, moving = [], []
        reached = [{n for fact in q.answers[0] for n in self._play.hangs.reached(fact)} for q in questions]
        for verdict in self._s.verdicts:
            number = self._number[verdict.rule.id]
            on = tuple(n for n in range(len(questions)) if number in reached[n])
            if not on or Effect.LESSER in verdict.effects:
                fixed.append(verdict)
                continue
            found = {}
            for kinds in product(*(range(len(questions[n].answers)) for n in on)):
                answers = {f: v for n, kind in zip(on, kinds, strict=True) for f, v in questions[n].answers[kind].items()}
                found[kinds] = self._verdicts(answers, [number])[0]
            moving.append((on, found))
        return fixed, moving


def plan_in_words(plan: EvidencePlan, suggestion: Suggestion) -> dict[str, Any]:
    """The plan as published: each step with its items, what each could change, cost, delay, due days, and how likely it is needed."""
    due = suggestion.facts.plan.request_due_days
    steps = []
    for step in plan.steps:
        items = [_item_in_words(plan, item, suggestion) for item in step.items]
        asked = ("staff", "claimant", "investigator")[step.items[0].sort]
        steps.append({"asked_of": asked, "needed": round(step.needed, 4), "due_days": due if asked == "claimant" else None, "items": items})
    data = {"steps": steps, "cost": plan.cost, "exact": plan.exact}
    return {**data, "price": round(plan.price, 2), "decided": round(plan.decided, 4)} if plan.exact else data


def _item_in_words(plan: EvidencePlan, item: Item, suggestion: Suggestion) -> dict[str, Any]:
    source, knowledge = plan.sources[item.id], suggestion.knowledge
    named: list[Any] = [source.task] if source.task is not None else list(source.evidence)
    answering = (
        knowledge.yields.answers.get("investigator", 1.0) if source.task else min(knowledge.yields.answering(e) for e in source.evidence)
    )
    return {
        "id": item.id,
        "of": [n.id for n in named],
        "zh": "、".join(n.zh for n in named),
        "en": ", ".join(n.en for n in named),
        "cost": plan.once(item),
        "days": item.days,
        "answers": answering,
        "could_change": [_outcome_in_words(q, answer, end, suggestion) for q, answer, end in plan.beside.get(item.id, ())],
    }


def _outcome_in_words(question: str, answer: Mapping[str, Any], end: End, suggestion: Suggestion) -> dict[str, Any]:
    facts = suggestion.knowledge.facts
    if question == PAPERS:
        there = all(answer.values())
        zh, en = ("材料齐全", "the papers are there") if there else ("材料不被接受", "a paper is not accepted")
    else:
        ((name, value),) = answer.items()
        told, open_ended = value_in_words(value, facts[name]), facts[name].type != "bool" and not facts[name].values
        like = ("如", "such as ") if open_ended else ("", "")
        zh, en = f"{facts[name].zh}={like[0]}{told[0]}", f"{facts[name].en} = {like[1]}{told[1]}"
    return {"zh": zh, "en": en, "route": end.route.value, "position": end.position, "amount": end.amount}
