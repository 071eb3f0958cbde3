"""What people send besides a claim: corrections, results of an investigation, decisions. Shapes only, no judgement."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from triage.claim import Document, InvestigationResult, Short


def _clean(value: Any) -> Any:
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("文本含有NUL字符，请删除后重交 / the text contains a NUL character: remove it and send again")
    return value


def _person(value: Any) -> Any:
    if isinstance(value, str) and value.strip().lower() in ("gate", "machine", "system"):
        raise ValueError("该名称留给程序，请写经办人 / this name is reserved for the program: name the person")
    return value


Actor = Annotated[
    str, BeforeValidator(_clean), BeforeValidator(_person), StringConstraints(min_length=1, max_length=100, strip_whitespace=True)
]
Name = Annotated[str, BeforeValidator(_clean), StringConstraints(min_length=1, max_length=300)]
Note = Annotated[str, BeforeValidator(_clean), StringConstraints(max_length=1000)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DocumentBody(_Body):
    """One more paper."""

    evidence_type: Short | None = None
    text: Document.model_fields["text"].annotation  # type: ignore[name-defined]
