"""`triage why`: the checked reasons of a claim's verdicts, and what would let it go on. `triage plan`: what to ask for next, in order.

No server is needed and nothing is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
from triage.evidence_plan import evidence_plan, plan_in_words
from triage.pipeline import suggest
from triage.reading import Reader
from triage.reasons import reasons
from triage.suggestion import Suggestion
from triage.whole_claim import whole_claim

plan_app = typer.Typer(help="取证计划 / what to ask for, in order")
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
    for suggestion in _suggestions(file, rulebook, on):
        if rule is not None and rule not in {r.id for r in suggestion.knowledge.rules}:
            raise typer.BadParameter(f"--rule: 没有规则 {rule!r}，见 rules/*.yaml / no such rule, see rules/*.yaml")
        told = why(suggestion, rule)
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            _print(told)


def _suggestions(file: Path, rulebook: Path | None, on: datetime | None) -> Iterator[Suggestion]:
    """The claims of a file, suggested with the gate closed; raises typer.BadParameter naming file, field and remedy."""
    try:
        knowledge = load(rulebook)
    except KnowledgeError as error:
        raise typer.BadParameter(str(error)) from error
    reader = Reader.from_knowledge(knowledge)
    for claim in read_claims(file):
        check_plan(claim, knowledge, file)
        yield suggest(assemble(claim, knowledge, reader), knowledge, None, on.date() if on else today())


@plan_app.command()
def plan_command(
    file: Annotated[Path, typer.Argument(help="案件文件 / claim file, YAML or JSON")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    rulebook: Annotated[Path | None, typer.Option(help="rulebook directory instead of the shipped one")] = None,
    on: Annotated[datetime | None, typer.Option("--today", formats=["%Y-%m-%d"], help="judge as of this day")] = None,
) -> None:
    """What to look up, ask for and visit, in which order, at the least price, and what each could change."""
    for suggestion in _suggestions(file, rulebook, on):
        told = plan_in_words(evidence_plan(suggestion), suggestion)
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            _print_plan(suggestion.case.claim.claim_id or "-", told)


def _print_plan(name: str, told: Mapping[str, Any]) -> None:
    out = Console()

    def say(line: str) -> None:
        out.print(line, highlight=False, markup=False, soft_wrap=True)

    say(f"{name}  最多 / at most {told['cost']:g} CNY" + ("" if told["exact"] else "（问题过多，未求最优 / too many questions to weigh）"))
    for number, step in enumerate(told["steps"], 1):
        due = f", {step['due_days']} d" if step["due_days"] else ""
        say(f"{number}. {step['asked_of']}{due}  需要的概率 / needed {step['needed']:.0%}")
        for item in step["items"]:
            say(f"   - {item['zh']} / {item['en']}  ({item['cost']:g} CNY, {item['days']:g} d)")
            for change in item["could_change"]:
                say(f"       {change['zh']} → {change['route']} / {change['en']}")


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
