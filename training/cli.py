"""`triage labels`: decided claims out of the claim store, as rows to learn from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from training.labels import label_rows
from triage.store import Store, open_existing
from triage.store.errors import StoreError

labels_app = typer.Typer(no_args_is_help=True, help="导出训练标签 / export labels to learn from")


@labels_app.callback()
def _labels() -> None:
    """导出训练标签 / export labels to learn from."""


def _open(url: str) -> Store:
    try:
        return open_existing(url)
    except StoreError as error:
        raise typer.BadParameter(str(error)) from error


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
