"""The claim as it is filed: the published format, JSON over HTTP and YAML or JSON on disk.

What is missing is never an error; what is malformed is, by field. A date in the future, a diagnosis before birth or an
unknown evidence type is accepted here and becomes a question for a person later.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

MAX_TEXT = 500_000
"""Characters in one document; a whole request is limited to 2 MB by the service."""


def _clean(value: Any) -> Any:
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("文本含有NUL字符，请删除后重交 / the text contains a NUL character: remove it and send again")
    if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
        raise ValueError(
            "文本含有不成对的代理字符，请以UTF-8重新导出 / the text holds half a character (a lone surrogate): export it again as UTF-8"
        )
    return value


def _iso_date(value: Any) -> Any:
    """Dates are ISO text (or a YAML date): a number would silently be read as seconds since 1970."""
    if isinstance(value, date) and not hasattr(value, "hour"):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("日期须为YYYY-MM-DD / a date is written YYYY-MM-DD")


def _answer(value: Any) -> Any:
    """A yes or no written as a boolean is the same answer."""
    return str(value).lower() if isinstance(value, bool) else _clean(value)


Short = Annotated[str, BeforeValidator(_clean), StringConstraints(max_length=300)]
Id = Annotated[str, BeforeValidator(_clean), StringConstraints(min_length=1, max_length=100)]
Text = Annotated[str, BeforeValidator(_clean), StringConstraints(max_length=MAX_TEXT)]
Day = Annotated[date, BeforeValidator(_iso_date)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Membership(_Model):
    """One episode of membership; a rejoin is a new one."""

    joined_on: Day
    effective_on: Day
    left_on: Day | None = None


class Member(_Model):
    """The person the claim is about."""

    member_id: Id
    name: Short
    sex: Literal["F", "M"]
    birth_date: Day
    memberships: tuple[Membership, ...] = ()
    city: Short | None = None
    id_number: Short | None = None


class Document(_Model):
    """One paper as text (OCR is upstream). `evidence_type` is an id of the evidence library, or left to the reader."""

    evidence_type: Short | None = None
    text: Text
    received_on: Day | None = None
    issued_by: Short | None = None


class InvestigationResult(_Model):
    """What came of one investigation task: `result` answers the task's fact (true, false, unobtainable, or the words of results.yaml;
    anything else is unclear), `text` is the paper it produced."""

    task: Id
    evidence_type: Short | None = None
    text: Text | None = None
    result: Annotated[Short, BeforeValidator(_answer)] | None = None


class Claim(_Model):
    """One claim. Only who, which plan, when and what is claimed must be there; everything else may be missing."""

    claim_id: Annotated[str, BeforeValidator(_clean), StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")] | None = None
    plan: Id
    filed_on: Day
    diagnosis_claimed: Short
    first_visit_on: Day | None = None
    accident: bool | None = None
    member: Member
    hospital: Short | None = None
    doctor: Short | None = None
    phone: Short | None = None
    payee_account: Short | None = None
    device_id: Short | None = None
    agent: Short | None = None
    address: Short | None = None
    documents: tuple[Document, ...] = Field(default=())
    investigation: tuple[InvestigationResult, ...] = Field(default=())
