"""Errors as RFC 9457 problems in Chinese and English, naming field and remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from serving.pages import problem_page
from triage.store.errors import (
    BadField,
    ClaimNotFound,
    DecisionRefused,
    DuplicateClaim,
    IdempotencyMismatch,
    StaleSuggestion,
    StoreError,
    StoreUnavailable,
    UnknownPlan,
)

MEDIA_TYPE = "application/problem+json"
_STATUS: dict[type[StoreError], tuple[int, str, str, str]] = {
    # error: status, type, title
    ClaimNotFound: (404, "claim-not-found", "案件不存在", "Claim not found"),
    DuplicateClaim: (409, "duplicate-claim", "案件号已存在", "Claim id exists"),
    IdempotencyMismatch: (409, "idempotency-mismatch", "幂等键内容不符", "Idempotency-Key reused"),
    DecisionRefused: (409, "decision-refused", "不能作此决定", "Decision refused"),
    StaleSuggestion: (409, "stale-suggestion", "建议已更新", "Suggestion has changed"),
    UnknownPlan: (422, "unknown-plan", "未知计划", "Unknown plan"),
    BadField: (422, "malformed", "格式有误", "Malformed"),
    StoreUnavailable: (503, "store-unavailable", "案件库不可用", "Claim store unavailable"),
}
_HTTP = {
    404: ("not-found", "没有该页面或资源", "Not found"),
    405: ("method-not-allowed", "不支持该方法", "Method not allowed"),
    413: ("too-large", "请求超过2 MB，请分开提交材料", "Over 2 MB: send the papers separately"),
}
_UNREADABLE = (
    "正文无法读取，须为UTF-8的JSON，层次与数字不要过大",
    "the body cannot be read: send JSON in UTF-8, not too deep, no huge numbers",
)
_WORDS = {
    "missing": "缺少该字段，请补上",
    "extra_forbidden": "未知字段，请删除或更正拼写",
    "literal_error": "取值不在允许范围",
    "string_too_long": "文本过长",
    "string_too_short": "不能为空",
    "string_type": "须为文本",
    "bool_parsing": "须为true或false",
    "bool_type": "须为true或false",
    "int_parsing": "须为整数",
    "string_pattern_mismatch": "含有不允许的字符",
    "json_invalid": "不是有效的JSON",
    "enum": "取值不在允许范围",
    "model_attributes_type": "须为对象",
    "float_parsing": "须为数字",
    "float_type": "须为数字",
    "int_type": "须为整数",
    "greater_than_equal": "数值过小",
    "less_than_equal": "数值过大",
    "tuple_type": "须为列表",
}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "detail_zh", "detail_en"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "title_zh", "title_en", "detail", "detail_zh", "detail_en")},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {name: {"type": "string"} for name in ("field", "zh", "en")}},
        },
    },
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"description": "出错 A problem (RFC 9457), in both languages", "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
}


def problem(
    status: int, kind: str, zh: str, en: str, *, title: tuple[str, str] | None = None, errors: Sequence[dict[str, str]] = ()
) -> JSONResponse:
    """One problem; `errors` name each field."""
    title_zh, title_en = title or (zh, en)
    body: dict[str, Any] = {
        "type": f"urn:claim-triage:{kind}",
        "title": f"{title_zh} / {title_en}",
        "title_zh": title_zh,
        "title_en": title_en,
        "status": status,
        "detail": f"{zh} / {en}",
        "detail_zh": zh,
        "detail_en": en,
    }
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)


def answer(request: Request, status: int, kind: str, zh: str, en: str, **more: Any) -> Response:
    """A problem for programs, a page for people."""
    if request.url.path.startswith(("/v1", "/healthz", "/readyz", "/docs", "/static", "/openapi")):
        return problem(status, kind, zh, en, **more)
    return problem_page(request, status, zh, en)


def field_error(error: dict[str, Any]) -> dict[str, str]:
    """One validation error: the field's path, and what is wrong in both languages."""
    field = "" if error["type"] == "json_invalid" else ".".join(str(p) for p in error["loc"] if p not in ("body", "query", "path"))
    message = str(error["msg"]).removeprefix("Value error, ")
    zh, _, en = message.partition(" / ")
    if en:
        return {"field": field, "zh": zh, "en": en}
    return {"field": field, "zh": _WORDS.get(str(error["type"]), "格式有误，请更正"), "en": message}


def install(app: FastAPI) -> None:
    """Every error of the service answers as a problem; none shows a traceback."""

    @app.exception_handler(RequestValidationError)
    async def _malformed(request: Request, error: RequestValidationError) -> Response:
        errors = [field_error(dict(e)) for e in error.errors()]
        zh = "；".join(f"{e['field'] or '正文'}：{e['zh']}" for e in errors[:5])
        en = "; ".join(f"{e['field'] or 'body'}: {e['en']}" for e in errors[:5])
        return answer(request, 422, "malformed", zh, en, title=("格式有误", "Malformed"), errors=errors)

    @app.exception_handler(StoreError)
    async def _store(request: Request, error: StoreError) -> Response:
        status, kind, zh, en = _STATUS[type(error)]
        field = "plan" if isinstance(error, UnknownPlan) else error.field if isinstance(error, BadField) else None
        errors = [{"field": field, "zh": error.zh, "en": error.en}] if field else []
        return answer(request, status, kind, error.zh, error.en, title=(zh, en), errors=errors)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # the framework could not even parse the body
            return answer(request, 422, "malformed", *_UNREADABLE, title=("格式有误", "Malformed"))
        kind, zh, en = _HTTP.get(error.status_code, ("error", "请求未能完成", str(error.detail)))
        return answer(request, error.status_code, kind, zh, en)
