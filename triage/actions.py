"""What people do to a claim: the published forms of a correction, an investigation and a decision."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from triage.claim import Id, InvestigationResult, Short
from triage.observation import Why
from triage.route import Route

RESERVED = frozenset({"gate", "machine", "system", "triage", "audit lane"})
"""Names under which the program itself writes to the audit log: no person's."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Correction(_Form):
    """A person enters or corrects a fact: a value, or why there is none, with the reason and where it stands."""

    fact: Id
    value: Any = None
    why: Why | None = None
    reason: Short = Field(min_length=1)
    document: Short | None = None
    start: int | None = Field(default=None, ge=0)
    end: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one(self) -> Correction:
        if (self.value is None) == (self.why is None):
            raise ValueError("填写value或why之一 / give either value or why")
        return self


class Investigation(_Form):
    """Results of tasks; none opens the investigation, `close` ends it."""

    results: tuple[InvestigationResult, ...] = ()
    close: bool = False


class DecisionForm(_Form):
    """Accept the suggestion, or override it with a route and a reason code; `dispute` records that the member disagrees with a
    decline; `close` ends a claim without decision (reason code withdrawn or duplicate)."""

    action: Literal["accept", "override", "dispute", "close"]
    route: Route | None = None
    reason_code: Short | None = None
    note: Short | None = None
    second_actor: Short | None = None
    suggestion_digest: Short | None = None

    @model_validator(mode="after")
    def _complete(self) -> DecisionForm:
        if self.action == "override" and (self.route is None or not self.reason_code):
            raise ValueError("改变建议须给出route和reason_code / an override needs route and reason_code")
        if self.action == "close" and self.reason_code not in ("withdrawn", "duplicate"):
            raise ValueError("结案须给出reason_code：withdrawn或duplicate / closing needs reason_code withdrawn or duplicate")
        return self
