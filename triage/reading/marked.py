"""A reading shown on its text: as plain data, with marks in the terminal, as one self-contained page."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from triage.observation import FindingMention, Observation, Reading
from triage.values import to_json

STYLES = {
    "present": "bold green",
    "negated": "red",
    "uncertain": "yellow",
    "historical": "blue",
    "family": "magenta",
    "hypothetical": "cyan",
    "planned": "cyan",
    "other_person": "magenta",
}
_COLOURS = {
    "present": "#cfeccf",
    "negated": "#f5c6c6",
    "uncertain": "#fbeeb0",
    "historical": "#cfdcf5",
    "family": "#e8cff0",
    "hypothetical": "#cdeef0",
    "planned": "#cdeef0",
    "other_person": "#e8cff0",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters `start` to `end` with everything read there."""

    start: int
    end: int
    said: tuple[dict[str, Any], ...]


def as_data(reading: Reading) -> dict[str, Any]:
    """The reading as plain data: {evidence_type, problems, read: [{fact or finding, value, assertion, span, section, ...}]}."""
    read = [_observation(o) for o in reading.observations] + [_finding(f) for f in reading.findings]
    read.sort(key=lambda item: (item["span"]["start"], item["span"]["end"]) if item["span"] else (-1, -1))
    return {"evidence_type": reading.evidence_type, "problems": list(reading.problems), "read": read}


def _common(one: Observation | FindingMention) -> dict[str, Any]:
    span = {"start": one.span.start, "end": one.span.end, "quote": one.span.quote} if one.span else None
    when = to_json(one.event_on)
    return {"assertion": one.assertion.value, "span": span, "section": one.section, "date": when, "reader": one.reader}


def _observation(one: Observation) -> dict[str, Any]:
    why = {"why": one.why.value} if one.why else {}
    return {"fact": one.fact, "value": to_json(one.value), **why, **_common(one), "side": "", "basis": one.basis}


def _finding(one: FindingMention) -> dict[str, Any]:
    return {"finding": one.finding, "value": one.grade or None, **_common(one), "side": one.side}


def marks(read: Iterable[dict[str, Any]]) -> list[Mark]:
    """Places that do not overlap, in order; what is read inside a longer place is told with it."""
    placed: list[Mark] = []
    for item in sorted((r for r in read if r["span"]), key=lambda r: (r["span"]["start"], -r["span"]["end"])):
        start, end = item["span"]["start"], item["span"]["end"]
        if placed and start < placed[-1].end:
            last = placed[-1]
            placed[-1] = Mark(last.start, max(last.end, end), (*last.said, item))
        else:
            placed.append(Mark(start, end, (item,)))
    return placed


def described(item: dict[str, Any]) -> str:
    """One line: what was read, how it is asserted, side and date."""
    name = item.get("fact") or item.get("finding") or ""
    value = "" if item["value"] is None else f"={item['value']}"
    rest = [item["assertion"], item.get("side") or "", str(item["date"] or "")]
    return f"{name}{value} [{' '.join(r for r in rest if r)}]"


def in_terminal(text: str, data: dict[str, Any]) -> Text:
    """The text with each place in the colour of its assertion and what was read behind it."""
    out, at = Text(), 0
    for mark in marks(data["read"]):
        style = STYLES.get(mark.said[0]["assertion"], "bold")
        out.append(text[at : mark.start])
        out.append(text[mark.start : mark.end], style=f"{style} underline")
        out.append("⟨" + "; ".join(described(s) for s in mark.said) + "⟩", style="dim")
        at = mark.end
    out.append(text[at:])
    return out


def as_page(text: str, data: dict[str, Any], title: str) -> str:
    """One HTML page without scripts; everything of the text is escaped."""
    body, at = [], 0
    for mark in marks(data["read"]):
        colour = _COLOURS.get(mark.said[0]["assertion"], "#ddd")
        said = html.escape("; ".join(described(s) for s in mark.said), quote=True)
        body.append(html.escape(text[at : mark.start]))
        body.append(f'<mark style="background:{colour}" title="{said}">{html.escape(text[mark.start : mark.end])}</mark>')
        at = mark.end
    body.append(html.escape(text[at:]))
    keys = " ".join(f'<mark style="background:{c}">{k}</mark>' for k, c in _COLOURS.items())
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title>'
    kind = html.escape(data["evidence_type"])
    return f'<!doctype html><html lang="zh">{head}<h1>{html.escape(title)}</h1><p>{kind} {keys}</p><pre style="white-space:pre-wrap">{"".join(body)}</pre></html>\n'
