"""What investigated claims came to, and which links only repeat one that was seen before."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """`outcome` is a label and since when it is known; `link.again` marks the row by which a claim became early."""
    op.create_table(
        "outcome",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("known_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.claim_id"], name=op.f("fk_outcome_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome")),
    )
    op.create_index(op.f("ix_outcome_claim_id"), "outcome", ["claim_id"], unique=False)
    op.add_column("link", sa.Column("again", sa.Boolean(), server_default=sa.false(), nullable=False))
    earlier = (
        "SELECT 1 FROM link AS first WHERE first.claim_id = link.claim_id AND first.kind = link.kind AND first.link_key = link.link_key"
    )
    op.execute(f"UPDATE link SET again = {_true()} WHERE EXISTS ({earlier} AND first.id < link.id)")  # noqa: S608 - no value from outside
    decided = "SELECT claim_id, outcome = 'declined', decided_at FROM decision WHERE outcome IN ('paid', 'declined')"
    investigated = "claim_id IN (SELECT claim_id FROM claim WHERE investigation = 'closed')"
    op.execute(f"INSERT INTO outcome (claim_id, refused, known_at) {decided} AND {investigated} ORDER BY id")


def _true() -> str:
    return "true" if op.get_bind().dialect.name == "postgresql" else "1"
