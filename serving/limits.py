"""What every request and answer passes: the size limit on the way in, security headers on the way out."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.problems import problem

LIMIT = 2_000_000
"""Bytes of one request's body."""

_COMMON = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
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
        headers = _with_headers(scope, send)
        body = await _read(scope, receive)
        if body is None:
            answer = problem(413, "too-large", "请求超过2 MB，请分开提交材料", "over 2 MB: send the papers separately")
            await answer(scope, receive, headers)
            return
        await self.app(scope, _replayed(body, receive), headers)


def _with_headers(scope: Scope, send: Send) -> Send:
    policy = DOCS_POLICY if scope["path"].startswith(("/docs", "/redoc")) else PAGE_POLICY

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [h for h in message["headers"] if not (h[0].lower() == b"cache-control" and not scope["path"].startswith("/static"))]
            extra = [h for h in _COMMON if not (h[0] == b"cache-control" and scope["path"].startswith("/static"))]
            message = {**message, "headers": [*kept, *extra, (b"content-security-policy", policy)]}
        await send(message)

    return sending


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if length.isdigit() and int(length) > LIMIT:
        return None
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > LIMIT:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def receiving() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving
