"""The side of what a paper says of a breast where its own words name none: denied of both, or of the only breast the paper speaks of."""

from __future__ import annotations

from triage.observation import Assertion
from triage.reading.page import HEADING, Page


def breast_side(page: Page, start: int, end: int, asserted: Assertion) -> str:
    """What is denied of no side on a report of both breasts is denied of both; what a paper that names one side only says is there,
    is there."""
    of_both = page.basis == "imaging" and {"left", "right"} <= page.breast_sides
    if asserted is Assertion.NEGATED and of_both and not _is_headed(page, start, end):
        return "both"
    side = page.side_of(start, end)
    if side or asserted not in (Assertion.PRESENT, Assertion.UNCERTAIN) or len(page.breast_sides) != 1:
        return side
    return next(iter(page.breast_sides))


def _is_headed(page: Page, start: int, end: int) -> bool:
    """Whether its sentence names a side or its line begins with one."""
    left, right = page.sentence(start, end)
    line = page.lower.rfind("\n", max(0, start - HEADING), start) + 1
    return bool(page.words.any_side.search(page.lower, left, right) or page.words.any_side.match(page.lower, line))
