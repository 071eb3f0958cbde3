"""The claim store: SQLite by default, PostgreSQL by URL; everything a decision rests on, and who decided."""

from triage.store.store import Store, open_existing, open_store

__all__ = ["Store", "open_existing", "open_store"]
