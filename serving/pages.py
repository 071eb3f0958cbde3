"""The pages: a list of claims, and one claim with its papers, marked spans, verdicts by stage and missing evidence.

Server-rendered, escaped by the template engine, no script at all. The workbench comes later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import yaml
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool

from serving.office import TheDesk
from triage.route import Route
from triage.store.errors import BadField, ClaimNotFound

HERE = Path(__file__).parent
LANGUAGES = ("zh", "en")
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Language = Annotated[str | None, Query(alias="lang")]


@cache
def words() -> Mapping[str, Any]:
    """words.yaml."""
    data: Mapping[str, Any] = yaml.safe_load((HERE / "words.yaml").read_text(encoding="utf-8"))
    return data


@cache
def environment() -> Environment:
    """Templates; everything is escaped unless it is Markup made here."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["shown"] = shown
    made.filters["percent"] = percent
    return made


def language(request: Request, asked: str | None) -> str:
    """?lang= first, then the browser's preference, then Chinese."""
    if asked in LANGUAGES:
        return str(asked)
    preferred = [tag.partition(";")[0].strip()[:2].lower() for tag in request.headers.get("accept-language", "").split(",")]
    return next((tag for tag in preferred if tag in LANGUAGES), "zh")


def shown(value: Any) -> str:
    """A fact's published value in a line."""
    if isinstance(value, dict) and "one_of" in value:
        return " / ".join(map(str, value["one_of"]))
    if isinstance(value, dict) and "from" in value:
        return f"{value['from'] or '…'} – {value['to'] or '…'}"
    if value is None:
        return ""
    if isinstance(value, bool):
        return "✓" if value else "✗"
    return f"{value:g}" if isinstance(value, float) else str(value)


def percent(value: float) -> str:
    """A probability to three figures: 4.2 %, 0.0123 %."""
    return f"{value * 100:.3g} %"


def page(request: Request, name: str, lang: str, status: int = 200, **values: Any) -> HTMLResponse:
    """One rendered template in one language."""

    def word(key: str, group: str | None = None) -> str:
        found = words()[group].get(key) if group else words().get(key)
        return str(found[lang]) if found else key

    def link(**changes: str | None) -> str:
        asked = {**dict(request.query_params), "lang": lang, **changes}
        return "?" + urlencode({k: v for k, v in asked.items() if v})

    other = "en" if lang == "zh" else "zh"
    text = environment().get_template(name).render(w=word, lang=lang, other=other, link=link, **values)
    return HTMLResponse(text, status_code=status, headers={"Content-Language": lang, "Vary": "Accept-Language"})


def problem_page(request: Request, status: int, zh: str, en: str) -> HTMLResponse:
    """What went wrong, for people: in the page's language first, then in the other."""
    lang = language(request, request.query_params.get("lang"))
    return page(request, "problem.html", lang, status=status, code=status, words={"zh": zh, "en": en})


@router.get("/")
async def list_page(request: Request, desk: TheDesk, lang: Language = None, route: str = "", cursor: str | None = None) -> HTMLResponse:
    """Claims, the newest first."""
    chosen = language(request, lang)
    known = route if route in {r.value for r in Route} else None
    try:
        found = await run_in_threadpool(desk.claims, limit=50, cursor=cursor, route=known)
    except BadField:
        found = await run_in_threadpool(desk.claims, limit=50, route=known)
    stages = {s.id: getattr(s, chosen) for s in desk.knowledge.stages}
    plans = {p.id: getattr(p, chosen) for p in desk.knowledge.plans.values()}
    rules = {r.id: getattr(r.clause, chosen) for r in desk.knowledge.rules}
    return page(
        request,
        "claims.html",
        chosen,
        found=found,
        stages=stages,
        plans=plans,
        rules=rules,
        routes=[r.value for r in Route],
        route=known,
        cursor=cursor,
    )


@router.get("/claims/{claim_id}")
async def claim_page(request: Request, claim_id: str, desk: TheDesk, lang: Language = None) -> HTMLResponse:
    """One claim."""
    chosen = language(request, lang)
    try:
        view = await run_in_threadpool(desk.claim, claim_id)
    except ClaimNotFound:
        return problem_page(request, 404, **words()["not_found"])
    return page(request, "claim.html", chosen, **_claim_values(desk.knowledge, view, chosen))


def _claim_values(knowledge: Any, view: Mapping[str, Any], lang: str) -> dict[str, Any]:
    suggestion = view["suggestion"]
    names = {f.id: getattr(f, lang) for f in knowledge.facts.values()}
    types = {e.id: getattr(e, lang) for e in knowledge.evidence.values()}
    marks = _marks(suggestion, names)
    documents = [{**d, "marked": marked(d["text"], marks.get(d["document_id"], []))} for d in view["documents"]]
    by_stage = [
        (s, [v for v in suggestion["verdicts"] if v["stage"] == s.id and v["verdict"] != "not_applicable"]) for s in knowledge.stages
    ]
    known = [
        (n, f)
        for n, f in suggestion["facts"].items()
        if f["state"] != "unknown" or f.get("value") is not None or f.get("why") not in (None, "not_supplied")
    ]
    rules = {r.id: getattr(r.clause, lang) for r in knowledge.rules}
    return {"view": view, "s": suggestion, "documents": documents, "by_stage": by_stage, "known": known, "names": names, "types": types, "rules": rules,
            "stages": {s.id: getattr(s, lang) for s in knowledge.stages}, "plans": {p.id: getattr(p, lang) for p in knowledge.plans.values()}}  # fmt: skip


def _marks(suggestion: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, list[tuple[int, int, str]]]:
    """Spans to mark by document: every quoted source of a fact, titled with the fact and its value."""
    found: dict[str, list[tuple[int, int, str]]] = {}
    for name, fact in suggestion["facts"].items():
        for source in fact["sources"]:
            if "quote" in source and "finding" not in source:
                title = f"{names.get(name, name)}: {shown(source.get('value'))}"
                found.setdefault(source["document"], []).append((source["start"], source["end"], title))
    for verdict in suggestion["verdicts"]:
        for span in verdict["spans"]:
            if "finding" in span:
                found.setdefault(span["document"], []).append(
                    (span["start"], span["end"], verdict["clause"]["zh"] + " / " + verdict["clause"]["en"])
                )
    return found


def marked(text: str, marks: Iterable[tuple[int, int, str]]) -> Markup:
    """The text with its spans marked; overlapping spans become adjoining marks that carry every title. Everything is escaped."""
    spans = [(max(0, a), min(len(text), b), title) for a, b, title in marks if a < b]
    edges = sorted({0, len(text), *(a for a, _, _ in spans), *(b for _, b, _ in spans)})
    parts: list[Markup] = []
    for left, right in pairwise(edges):
        piece = escape(text[left:right])
        titles = list(dict.fromkeys(t for a, b, t in spans if a <= left and right <= b))
        parts.append(Markup('<mark title="{}">{}</mark>').format("; ".join(titles), piece) if titles else piece)
    return Markup("").join(parts)
