"""`triage serve` and `triage demo`."""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
import yaml
from pydantic import ValidationError

from knowledge_graph.errors import KnowledgeError
from serving.app import create_app, follower, open_desk
from serving.settings import Settings
from triage.actions import Correction, DecisionForm, Investigation
from triage.bundle import BundleError
from triage.claim import Claim, Document
from triage.desk import Desk
from triage.store.errors import BadField, DecisionRefused, DuplicateClaim, StoreError, StoreUnavailable

serve_app = typer.Typer(help="启动服务 / serve")
demo_app = typer.Typer(help="载入演示案件 / load demonstration claims")
STARTING_SECONDS = 120
DEMONSTRATION = Path(__file__).parent / "demo_claims"
Database = Annotated[str | None, typer.Option(help="database URL; default sqlite:///var/triage.db")]


def _settings(**given: Any) -> Settings:
    try:
        return Settings(**{k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        raise typer.BadParameter("; ".join(str(e["msg"]) for e in error.errors())) from error


def _desk(settings: Settings) -> Desk:
    try:
        return open_desk(settings)
    except (KnowledgeError, BundleError, StoreError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@serve_app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="loopback address")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    database: Database = None,
    bundle: Annotated[Path | None, typer.Option(help="risk bundle (folder or YAML) instead of the registry's champion")] = None,
    mlflow: Annotated[str | None, typer.Option(help="MLflow registry; default sqlite:///mlruns/mlflow.db")] = None,
    rulebook: Annotated[Path | None, typer.Option(help="rulebook directory instead of the shipped one")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="processes; each follows the champion by itself")] = 1,
) -> None:
    """Serve the pages and the API on loopback."""
    settings = _settings(host=host, port=port, database=database, bundle=bundle, rulebook=rulebook, mlflow=mlflow)
    desk, champion = follower(_desk(settings), settings)
    try:
        lapsed = desk.close_due_requests()
    except StoreError as error:
        typer.echo(str(error), err=True)
        lapsed = 0
    if lapsed:
        typer.echo(f"{lapsed} 件补件到期，已转人工 / requests fell due and went to a person")
    listening = _listen(settings)
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{shown}:{listening.getsockname()[1]}/"
    typer.echo(f"案件列表 claims   {url}\n接口说明 API page {url}docs")
    if workers > 1:
        _serve_by_many(settings, listening, workers)
    else:
        uvicorn.Server(uvicorn.Config(create_app(desk, champion), log_level="warning", server_header=False)).run(sockets=[listening])


def _serve_by_many(settings: Settings, listening: socket.socket, workers: int) -> None:
    """Processes of their own at that address, told the settings by their environment; uvicorn replaces one that dies."""
    port: int = listening.getsockname()[1]
    listening.close()
    os.environ.update({f"TRIAGE_{name.upper()}": str(value) for name, value in settings.model_dump().items() if value is not None})
    quiet: dict[str, Any] = {"log_level": "warning", "server_header": False}
    # A worker that is still loading on a busy machine is not a dead one: uvicorn would begin again after 5 seconds, for ever.
    quiet["timeout_worker_healthcheck"] = STARTING_SECONDS
    uvicorn.run("serving.app:served", factory=True, host=settings.host, port=port, workers=workers, **quiet)


def _listen(settings: Settings) -> socket.socket:
    """The address is taken before it is printed; port 0 takes a free one."""
    listening = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        zh = f"端口 {settings.port} 无法使用，请停止占用它的程序，或用 --port 换一个"
        en = f"port {settings.port} cannot be used: stop what holds it, or choose another with --port ({error.strerror})"
        typer.echo(f"{zh} / {en}", err=True)
        raise typer.Exit(1) from error
    listening.listen(128)
    return listening


@demo_app.command()
def demo(
    database: Database = None,
    mlflow: Annotated[str | None, typer.Option(help="MLflow registry whose champion scores; default sqlite:///mlruns/mlflow.db")] = None,
    claims: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="further claims to file, JSON lines")] = None,
) -> None:
    """Load the demonstration claims; those that are there already are kept."""
    settings = _settings(database=database, mlflow=mlflow)
    desk, _ = follower(_desk(settings), settings)
    told = [*_loaded(desk, _yaml_claims()), *(_loaded(desk, _lines(claims), shown=False) if claims else ())]
    counted = Counter(_outcome(answer) for answer in told if answer is not None)
    if counted:
        typer.echo("  " + " · ".join(f"{_OUTCOMES[name]} {number}" for name, number in counted.items()))


_OUTCOMES = {
    "released": "免调查放行 released",
    "audit": "抽中审计 drawn for audit",
    "investigate": "发调 to be investigated",
    "request_evidence": "待补件 papers asked for",
    "human_review": "待人工 for a person",
    "decided": "复审 at second review",
}


def _outcome(suggestion: Mapping[str, Any]) -> str:
    """Where a claim stands, in one of the words above."""
    if suggestion["gate"]["why"] == "audit" and suggestion["route"] == "investigate":
        return "audit"
    if suggestion["route"] == "clear":
        return "released"
    if suggestion["route"] in ("investigate", "refer_siu"):
        return "investigate"
    return suggestion["route"] if suggestion["route"] in _OUTCOMES else "decided"


def _yaml_claims() -> list[tuple[str, Mapping[str, Any]]]:
    return [(path.name, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(DEMONSTRATION.glob("*.yaml"))]


def _lines(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(f"{path.name}:{number}", {"claim": json.loads(line)}) for number, line in enumerate(lines, 1) if line.strip()]


def _loaded(desk: Desk, given: list[tuple[str, Mapping[str, Any]]], *, shown: bool = True) -> Iterator[Mapping[str, Any] | None]:
    """Files claims in order: the suggestion of each, None where it was kept."""
    for number, (name, data) in enumerate(given, 1):
        try:
            told, suggestion = _load(desk, data)
        except (StoreUnavailable, yaml.YAMLError, ValueError, KeyError, TypeError) as error:
            typer.echo(f"{name}: 未能载入，请更正后重试 / not loaded, correct it and run again: {error}", err=True)
            raise typer.Exit(1) from error
        if shown or number % 20 == 0 or number == len(given):
            typer.echo(f"  [{number:{len(str(len(given)))}}/{len(given)}] {told}")
        yield suggestion


def _load(desk: Desk, data: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None]:
    claim = Claim.model_validate(data["claim"])
    try:
        answer = desk.submit(claim, actor="demo")
    except DuplicateClaim:
        return f"{claim.claim_id} 已在库 / kept", None
    try:
        for step in data.get("then", ()):
            answer = _step(desk, answer["claim_id"], step)
    except (BadField, DecisionRefused) as error:
        return f"{claim.claim_id} 已载入，后续一步未采纳 / loaded, a later step was refused: {error}", answer["suggestion"]
    suggestion = answer["suggestion"]
    return f"{claim.claim_id} {suggestion['position']} -> {suggestion['route']}", suggestion


def _step(desk: Desk, claim_id: str, step: Mapping[str, Any]) -> dict[str, Any]:
    """One thing that happened to a demonstration claim after filing."""
    kind, body = next(iter(step.items()))
    who = str(body.pop("actor", "demo"))
    if kind == "document":
        return desk.add_document(claim_id, Document.model_validate(body), actor=who)
    if kind == "observation":
        return desk.add_observation(claim_id, Correction.model_validate(body), actor=who)
    if kind == "investigation":
        return desk.add_investigation(claim_id, Investigation.model_validate(body), actor=who)
    return desk.decide(claim_id, DecisionForm.model_validate(body), actor=who)
