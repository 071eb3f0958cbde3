"""/healthz, /readyz and /v1/version: whether the process lives, whether it can work, and what it works by."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from serving.office import TheDesk
from triage.suggestion import ENGINE

router = APIRouter(tags=["health 状态"])


@router.get("/healthz", summary="存活 The process answers")
async def healthz() -> dict[str, str]:
    """Always ok while the process answers."""
    return {"status": "ok"}


@router.get("/readyz", summary="就绪 Claims can be filed")
async def readyz(desk: TheDesk) -> dict[str, Any]:
    """ok when the store can be written; 503 names it otherwise. A missing model is said, not an error."""
    await run_in_threadpool(desk.store.check_writable)
    degraded = [] if desk.bundle is not None else ["no_model"]
    return {"status": "ok", "degraded": degraded}


@router.get("/v1/version", summary="版本 Versions")
async def show_version(desk: TheDesk) -> dict[str, Any]:
    """Digests of what decides."""
    bundle = desk.bundle.name if desk.bundle is not None else None
    return {
        "version": version("claim-triage"),
        "engine": ENGINE,
        "rulebook": desk.knowledge.digest,
        "reader": desk.reader.digest,
        "bundle": bundle,
    }
