"""/v1/claims: filing, later papers, corrected facts, investigation, decisions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from starlette.concurrency import run_in_threadpool

from serving.office import Actor, Key, Named, Person, TheDesk, who
from triage.actions import Correction, DecisionForm, Investigation
from triage.claim import Claim, Document
from triage.route import Route
from triage.store.errors import StaleSuggestion

router = APIRouter(prefix="/v1/claims", tags=["claims 案件"])


class CorrectionBy(Correction):
    """A correction and who makes it."""

    actor: Person | None = None


class InvestigationBy(Investigation):
    """Results of an investigation and who brings them."""

    actor: Person | None = None


class DecisionBy(DecisionForm):
    """A decision and who makes it."""

    actor: Person | None = None


@router.post("", status_code=201, summary="报案 File a claim, whatever is missing")
async def file_claim(claim: Claim, desk: TheDesk, actor: Actor, response: Response, key: Key = None) -> dict[str, Any]:
    """201 with the first suggestion; what is missing becomes a request, never an error."""
    answer = await run_in_threadpool(desk.submit, claim, actor=actor, idempotency_key=key)
    response.headers["Location"] = f"/v1/claims/{answer['claim_id']}"
    response.headers["ETag"] = f'"{answer["suggestion_digest"]}"'
    return answer


@router.get("", summary="案件列表 List claims, the newest first")
async def list_claims(
    desk: TheDesk,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
    route: Route | None = None,
    position: Annotated[str | None, Query(max_length=20)] = None,
    plan: Annotated[str | None, Query(max_length=100)] = None,
    status: Annotated[str | None, Query(max_length=20)] = None,
) -> dict[str, Any]:
    """A page of claims and the cursor of the next."""
    named = route.value if route is not None else None
    return await run_in_threadpool(desk.claims, limit=limit, cursor=cursor, route=named, position=position, plan=plan, status=status)


@router.get("/{claim_id}", summary="案件 One claim")
async def show_claim(claim_id: str, desk: TheDesk) -> dict[str, Any]:
    """The claim, its papers, suggestion, decisions, requests and timeline."""
    return await run_in_threadpool(desk.claim, claim_id)


@router.get("/{claim_id}/suggestion", summary="建议 The current suggestion")
async def show_suggestion(claim_id: str, desk: TheDesk, response: Response) -> dict[str, Any]:
    """The suggestion as last computed; its digest is the ETag, to be sent back as If-Match with a decision."""
    answer = await run_in_threadpool(desk.suggestion, claim_id)
    response.headers["ETag"] = f'"{answer["suggestion_digest"]}"'
    suggestion: dict[str, Any] = answer["suggestion"]
    return suggestion


@router.post("/{claim_id}/documents", status_code=201, summary="补充材料 Add a paper")
async def add_document(claim_id: str, document: Document, desk: TheDesk, actor: Actor, key: Key = None) -> dict[str, Any]:
    """201 with the suggestion after reading it."""
    return await run_in_threadpool(desk.add_document, claim_id, document, actor=actor, idempotency_key=key)


@router.post("/{claim_id}/observations", status_code=201, summary="更正事实 Enter or correct a fact")
async def add_observation(claim_id: str, correction: CorrectionBy, desk: TheDesk, named: Named) -> dict[str, Any]:
    """A reviewer's word outranks every paper; the paper's own word is kept beside it. `actor` or X-Actor names the reviewer."""
    return await run_in_threadpool(desk.add_observation, claim_id, correction, actor=who(correction, named))


@router.post("/{claim_id}/investigation", status_code=201, summary="调查 Open an investigation or bring results")
async def add_investigation(claim_id: str, desk: TheDesk, named: Named, form: InvestigationBy | None = None) -> dict[str, Any]:
    """An empty body opens one; results answer tasks; `close` ends it."""
    given = form or InvestigationBy()
    return await run_in_threadpool(desk.add_investigation, claim_id, given, actor=given.actor or named or "investigator")


@router.post("/{claim_id}/decisions", status_code=201, summary="决定 Accept or override")
async def decide(
    claim_id: str, form: DecisionBy, desk: TheDesk, named: Named, if_match: Annotated[str | None, Header(max_length=200)] = None
) -> dict[str, Any]:
    """A person decides; `actor` or X-Actor names who. With If-Match (or `suggestion_digest`) only on the suggestion that was looked at."""
    seen = {form.suggestion_digest, _digest(if_match)} - {None}
    if len(seen) > 1:
        raise StaleSuggestion(claim_id)
    looked_at = form.model_copy(update={"suggestion_digest": seen.pop() if seen else None})
    return await run_in_threadpool(desk.decide, claim_id, looked_at, actor=who(form, named))


def _digest(if_match: str | None) -> str | None:
    """The digest of an If-Match header; `*` asks for any."""
    return None if if_match is None or if_match.strip() == "*" else if_match.strip().removeprefix("W/").strip('"')
