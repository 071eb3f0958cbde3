"""`triage why`: the checked reasons of a claim's verdicts, and what would let it go on. No server is needed and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from knowledge_graph.errors import KnowledgeError
from knowledge_graph.loader import load
from triage.assembly import assemble
from triage.changes import change_set
from triage.commands import check_plan, read_claims, today
from triage.pipeline import suggest
from triage.reading import Reader
from triage.reasons import reasons
from triage.suggestion import Suggestion
from triage.whole_claim import whole_claim

why_app = typer.Typer(help="可核验的理由 / reasons that can be checked")


def why(suggestion: Suggestion, rule: str | None = None) -> dict[str, Any]:
    """Where the claim may end, the reasons of its settled verdicts (or of one rule's), and what would let it be paid once the investigation
    is closed."""
    knowledge, whole = suggestion.knowledge, whole_claim(suggestion, closed=True)
    changes = change_set(suggestion, closed=True)
    return {
        "claim_id": suggestion.case.claim.claim_id,
        "route": suggestion.routed.route.value,
        "ends": sorted(({"position": e.position, "route": e.route.value, "amount": e.amount} for e in whole.ends), key=str),
        "exact": not whole.degraded,
        "reasons": [r.to_json(suggestion.facts) for r in reasons(suggestion) if rule in (None, r.compiled.rule.id)],
        "changes": None
        if changes is None
        else {"route": changes.route.value, "amount": changes.amount, "answers": [a.to_json(knowledge) for a in changes.answers]},
    }


@why_app.command()
def why_command(
    file: Annotated[Path, typer.Argument(help="案件文件 / claim file, YAML or JSON")],
    rule: Annotated[str | None, typer.Option(help="只看此规则 / this rule alone")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    rulebook: Annotated[Path | None, typer.Option(help="rulebook directory instead of the shipped one")] = None,
    on: Annotated[datetime | None, typer.Option("--today", formats=["%Y-%m-%d"], help="judge as of this day")] = None,
) -> None:
    """Why each verdict is what it is, as few facts as suffice, and what would let the claim be paid."""
    try:
        knowledge = load(rulebook)
    except KnowledgeError as error:
        raise typer.BadParameter(str(error)) from error
    if rule is not None and rule not in {r.id for r in knowledge.rules}:
        raise typer.BadParameter(f"--rule: 没有规则 {rule!r}，见 triage rules list / no such rule, see triage rules list")
    reader = Reader.from_knowledge(knowledge)
    for claim in read_claims(file):
        check_plan(claim, knowledge, file)
        told = why(suggest(assemble(claim, knowledge, reader), knowledge, None, on.date() if on else today()), rule)
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            _print(told)


def _print(told: Mapping[str, Any]) -> None:
    out = Console()

    def say(line: str) -> None:
        out.print(line, highlight=False, markup=False, soft_wrap=True)

    say(f"{told['claim_id'] or '-'}  {told['route']}")
    for reason in told["reasons"]:
        say(f"  · {reason['zh']} [{reason['confidence']}]\n    {reason['en']}")
    if told["changes"] is not None:
        say(f"  有以下各项则可 / with all of these: {told['changes']['route']} ({told['changes']['amount']} CNY)")
        for answer in told["changes"]["answers"]:
            say(f"  + {answer['zh']}\n    {answer['en']}")


if __name__ == "__main__":
    why_app()
