"""`triage train`: from claims to a registered challenger, on a simulated world, the claim store, a prepared dataset or a table of one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from knowledge_graph.errors import KnowledgeError
from training.model_commands import At, open_registry, refuse
from triage.aliases import CHAMPION, DEFAULT, Aliases, RegistryAway
from triage.bundle import BundleError
from triage.store.errors import StoreError

if TYPE_CHECKING:
    from knowledge_graph.loader import Knowledge
    from training.dataset import Dataset
    from training.registry import Registry, Version
    from training.sources import Source

ZONE = ZoneInfo("Asia/Shanghai")
CLAIMS = 30_000
"""Enough for a certificate of the larger groups, and trained within a minute on two cores."""
READ = 400
"""Claims read for real: some dozens of each common condition."""
train_app = typer.Typer(help="训练风险模型 / train the risk model")


@train_app.command()
def train(
    source: Annotated[Literal["world", "store"], typer.Option("--from", help="simulated world, or the claim store")] = "world",
    claims: Annotated[int, typer.Option(min=100, help="claims of the simulated world")] = CLAIMS,
    seed: Annotated[int, typer.Option(help="of the world, the model and the draws")] = 1,
    shadow_months: Annotated[
        int | None, typer.Option(min=1, help="of the simulated world: months in which everything was investigated; default: all")
    ] = None,
    read: Annotated[
        int,
        typer.Option(min=0, help="of the simulated world: claims whose papers are read for real; the others take after them; 0: perfectly"),
    ] = READ,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="claims filed and labels known by that day")] = None,
    dataset: Annotated[Path | None, typer.Option(help="a dataset saved before")] = None,
    table: Annotated[Path | None, typer.Option(help="CSV or Parquet of your own; nothing is registered")] = None,
    label: Annotated[str, typer.Option(help="with --table: its yes/no column")] = "",
    time: Annotated[str | None, typer.Option(help="with --table: the column to split by")] = None,
    group: Annotated[str | None, typer.Option(help="with --table: the column to certify by")] = None,
    bundle_out: Annotated[Path | None, typer.Option(help="also write the bundle to this new folder")] = None,
    database: Annotated[str, typer.Option(envvar="TRIAGE_DATABASE", help="claim store, with --from store")] = "sqlite:///var/triage.db",
    rulebook: Annotated[Path | None, typer.Option(envvar="TRIAGE_RULEBOOK", help="rulebook directory")] = None,
    mlflow: At = DEFAULT,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    if_none: Annotated[bool, typer.Option(help="do nothing when a champion serves already")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Train, certify, evaluate and register a challenger; the first one ever is promoted through the same gates."""
    if table is not None:
        _own_table(table, label, time, group, seed, threads, as_json=as_json)
        return
    if label or time or group:
        raise typer.BadParameter("--label、--time、--group 只用于 --table / --label, --time and --group go with --table")
    if bundle_out is not None and bundle_out.exists():
        raise typer.BadParameter(f"{bundle_out}: 已存在，请给出新文件夹 / is there already: name a new folder")
    if if_none and _serves(mlflow):
        typer.echo("已有冠军模型 / a champion serves already")
        return
    knowledge = _knowledge(rulebook)
    rows, where = _rows(source, claims, seed, shadow_months, read, as_of, dataset, database, knowledge)
    registry = open_registry(mlflow, make=True)
    version = _trained(registry, rows, where, knowledge, seed, as_of, threads, bundle_out)
    passed = _first(registry, version, knowledge)
    told = {"version": version.number, "champion": passed, "digest": version.digest, "metrics": dict(version.metrics)}
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in shown(version.metrics):
        typer.echo(f"  {line}")
    role = "冠军 champion" if passed else "挑战者 challenger"
    typer.echo(f"版本 {version.number}：{role} / version {version.number}")


def shown(metrics: Mapping[str, float]) -> Iterator[str]:
    """Each metric once, with its interval where it has one."""
    for name, value in sorted(metrics.items()):
        if name.endswith(("_low", "_high")):
            continue
        low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
        interval = "" if low is None or high is None else f" [{low:.4f}, {high:.4f}]"
        yield f"{name:<52} {value:.4f}{interval}"


def _own_table(path: Path, label: str, time: str | None, group: str | None, seed: int, threads: int, *, as_json: bool) -> None:
    from training.table import TableError
    from training.table_run import train_table
    from training.table_words import lines

    if not label:
        raise typer.BadParameter("--table 须同时给出 --label / --table needs --label")
    try:
        report = train_table(path, label, time=time, group=group, seed=seed, threads=threads)
    except TableError as error:
        raise refuse(str(error)) from error
    typer.echo(json.dumps(report.to_json(), ensure_ascii=False) if as_json else "\n".join(lines(report)))


def _serves(uri: str) -> bool:
    try:
        return Aliases.at(uri).of(CHAMPION) is not None
    except RegistryAway:
        return False
    except ValueError as error:
        raise refuse(str(error)) from error


def _knowledge(rulebook: Path | None) -> Knowledge:
    from knowledge_graph.loader import load

    try:
        return load(rulebook)
    except KnowledgeError as error:
        raise refuse(str(error)) from error


def _rows(
    source: str,
    claims: int,
    seed: int,
    shadow_months: int | None,
    read: int,
    as_of: datetime | None,
    dataset: Path | None,
    database: str,
    knowledge: Knowledge,
) -> tuple[Dataset, Source]:
    from training.dataset import DatasetError
    from training.sources import from_file, from_store, from_world

    try:
        if dataset is not None:
            return from_file(dataset)
        if source == "store":
            return from_store(database, knowledge, as_of)
        _tell(f"模拟世界 {claims} 件，其中读材料 {read} 件 / a simulated world of {claims} claims, {read} read from their papers")
        return from_world(claims, seed, shadow_months, read=read, workers=2)
    except (DatasetError, StoreError) as error:
        raise refuse(str(error)) from error


def _trained(
    registry: Registry,
    rows: Dataset,
    where: Source,
    knowledge: Knowledge,
    seed: int,
    as_of: datetime | None,
    threads: int,
    bundle_out: Path | None,
) -> Version:
    from training.dataset import DatasetError
    from training.registry import RegistryError
    from training.train import train as learn

    now = datetime.now(ZONE)
    as_of = now if as_of is None and not where.simulated else as_of
    given = {
        "source": where,
        "today": now.date(),
        "seed": seed,
        "as_of": as_of,
        "threads": threads,
        "bundle_out": bundle_out,
        "tell": _tell,
    }
    try:
        return learn(registry, rows, knowledge, **given)  # type: ignore[arg-type]
    except (DatasetError, BundleError, RegistryError) as error:
        raise refuse(str(error)) from error
    except OSError as error:
        raise refuse(f"{bundle_out}: 无法写入，未登记任何模型 / cannot be written, no model was registered: {error}") from error


def _tell(words: str) -> None:
    typer.echo(words, err=True)


def _first(registry: Registry, version: Version, knowledge: Knowledge) -> bool:
    """Promotes the first version ever, through the same gates; says which refused."""
    from training.promote import Running, promote

    if registry.find(CHAMPION) is not None:
        return False
    found = promote(registry, version, Running.of(knowledge), datetime.now(ZONE).date(), by="triage train")
    for f in found:
        if not f.passed:
            typer.echo(str(f), err=True)
    return all(f.passed for f in found)
