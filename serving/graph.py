"""/v1/graph: nodes of the knowledge graph and what they are linked to."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from knowledge_graph import graph as graphs
from knowledge_graph.export import around, exported
from knowledge_graph.picture import decision_path, neighbourhood
from knowledge_graph.queries import QUERIES, QueryError, ask
from serving.office import TheDesk
from triage.store.errors import BadField

router = APIRouter(prefix="/v1/graph", tags=["graph 图谱"])


def _found(desk: TheDesk, name: str) -> tuple[Any, str]:
    graph = graphs.build(desk.knowledge)
    found = graphs.find(graph, name)
    if found is None:
        raise HTTPException(404)
    return graph, found


@router.get("/nodes/{name}", summary="节点 A node")
async def show_node(name: str, desk: TheDesk) -> dict[str, Any]:
    """Its kind, names, source and confidence."""
    return graphs.node(*_found(desk, name))


@router.get("/nodes/{name}/neighbours", summary="相邻节点 What a node is linked to")
async def show_neighbours(name: str, desk: TheDesk, relation: Annotated[str | None, Query(max_length=30)] = None) -> dict[str, Any]:
    """Every edge with its direction and meaning, of one relation where one is named."""
    graph, found = _found(desk, name)
    rows = [r for r in graphs.neighbours(graph, found) if relation in (None, r["relation"])]
    return {"node": graphs.node(graph, found), "neighbours": rows}


@router.get("/queries", summary="查询目录 The named queries")
async def list_queries() -> list[dict[str, Any]]:
    """Every named query with its typed parameters."""
    return [q.to_json() for q in QUERIES.values()]


async def _answer(desk: TheDesk, name: str, given: dict[str, str]) -> dict[str, Any]:
    try:
        answer = await run_in_threadpool(ask, desk.knowledge, name, given)
    except QueryError as error:
        field = str(error).partition(":")[0]
        raise BadField(f"query.{field}", *_both(str(error))) from error
    return dict(jsonable_encoder(answer))


def _both(message: str) -> tuple[str, str]:
    zh, _, en = message.partition(" / ")
    return zh, en or zh


@router.get("/queries/{name}", summary="提问 Ask a named query")
async def ask_query(name: str, request: Request, desk: TheDesk) -> dict[str, Any]:
    """The answer as data, and in words in both languages. Parameters are those of the query, as query parameters."""
    if name not in QUERIES:
        raise HTTPException(404)
    return await _answer(desk, name, dict(request.query_params))


@router.get("/search", summary="搜索 Search")
async def search_graph(
    desk: TheDesk, q: Annotated[str, Query(min_length=1, max_length=100)], most: Annotated[int, Query(ge=1, le=200)] = 20
) -> dict[str, Any]:
    """By Chinese, English, code or synonym."""
    return await _answer(desk, "search", {"words": q, "most": str(most)})


@router.get("/export", summary="导出 Export", response_class=Response)
async def export_graph(
    desk: TheDesk,
    node: Annotated[str | None, Query(max_length=200)] = None,
    form: Annotated[Literal["json", "graphml"], Query(alias="format")] = "json",
) -> Response:
    """The whole graph, or what is linked to one node, as JSON or GraphML."""
    found = _found(desk, node)[1] if node else None
    text = await run_in_threadpool(lambda: exported(around(desk.knowledge, found), form))
    return Response(text, media_type="application/json" if form == "json" else "application/graphml+xml")


@router.get("/nodes/{name}/picture.svg", summary="邻域图 A picture of a neighbourhood", response_class=Response)
async def node_picture(name: str, desk: TheDesk, lang: Literal["zh", "en"] = "zh") -> Response:
    """SVG."""
    found = _found(desk, name)[1]
    return Response(await run_in_threadpool(neighbourhood, desk.knowledge, found, lang), media_type="image/svg+xml")


@router.get("/conditions/{condition}/picture.svg", summary="决策路径图 A picture of a condition's decision path", response_class=Response)
async def condition_picture(
    condition: str, desk: TheDesk, plan: str = "mutual-aid-reference", on: date | None = None, lang: Literal["zh", "en"] = "zh"
) -> Response:
    """SVG."""
    if condition not in desk.knowledge.conditions or plan not in desk.knowledge.plans:
        raise HTTPException(404)
    return Response(await run_in_threadpool(decision_path, desk.knowledge, condition, plan, on, lang), media_type="image/svg+xml")
