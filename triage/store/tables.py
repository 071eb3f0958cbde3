"""The tables, in portable SQL. The migrations make them; a test holds both together."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Cipher(Protocol):
    """Seals a text for storage and opens it again."""

    def seal(self, text: str) -> str: ...
    def open(self, sealed: str) -> str: ...


class SealedText(TypeDecorator[str]):
    """Text of a medical or personal kind: stored through `cipher` once an operator sets one, as it is until then."""

    impl = Text
    cache_ok = True
    cipher: Cipher | None = None

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Seals on the way in."""
        return value if value is None or SealedText.cipher is None else SealedText.cipher.seal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Opens on the way out."""
        return value if value is None or SealedText.cipher is None else SealedText.cipher.open(value)


def _claim_id() -> Column[str]:
    return Column("claim_id", String(64), ForeignKey("claim.claim_id"), nullable=False, index=True)


claim = Table(
    "claim",
    metadata,
    Column("claim_id", String(64), primary_key=True),
    Column("plan", String(100), nullable=False),
    Column("filed_on", Date, nullable=False),
    Column("member_id", String(100), nullable=False, index=True),
    Column("diagnosis_claimed", String(300), nullable=False),
    Column("form", SealedText, nullable=False),
    Column("status", String(20), nullable=False, server_default="open"),
    Column("position", String(20), nullable=False, server_default=""),
    Column("route", String(30), nullable=False, server_default=""),
    Column("why", String(100), nullable=False, server_default=""),
    Column("suggestion_digest", String(64), nullable=False, server_default=""),
    Column("rounds", Integer, nullable=False, server_default="0"),
    Column("released", Boolean, nullable=False),
    Column("investigation", String(10), nullable=False, server_default="none"),
    Column("drawn_for_audit", Boolean, nullable=False),
    Column("disputed", Boolean, nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("updated_at", String(40), nullable=False),
    CheckConstraint("status IN ('open', 'paid', 'declined', 'withdrawn', 'duplicate')", name="status"),
    CheckConstraint("investigation IN ('none', 'open', 'closed')", name="investigation"),
    Index("ix_claim_created_at_claim_id", "created_at", "claim_id"),
)
membership_episode = Table(
    "membership_episode",
    metadata,
    Column("id", Integer, primary_key=True),
    _claim_id(),
    Column("member_id", String(100), nullable=False, index=True),
    Column("joined_on", Date, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("left_on", Date),
)
document = Table(
    "document",
    metadata,
    Column("claim_id", String(64), ForeignKey("claim.claim_id"), primary_key=True),
    Column("document_id", String(20), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("origin", String(20), nullable=False),
    Column("given_type", String(300)),
    Column("evidence_type", String(100), nullable=False),
    Column("basis", String(30), nullable=False),
    Column("readable", Boolean, nullable=False),
    Column("text", SealedText, nullable=False),
    Column("content_hash", String(64), nullable=False, index=True),
    Column("received_on", Date),
    Column("issued_by", String(300)),
    Column("created_at", String(40), nullable=False),
)
observation = Table(
    "observation",
    metadata,
    Column("id", Integer, primary_key=True),
    _claim_id(),
    Column("kind", String(12), nullable=False),
    Column("body", SealedText, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("reason", String(1000), nullable=False, server_default=""),
    Column("created_at", String(40), nullable=False),
    CheckConstraint("kind IN ('observation', 'finding')", name="kind"),
)
link = Table(
    "link",
    metadata,
    Column("id", Integer, primary_key=True),
    _claim_id(),
    Column("kind", String(20), nullable=False),
    Column("link_key", String(400), nullable=False),
    Column("member_id", String(100), nullable=False),
    Column("early", Boolean, nullable=False),
    Column("again", Boolean, nullable=False, server_default=false()),
    Column("seen_at", String(40), nullable=False),
    Index("ix_link_kind_key_seen_at", "kind", "link_key", "seen_at"),
)
rulebook_snapshot = Table(
    "rulebook_snapshot",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("texts", Text, nullable=False),
    Column("created_at", String(40), nullable=False),
)
suggestion = Table(
    "suggestion",
    metadata,
    Column("id", Integer, primary_key=True),
    _claim_id(),
    Column("digest", String(64), nullable=False),
    Column("body", SealedText, nullable=False),
    Column("inputs", SealedText, nullable=False),
    Column("rulebook_digest", String(64), ForeignKey("rulebook_snapshot.digest"), nullable=False),
    Column("created_at", String(40), nullable=False),
)
decision = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True),
    _claim_id(),
    Column("suggestion_id", Integer, ForeignKey("suggestion.id")),
    Column("action", String(20), nullable=False),
    Column("outcome", String(30), nullable=False),
    Column("actor_kind", String(10), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("second_actor", String(100)),
    Column("reason_code", String(100)),
    Column("note", SealedText),
    Column("ground", String(100)),
    Column("ground_on", Date),
    Column("clause", String(500)),
    Column("plan_version", String(50)),
    Column("amount", Integer),
    Column("decided_at", String(40), nullable=False),
    CheckConstraint("actor_kind IN ('person', 'gate')", name="actor_kind"),
    CheckConstraint("actor_kind <> 'gate' OR outcome = 'released'", name="gate_only_releases"),
    CheckConstraint(
        "outcome IN ('paid', 'declined', 'released', 'investigation_opened', 'evidence_requested', 'kept_for_review', 'referred_to_siu',"
        " 'referred_to_jury', 'disputed', 'withdrawn', 'duplicate')",
        name="outcome",
    ),
    CheckConstraint(
        "outcome <> 'declined' OR (actor_kind = 'person' AND actor <> '' AND ground IS NOT NULL AND trim(ground) <> ''"
        " AND ground_on IS NOT NULL AND CAST(ground_on AS VARCHAR(10)) LIKE '____-__-__'"
        " AND clause IS NOT NULL AND trim(clause) <> '' AND plan_version IS NOT NULL AND trim(plan_version) <> ''"
        " AND suggestion_id IS NOT NULL)",
        name="a_person_declines_on_a_dated_ground",
    ),
)
request = Table(
    "request",
    metadata,
    Column("id", Integer, primary_key=True),
    _claim_id(),
    Column("round", Integer, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("papers", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("created_at", String(40), nullable=False),
    CheckConstraint("state IN ('open', 'answered', 'lapsed')", name="state"),
)
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    _claim_id(),
    Column("topic", String(50), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("sent_at", String(40)),
)
idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("body_digest", String(64), nullable=False),
    Column("response", SealedText, nullable=False),
    Column("created_at", String(40), nullable=False),
)
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("claim_id", String(64), nullable=False, index=True),
    Column("at", String(40), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("action", String(50), nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
outcome = Table(
    "outcome",
    metadata,
    Column("id", Integer, primary_key=True),
    _claim_id(),
    Column("refused", Boolean, nullable=False),
    Column("known_at", String(40), nullable=False),
)
gate_event = Table(
    "gate_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("group_name", String(150), nullable=False, index=True),
    Column("event", String(10), nullable=False),
    Column("actor_kind", String(10), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("why", String(1000), nullable=False),
    Column("bundle_digest", String(64), nullable=False),
    Column("evidence", Text, nullable=False),
    Column("created_at", String(40), nullable=False),
    CheckConstraint("event IN ('closed', 'reopened')", name="event"),
    CheckConstraint("actor_kind IN ('person', 'alarm') AND trim(actor) <> '' AND trim(why) <> ''", name="somebody_and_why"),
    CheckConstraint("event <> 'reopened' OR actor_kind = 'person'", name="only_a_person_reopens"),
)
shadow_score = Table(
    "shadow_score",
    metadata,
    Column("id", Integer, primary_key=True),
    _claim_id(),
    Column("suggestion_id", Integer, ForeignKey("suggestion.id"), nullable=False),
    Column("bundle_digest", String(64), nullable=False),
    Column("score", Float, nullable=False),
    Column("champion_score", Float),
    Column("created_at", String(40), nullable=False),
    UniqueConstraint("suggestion_id", "bundle_digest"),
)
store_setting = Table("store_setting", metadata, Column("name", String(50), primary_key=True), Column("value", String(500), nullable=False))
