"""When the gate was closed and reopened, and what a challenger would have scored."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """`gate_event` holds every closing and reopening by group; `shadow_score` a score that had no effect."""
    op.create_table(
        "gate_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_name", sa.String(length=150), nullable=False),
        sa.Column("event", sa.String(length=10), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("why", sa.String(length=1000), nullable=False),
        sa.Column("bundle_digest", sa.String(length=64), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("event IN ('closed', 'reopened')", name=op.f("ck_gate_event_event")),
        sa.CheckConstraint(
            "actor_kind IN ('person', 'alarm') AND trim(actor) <> '' AND trim(why) <> ''", name=op.f("ck_gate_event_somebody_and_why")
        ),
        sa.CheckConstraint("event <> 'reopened' OR actor_kind = 'person'", name=op.f("ck_gate_event_only_a_person_reopens")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_event")),
    )
    op.create_index(op.f("ix_gate_event_group_name"), "gate_event", ["group_name"], unique=False)
    op.create_table(
        "shadow_score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("suggestion_id", sa.Integer(), nullable=False),
        sa.Column("bundle_digest", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("champion_score", sa.Float(), nullable=True),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.claim_id"], name=op.f("fk_shadow_score_claim_id")),
        sa.ForeignKeyConstraint(["suggestion_id"], ["suggestion.id"], name=op.f("fk_shadow_score_suggestion_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_score")),
        sa.UniqueConstraint("suggestion_id", "bundle_digest", name=op.f("uq_shadow_score_suggestion_id_bundle_digest")),
    )
    op.create_index(op.f("ix_shadow_score_claim_id"), "shadow_score", ["claim_id"], unique=False)
