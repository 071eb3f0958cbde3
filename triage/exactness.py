"""How far the cases are reasoned about as whole claims: `triage exactness` prints what is settled so and where the limit was met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from triage.assembly import assemble
from triage.cases import FOLDER, TODAY, Bench, CaseError
from triage.judge import Outcome
from triage.pipeline import suggest
from triage.whole_claim import WholeClaim, whole_claim

exactness_app = typer.Typer(help="整案推理的精确度 / how exact the reasoning about whole claims is")
_OPEN = frozenset({Outcome.UNKNOWN, Outcome.CONFLICT})


@dataclass(frozen=True, slots=True)
class Found:
    """One case: what its whole claim may come to, and the rules settled only by looking at all facts together."""

    case: str
    whole: WholeClaim
    settled: tuple[str, ...]


def over_cases(bench: Bench) -> Iterator[Found]:
    """Every case of the folder, its investigation taken as closed."""
    for name, case in bench.cases.items():
        suggestion = suggest(bench.entered(case, assemble(case.claim, bench.knowledge, bench.reader)), bench.knowledge, bench.opened, TODAY)
        whole = whole_claim(suggestion, closed=True)
        jointly = (v.rule.id for v in suggestion.verdicts if v.outcome in _OPEN and len(whole.verdicts.get(v.rule.id, ())) == 1)
        yield Found(name, whole, tuple(jointly))


@exactness_app.command()
def exactness_command(folder: Annotated[Path, typer.Option("--cases", help="案例目录 / folder of cases")] = FOLDER) -> None:
    """Cases by how many ends are left, cases in which the limit was met, and rules settled only over the whole claim."""
    try:
        bench = Bench.standing(folder)
    except CaseError as error:
        raise typer.BadParameter(str(error)) from error
    found = list(over_cases(bench))
    limits = bench.knowledge.limits
    table = Table("仍可能的结局数 ends left", "案例数 cases", title=f"{len(found)} 例 / cases")
    for ends, number in sorted(Counter(len(f.whole.ends) for f in found).items()):
        table.add_row(str(ends or "任意 / any"), str(number))
    out = Console(width=120)
    out.print(table)
    met = [f.case for f in found if f.whole.degraded]
    share = 100 * len(met) / max(1, len(found))
    out.print(f"达到上限 / limit met ({limits.worlds} worlds, {limits.states} states): {len(met)} ({share:.1f} %) {', '.join(met)}")
    out.print(f"仅整案推理才确定的判定 / verdicts settled only over the whole claim: {sum(len(f.settled) for f in found)}")
    for one in found:
        for rule in one.settled:
            out.print(f"  {one.case}: {rule} = {next(iter(one.whole.verdicts[rule])).value}")


if __name__ == "__main__":
    exactness_app()
