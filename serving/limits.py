"""What every request and answer passes: host, size and text on the way in, security headers on the way out, and no traceback.

Until there is a login, only names of this machine are answered: a web page elsewhere cannot reach the claims by a name of its own.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.problems import answer, problem
from serving.settings import is_loopback
from serving.unforeseen import note

LIMIT = 2_000_000
"""Bytes of one request's body."""
DRAINED = 16 * LIMIT
"""Bytes read and thrown away so that a sender of too much still gets to read the answer."""

_COMMON = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
PAGE_POLICY = b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
DOCS_POLICY = (
    b"default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    b" worker-src 'self' blob:; font-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Limits:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the body up to the limit before the app sees any of it, so that a chunked one is refused too."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sending = _Headers(scope, send)
        refusal, body = await _admit(scope, receive)
        if refusal is not None:
            await refusal(scope, receive, sending)
            return
        try:
            await self.app(scope, _replayed(body, receive), sending)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody outside sees a traceback
            note(error)
            if not sending.started:
                await _unforeseen(scope)(scope, receive, sending)


class _Headers:
    """Sends an answer with the security headers, and knows whether it has begun."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.path, self.send, self.started = scope["path"], send, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message = {**message, "headers": self._headers(message["headers"])}
        await self.send(message)

    def _headers(self, given: Any) -> list[tuple[bytes, bytes]]:
        static = self.path.startswith("/static")
        kept = [h for h in given if static or h[0].lower() != b"cache-control"]
        policy = DOCS_POLICY if self.path.startswith(("/docs", "/redoc")) else PAGE_POLICY
        return [*kept, *(h for h in _COMMON if not (static and h[0] == b"cache-control")), (b"content-security-policy", policy)]


async def _admit(scope: Scope, receive: Receive) -> tuple[ASGIApp | None, bytes]:
    """The refusal of a request that must not reach the app, or its body."""
    if not _local(scope):
        zh, en = "请用本机地址访问（127.0.0.1 或 localhost）", "use this machine's own address (127.0.0.1 or localhost)"
        return problem(400, "wrong-host", zh, en), b""
    body = await _read(receive)
    if body is None:
        return problem(413, "too-large", "请求超过2 MB，请分开提交材料", "over 2 MB: send the papers separately"), b""
    field = unkeepable(body)
    if field is not None:
        words = {
            "field": field,
            "zh": "文本含有无法保存的字符（NUL或不成对的代理码），请删除后重交",
            "en": "the text contains a character that cannot be kept (NUL or half a surrogate pair): remove it and send again",
        }
        return problem(422, "malformed", words["zh"], words["en"], title=("格式有误", "Malformed"), errors=[words]), b""
    return None, body


def _local(scope: Scope) -> bool:
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name == "" or is_loopback(name)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when it is too large. A sender that went away leaves nothing behind."""
    parts: list[bytes] = []
    size = 0
    while size <= DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        part = message.get("body", b"")
        size += len(part)
        if size <= LIMIT:
            parts.append(part)
        if not message.get("more_body", False):
            break
    return b"".join(parts) if size <= LIMIT else None


def unkeepable(body: bytes) -> str | None:
    """The first field of a JSON body whose text cannot be stored; only escapes can hide one, so a body without them is not parsed."""
    if b"\\u" not in body:
        return None
    try:
        return _first_unkeepable(json.loads(body), "")
    except (ValueError, RecursionError):
        return None


def _first_unkeepable(data: Any, path: str) -> str | None:
    if isinstance(data, str):
        return path if "\x00" in data or any("\ud800" <= c <= "\udfff" for c in data) else None
    if isinstance(data, dict):
        named = next((path for k in data if _first_unkeepable(k, "?")), None)
        pairs = [(v, f"{path}.{k}" if path else str(k)) for k, v in data.items()]
        return named if named is not None else next((f for v, p in pairs if (f := _first_unkeepable(v, p)) is not None), None)
    if isinstance(data, list):
        return next((f for n, v in enumerate(data) if (f := _first_unkeepable(v, f"{path}.{n}")) is not None), None)
    return None


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def receiving() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


def _unforeseen(scope: Scope) -> ASGIApp:
    zh, en = "系统出错，本次未保存任何内容，请联系运维", "something failed; nothing of this request was kept: tell the operator"
    return answer(Request(scope), 500, "internal", zh, en)
