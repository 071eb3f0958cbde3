"""`triage promote`, `rollback`, `compare` and `mlflow`: which version serves, and why not another."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from triage.aliases import CHALLENGER, CHAMPION, DEFAULT
from triage.bundle import BundleError

if TYPE_CHECKING:
    from training.registry import Registry, Version

ZONE = ZoneInfo("Asia/Shanghai")
promote_app = typer.Typer(help="提升模型版本 / promote a model version")
rollback_app = typer.Typer(help="回退到上一版本 / roll back to the previous version")
compare_app = typer.Typer(help="比较两个版本 / compare two versions")
mlflow_app = typer.Typer(help="打开MLflow页面 / open MLflow's pages on the project's store")
At = Annotated[str, typer.Option("--mlflow", envvar="TRIAGE_MLFLOW", help="MLflow registry")]
By = Annotated[str, typer.Option(help="the person who decides; default: the login name")]


def open_registry(uri: str, *, make: bool = False) -> Registry:
    """The registry, or an exit that says what to do; `make` it where there is none."""
    from training.registry import Registry, RegistryError

    try:
        return Registry(uri, make=make)
    except RegistryError as error:
        raise refuse(str(error)) from error


def refuse(words: str) -> typer.Exit:
    """Says why, and ends with 1."""
    typer.echo(words, err=True)
    return typer.Exit(1)


def named(registry: Registry, name: str) -> Version:
    """A version by number or alias, or an exit that says what to do."""
    from training.registry import RegistryError

    try:
        return registry.version(name)
    except RegistryError as error:
        raise refuse(str(error)) from error


@promote_app.command()
def promote(
    version: Annotated[str, typer.Argument(help="version number or alias")] = CHALLENGER,
    by: By = "",
    mlflow: At = DEFAULT,
    rulebook: Annotated[Path | None, typer.Option(envvar="TRIAGE_RULEBOOK", help="rulebook directory")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Make a version champion if every gate passes; a running service follows within a second or two."""
    from knowledge_graph.errors import KnowledgeError
    from knowledge_graph.loader import load
    from training.dataset import DatasetError
    from training.promote import Running
    from training.promote import promote as decide
    from training.registry import RegistryError

    registry = open_registry(mlflow)
    asked = named(registry, version)
    try:
        found = decide(registry, asked, Running.of(load(rulebook)), datetime.now(ZONE).date(), by=by or getuser())
    except (RegistryError, BundleError, DatasetError, KnowledgeError) as error:
        raise refuse(str(error)) from error
    passed = all(f.passed for f in found)
    if as_json:
        gates = [{"gate": f.gate, "passed": f.passed, "zh": f.zh, "en": f.en} for f in found]
        typer.echo(json.dumps({"version": asked.number, "promoted": passed, "gates": gates}, ensure_ascii=False))
    else:
        for f in found:
            typer.echo(str(f))
        typer.echo(
            f"版本 {asked.number} {'已提升为冠军' if passed else '未提升'} / version {asked.number} {'is champion' if passed else 'was not promoted'}"
        )
    if not passed:
        raise typer.Exit(1)


@rollback_app.command()
def rollback(by: By = "", mlflow: At = DEFAULT) -> None:
    """The previous champion serves again."""
    from training.promote import rollback as back
    from training.registry import RegistryError

    try:
        version = back(open_registry(mlflow), by=by or getuser(), at=datetime.now(ZONE).date())
    except (RegistryError, BundleError) as error:
        raise refuse(str(error)) from error
    typer.echo(f"版本 {version.number} 重新成为冠军 / version {version.number} is champion again")


@compare_app.command()
def compare(
    first: Annotated[str, typer.Argument(help="version number or alias")] = CHAMPION,
    second: Annotated[str, typer.Argument(help="version number or alias")] = CHALLENGER,
    mlflow: At = DEFAULT,
    database: Annotated[str, typer.Option(envvar="TRIAGE_DATABASE", help="claim store, for shadow scores")] = "sqlite:///var/triage.db",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Metrics side by side, the same held-out claims under both, and who would be released differently."""
    from training.compare import compare as beside
    from training.compare import lines
    from training.dataset import DatasetError
    from training.registry import RegistryError
    from triage.store import open_existing
    from triage.store.errors import NoStore, StoreError

    registry = open_registry(mlflow)
    one, two = named(registry, first), named(registry, second)
    try:
        try:
            with open_existing(database).reading() as connection:
                found = beside(registry, one, two, connection)
        except NoStore:
            found = beside(registry, one, two)
    except (RegistryError, BundleError, DatasetError, StoreError) as error:
        raise refuse(str(error)) from error
    typer.echo(json.dumps(found.to_json(), ensure_ascii=False) if as_json else "\n".join(lines(found)))


@mlflow_app.command()
def mlflow(
    at: At = DEFAULT,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 5000,
    moved: Annotated[bool, typer.Option(help="only mend the stored paths after the folder was moved")] = False,
) -> None:
    """MLflow's own pages on loopback, with its telemetry off."""
    from training.registry import RegistryError, rehome

    if moved:
        try:
            typer.echo(f"已改写 {(n := rehome(at))} 条路径 / {n} paths rewritten")
        except RegistryError as error:
            raise refuse(str(error)) from error
        return
    registry = open_registry(at)
    typer.echo(f"MLflow http://127.0.0.1:{port}/")
    sys.stdout.flush()
    os.execv(sys.executable, server_command(registry, port))  # noqa: S606


def server_command(registry: Registry, port: int) -> list[str]:
    """MLflow's server on loopback only, answering to no other host name."""
    hosts = ",".join(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
    store = ["--backend-store-uri", registry.uri, "--artifacts-destination", (registry.home / "artifacts").as_uri()]
    return [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        *store,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--allowed-hosts",
        hosts,
        "--workers",
        "1",
    ]
