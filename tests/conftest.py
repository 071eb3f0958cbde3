"""Fixtures of every test: `place` is an empty database, once in SQLite and once in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import KINDS, Database, drop, url_of


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database of each kind."""
    url = url_of(request.param, tmp_path)
    yield Database(url)
    drop(url)
