"""A person's correction as an observation of the highest rank, checked against the fact's type and the document it points at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from knowledge_graph.loader import Knowledge
from knowledge_graph.rules import FactDefinition
from triage.actions import Correction
from triage.observation import Observation, Source, Span
from triage.store.errors import BadField
from triage.values import Interval, OneOf, from_json

LONGEST = 300
"""Characters of a text a person may enter, as on the form."""


def corrected(correction: Correction, knowledge: Knowledge, documents: Sequence[Mapping[str, Any]], actor: str) -> Observation:
    """The observation; raises BadField naming the field and what would fit."""
    definition = knowledge.facts.get(correction.fact)
    if definition is None:
        raise BadField("fact", f"没有名为 {correction.fact} 的事实", f"there is no fact {correction.fact}")
    value = None if correction.why is not None else _value(definition, correction.value)
    span = _span(correction, documents)
    evidence = next((str(d["evidence_type"]) for d in documents if d["document_id"] == correction.document), "")
    return Observation(
        correction.fact, value, Source.REVIEWER, evidence, span=span, why=correction.why, document=correction.document or "", actor=actor
    )


def _value(definition: FactDefinition, given: Any) -> Any:
    try:
        value = from_json(given, definition.type)
    except (ValueError, TypeError, AttributeError) as error:
        raise _misfit(definition) from error
    if isinstance(value, Interval) and definition.type not in ("int", "number", "date"):
        raise _misfit(definition)
    parts = [value.low, value.high] if isinstance(value, Interval) else list(value.values) if isinstance(value, OneOf) else [value]
    if not all((p is None and isinstance(value, Interval)) or _fits(definition, p) for p in parts) or parts in ([], [None, None]):
        raise _misfit(definition)
    return value


def _fits(definition: FactDefinition, value: Any) -> bool:
    kinds: dict[str, tuple[type, ...]] = {
        "bool": (bool,),
        "int": (int,),
        "number": (int, float),
        "date": (date,),
        "code": (str, int),
        "text": (str,),
    }
    right = isinstance(value, kinds[definition.type]) and (definition.type == "bool" or not isinstance(value, bool))
    short = not isinstance(value, str) or len(value) <= LONGEST
    return right and short and (not definition.values or value in definition.values)


def _misfit(definition: FactDefinition) -> BadField:
    allowed = f"{definition.type}: {', '.join(map(str, definition.values))}" if definition.values else definition.type
    return BadField("value", f"{definition.id} 的值须为 {allowed}", f"a value of {definition.id} must be {allowed}")


def _span(correction: Correction, documents: Sequence[Mapping[str, Any]]) -> Span | None:
    if correction.document is None:
        return None
    text = next((str(d["text"]) for d in documents if d["document_id"] == correction.document), None)
    if text is None:
        raise BadField("document", f"案件没有材料 {correction.document}", f"the claim has no document {correction.document}")
    if correction.start is None or correction.end is None:
        return None
    if not correction.start < correction.end <= len(text):
        raise BadField("start", f"位置须在材料之内（共{len(text)}字）", f"the span must lie within the document ({len(text)} characters)")
    return Span(correction.document, correction.start, correction.end, text[correction.start : correction.end])
