"""What can be wrong with a rulebook; every message names file, id and remedy in both languages.

KnowledgeError
├── MalformedFile      not YAML/CSV, or a record with unknown or missing keys
├── UnknownReference   an id that no library defines
├── DuplicateId        the same id twice
└── CyclicGoesTo       conditions that lead back to themselves
"""

from __future__ import annotations


class KnowledgeError(Exception):
    """Root of all rulebook errors."""


class MalformedFile(KnowledgeError):
    """A file or record that cannot be read."""


class UnknownReference(KnowledgeError):
    """A reference to an id that does not exist."""


class DuplicateId(KnowledgeError):
    """An id defined twice in one library."""


class CyclicGoesTo(KnowledgeError):
    """A chain of `goes_to` that never ends."""
