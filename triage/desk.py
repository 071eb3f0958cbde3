"""The desk: everything that happens to a stored claim, each as one transaction of claim, papers, suggestion, decision, audit, outbox."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.exc import IntegrityError

from knowledge_graph.loader import Knowledge
from triage import gate_events, rounds, rows, views
from triage.actions import Correction, DecisionForm, Investigation
from triage.assembly import assemble, document_id, investigation_reading, legibility, read_document
from triage.assessment import Given
from triage.bundle import Bundle
from triage.case_graph import Link, linked_observations, links_of
from triage.casefile import CaseFile
from triage.claim import Claim, Document, InvestigationResult
from triage.corrections import corrected
from triage.decisions import Verdict, decide
from triage.evaluation import evaluate, inputs_of
from triage.link_queries import link_values
from triage.observation import Observation
from triage.pipeline import suggest
from triage.reading import Reader
from triage.replay import replay
from triage.risk import Current, InUse
from triage.route import Route
from triage.store import Store
from triage.store import tables as t
from triage.store.audit import append
from triage.store.codec import dumps, rows_digest, sha256
from triage.store.errors import DecisionRefused, DuplicateClaim, IdempotencyMismatch, UnknownPlan
from triage.store.locks import hold
from triage.suggestion import canonical, digest

GATE = "gate"
LABELS = {"paid": False, "declined": True}
"""What the decision on an investigated claim says of it: whether it was refused."""
_AUDITED = (("statements", t.observation), ("decisions", t.decision))


def concluded(answers: Iterable[Observation]) -> bool:
    """Whether an investigation filed with the claim came to its end: the search for an earlier breach has an answer."""
    return any(o.fact == "inv.prior_breach_found" and o.value is not None for o in answers)


def check_persons(actor: str, second_actor: str | None) -> None:
    """Raises DecisionRefused unless the decision has a name, and a second one is another person's."""
    if not actor.strip() or actor == GATE:
        raise DecisionRefused("决定须写明由谁作出", "a decision must name the person who makes it")
    if second_actor is not None and second_actor.strip() in ("", actor.strip()):
        raise DecisionRefused("第二人须为另一人", "the second actor must be another person")


@dataclass(frozen=True)
class Desk:
    """`clock` gives the time with its zone. `bundle` None keeps the gate closed. Where `risk` is given it scores instead, and
    may exchange its scorer while the desk works."""

    store: Store
    knowledge: Knowledge
    reader: Reader
    bundle: Bundle | None
    clock: Callable[[], datetime]
    risk: Current | None = None
    _scorers: Current = field(init=False, repr=False)
    _types: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_scorers", self.risk or InUse(self.bundle))
        object.__setattr__(self, "_types", rows.fact_types(self.knowledge))

    # ---- filing

    def submit(self, claim: Claim, *, actor: str, idempotency_key: str | None = None) -> dict[str, Any]:
        """Files a claim, whatever is missing from it: {claim_id, suggestion}. Raises UnknownPlan, DuplicateClaim, IdempotencyMismatch."""
        self.check_plan(claim)
        body = sha256(dumps(claim.model_dump(mode="json")))
        with self.store.writing() as connection:
            known = self._answered(connection, idempotency_key, body)
            if known is not None:
                return known
            named = claim if claim.claim_id else claim.model_copy(update={"claim_id": f"C-{secrets.token_hex(5)}"})
            self._file(connection, named, actor)
            answer = self._answer(connection, named.claim_id or "", actor, "claim_filed")
            self._keep_answer(connection, idempotency_key, body, answer)
            return answer

    def check_plan(self, claim: Claim) -> None:
        """Raises UnknownPlan when the rulebook has no such plan."""
        if claim.plan not in self.knowledge.plans:
            raise UnknownPlan(claim.plan, ", ".join(sorted(self.knowledge.plans)))

    def _file(self, connection: Connection, claim: Claim, actor: str) -> None:
        claim_id, at = claim.claim_id or "", self._at()
        if rows.exists(connection, claim_id):
            raise DuplicateClaim(claim_id)
        try:
            rows.insert_claim(connection, claim, drawn=self._drawn(connection, claim), at=at)
        except IntegrityError as error:
            raise DuplicateClaim(claim_id) from error
        for number, document in enumerate(claim.documents, 1):
            self._keep_document(connection, claim, document, number, actor, "filed")
        if claim.investigation:
            answers = self._keep_results(connection, claim, claim.investigation, actor)
            rows.update_claim(connection, claim_id, investigation="closed" if concluded(answers) else "open")

    def _drawn(self, connection: Connection, claim: Claim) -> bool:
        """Whether the claim is drawn for audit: a keyed hash of its id below the bundle's rate, so that nobody can steer it. Without a
        bundle the plan's rate holds: the claim may still be open when there is one."""
        scorer, promised = self._scorers.current(), self.knowledge.plans[claim.plan].gate
        planned = 0.0 if promised is None else promised.audit_rate
        rate = planned if scorer is None else scorer.bundle.audit_rate
        key = connection.execute(select(t.store_setting.c.value).where(t.store_setting.c.name == "audit_key")).scalar_one()
        drawn = hmac.new(key.encode(), (claim.claim_id or "").encode(), hashlib.sha256).digest()
        return int.from_bytes(drawn[:8], "big") / 2**64 < rate

    def _keep_document(self, connection: Connection, claim: Claim, document: Document, number: int, actor: str, origin: str) -> None:
        claim_id, at = claim.claim_id or "", self._at()
        reading, paper = read_document(document, document_id(number), self.knowledge, self.reader, claim.filed_on)
        rows.insert_document(connection, claim_id, number, document, paper, origin=origin, at=at)
        said = [
            o for o in reading.observations if o.fact != "docs.readable" and not (origin == "investigation" and o.fact.startswith("inv."))
        ]
        rows.insert_statements(connection, claim_id, [*said, legibility(paper), *reading.findings], actor=actor, at=at)

    def _keep_results(self, connection: Connection, claim: Claim, results: Iterable[InvestigationResult], actor: str) -> list[Observation]:
        """Papers of results are kept as documents; answers, which are returned, as observations of the fact each task answers."""
        claim_id = claim.claim_id or ""
        given: list[Observation] = []
        for result in results:
            number = rows.count_documents(connection, claim_id) + 1
            if result.text:
                self._keep_document(
                    connection, claim, Document(evidence_type=result.evidence_type, text=result.text), number, actor, "investigation"
                )
            answers, _, _ = investigation_reading(
                [result.model_copy(update={"text": None})], self.knowledge, self.reader, claim.filed_on, number
            )
            rows.insert_statements(connection, claim_id, answers, actor=actor, at=self._at(), reason=f"task {result.task}")
            given += answers
        return given

    # ---- later papers, facts, investigation

    def add_document(self, claim_id: str, document: Document, *, actor: str, idempotency_key: str | None = None) -> dict[str, Any]:
        """One more paper. Raises ClaimNotFound, IdempotencyMismatch."""
        body = sha256(dumps([claim_id, document.model_dump(mode="json")]))
        with self.store.writing() as connection:
            known = self._answered(connection, idempotency_key, body)
            if known is not None:
                return known
            claim = rows.filed_claim(rows.claim_row(connection, claim_id))
            number = rows.count_documents(connection, claim_id) + 1
            self._keep_document(connection, claim, document, number, actor, "added")
            answer = {**self._answer(connection, claim_id, actor, "document_added"), "document_id": document_id(number)}
            self._keep_answer(connection, idempotency_key, body, answer)
            return answer

    def add_observation(self, claim_id: str, correction: Correction, *, actor: str) -> dict[str, Any]:
        """A person enters or corrects a fact. Raises ClaimNotFound, BadField."""
        with self.store.writing() as connection:
            rows.claim_row(connection, claim_id)
            statement = corrected(correction, self.knowledge, rows.documents_of(connection, claim_id), actor)
            rows.insert_statements(connection, claim_id, [statement], actor=actor, at=self._at(), reason=correction.reason)
            return self._answer(connection, claim_id, actor, "fact_corrected")

    def add_investigation(self, claim_id: str, form: Investigation, *, actor: str) -> dict[str, Any]:
        """Opens an investigation, keeps results, or closes it. Raises ClaimNotFound."""
        with self.store.writing() as connection:
            row = rows.claim_row(connection, claim_id)
            claim = rows.filed_claim(row)
            self._keep_results(connection, claim, form.results, actor)
            whole = claim.model_copy(
                update={"investigation": (*claim.investigation, *(r.model_copy(update={"text": None}) for r in form.results))}
            )
            state = "closed" if form.close else "open" if row["investigation"] == "none" else row["investigation"]
            rows.update_claim(connection, claim_id, form=rows.form_of(whole), investigation=state)
            return self._answer(connection, claim_id, actor, "investigation_closed" if form.close else "investigation_opened")

    # ---- deciding

    def decide(self, claim_id: str, form: DecisionForm, *, actor: str) -> dict[str, Any]:
        """A person accepts or overrides. Raises ClaimNotFound, StaleSuggestion, DecisionRefused."""
        check_persons(actor, form.second_actor)
        with self.store.writing() as connection:
            row = rows.claim_row(connection, claim_id)
            current = views.current_suggestion(connection, claim_id)
            verdict = decide(row, current, form)
            self._keep_decision(connection, claim_id, current["id"], form, verdict, actor)
            rows.update_claim(connection, claim_id, **verdict.changes)
            if row["investigation"] == "closed" and verdict.outcome in LABELS:
                rows.insert_outcome(connection, claim_id, refused=LABELS[verdict.outcome], at=self._at())
            answer = self._answer(connection, claim_id, actor, f"decided_{verdict.outcome}", settled=verdict.final)
            return {**answer, "outcome": verdict.outcome}

    def _keep_decision(
        self, connection: Connection, claim_id: str, suggestion_id: int, form: DecisionForm, verdict: Verdict, actor: str
    ) -> None:
        row = {
            "claim_id": claim_id,
            "suggestion_id": suggestion_id,
            "action": form.action,
            "outcome": verdict.outcome,
            "actor_kind": "person",
            "actor": actor,
            "second_actor": form.second_actor,
            "reason_code": form.reason_code,
            "note": form.note,
            "ground": verdict.ground,
            "ground_on": verdict.ground_on,
            "clause": verdict.clause,
            "plan_version": verdict.plan_version,
            "amount": verdict.amount,
            "decided_at": self._at(),
        }
        connection.execute(insert(t.decision), [row])

    # ---- evaluating

    def _answer(self, connection: Connection, claim_id: str, actor: str, action: str, *, settled: bool = False) -> dict[str, Any]:
        """Evaluates the claim again (a settled one keeps its last suggestion), and writes audit and outbox rows."""
        at = self._at()
        if settled:
            current = views.current_suggestion(connection, claim_id)
            data, name = current["data"], current["digest"]
        else:
            data, name = self._evaluate(connection, claim_id)
        kept = {key: rows_digest(self._rows(connection, table, claim_id)) for key, table in _AUDITED}
        append(connection, claim_id, at, actor, action, {"suggestion": name, "route": data["route"], **kept})
        rows.send(connection, claim_id, action, {"position": data["position"], "route": data["route"], "suggestion": name}, at)
        return {"claim_id": claim_id, "suggestion": data, "suggestion_digest": name}

    def _evaluate(self, connection: Connection, claim_id: str) -> tuple[dict[str, Any], str]:
        at = self._at()
        rounds.close_rounds(connection, claim_id, self.clock().date())
        row = rows.claim_row(connection, claim_id)
        claim = rows.filed_claim(row)
        statements = rows.statement_rows(connection, claim_id)
        papers = rows.papers_of(rows.documents_of(connection, claim_id))
        own, links = self._links(connection, claim, statements, at)
        inputs = inputs_of(
            row,
            claim.model_dump(mode="json"),
            statements,
            papers,
            links,
            knowledge=self.knowledge,
            reader=self.reader.digest,
            today=self.clock().date(),
            types=self._types,
        )
        given = Given(link_values(connection, own, at), self.reader.digest, gate_events.states(connection))
        data, inputs = evaluate(inputs, statements, self.knowledge, self._scorers.current(), given)
        rows.keep_rulebook(connection, self.knowledge, at)
        name = digest(data)
        kept = {
            "claim_id": claim_id,
            "digest": name,
            "body": canonical(data).decode(),
            "inputs": dumps(inputs),
            "rulebook_digest": self.knowledge.digest,
        }
        result = connection.execute(insert(t.suggestion).returning(t.suggestion.c.id), [{**kept, "created_at": at}])
        suggestion_id = int(result.scalar_one())
        placed = {
            "position": data["position"],
            "route": data["route"],
            "why": data["why"][:100],
            "suggestion_digest": name,
            "updated_at": at,
        }
        rows.update_claim(connection, claim_id, **placed)
        append(
            connection,
            claim_id,
            at,
            "triage",
            "suggested",
            {"suggestion": name, "inputs": sha256(dumps(inputs)), "rulebook": self.knowledge.digest},
        )
        self._follow(connection, claim_id, suggestion_id, data)
        return data, name

    def _links(
        self, connection: Connection, claim: Claim, statements: Sequence[Mapping[str, Any]], at: str
    ) -> tuple[tuple[Link, ...], tuple[Observation, ...]]:
        """Keeps the claim's links; they, and what other claims share as of now."""
        observations, findings = rows.statements_of(statements, self._types)
        own = links_of(claim, CaseFile(claim, observations, findings), self.knowledge, self.clock().date())
        rows.replace_links(connection, own, at)
        return own, linked_observations(own, rows.links_as_of(connection, own, at))

    def _follow(self, connection: Connection, claim_id: str, suggestion_id: int, data: Mapping[str, Any]) -> None:
        """What a suggestion brings about by itself: a batch request with its due date, or the gate's release. Never more."""
        if rows.claim_row(connection, claim_id)["status"] != "open":
            return
        at = self._at()
        if data["route"] == Route.CLEAR.value:
            row = {
                "claim_id": claim_id,
                "suggestion_id": suggestion_id,
                "action": "release",
                "outcome": "released",
                "actor_kind": GATE,
                "actor": GATE,
            }
            connection.execute(insert(t.decision), [{**row, "decided_at": at}])
            rows.update_claim(connection, claim_id, released=True)
            append(connection, claim_id, at, GATE, "released", {"suggestion": digest(data)})
        if data["route"] == Route.REQUEST_EVIDENCE.value and data["missing_evidence"]:
            plan = self.knowledge.plans[data["versions"]["plan"]]
            rounds.open_request(connection, claim_id, data, plan, self.clock().date(), at)

    def close_due_requests(self) -> int:
        """Evaluates again every claim whose request fell due without an answer: silence is never an answer, a person looks. How many."""
        with self.store.writing() as connection:
            names = rounds.due(connection, self.clock().date())
            for name in names:
                self._answer(connection, name, "triage", "request_lapsed")
        return len(names)

    # ---- looking

    def suggest(self, claim: Claim) -> dict[str, Any]:
        """A suggestion for a claim that is not stored, as of now. Raises UnknownPlan, StoreUnavailable."""
        self.check_plan(claim)
        case, today, at = assemble(claim, self.knowledge, self.reader), self.clock().date(), self._at()
        own = links_of(claim, case, self.knowledge, today)
        with self.store.reading() as connection:
            shared = linked_observations(own, rows.links_as_of(connection, own, at))
            given = Given(link_values(connection, own, at), self.reader.digest, gate_events.states(connection))
        linked = replace(case, observations=(*case.observations, *shared))
        data = suggest(linked, self.knowledge, self._scorers.current(), today, given).to_json()
        data["versions"]["reader"] = self.reader.digest
        return data

    def claim(self, claim_id: str) -> dict[str, Any]:
        """Everything about a stored claim. Raises ClaimNotFound."""
        with self.store.reading() as connection:
            return views.claim_view(connection, claim_id)

    def claims(self, *, limit: int = 50, cursor: str | None = None, **filters: str | None) -> dict[str, Any]:
        """Claims, the newest first: {items, next}; filters: route, position, plan, status. Raises BadField for a cursor of another kind."""
        with self.store.reading() as connection:
            return views.claims_view(connection, limit=limit, cursor=cursor, filters=filters)

    def suggestion(self, claim_id: str) -> dict[str, Any]:
        """{suggestion, suggestion_digest} as last computed. Raises ClaimNotFound."""
        with self.store.reading() as connection:
            rows.claim_row(connection, claim_id)
            current = views.current_suggestion(connection, claim_id)
            return {"suggestion": current["data"], "suggestion_digest": current["digest"]}

    def replay(self, claim_id: str | None = None) -> list[dict[str, str]]:
        """Every stored suggestion computed again from stored inputs alone; what differs, by claim."""
        with self.store.reading() as connection:
            return replay(connection, claim_id)

    # ---- small things

    def _at(self) -> str:
        return self.clock().isoformat(timespec="microseconds")

    def _rows(self, connection: Connection, table: Table, claim_id: str) -> list[dict[str, Any]]:
        found = connection.execute(select(table).where(table.c.claim_id == claim_id).order_by(table.c.id)).mappings()
        return [dict(row) for row in found]

    def _answered(self, connection: Connection, key: str | None, body: str) -> dict[str, Any] | None:
        if key is None:
            return None
        hold(connection, f"key {key}")
        row = connection.execute(select(t.idempotency_key).where(t.idempotency_key.c.key == key)).mappings().first()
        if row is None:
            return None
        if row["body_digest"] != body:
            raise IdempotencyMismatch(key)
        answer: dict[str, Any] = json.loads(row["response"])
        return answer

    def _keep_answer(self, connection: Connection, key: str | None, body: str, answer: Mapping[str, Any]) -> None:
        if key is not None:
            row = {"key": key, "body_digest": body, "response": dumps(answer), "created_at": self._at()}
            connection.execute(insert(t.idempotency_key), [row])
