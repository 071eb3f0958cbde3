"""What a whole claim may still come to: equal to a walk over every completion, and safe beyond the limit."""

from __future__ import annotations

import random
from datetime import date

from knowledge_graph.loader import load_texts
from tests.desks import OPEN_GATE, case, shipped
from tests.whole_worlds import brute_force, random_suggestion
from triage.assembly import assemble
from triage.bundle import Bundle
from triage.judge import Outcome
from triage.pipeline import suggest
from triage.route import Route
from triage.suggestion import Suggestion
from triage.whole_claim import whole_claim

CLAIMS = 1500


def suggested(name: str) -> Suggestion:
    """The suggestion for a named case under the shipped rulebook."""
    knowledge, reader = shipped()
    return suggest(assemble(case(name), knowledge, reader), knowledge, None, date(2021, 12, 1))


def test_verdicts_and_ends_equal_brute_force_over_completions() -> None:
    """Over random rulebooks and claims the outcomes of every rule and every end are those of a walk over all completions."""
    rng, opened = random.Random(20201105), Bundle.load(OPEN_GATE)
    for number in range(CLAIMS):
        suggestion = random_suggestion(rng, shipped()[0], opened)
        verdicts, ends, _ = brute_force(suggestion)
        got = whole_claim(suggestion)
        assert not got.degraded, number
        assert {i: set(v) for i, v in got.verdicts.items()} == verdicts, number
        assert set(got.ends) == ends, number


def test_beyond_the_limit_more_is_left_possible_never_less() -> None:
    """With next to nothing tried, every true outcome and end is still among those left, or no end is named at all."""
    rng, opened = random.Random(9), Bundle.load(OPEN_GATE)
    met = 0
    for number in range(400):
        suggestion = random_suggestion(rng, shipped()[0], opened, worlds=2)
        verdicts, ends, _ = brute_force(suggestion)
        got = whole_claim(suggestion)
        met += got.degraded
        assert all(verdicts[i] <= set(left) for i, left in got.verdicts.items()), number
        assert not got.ends or ends <= set(got.ends), number
    assert met > 50


def test_one_unknown_in_two_rules_is_one_unknown() -> None:
    """Under 40 one amount, from 40 on the other: with the age unknown exactly these two are possible, and never none."""
    suggestion = suggested("fna-only")
    assert suggestion.facts.get("age_at_diagnosis").possible is None
    assert whole_claim(suggestion).verdicts["severe-amount"] == {Outcome.TRUE}


def test_a_claim_nobody_can_change_is_decided() -> None:
    """Investigated, and declined on a documented ground: whatever is still unknown, the end is the same."""
    whole = whole_claim(suggested("investigated-breach"))
    assert {e.route for e in whole.ends} <= {Route.RECOMMEND_DECLINE, Route.REFER_SIU, Route.INVESTIGATE}


def test_without_limits_nothing_is_reasoned_across_rules() -> None:
    """A rulebook that states no limits, such as an old snapshot, loads and degrades."""
    texts = {name: text for name, text in shipped()[0].texts.items() if name != "limits.yaml"}
    assert load_texts(texts).limits.worlds == 1
