"""What the endpoints share: the desk of this process, and who is acting."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Depends, Header, Request
from pydantic import AfterValidator, StringConstraints, TypeAdapter, ValidationError

from serving.champion import Champion, Condition
from triage.actions import RESERVED
from triage.claim import Short
from triage.desk import Desk
from triage.store.errors import BadField


def _a_person(name: str) -> str:
    if name.casefold() in RESERVED:
        raise ValueError("该名称留给程序，请写经办人姓名 / this name is kept for the program: give the person's name")
    if not name.isprintable():
        raise ValueError("姓名含有不可显示的字符 / the name holds characters that cannot be shown")
    return name


Person = Annotated[Short, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_a_person)]
_PERSON: TypeAdapter[str] = TypeAdapter(Person)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _condition(request: Request) -> Condition:
    champion: Champion | None = request.app.state.champion
    return champion.condition if champion is not None else Condition()


def _named(x_actor: Annotated[str | None, Header(description="who acts; percent-encoded UTF-8")] = None) -> str | None:
    """The header's name: percent-encoded, or UTF-8 as it is. Raises BadField."""
    if x_actor is None:
        return None
    try:
        return _PERSON.validate_python(unquote(x_actor.encode("latin-1").decode("utf-8"), errors="strict"))
    except ValidationError as error:
        zh, _, en = str(error.errors()[0]["msg"]).removeprefix("Value error, ").partition(" / ")
        raise BadField("X-Actor", zh if en else "姓名须为1至100字", en or "a name has 1 to 100 characters") from error
    except UnicodeError as error:
        raise BadField("X-Actor", "须为UTF-8或百分号编码", "write it in UTF-8 or percent-encoded") from error


def _actor(named: Annotated[str | None, Depends(_named)]) -> str:
    return named or "clerk"


def who(body: Any, named: str | None) -> str:
    """The person named in the body, else in X-Actor. Raises BadField when neither names one: a decision has a name on it."""
    name: str | None = body.actor or named
    if name is None:
        raise BadField("actor", "请写明经办人（actor 或 X-Actor）", "name the person (actor or X-Actor)")
    return name


TheDesk = Annotated[Desk, Depends(_desk)]
TheCondition = Annotated[Condition, Depends(_condition)]
Actor = Annotated[str, Depends(_actor)]
Named = Annotated[str | None, Depends(_named)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]
