"""Everything a suggestion is computed from, gathered into one frozen record: the pure core sees nothing else.

The edge (`assembly`, `desk`) makes it; replay makes it again from what was stored.
"""

from __future__ import annotations

from dataclasses import dataclass

from triage.claim import Claim
from triage.observation import FindingMention, Observation


@dataclass(frozen=True, slots=True)
class Paper:
    """One accepted document: its id within the claim, its recognised type and what it rests on."""

    document: str
    evidence_type: str
    basis: str = ""
    readable: bool = True


@dataclass(frozen=True, slots=True)
class CaseFile:
    """`rounds` counts batch requests already sent; `released` is set once the gate or a person let the claim pass
    field investigation; `investigated` once an investigation was closed."""

    claim: Claim
    observations: tuple[Observation, ...] = ()
    findings: tuple[FindingMention, ...] = ()
    papers: tuple[Paper, ...] = ()
    rounds: int = 0
    released: bool = False
    investigated: bool = False
    drawn_for_audit: bool = False
    disputed: bool = False
