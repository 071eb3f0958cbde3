"""/healthz, /readyz and /v1/version: whether the process lives, whether it can work, and what it works by."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from serving.champion import Condition
from serving.office import TheCondition, TheDesk
from triage.desk import Desk
from triage.suggestion import ENGINE

router = APIRouter(tags=["health 状态"])


@router.get("/healthz", summary="存活 The process answers")
async def healthz(condition: TheCondition) -> dict[str, Any]:
    """Always ok while the process answers; `degraded` names what of the model or MLflow does not work."""
    return {"status": "ok", "degraded": condition.degraded()}


@router.get("/readyz", summary="就绪 Claims can be filed")
async def readyz(desk: TheDesk, condition: TheCondition) -> dict[str, Any]:
    """ok when the store can be written; 503 names it otherwise. A missing or refused model, or MLflow away, is said, not an error."""
    await run_in_threadpool(desk.store.check_writable)
    missing = [] if desk.bundle is not None else ["no_model"]
    return {"status": "ok", "degraded": [*missing, *condition.degraded()], "model": _model(desk, condition)}


def _model(desk: Desk, condition: Condition) -> dict[str, Any]:
    """The bundle served and the registry's version of it; a refused version with the reason in both languages."""
    refused = None if condition.refused is None else {"version": condition.refused, "why": condition.why}
    bundle = None if desk.bundle is None else {"name": desk.bundle.name, "digest": desk.bundle.digest, "purpose": desk.bundle.purpose}
    return {"bundle": bundle, "version": condition.version, "refused": refused}


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
