"""The service: one FastAPI app around one desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from knowledge_graph.loader import load
from serving import claims, graph, health, pages, problems, suggestions
from serving.champion import Champion
from serving.limits import Limits
from serving.settings import Settings
from serving.watch import Watch
from triage.aliases import CHALLENGER, Aliases
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


def follower(desk: Desk, settings: Settings) -> tuple[Desk, Champion | None]:
    """The desk with the champion of this moment, and what follows it from here on; no follower where a bundle is set."""
    if settings.bundle is not None:
        return desk, None
    champion = Champion(Aliases.at(settings.mlflow), every=settings.poll_seconds)
    champion.look()
    return replace(desk, bundle=champion.bundle), champion


def served() -> FastAPI:
    """The app of one worker process, by the environment's settings."""
    settings = Settings()
    return create_app(*follower(open_desk(settings), settings))


@asynccontextmanager
async def following(app: FastAPI) -> AsyncIterator[None]:
    """While the app runs it follows the champion, scores with the challenger in shadow and heeds the audit lane."""
    champion: Champion | None = app.state.champion
    if app.state.desk is None:
        yield
        return

    def take(bundle: Bundle | None) -> None:
        app.state.desk = replace(app.state.desk, bundle=bundle)

    watch = Watch(lambda: app.state.desk, champion.beside(CHALLENGER) if champion is not None else None)
    threads = [watch.follow(), *([champion.follow(take)] if champion is not None else [])]
    yield
    for part in (watch, champion):
        if part is not None:
            part.stop()
    for thread in threads:
        await run_in_threadpool(thread.join, 5)


def create_app(desk: Desk | None, champion: Champion | None = None) -> FastAPI:
    """The app; without a desk only its description can be asked for. A request keeps the desk it began with, so that a swap of the
    model fails none."""
    app: FastAPI = FastAPIOffline(
        title="Claim triage 案件分诊",
        version=version("claim-triage"),
        description=DESCRIPTION,
        docs_url="/docs",
        redoc_url=None,
        responses=problems.RESPONSES,
        lifespan=following,
    )
    app.state.desk = desk
    app.state.champion = champion
    for module in (claims, suggestions, graph, health, pages):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    problems.install(app)
    app.add_middleware(Limits)
    return app
