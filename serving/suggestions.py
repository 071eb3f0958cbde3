"""/v1/suggestions: a claim in, a suggestion out, nothing stored; and the claim format's schema."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from serving.office import TheDesk
from triage.claim import Claim

router = APIRouter(prefix="/v1", tags=["suggestions 建议"])


@router.post("/suggestions", summary="试算 Suggest a route without storing anything")
async def suggest(claim: Claim, desk: TheDesk) -> dict[str, Any]:
    """The suggestion a stored claim like this would get."""
    return await run_in_threadpool(desk.suggest, claim)


@router.get("/schema/claim", summary="案件格式 JSON Schema of a claim")
async def claim_schema() -> dict[str, Any]:
    """The published format."""
    return Claim.model_json_schema()
