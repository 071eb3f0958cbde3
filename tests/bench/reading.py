"""Reading a paper of about 700 characters: through spaCy, in bulk, and the bare scan for the same terms as the limit.

The bare scan is ahocorasick-rs where it is installed (it is no dependency), else our own look-up alone. CPU time, median of the
rounds, one run. Prints characters per second too, so that other readers can be put beside it on other papers.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from knowledge_graph.loader import load
from tests.bench.timing import ROUNDS, cpu_ms
from triage.reading import Reader
from triage.reading.lexicon import labels
from triage.reading.text import lowered, normalise

FILED_ON = date(2020, 12, 1)


def bare_scan(terms: list[str]) -> tuple[str, Callable[[str], object]]:
    """The fastest scan at hand for the terms, and its name."""
    try:
        ahocorasick: Any = importlib.import_module("ahocorasick_rs")
    except ImportError:
        return "look-up (no ahocorasick-rs here)", lambda text: [text.find(t) for t in terms]
    automaton = ahocorasick.AhoCorasick(terms)
    return "bare Aho-Corasick", lambda text: automaton.find_matches_as_indexes(text, overlapping=True)


def main() -> int:
    """Prints the figures; 1 when the two paths read differently."""
    knowledge = load()
    reader = Reader.from_knowledge(knowledge)
    bulk = reader.in_bulk()
    claim = yaml.safe_load((Path(__file__).parent / "claim.yaml").read_text(encoding="utf-8"))
    paper = claim["documents"][0]
    text, kind = paper["text"], paper.get("evidence_type")
    lower = lowered(normalise(text))
    name, scan = bare_scan(list(labels(knowledge, "zh")))

    def reading(one: Reader) -> Callable[[], object]:
        return lambda: one.read(text, document_id="d1", evidence_type=kind, filed_on=FILED_ON)

    for label, work in (("spaCy", reading(reader)), ("bulk", reading(bulk)), (name, lambda: scan(lower))):
        taken = cpu_ms(work)
        print(f"{label:<20} {taken:7.3f} ms CPU (median of {ROUNDS}), {len(text)} characters, {len(text) / taken * 1000:,.0f} per second")
    same = reading(reader)() == reading(bulk)()
    print("identical readings" if same else "the two paths read differently")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
