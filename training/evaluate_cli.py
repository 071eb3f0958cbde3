"""`triage evaluate`: what the model is worth on simulated worlds it has not seen, with intervals, beside what was asked of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from training.findings import Grid, Line, Report, Section

evaluate_app = typer.Typer(help="在留出的模拟世界上评估模型 / judge the model on held-out simulated worlds")
SIMULATED = "全部为模拟案件，非真实数据 / all claims are simulated, none is real"


@evaluate_app.command()
def evaluate(
    claims: Annotated[int, typer.Option(min=5_000, help="claims of each world")] = 100_000,
    seed: Annotated[int, typer.Option(help="seed of the world trained on")] = 1,
    full: Annotated[
        bool, typer.Option("--full", help="try every assumption at both ends of its range (about a quarter of an hour)")
    ] = False,
    read: Annotated[int, typer.Option(min=0, help="claims of each world whose papers are read for real; 0: perfectly")] = 1_500,
    threads: Annotated[int, typer.Option(min=1, help="LightGBM threads")] = 2,
    workers: Annotated[int, typer.Option(min=1, help="processes for the ends of assumptions")] = 2,
    pictures: Annotated[Path | None, typer.Option(help="folder to draw the pictures into")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Train on one simulated world, judge on another; exit 1 when a target is missed."""
    from rich.console import Console

    from training.evaluate import evaluate as judge

    console = Console(stderr=True)
    with console.status("") as status:
        found = judge(claims, seed, full=full, read=read, threads=threads, workers=workers, progress=status.update)
    if pictures is not None:
        _draw(found, pictures)
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
    else:
        show(found, Console())
    if found.missed:
        raise typer.Exit(1)


def _draw(found: Report, folder: Path) -> None:
    from training.pictures import of_report

    folder.mkdir(parents=True, exist_ok=True)
    for name, png in of_report(found).items():
        (folder / name).write_bytes(png)


def show(found: Report, console: Console) -> None:
    """The report as tables."""
    console.print(f"[bold]{SIMULATED}[/bold]  claims={found.claims} seed={found.seed}")
    for section in found.sections:
        _section(section, console)
    missed = ", ".join(line.id for line in found.missed)
    console.print(f"未达到 / missed: {missed}" if missed else "全部达到 / every target met")
    console.print(f"[bold]{SIMULATED}[/bold]")


def _section(section: Section, console: Console) -> None:
    from rich.table import Table

    table = Table(title=f"{section.zh} / {section.en}（模拟 simulated）", title_justify="left")
    for heading in ("", "", "值 / value [95 %]", "目标 / target", ""):
        table.add_column(heading, overflow="fold")
    for line in section.lines:
        table.add_row(line.zh, line.en, said(line.value), line.target, _mark(line))
    console.print(table)
    for grid in section.grids:
        console.print(_grid(grid))


def _grid(grid: Grid) -> Any:
    from rich.table import Table

    table = Table(title=f"{grid.zh} / {grid.en}（模拟 simulated）", title_justify="left")
    for column in grid.columns:
        table.add_column("" if column in ("zh", "en") else column.replace("_", " "), overflow="fold")
    for row in grid.rows:
        table.add_row(*(said(value) for value in row))
    return table


def _mark(line: Line) -> str:
    return "" if line.passed is None else "✓" if line.passed else "✗"


def said(value: Any) -> str:
    """A number as people read it; an interval of no width is left out."""
    from training.metrics import Estimate

    if isinstance(value, Estimate):
        alone = value.low == value.high
        return _number(value.value) if alone else f"{_number(value.value)} [{_number(value.low)}, {_number(value.high)}]"
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3f}"
