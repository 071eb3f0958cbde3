"""Names of findings from the product's library, for those the phrasebooks have no words of their own for."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml

import knowledge_graph


@lru_cache(maxsize=1)
def finding_names() -> dict[str, dict[str, str]]:
    """{finding id: {zh, en}} of knowledge_graph/data/findings.yaml."""
    path = Path(knowledge_graph.__file__).parent / "data" / "findings.yaml"
    loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (safe)
    return {entry["id"]: {"zh": entry["zh"], "en": entry["en"]} for entry in loaded["findings"]}
