"""`triage world make`: a simulated world of claims on disk, in the product's own format."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from training.world.assumptions import Assumptions, OutsideRange, UnknownAssumption
from training.world.make import make_world
from training.world.world import World

world_app = typer.Typer(no_args_is_help=True, help="模拟世界：无真实数据时的成员、案件、欺诈与调查 / a simulated world to learn from")


@world_app.callback()
def _world() -> None:
    """模拟世界 / a simulated world."""


def _progress(stage: str) -> None:
    """A line on a terminal that is replaced; nothing where nobody looks."""
    if sys.stderr.isatty():
        typer.echo(f"\r\033[K{stage} ...", nl=False, err=True)


def assumed(changes: list[str]) -> Assumptions:
    """The assumptions with `name=value` changes."""
    try:
        pairs = [change.partition("=") for change in changes]
        return Assumptions.load().with_(**{name.strip(): float(value) for name, _, value in pairs})
    except (UnknownAssumption, OutsideRange) as error:
        raise typer.BadParameter(str(error.args[0])) from error
    except ValueError as error:
        raise typer.BadParameter(f"--set 须为 名称=数字 / is written name=number: {error}") from error


@world_app.command("make")
def make(
    out: Annotated[Path, typer.Option(help="folder to write")],
    claims: Annotated[int, typer.Option(min=1, help="claims filed over the whole span")] = 20_000,
    seed: Annotated[int, typer.Option(help="the same seed makes the same world")] = 1,
    documents: Annotated[bool, typer.Option(help="write the papers into claims.jsonl (slower)")] = False,
    rounds: Annotated[int, typer.Option(min=0, max=2, help="papers brought up to this round: 0 at first filing, 2 all")] = 0,
    shifted: Annotated[bool, typer.Option(help="the shifted world of shifted.yaml")] = False,
    set_: Annotated[list[str] | None, typer.Option("--set", help="an assumption, name=value; may be repeated")] = None,
) -> None:
    """Make a world: tables (Parquet), claims in the product's format (claims.jsonl), and a summary."""
    chosen = assumed(set_ or [])
    world = make_world(claims, seed, chosen.shifted() if shifted else chosen, _progress)
    try:
        world.save(out)
        _write_claims(world, out / "claims.jsonl", documents=documents, rounds=rounds)
    except OSError as error:
        raise typer.BadParameter(f"{out}: 无法写入，请换一个文件夹 / cannot be written, name another folder: {error}") from error
    if sys.stderr.isatty():
        typer.echo("\r\033[K", nl=False, err=True)
    typer.echo(f"{out}: {claims} 个模拟案件 / simulated claims")
    typer.echo(summary(world))


@world_app.command("assumptions")
def assumptions() -> None:
    """List every assumption with its default, range and source."""
    for name, entry in Assumptions.load().entries.items():
        typer.echo(
            f"{name}: {entry.default:g} ({entry.low:g} - {entry.high:g}) {entry.zh} / {entry.en} [{entry.confidence}: {entry.source}]"
        )


def _write_claims(world: World, path: Path, *, documents: bool, rounds: int) -> None:
    total = world.facts.height
    with path.open("w", encoding="utf-8") as file:
        for number, claim_id in enumerate(world.facts["claim_id"].to_list()):
            claim = world.claim(claim_id, rounds, papers=documents)
            file.write(claim.model_dump_json(exclude_none=True) + "\n")
            if number % 500 == 0:
                _progress(f"claims {number}/{total}")


def summary(world: World) -> str:
    """Shares in words: typologies, rings, lanes, refusals, complete first filings."""
    latent, outcomes = world.latent, world.outcomes
    typologies = latent["typology"].replace({"": "honest"}).value_counts(sort=True)
    known = outcomes.filter(pl.col("investigated"))
    wrongful = latent.filter(~pl.col("typology").is_in(["", "duplicate_claims"]))
    lines = [f"  {name}: {count / latent.height:.2%}" for name, count in typologies.iter_rows()]
    lines.append(f"团伙占欺诈与违规 / of the wrongful through rings: {_mean(wrongful['ring_id'].is_not_null())}")
    lines.append(
        "通道 / lanes: " + ", ".join(f"{lane} {n / latent.height:.1%}" for lane, n in outcomes["lane"].value_counts(sort=True).iter_rows())
    )
    lines.append(f"已调查 / investigated: {_mean(outcomes['investigated'])}，其中拒付 / of these refused: {_mean(known['refused'])}")
    lines.append(f"规则全部通过 / pass all rules: {_mean(outcomes['passes_rules'])}")
    lines.append(f"首次材料齐全 / complete at first filing: {_mean(world.attributes['first_papers_share'] == 1)}")
    return "\n".join(lines)


def _mean(column: pl.Series) -> str:
    mean = column.mean()
    return f"{mean:.1%}" if isinstance(mean, float) else "-"
