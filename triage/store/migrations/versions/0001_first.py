"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Claims, what was read and said of them, what was suggested, decided and by whom."""
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_claim_id"), "audit", ["claim_id"], unique=False)
    op.create_table(
        "claim",
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("plan", sa.String(length=100), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("member_id", sa.String(length=100), nullable=False),
        sa.Column("diagnosis_claimed", sa.String(length=300), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), server_default="open", nullable=False),
        sa.Column("position", sa.String(length=20), server_default="", nullable=False),
        sa.Column("route", sa.String(length=30), server_default="", nullable=False),
        sa.Column("why", sa.String(length=100), server_default="", nullable=False),
        sa.Column("suggestion_digest", sa.String(length=64), server_default="", nullable=False),
        sa.Column("rounds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("investigation", sa.String(length=10), server_default="none", nullable=False),
        sa.Column("drawn_for_audit", sa.Boolean(), nullable=False),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("updated_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("investigation IN ('none', 'open', 'closed')", name=op.f("ck_claim_investigation")),
        sa.CheckConstraint("status IN ('open', 'paid', 'declined', 'withdrawn', 'duplicate')", name=op.f("ck_claim_status")),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_claim")),
    )
    op.create_index("ix_claim_created_at_claim_id", "claim", ["created_at", "claim_id"], unique=False)
    op.create_index(op.f("ix_claim_member_id"), "claim", ["member_id"], unique=False)
    op.create_table(
        "idempotency_key",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_key")),
    )
    op.create_table(
        "rulebook_snapshot",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("texts", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_rulebook_snapshot")),
    )
    op.create_table(
        "store_setting",
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_store_setting")),
    )
    op.create_table(
        "document",
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("given_type", sa.String(length=300), nullable=True),
        sa.Column("evidence_type", sa.String(length=100), nullable=False),
        sa.Column("basis", sa.String(length=30), nullable=False),
        sa.Column("readable", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("issued_by", sa.String(length=300), nullable=True),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.claim_id"], name=op.f("fk_document_claim_id")),
        sa.PrimaryKeyConstraint("claim_id", "document_id", name=op.f("pk_document")),
    )
    op.create_index(op.f("ix_document_content_hash"), "document", ["content_hash"], unique=False)
    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("link_key", sa.String(length=400), nullable=False),
        sa.Column("member_id", sa.String(length=100), nullable=False),
        sa.Column("early", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.claim_id"], name=op.f("fk_link_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
    )
    op.create_index(op.f("ix_link_claim_id"), "link", ["claim_id"], unique=False)
    op.create_index("ix_link_kind_key_seen_at", "link", ["kind", "link_key", "seen_at"], unique=False)
    op.create_table(
        "membership_episode",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=100), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.claim_id"], name=op.f("fk_membership_episode_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_episode")),
    )
    op.create_index(op.f("ix_membership_episode_claim_id"), "membership_episode", ["claim_id"], unique=False)
    op.create_index(op.f("ix_membership_episode_member_id"), "membership_episode", ["member_id"], unique=False)
    op.create_table(
        "observation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=1000), server_default="", nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("kind IN ('observation', 'finding')", name=op.f("ck_observation_kind")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.claim_id"], name=op.f("fk_observation_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observation")),
    )
    op.create_index(op.f("ix_observation_claim_id"), "observation", ["claim_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=50), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("sent_at", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.claim_id"], name=op.f("fk_outbox_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_claim_id"), "outbox", ["claim_id"], unique=False)
    op.create_table(
        "request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("papers", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("state IN ('open', 'answered', 'lapsed')", name=op.f("ck_request_state")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.claim_id"], name=op.f("fk_request_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
    )
    op.create_index(op.f("ix_request_claim_id"), "request", ["claim_id"], unique=False)
    op.create_table(
        "suggestion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("rulebook_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.claim_id"], name=op.f("fk_suggestion_claim_id")),
        sa.ForeignKeyConstraint(["rulebook_digest"], ["rulebook_snapshot.digest"], name=op.f("fk_suggestion_rulebook_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion")),
    )
    op.create_index(op.f("ix_suggestion_claim_id"), "suggestion", ["claim_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("suggestion_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=30), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("second_actor", sa.String(length=100), nullable=True),
        sa.Column("reason_code", sa.String(length=100), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("ground", sa.String(length=100), nullable=True),
        sa.Column("ground_on", sa.Date(), nullable=True),
        sa.Column("clause", sa.String(length=500), nullable=True),
        sa.Column("plan_version", sa.String(length=50), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("actor_kind <> 'gate' OR outcome = 'released'", name=op.f("ck_decision_gate_only_releases")),
        sa.CheckConstraint("actor_kind IN ('person', 'gate')", name=op.f("ck_decision_actor_kind")),
        sa.CheckConstraint(
            "outcome <> 'declined' OR (actor_kind = 'person' AND actor <> '' AND ground IS NOT NULL AND trim(ground) <> '' AND ground_on IS NOT NULL AND CAST(ground_on AS VARCHAR(10)) LIKE '____-__-__' AND clause IS NOT NULL AND trim(clause) <> '' AND plan_version IS NOT NULL AND trim(plan_version) <> '' AND suggestion_id IS NOT NULL)",
            name=op.f("ck_decision_a_person_declines_on_a_dated_ground"),
        ),
        sa.CheckConstraint(
            "outcome IN ('paid', 'declined', 'released', 'investigation_opened', 'evidence_requested', 'kept_for_review', 'referred_to_siu', 'referred_to_jury', 'disputed', 'withdrawn', 'duplicate')",
            name=op.f("ck_decision_outcome"),
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.claim_id"], name=op.f("fk_decision_claim_id")),
        sa.ForeignKeyConstraint(["suggestion_id"], ["suggestion.id"], name=op.f("fk_decision_suggestion_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_claim_id"), "decision", ["claim_id"], unique=False)
    _hold_status()


def _hold_status() -> None:
    """A claim's status can say declined only where a person's decision says so."""
    decided = "EXISTS (SELECT 1 FROM decision WHERE decision.claim_id = NEW.claim_id AND decision.outcome = 'declined')"
    message = "a claim is declined only by the decision of a person"
    if op.get_bind().dialect.name == "postgresql":
        body = f"BEGIN IF NEW.status = 'declined' AND NOT {decided} THEN RAISE EXCEPTION '{message}'; END IF; RETURN NEW; END"
        op.execute(f"CREATE FUNCTION claim_declined_by_a_person() RETURNS trigger AS $$ {body} $$ LANGUAGE plpgsql")
        op.execute(
            "CREATE TRIGGER claim_declined BEFORE INSERT OR UPDATE ON claim FOR EACH ROW EXECUTE FUNCTION claim_declined_by_a_person()"
        )
        return
    for verb in ("INSERT", "UPDATE"):
        when = f"NEW.status = 'declined' AND NOT {decided}"
        op.execute(
            f"CREATE TRIGGER claim_declined_on_{verb.lower()} BEFORE {verb} ON claim WHEN {when} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
