"""The service: one FastAPI app around one desk."""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.staticfiles import StaticFiles

from knowledge_graph.loader import load
from serving import claims, graph, health, pages, problems, suggestions
from serving.limits import Limits
from serving.settings import Settings
from triage.bundle import Bundle
from triage.desk import Desk
from triage.reading import Reader
from triage.store import open_store

ZONE = ZoneInfo("Asia/Shanghai")
DESCRIPTION = "案件分诊：给出建议去向与理由，由人决定。Routes claims with reasons a person can check; a person decides."


def open_desk(settings: Settings) -> Desk:
    """The desk of a process. Raises KnowledgeError, BundleError or StoreUnavailable, each naming what to mend."""
    knowledge = load(settings.rulebook)
    bundle = Bundle.load(settings.bundle) if settings.bundle else None
    return Desk(open_store(settings.database), knowledge, Reader.from_knowledge(knowledge), bundle, lambda: datetime.now(ZONE))


def create_app(desk: Desk | None) -> FastAPI:
    """The app; without a desk only its description can be asked for."""
    app: FastAPI = FastAPIOffline(
        title="Claim triage 案件分诊",
        version=version("claim-triage"),
        description=DESCRIPTION,
        docs_url="/docs",
        redoc_url=None,
        responses=problems.RESPONSES,
    )
    app.state.desk = desk
    for module in (claims, suggestions, graph, health, pages):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    problems.install(app)
    app.add_middleware(Limits)
    return app
