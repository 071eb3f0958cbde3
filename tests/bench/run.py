"""One claim with one report of about 700 characters, text to suggestion, beside the bare cost of its parts.

The parts are measured in the same run: the spaCy pass over the text (tokenising and phrase matching) and judging the rules
on facts already gathered. The whole must cost at most `RATIO` times their sum.
"""

from __future__ import annotations

import dataclasses
import sys
from datetime import date
from pathlib import Path

import yaml

from knowledge_graph.loader import load
from tests.bench import graph, promotion, reading, rules, scoring, training
from tests.bench.timing import ROUNDS, cpu_ms
from triage.assembly import assemble
from triage.claim import Claim
from triage.facts import Facts
from triage.judge import judge, rules_for
from triage.pipeline import conditions_claimed, filed_observations, suggest
from triage.reading import Reader

# Judging costs half of what it did, so the whole is a greater multiple of it and of the spaCy pass than it was (3).
RATIO = 4.5
TODAY = date(2020, 12, 1)


def main() -> int:
    """Prints the three figures and the ratio; 1 when the ratio is above its limit."""
    claim = Claim.model_validate(yaml.safe_load((Path(__file__).parent / "claim.yaml").read_text(encoding="utf-8")))
    knowledge = load()
    reader = Reader.from_knowledge(knowledge)
    text = claim.documents[0].text
    plan = knowledge.plans[claim.plan]
    conditions = conditions_claimed(claim, knowledge)
    case = assemble(claim, knowledge, reader)
    applying = rules_for(knowledge, plan, conditions)
    filed = filed_observations(claim, knowledge, conditions)
    whole_case = dataclasses.replace(case, observations=(*filed, *case.observations))

    def judging() -> object:
        facts = Facts(whole_case, knowledge, plan, TODAY, finding_queries=dict(applying.queries))
        return [judge(rule, facts) for rule in applying.rules]

    parts = {"spaCy pass": cpu_ms(lambda: reader.scan(text)), "rules": cpu_ms(judging)}
    whole = cpu_ms(lambda: suggest(assemble(claim, knowledge, reader), knowledge, None, TODAY).to_json())
    ratio = whole / sum(parts.values())
    for name, value in parts.items():
        print(f"{name:<12} {value:7.2f} ms CPU (median of {ROUNDS})")
    print(f"{'whole':<12} {whole:7.2f} ms CPU, {len(text)} characters; ratio {ratio:.2f}, limit {RATIO:g}")
    return 0 if ratio <= RATIO else 1


if __name__ == "__main__":
    sys.exit(max([main(), reading.main(), rules.main(), graph.main(), scoring.main(), training.main(), promotion.main()]))
