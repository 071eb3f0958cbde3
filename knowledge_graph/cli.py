"""`triage graph` and `triage rules`: look into the knowledge graph and check a rulebook."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from knowledge_graph import graph as graphs
from knowledge_graph.errors import KnowledgeError
from knowledge_graph.export import FORMATS, around, exported
from knowledge_graph.hospital_names import resolve
from knowledge_graph.lint import check
from knowledge_graph.loader import Knowledge, load
from knowledge_graph.picture import decision_path, neighbourhood
from knowledge_graph.queries import QUERIES, QueryError, ask

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


def _answered(rulebook: Path | None, name: str, given: dict[str, str]) -> dict[str, Any]:
    try:
        return ask(_load(rulebook), name, given)
    except QueryError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _told(answer: dict[str, Any], lang: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2, default=str))
        return
    for words in answer["words"]:
        for one in ("zh", "en") if lang == "both" else (lang,):
            typer.echo(words[one])


Lang = Annotated[str, typer.Option(help="zh, en or both")]


@graph_app.command("queries")
def list_queries(as_json: AsJson = False) -> None:
    """The named queries and their parameters."""
    if as_json:
        typer.echo(json.dumps([q.to_json() for q in QUERIES.values()], ensure_ascii=False, indent=2))
        return
    table = Table("query", "中文", "English", "parameters")
    for query in QUERIES.values():
        shown = " ".join(f"{p.name}={'…' if p.default is None else p.default or '-'}" for p in query.parameters)
        table.add_row(query.name, query.words.zh, query.words.en, shown)
    Console().print(table)


@graph_app.command("ask")
def ask_query(
    name: Annotated[str, typer.Argument(help="a query of `triage graph queries`")],
    given: Annotated[list[str] | None, typer.Argument(metavar="PARAMETER=VALUE")] = None,
    lang: Lang = "both",
    as_json: AsJson = False,
    rulebook: Rulebook = None,
) -> None:
    """Ask a named query: triage graph ask breaches finding=pf_bi3."""
    wrong = [g for g in given or [] if "=" not in g]
    if wrong:
        typer.echo(f"{wrong[0]}: 参数须写作 名称=值 / write parameters as name=value", err=True)
        raise typer.Exit(1)
    _told(_answered(rulebook, name, dict(g.split("=", 1) for g in given or [])), lang, as_json)


@graph_app.command("search")
def search_graph(words: str, most: int = 20, as_json: AsJson = False, lang: Lang = "both", rulebook: Rulebook = None) -> None:
    """Search by Chinese, English, code or synonym."""
    _told(_answered(rulebook, "search", {"words": words, "most": str(most)}), lang, as_json)


@graph_app.command("path")
def show_path(start: str, end: str, as_json: AsJson = False, lang: Lang = "both", rulebook: Rulebook = None) -> None:
    """Paths between two nodes, each step in words."""
    _told(_answered(rulebook, "path", {"start": start, "end": end}), lang, as_json)


@graph_app.command("may-be-paid")
def ask_may_be_paid(
    joined: Annotated[str, typer.Option(help="YYYY-MM or YYYY-MM-DD")],
    finding: Annotated[str, typer.Option(help="id or words of the finding")],
    condition: Annotated[str, typer.Option(help="id or words of the condition")],
    diagnosed: Annotated[str, typer.Option(help="YYYY-MM or YYYY-MM-DD")],
    plan: str = "mutual-aid-reference",
    lang: Lang = "both",
    as_json: AsJson = False,
    rulebook: Rulebook = None,
) -> None:
    """May a member with a finding from before joining be paid, and why?"""
    given = {"plan": plan, "joined": joined, "finding": finding, "condition": condition, "diagnosed": diagnosed}
    _told(_answered(rulebook, "may_be_paid", given), lang, as_json)


@graph_app.command("hospital")
def find_hospital(
    name: str,
    place: Annotated[str | None, typer.Option(help="city or district, to choose among several")] = None,
    as_json: AsJson = False,
    rulebook: Rulebook = None,
) -> None:
    """The hospital a written name means: one, several candidates, or none (exit code 1)."""
    found = resolve(name, _load(rulebook), place)
    rows = [asdict(h) for h in found.hospitals]
    if as_json:
        typer.echo(json.dumps({"how": found.how, "hospitals": rows}, ensure_ascii=False, indent=2))
    for row in [] if as_json else rows:
        typer.echo(
            f"{row['name']}  {row['level'] or '?'}级 / level {row['level'] or '?'}  {row['ownership'] or '?'}  {row['city']} ({found.how})"
        )
    if not rows:
        typer.echo(f"{name}: 名录中没有 / not in the lists", err=True)
        raise typer.Exit(1)


@graph_app.command("export")
def export_graph(
    out: Annotated[Path, typer.Option(help="file to write")],
    form: Annotated[str, typer.Option("--format", help="json or graphml")] = "json",
    around_node: Annotated[str | None, typer.Option("--node", help="only what is linked to this node")] = None,
    rulebook: Rulebook = None,
) -> None:
    """Write the graph as JSON or GraphML."""
    knowledge = _load(rulebook)
    found = graphs.find(graphs.build(knowledge), around_node) if around_node else None
    if (around_node and found is None) or form not in FORMATS:
        typer.echo(f"{around_node or form}: 没有该节点或格式 / no such node or format ({', '.join(FORMATS)})", err=True)
        raise typer.Exit(1)
    out.write_text(exported(around(knowledge, found), form), encoding="utf-8")
    typer.echo(f"{out}")


@graph_app.command("picture")
def draw(
    out: Annotated[Path, typer.Option(help="SVG file to write")],
    node: Annotated[str | None, typer.Option(help="a node: its neighbourhood")] = None,
    condition: Annotated[str | None, typer.Option(help="a condition: its decision path")] = None,
    plan: str = "mutual-aid-reference",
    on: Annotated[str | None, typer.Option(help="date YYYY-MM-DD")] = None,
    lang: Lang = "zh",
    rulebook: Rulebook = None,
) -> None:
    """Draw a neighbourhood or a decision path as SVG."""
    knowledge = _load(rulebook)
    found = graphs.find(graphs.build(knowledge), node or "") if node else None
    if condition is not None and condition in knowledge.conditions and plan in knowledge.plans:
        out.write_text(decision_path(knowledge, condition, plan, date.fromisoformat(on) if on else None, lang), encoding="utf-8")
    elif found is not None:
        out.write_text(neighbourhood(knowledge, found, lang), encoding="utf-8")
    else:
        typer.echo(f"{node or condition or plan}: 没有该节点、病种或计划 / no such node, condition or plan", err=True)
        raise typer.Exit(1)
    typer.echo(f"{out}")


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
