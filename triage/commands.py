"""`triage suggest` and `triage replay`: suggestions without a server, and proof that stored ones come out the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
import yaml
from pydantic import ValidationError
from rich.console import Console

from knowledge_graph.errors import KnowledgeError
from knowledge_graph.loader import Knowledge, load
from triage.assembly import assemble
from triage.assessment import Given
from triage.bundle import Bundle, BundleError
from triage.case_graph import past_among
from triage.claim import Claim
from triage.desk import Desk
from triage.pipeline import suggest
from triage.reading import Reader
from triage.risk import scorer_of
from triage.store import open_existing
from triage.store.errors import StoreError

ZONE = ZoneInfo("Asia/Shanghai")
suggest_app = typer.Typer(help="建议去向 / suggest a route for claim files")
replay_app = typer.Typer(help="重算已存建议 / recompute stored suggestions")


def today() -> date:
    """The calendar day in Asia/Shanghai."""
    return datetime.now(ZONE).date()


def read_claims(path: Path) -> list[Claim]:
    """The claim or claims of one YAML or JSON file; raises typer.BadParameter naming file, field and remedy."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise typer.BadParameter(
            f"{path}: 无法读取，须为UTF-8的YAML或JSON / cannot be read, it must be YAML or JSON in UTF-8: {error}"
        ) from error
    items = data if isinstance(data, list) else [data]
    return [_claim(path, item) for item in items]


def _claim(path: Path, item: Any) -> Claim:
    if isinstance(item, Mapping) and "claim" in item:
        item = item["claim"]
    try:
        return Claim.model_validate(item)
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, e['loc'])) or '(claim)'}: {e['msg']}" for e in error.errors())
        raise typer.BadParameter(f"{path}: 格式有误 / malformed: {fields}") from error


def check_plan(claim: Claim, knowledge: Knowledge, path: Path) -> None:
    """Raises typer.BadParameter when the rulebook has no such plan."""
    if claim.plan not in knowledge.plans:
        known = ", ".join(sorted(knowledge.plans))
        raise typer.BadParameter(f"{path}: plan: 未知计划 {claim.plan!r}，可用：{known} / unknown plan, known: {known}")


@suggest_app.command()
def suggest_command(
    files: Annotated[list[Path], typer.Argument(help="claim files, YAML or JSON; several may be linked")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    bundle: Annotated[Path | None, typer.Option(help="risk bundle, a folder or YAML; without one the gate is closed")] = None,
    rulebook: Annotated[Path | None, typer.Option(help="rulebook directory instead of the shipped one")] = None,
    on: Annotated[datetime | None, typer.Option("--today", formats=["%Y-%m-%d"], help="judge as of this day")] = None,
) -> None:
    """Suggest a route for each claim. No server is needed and nothing is stored."""
    try:
        knowledge = load(rulebook)
        scorer = scorer_of(Bundle.load(bundle) if bundle else None)
    except (KnowledgeError, BundleError) as error:
        raise typer.BadParameter(str(error)) from error
    claims = [(path, claim) for path in files for claim in read_claims(path)]
    reader = Reader.from_knowledge(knowledge)
    for path, claim in claims:
        check_plan(claim, knowledge, path)
    named = [c if c.claim_id else c.model_copy(update={"claim_id": f"claim-{n}"}) for n, (_, c) in enumerate(claims, 1)]
    past = past_among(named, knowledge, reader)
    day = on.date() if on else today()
    results = []
    for c in named:
        said, aggregates = past[c.claim_id or ""]
        case = assemble(c, knowledge, reader, links=said)
        results.append(suggest(case, knowledge, scorer, day, Given(aggregates, reader.digest)).to_json())
    if as_json:
        typer.echo(json.dumps(results if len(results) > 1 else results[0], ensure_ascii=False, indent=2))
    else:
        for result in results:
            _print(result)


def _print(result: Mapping[str, Any]) -> None:
    out = Console()
    out.print(f"[bold]{result['claim_id']}[/]  {result['position']} -> [bold cyan]{result['route']}[/]  ({result['why']})", highlight=False)
    for zh, en in zip(result["reasons"]["zh"], result["reasons"]["en"], strict=True):
        out.print(f"  · {zh}\n    {en}", highlight=False, markup=False, soft_wrap=True)
    for paper in result["missing_evidence"]:
        line = f"  ? {paper['zh']} / {paper['en']}  ({paper['evidence_type']}; {paper['cost']} CNY, {paper['delay_days']} d; {', '.join(paper['facts'])})"
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    for task in result["investigation_plan"]:
        out.print(f"  > {task['task']} {task['zh']} / {task['en']}  ({task['cost']} CNY)", highlight=False, markup=False, soft_wrap=True)
    if "amount" in result:
        out.print(f"  = {result['amount']} CNY", highlight=False)
    out.print(
        f"  gate: {result['gate']['state']} ({result['gate']['zh']} / {result['gate']['en']})",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


@replay_app.command()
def replay_command(
    claim_id: Annotated[str | None, typer.Argument(help="claim id")] = None,
    everything: Annotated[bool, typer.Option("--all", help="every stored suggestion")] = False,
    database: Annotated[str, typer.Option(envvar="TRIAGE_DATABASE", help="database URL")] = "sqlite:///var/triage.db",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Recompute stored suggestions from stored inputs alone and compare them byte for byte."""
    if (claim_id is None) == (not everything):
        raise typer.BadParameter("给出一个案件号或 --all / name one claim or give --all")
    knowledge = load()
    try:
        store = open_existing(database)
        problems = Desk(store, knowledge, Reader.from_knowledge(knowledge), None, lambda: datetime.now(ZONE)).replay(claim_id)
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(problems, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            typer.echo(f"{problem['claim_id']}: {problem['problem']}")
        typer.echo("全部一致 / identical" if not problems else f"{len(problems)} 处不一致 / differences")
    raise typer.Exit(1 if problems else 0)
