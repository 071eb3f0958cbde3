"""Reasons that can be checked: which known facts are enough for a verdict, and which alone could change it.

A reason is a least set of facts: with these and nothing else known the rule turns out the same, and none of them can be dropped. The
engine that decided checks every reason again; what it cannot confirm is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from triage.candidates import Candidates, candidates_of
from triage.completions import Turn, turn
from triage.explain import stated_in_words, told_outcome
from triage.facts import Fact, Facts, source_json
from triage.judge import CompiledRule, Outcome, published
from triage.pipeline import conditions_claimed
from triage.suggestion import Suggestion


@dataclass(frozen=True, slots=True)
class Reason:
    """`facts` are enough for `outcome` of a rule, and none of them can be dropped; `pivotal` are those that alone could change it."""

    compiled: CompiledRule
    outcome: Outcome
    facts: tuple[Fact, ...]
    pivotal: tuple[str, ...]

    def to_json(self, facts: Facts) -> dict[str, Any]:
        """As published: rule, clause, confidence, the facts, what was quoted, and all of it in words."""
        rule = self.compiled.rule
        quoted = {(d["document"], d["start"]): d for f in self.facts for s in f.sources if s.span for d in [source_json(s)]}
        stated = list(dict.fromkeys(stated_in_words(f, facts) for f in self.facts))
        zh, en = told_outcome(self.outcome)
        quotes = "、".join(dict.fromkeys(f"“{d['quote']}”" for d in quoted.values()))
        return {
            "rule": rule.id,
            "verdict": self.outcome.value,
            "facts": [published(f.id) for f in self.facts],
            "pivotal": [published(name) for name in self.pivotal],
            "clause": rule.clause.model_dump(),
            "confidence": rule.confidence,
            "source": rule.source,
            "spans": list(quoted.values()),
            "zh": f"{rule.clause.zh}：{rule.reason.zh}——{zh}，因为{'；'.join(s[0] for s in stated)}"
            + (f"（原文：{quotes}）" if quotes else ""),
            "en": f"{rule.clause.en}: {rule.reason.en} - {en}, because {'; '.join(s[1] for s in stated)}"
            + (f" (quoted: {quotes})" if quotes else ""),
        }


def enough(compiled: CompiledRule, facts: Facts, known: Iterable[str], names: Iterable[str], wanted: Turn) -> bool:
    """Whether a rule turns out as `wanted` when of the facts it asks for (`names`) only `known` are known."""
    kept = set(known)
    return turn(compiled, facts.supposing({n: facts.get(n) if n in kept else Fact(n) for n in names}, frozenset())) == wanted


def reasons_of(compiled: CompiledRule, names: tuple[str, ...], facts: Facts) -> Iterator[Reason]:
    """The different least reasons found for a settled verdict: facts are dropped one after the other, beginning with each in turn."""
    wanted = turn(compiled, facts)
    if wanted.open or wanted.degraded:
        return
    ((outcome, _),) = wanted.ways
    pivotal = tuple(n for n in names if not enough(compiled, facts, [o for o in names if o != n], names, wanted))
    seen: set[frozenset[str]] = set()
    for place in range(max(1, len(names))):
        kept = list(names)
        for name in (*names[place:], *names[:place]):
            fewer = [n for n in kept if n != name]
            if enough(compiled, facts, fewer, names, wanted):
                kept = fewer
        if frozenset(kept) not in seen:
            seen.add(frozenset(kept))
            yield Reason(compiled, outcome, tuple(facts.get(n) for n in kept), pivotal)


def holds_again(reason: Reason, names: tuple[str, ...], facts: Facts) -> bool:
    """Whether the engine confirms a reason: its facts are enough, and without any one of them they are not."""
    wanted = turn(reason.compiled, facts)
    known = [f.id for f in reason.facts]
    least = all(not enough(reason.compiled, facts, [n for n in known if n != name], names, wanted) for name in known)
    return enough(reason.compiled, facts, known, names, wanted) and least


def inplay(suggestion: Suggestion) -> Candidates:
    """The compiled rules of the claim's candidate conditions."""
    knowledge = suggestion.knowledge
    play = candidates_of(knowledge, suggestion.facts.plan, conditions_claimed(suggestion.case.claim, knowledge))
    suggestion.facts.finding_queries.update(play.queries)
    return play


def reasons(suggestion: Suggestion) -> list[Reason]:
    """The reasons of every settled verdict of a suggestion, each confirmed by the engine."""
    play, facts = inplay(suggestion), suggestion.facts
    judged = {v.rule.id for v in suggestion.verdicts}
    return [
        reason
        for compiled, names in zip(play.rules, play.rests_on, strict=True)
        if compiled.rule.id in judged
        for reason in reasons_of(compiled, names, facts)
        if holds_again(reason, names, facts)
    ]
