"""`triage graph` and `triage rules`: look into the knowledge graph and check a rulebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from knowledge_graph import graph as graphs
from knowledge_graph.errors import KnowledgeError
from knowledge_graph.lint import check
from knowledge_graph.loader import Knowledge, load

graph_app = typer.Typer(no_args_is_help=True, help="查询知识图谱 / look into the knowledge graph")
rules_app = typer.Typer(no_args_is_help=True, help="检查规则库 / check the rulebook")
Rulebook = Annotated[Path | None, typer.Option(help="rulebook directory instead of the shipped one")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


def _load(rulebook: Path | None) -> Knowledge:
    try:
        return load(rulebook)
    except KnowledgeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@graph_app.callback()
def _graph() -> None:
    """查询知识图谱 / look into the knowledge graph."""


@rules_app.callback()
def _rules() -> None:
    """检查规则库 / check the rulebook."""


@graph_app.command("show")
def show(name: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False, rulebook: Rulebook = None) -> None:
    """A node and its neighbours, each relation in words."""
    graph = graphs.build(_load(rulebook))
    found = graphs.find(graph, name)
    if found is None:
        typer.echo(f"{name}: 图中没有该节点，请用 facts.yaml 等库中的编号 / no such node: use an id of the libraries", err=True)
        raise typer.Exit(1)
    rows = graphs.neighbours(graph, found)
    if as_json:
        typer.echo(json.dumps({"node": graphs.node(graph, found), "neighbours": rows}, ensure_ascii=False, indent=2))
        return
    data = graphs.node(graph, found)
    out = Console()
    out.print(f"[bold]{data['id']}[/]  {data['kind']}  {data['zh']} / {data['en']}", highlight=False)
    if data["source"]:
        out.print(f"  {data['source']} ({data['confidence']})", highlight=False, markup=False)
    table = Table("relation", "id", "中文", "English")
    for row in rows:
        table.add_row(row["relation"], row["node"]["id"], row["words"]["zh"], row["words"]["en"])
    out.print(table)


@rules_app.command("check")
def check_rules(as_json: AsJson = False, rulebook: Rulebook = None) -> None:
    """Load the rulebook and list what to mend; exit code 1 when there is anything."""
    knowledge = _load(rulebook)
    messages = check(knowledge)
    if as_json:
        typer.echo(json.dumps([m.to_json() for m in messages], ensure_ascii=False, indent=2))
    for message in [] if as_json else messages:
        typer.echo(f"{message.file}: {message.id}: {message.zh} / {message.en}")
    if not as_json and not messages:
        typer.echo(
            f"规则库无误 / the rulebook is in order: {len(knowledge.rules)} rules, {len(knowledge.facts)} facts, {knowledge.digest[:12]}"
        )
    raise typer.Exit(1 if messages else 0)
