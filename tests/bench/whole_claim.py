"""Whole claims against a walk over every completion, as many as asked for, and what exactness costs beside judging rule by rule."""

from __future__ import annotations

import dataclasses
import random
import sys
import time
from datetime import date
from pathlib import Path

import yaml

from knowledge_graph.loader import load
from tests.bench.timing import cpu_ms
from tests.whole_worlds import brute_force, random_suggestion
from triage.assembly import assemble
from triage.bundle import Bundle
from triage.claim import Claim
from triage.facts import Facts
from triage.judge import judge, rules_for
from triage.pipeline import conditions_claimed, suggest
from triage.reading import Reader
from triage.whole_claim import whole_claim

TODAY = date(2020, 12, 1)
OPEN_GATE = Path(__file__).parents[1] / "bundles" / "open_gate.yaml"


def differences(claims: int, seed: int) -> int:
    """Random claims whose verdicts or ends differ from brute force."""
    rng, opened, shipped = random.Random(seed), Bundle.load(OPEN_GATE), load()
    differ, worlds, start = 0, 0, time.process_time()
    for number in range(claims):
        suggestion = random_suggestion(rng, shipped, opened)
        verdicts, ends, count = brute_force(suggestion)
        got = whole_claim(suggestion)
        worlds += count
        if got.degraded or {i: set(v) for i, v in got.verdicts.items()} != verdicts or set(got.ends) != ends:
            differ += 1
            print(f"DIFFERS: seed {seed}, claim {number}")
    print(f"{claims} claims, {worlds} complete claims walked over, {differ} differences, {time.process_time() - start:.0f} s CPU")
    return differ


def cost() -> None:
    """CPU of the whole-claim answer beside judging every rule by itself, on the bench's claim."""
    knowledge = load()
    claim = Claim.model_validate(yaml.safe_load((Path(__file__).parent / "claim.yaml").read_text(encoding="utf-8")))
    suggestion = suggest(assemble(claim, knowledge, Reader.from_knowledge(knowledge)), knowledge, None, TODAY)
    rules = rules_for(knowledge, suggestion.facts.plan, conditions_claimed(claim, knowledge))

    def fresh() -> Facts:
        return Facts(suggestion.case, knowledge, suggestion.facts.plan, TODAY, finding_queries=dict(rules.queries))

    def plain() -> object:
        facts = fresh()
        return [judge(rule, facts) for rule in rules.rules]

    alone = cpu_ms(plain)
    whole = cpu_ms(lambda: whole_claim(dataclasses.replace(suggestion, facts=fresh()), closed=True))
    print(f"rule by rule {alone:.2f} ms CPU, whole claim {whole:.2f} ms CPU: {whole / alone:.1f} times")


if __name__ == "__main__":
    cost()
    sys.exit(1 if differences(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, 20201105) else 0)
