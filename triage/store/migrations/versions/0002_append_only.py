"""What was observed, decided and audited stays as it was written; a decline stands only on a person's dated ground."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("audit", "observation", "decision", "rulebook_snapshot")
UNGROUNDED = """NEW.outcome = 'declined' AND (trim(NEW.ground) = '' OR trim(NEW.clause) = '' OR trim(NEW.plan_version) = ''
 OR NOT EXISTS (SELECT 1 FROM suggestion WHERE suggestion.id = NEW.suggestion_id AND suggestion.claim_id = NEW.claim_id))"""
UNDATED = "NEW.outcome = 'declined' AND date(NEW.ground_on) IS NOT NEW.ground_on"
UNDECIDED = """NEW.status IN ('paid', 'declined') AND NOT EXISTS (SELECT 1 FROM decision
 WHERE decision.claim_id = NEW.claim_id AND decision.outcome = NEW.status AND decision.actor_kind = 'person')"""
REFUSALS = (
    (
        "decision_ungrounded",
        "INSERT",
        "decision",
        UNGROUNDED,
        "a decline needs a ground, a clause, a version and a suggestion of its claim",
    ),
    ("claim_filed_decided", "INSERT", "claim", UNDECIDED, "only the decision of a person settles a claim"),
    ("claim_settled_undecided", "UPDATE", "claim", UNDECIDED, "only the decision of a person settles a claim"),
)
SQLITE_ONLY = (("decision_undated", "INSERT", "decision", UNDATED, "a decline needs the date of its ground"),)
"""PostgreSQL refuses by type what is not a date."""


def upgrade() -> None:
    """The same refusals in the words of either database."""
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _sqlite() -> None:
    for table in APPEND_ONLY:
        for event in ("UPDATE", "DELETE"):
            raised = f"SELECT RAISE(ABORT, '{table} is append-only')"
            op.execute(f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} BEGIN {raised}; END")
    for name, event, table, when, words in (*REFUSALS, *SQLITE_ONLY):
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, '{words}'); END")


def _postgresql() -> None:
    for table in APPEND_ONLY:
        _function(f"{table}_append_only", "true", f"{table} is append-only")
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_append_only()"
        )
    for name, event, table, when, words in REFUSALS:
        _function(name, when, words)
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _function(name: str, when: str, words: str) -> None:
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN"
        f" RAISE EXCEPTION '{words}' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$"
    )
