"""The knowledge graph as JSON or GraphML, whole or around a node."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import networkx as nx

from knowledge_graph import graph as graphs
from knowledge_graph.loader import Knowledge

FORMATS = ("json", "graphml")


def around(knowledge: Knowledge, name: str | None, steps: int = 1) -> nx.MultiDiGraph[str]:
    """The whole graph, or what lies within some steps of a node in either direction."""
    graph = graphs.build(knowledge)
    if name is None:
        return graph
    found = {name}
    for _ in range(steps):
        found |= {n for here in found for n in (*graph.successors(here), *graph.predecessors(here))}
    return graph.subgraph(found)


def exported(graph: nx.MultiDiGraph[str], form: str) -> str:
    """The graph in one of `FORMATS`. Raises ValueError for another."""
    if form == "json":
        nodes = [{"id": n, **d} for n, d in graph.nodes(data=True)]
        edges = [{"from": a, "to": b, "relation": r, **d} for a, b, r, d in graph.edges(keys=True, data=True)]
        return json.dumps({"digest": graph.graph.get("digest", ""), "nodes": nodes, "edges": edges}, ensure_ascii=False)
    if form == "graphml":
        return "\n".join(nx.generate_graphml(flat(graph)))
    raise ValueError(f"{form}: 只支持 {'、'.join(FORMATS)} / known formats: {', '.join(FORMATS)}")


def flat(graph: nx.MultiDiGraph[str]) -> nx.MultiDiGraph[str]:
    """A copy GraphML can hold: no None, list or mapping; the relation as an attribute of its edge."""
    made: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for name, data in graph.nodes(data=True):
        made.add_node(name, **_plain(data))
    for a, b, relation, data in graph.edges(keys=True, data=True):
        made.add_edge(a, b, key=relation, relation=relation, **_plain(data))
    return made


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        k: json.dumps(v, ensure_ascii=False, default=str) if isinstance(v, list | tuple | dict) else v
        for k, v in data.items()
        if v is not None
    }
