"""The quantifier over positive findings: is one recorded that breaches an item, in time, as the query asks?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from triage.facts import Fact
from triage.observation import Assertion, Why
from triage.values import EITHER, Interval, OneOf

if TYPE_CHECKING:
    from triage.facts import Facts

_OF_THE_MEMBER = (Assertion.PRESENT, Assertion.HISTORICAL, Assertion.UNCERTAIN)


def finding(facts: Facts, name: str, query: Mapping[str, Any]) -> Fact:
    """Whether a positive finding the query describes is recorded. No paper proves an absence: without one the fact stays
    unknown, unless an investigation (`closed_by`) has searched and found nothing."""
    sure, maybe, whys = [], [], []
    for mention in facts.case.findings:
        answer = _fits(facts, mention, query)
        if answer is True:
            sure.append(mention)
        elif isinstance(answer, Why):
            maybe.append(mention)
            whys.append(answer)
    if sure:
        return Fact(name, True, sources=tuple(sure))
    if maybe:
        why = Why.INTERPRETATION if Why.INTERPRETATION in whys else Why.UNCLEAR
        return Fact(name, EITHER, why, needs=(name,), sources=tuple(maybe))
    if "closed_by" in query and facts.get(query["closed_by"]).is_value(False):
        return Fact(name, False, sources=facts.get(query["closed_by"]).sources)
    return Fact(name, EITHER, Why.NOT_SUPPLIED, needs=(name,))


def depends_on_time(facts: Facts, query: Mapping[str, Any]) -> bool:
    """Whether a recorded finding is of the kind asked for, so that dates or the plan's version decide about it."""
    mentioned = (facts.knowledge.findings.get(m.finding) for m in facts.case.findings if m.assertion in _OF_THE_MEMBER)
    versioned = "breaches" in query and "version" not in query
    return any(library is not None and (versioned or _breach(facts, library, query) is not False) for library in mentioned)


def _fits(facts: Facts, mention: Any, query: Mapping[str, Any]) -> bool | Why:
    """True, False, or the why of a maybe."""
    library = facts.knowledge.findings.get(mention.finding)
    if library is None or mention.assertion not in _OF_THE_MEMBER:
        return False
    breach = _breach(facts, library, query)
    timely = _in_time(facts, mention, query)
    if breach is False or timely is False:
        return False
    if breach is not True:
        return breach
    return Why.UNCLEAR if mention.assertion is Assertion.UNCERTAIN or timely is not True else True


def _breach(facts: Facts, library: Any, query: Mapping[str, Any]) -> bool | Why:
    if "ids" in query:
        return bool(library.id in query["ids"])
    if "breaches" not in query:
        return bool(library.severity > 1)
    items = (
        list(library.breaches)
        if query["breaches"] == "any"
        else [query["breaches"]]
        if isinstance(query["breaches"], str)
        else query["breaches"]
    )
    version = facts.get("plan.version").possible
    versions = [query["version"]] if "version" in query else list(version.values) if isinstance(version, OneOf) else [version]
    words = {library.breaches[item].get(v, "no") for item in items if item in library.breaches for v in versions}
    if words == {"yes"} or ("yes" in words and len(versions) == 1):
        return True
    return Why.INTERPRETATION if words & {"yes", "conditional"} else False


def _is_claimed(facts: Facts, finding: str) -> bool:
    """An undated paper that names the claimed disease itself speaks of the diagnosis, not of something older."""
    return any(finding in condition.findings for condition in facts.knowledge.conditions.values())


def _in_time(facts: Facts, mention: Any, query: Mapping[str, Any]) -> bool | None:
    if "before" not in query:
        return True
    joined_low, joined_high = facts.get(query["before"]).bounds()
    event = mention.event_on
    low, high = (event.low, event.high) if isinstance(event, Interval) else (event, event)
    if event is None and mention.assertion is Assertion.PRESENT and _is_claimed(facts, mention.finding):
        low, high = facts.get("first_diagnosis_date").bounds()
    if low is None and high is None:
        return None
    if joined_low is not None and high is not None and high < joined_low:
        return True
    return False if joined_high is not None and low is not None and low >= joined_high else None
