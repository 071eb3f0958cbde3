"""What the endpoints share: the desk of this process, and who is acting."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header, Request

from triage.desk import Desk


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _actor(x_actor: Annotated[str, Header(max_length=100, description="who acts, percent-encoded UTF-8")] = "clerk") -> str:
    return unquote(x_actor)


TheDesk = Annotated[Desk, Depends(_desk)]
Actor = Annotated[str, Depends(_actor)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]
