"""/v1/graph: nodes of the knowledge graph and what they are linked to."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from knowledge_graph import graph as graphs
from serving.office import TheDesk

router = APIRouter(prefix="/v1/graph/nodes", tags=["graph 图谱"])


def _found(desk: TheDesk, name: str) -> tuple[Any, str]:
    graph = graphs.build(desk.knowledge)
    found = graphs.find(graph, name)
    if found is None:
        raise HTTPException(404)
    return graph, found


@router.get("/{name}", summary="节点 A node")
async def show_node(name: str, desk: TheDesk) -> dict[str, Any]:
    """Its kind, names, source and confidence."""
    return graphs.node(*_found(desk, name))


@router.get("/{name}/neighbours", summary="相邻节点 What a node is linked to")
async def show_neighbours(name: str, desk: TheDesk, relation: Annotated[str | None, Query(max_length=30)] = None) -> dict[str, Any]:
    """Every edge with its direction and meaning, of one relation where one is named."""
    graph, found = _found(desk, name)
    rows = [r for r in graphs.neighbours(graph, found) if relation in (None, r["relation"])]
    return {"node": graphs.node(graph, found), "neighbours": rows}
