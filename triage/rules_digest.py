"""The digest of the rules that decide under one plan: what a certificate was earned under.

Only what can change a verdict counts: the plan, its rules, the definitions of the facts they rest on, what a finding breaches, how
conditions hang together. Words, sources and other plans do not, so that a typo corrected elsewhere does not close the gate.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel

from knowledge_graph.graph import facts_of
from knowledge_graph.loader import Knowledge
from triage.judge import closure

_WORDS = {"zh", "en", "reason", "clause", "source", "confidence", "published", "question", "value_names", "node"}
_WRITTEN = {"terms", "synonyms", "icd10", "system", "bears_on", "sources", "gate", "request_due_days", "request_rounds", "jury"}
_made: dict[tuple[str, str], str] = {}


def rules_digest(knowledge: Knowledge, plan: str) -> str:
    """SHA-256 in hex, made once per rulebook digest and plan. Raises KeyError for an unknown plan."""
    key = (knowledge.digest, plan)
    if key not in _made:
        if len(_made) > 64:
            _made.clear()
        text = json.dumps(_decides(knowledge, plan), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        _made[key] = hashlib.sha256(text.encode()).hexdigest()
    return _made[key]


def _decides(knowledge: Knowledge, plan: str) -> dict[str, Any]:
    rules = [r for r in knowledge.rules if r.applies_to.plan in (None, plan)]
    asked = closure(knowledge, ("plan.version", "norm.edition", *(f for r in rules for f in facts_of(r))))
    return {
        "plan": _plain(knowledge.plans[plan]),
        "rules": sorted((_plain(r) for r in rules), key=lambda r: str(r["id"])),
        "facts": {name: _plain(knowledge.facts[name]) for name in sorted(asked)},
        "findings": {name: _plain(finding) for name, finding in knowledge.findings.items()},
        "conditions": {c.id: _plain(c) for c in knowledge.conditions.values() if c.abstract or knowledge.covers(plan, c.id)},
        "departments": {name: _plain(area) for name, area in knowledge.departments.items()},
        "staging": _plain(knowledge.staging),
    }


def _plain(record: BaseModel) -> dict[str, Any]:
    return record.model_dump(mode="json", by_alias=True, exclude=_WORDS | _WRITTEN)
