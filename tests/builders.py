"""Builders for tests: only what matters to a test is given at the call site."""

from __future__ import annotations

from typing import Any

from triage.claim import Claim

MEMBER = {
    "member_id": "m-1",
    "name": "林某",
    "sex": "F",
    "birth_date": "1983-05-12",
    "memberships": [{"joined_on": "2019-03-10", "effective_on": "2019-03-11"}],
}
FILED: dict[str, Any] = {
    "claim_id": "c-1",
    "plan": "mutual-aid-reference",
    "filed_on": "2020-10-20",
    "diagnosis_claimed": "乳腺癌",
    "member": MEMBER,
}


def claim_data(**changes: Any) -> dict[str, Any]:
    """A plain claim as JSON data; `member` changes are merged into the member."""
    member = {**MEMBER, **changes.pop("member", {})}
    return {**FILED, "member": member, **changes}


def claim(**changes: Any) -> Claim:
    """The same as a Claim."""
    return Claim.model_validate(claim_data(**changes))
