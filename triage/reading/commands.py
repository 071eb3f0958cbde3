"""`triage read`: a paper's text with everything read in it, the reader's score on a labelled corpus, a registry's table checked."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from knowledge_graph.loader import load
from triage.reading.corpus import CorpusError, papers
from triage.reading.encodings import decoded, repaired
from triage.reading.marked import as_data, as_page, in_terminal
from triage.reading.reader import Reader
from triage.reading.score import Line, PaperScore, labels, lines, score
from triage.reading.tnm_table import TableError, check_table

ZONE = ZoneInfo("Asia/Shanghai")


class _FileFirst(TyperGroup):
    """`triage read FILE` is `triage read file FILE`: what is no sub-command is a file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["file", *args]
        return super().parse_args(ctx, args)


read_app = typer.Typer(cls=_FileFirst, no_args_is_help=True, help="读材料 / read a paper, score the reader, check a staging table")


@read_app.command("file")
def file_command(
    file: Annotated[Path, typer.Argument(help="a text file: UTF-8, GB18030 or UTF-16")],
    evidence_type: Annotated[str | None, typer.Option("--type", help="evidence type; recognised where not given")] = None,
    filed_on: Annotated[datetime | None, typer.Option("--filed-on", formats=["%Y-%m-%d"], help="day the claim was filed")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="print one HTML page")] = False,
) -> None:
    """Show a paper's text with everything that was read in it."""
    try:
        text = decoded(file.read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{file}: 无法读取 / cannot be read: {error}") from error
    text = repaired(text) or text
    knowledge = load()
    if evidence_type is not None and evidence_type not in knowledge.evidence:
        raise typer.BadParameter(f"{evidence_type}: 未知材料类型 / unknown evidence type")
    day = filed_on.date() if filed_on else datetime.now(ZONE).date()
    data = as_data(Reader.from_knowledge(knowledge).read(text, document_id=file.name, evidence_type=evidence_type, filed_on=day))
    if as_json:
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
    elif as_html:
        typer.echo(as_page(text, data, file.name), nl=False)
    else:
        _show(text, data)


def _show(text: str, data: dict[str, Any]) -> None:
    out = Console(soft_wrap=True)
    out.print(f"[bold]{data['evidence_type'] or '?'}[/]", highlight=False)
    for problem in data["problems"]:
        out.print(f"! {problem}", style="red", markup=False)
    out.print(in_terminal(text, data))


@read_app.command("score")
def score_command(
    corpus: Annotated[Path, typer.Option(help="folder of labelled papers")] = Path("tests/reading"),
    errors: Annotated[bool, typer.Option(help="list every disagreement")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Precision, recall and F1 by reader and assertion class, with 95 % intervals, over a labelled corpus."""
    knowledge = load()
    try:
        labelled = list(papers(corpus))
        scores = score(labelled, Reader.from_knowledge(knowledge), knowledge)
    except CorpusError as error:
        raise typer.BadParameter(str(error)) from error
    found = lines(scores)
    if as_json:
        typer.echo(json.dumps([line.__dict__ for line in found], ensure_ascii=False, indent=2))
        return
    counts = ", ".join(f"{lang} {n}" for lang, n in sorted(labels(labelled).items()))
    _print(found, f"{len(labelled)} papers; labels: {counts}")
    if errors:
        _print_errors(scores)


def _print(found: list[Line], title: str) -> None:
    table = Table(title=title)
    for name in ("group", "n", "P", "R", "F1", "95 %"):
        table.add_column(name, justify="left" if name == "group" else "right")
    for line in found:
        interval = f"{line.low:.3f}-{line.high:.3f}"
        table.add_row(line.group, str(line.n), f"{line.precision:.3f}", f"{line.recall:.3f}", f"{line.f1:.3f}", interval)
    Console().print(table)


def _print_errors(scores: list[PaperScore]) -> None:
    for one in scores:
        for error in one.errors:
            typer.echo(f"{one.paper}: {error}")


@read_app.command("tnm")
def tnm_command(
    table: Annotated[Path, typer.Option("--table", help="CSV with T, N and stage; tumour size (mm) and nodes where it has them")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Stage from T and N in every row of a registry's table, and the rows that contradict themselves."""
    try:
        found = check_table(table, load().staging).to_json()
    except (OSError, TableError) as error:
        raise typer.BadParameter(f"{table}: {error}") from error
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    typer.echo(f"{found['rows']} rows; stage from T and N right in {found['stage_right']}")
    for why, rows in found["flagged"].items():
        typer.echo(f"  {why}: {rows['rows']}")
