"""`triage labels`: decided claims out of the claim store, as rows to learn from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from training.labels import label_rows
from triage.store import Store, open_store
from triage.store.errors import StoreError

labels_app = typer.Typer(no_args_is_help=True, help="导出训练标签 / export labels to learn from")


@labels_app.callback()
def _labels() -> None:
    """导出训练标签 / export labels to learn from."""


def _open(url: str) -> Store:
    """An existing store: a mistyped path must not make an empty one."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
            raise typer.BadParameter(f"{url}: 没有该案件库，请核对地址 / there is no such claim store: check the URL")
        return open_store(url)
    except (ArgumentError, StoreError) as error:
        raise typer.BadParameter(f"{url}: 无法打开，请核对地址 / cannot be opened, check the URL: {error}") from error


@labels_app.command("export")
def export(
    out: Annotated[Path, typer.Option(help="JSONL file to write, one decided claim a line")],
    database: Annotated[str, typer.Option(envvar="TRIAGE_DATABASE", help="database URL")] = "sqlite:///var/triage.db",
) -> None:
    """Write a row for every decided claim; its label is null unless the claim was investigated."""
    rows = list(label_rows(_open(database)))
    out.write_text("".join(json.dumps(row.to_json(), ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    labelled = sum(row.label is not None for row in rows)
    typer.echo(f"{out}: {len(rows)} 个已决案件，{labelled} 个有标签 / decided claims, labelled: {labelled}")
