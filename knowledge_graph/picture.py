"""Pictures of the knowledge graph as SVG: the neighbourhood of a node, and the decision path of a condition.

Boxes are laid out in columns, heights follow the wrapped text, so nothing overlaps. No renderer is needed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import pairwise
from typing import Any

from knowledge_graph import graph as graphs
from knowledge_graph.loader import Knowledge
from knowledge_graph.queries import rule_json, rules_of

UNIT, LINE, PAD, GAP = 6.6, 17, 9, 12
FONT = "'Noto Sans CJK SC','WenQuanYi Micro Hei','Microsoft YaHei',sans-serif"
COLOURS = {
    "Stage": "#e8eaf6", "Plan": "#e0f2f1", "PlanVersion": "#e0f2f1", "Fact": "#fff8e1", "Disease": "#fce4ec", "Procedure": "#fce4ec", "Rule": "#e3f2fd",
    "CoveredCondition": "#f3e5f5", "Finding": "#fff3e0", "EvidenceType": "#e8f5e9", "HealthRequirementItem": "#efebe9", "Hospital": "#eceff1",
    "definition": "#f3e5f5", "document": "#e8f5e9", "requirement": "#e3f2fd", "exclusion": "#ffebee", "consistency": "#fff8e1",
    "verification": "#e0f7fa", "red_flag": "#fff3e0", "benefit": "#f1f8e9",
}  # fmt: skip
KINDS = {
    "definition": ("定义", "definition"), "document": ("材料", "document"), "requirement": ("要件", "requirement"), "exclusion": ("除外", "exclusion"),
    "consistency": ("一致性", "consistency"), "verification": ("核实", "verification"), "red_flag": ("风险提示", "red flag"), "benefit": ("给付", "benefit"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """A box with wrapped lines; sizes in pixels."""

    x: float
    y: float
    width: float
    lines: tuple[str, ...]
    colour: str
    bold: bool = False

    @property
    def height(self) -> float:
        return len(self.lines) * LINE + 2 * PAD


def width_of(text: str) -> float:
    """An estimate of a text's width: a Chinese character counts two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text) * UNIT


def wrapped(text: str, width: float, most: int = 6) -> tuple[str, ...]:
    """Lines that fit; words of Latin text stay whole where they can, a text too long ends with an ellipsis."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and width_of(line + piece) > width:
            lines.append(line.rstrip())
            line = ""
        while width_of(piece) > width:
            cut = max(1, int(width / UNIT / 2))
            lines.append(piece[:cut])
            piece = piece[cut:]
        line += piece if line or not piece.isspace() else ""
    lines.append(line.rstrip())
    lines = [part for part in lines if part]
    return tuple(lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1][:-2] + "…"])


def _pieces(text: str) -> Iterable[str]:
    word = ""
    for c in text:
        if c.isspace() or unicodedata.east_asian_width(c) in "WFA":
            if word:
                yield word
            yield c
            word = ""
        else:
            word += c
    if word:
        yield word


def _column(texts: list[tuple[str, str]], x: float, width: float, top: float) -> list[Box]:
    boxes, y = [], top
    for text, colour in texts:
        box = Box(x, y, width, wrapped(text, width - 2 * PAD), colour)
        boxes.append(box)
        y += box.height + GAP
    return boxes


def _draw(box: Box) -> str:
    weight = ' font-weight="bold"' if box.bold else ""
    rows = "".join(
        f'<text x="{box.x + PAD:g}" y="{box.y + PAD + 12 + i * LINE:g}"{weight}>{escape(t)}</text>' for i, t in enumerate(box.lines)
    )
    return f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="5" fill="{box.colour}" stroke="#90a4ae"/>{rows}'


def _line(a: tuple[float, float], b: tuple[float, float]) -> str:
    middle = (a[0] + b[0]) / 2
    return f'<path d="M{a[0]:g} {a[1]:g} C{middle:g} {a[1]:g} {middle:g} {b[1]:g} {b[0]:g} {b[1]:g}" fill="none" stroke="#b0bec5"/>'


def _svg(title: str, width: float, height: float, lines: list[str], boxes: list[Box], lang: str) -> str:
    body = "".join(lines) + "".join(map(_draw, boxes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" lang="{lang}" role="img" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}" '
        f'font-family="{FONT}" font-size="13" fill="#263238"><title>{escape(title)}</title><rect width="100%" height="100%" fill="white"/>'
        f'<text x="20" y="30" font-size="18" font-weight="bold">{escape(title)}</text>{body}</svg>'
    )


def neighbourhood(knowledge: Knowledge, name: str, lang: str = "zh", most: int = 8) -> str:
    """A node in the middle, what points at it on the left, what it points at on the right, `most` for each relation."""
    graph = graphs.build(knowledge)
    rows, side = graphs.neighbours(graph, name), {"in": 0, "out": 1}
    columns: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["direction"], row["relation"])
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= most:
            columns[side[row["direction"]]].append(_neighbour_text(row, lang))
    for (direction, relation), count in counts.items():
        if count > most:
            told = (
                f"（{graphs.RELATIONS[relation][0]}：另有{count - most}项）"
                if lang == "zh"
                else f"({graphs.RELATIONS[relation][1]}: {count - most} more)"
            )
            columns[side[direction]].append((told, "#ffffff"))
    here = graph.nodes[name]
    left, right = _column(columns[0], 20, 340, 60), _column(columns[1], 740, 340, 60)
    bottom = max([b.y + b.height for b in (*left, *right)], default=160)
    centre = Box(
        420,
        60 + max(0.0, (min(bottom, 700) - 160) / 2),
        260,
        wrapped(f"{here[lang]} [{name}]", 240),
        COLOURS.get(here["kind"], "#fafafa"),
        True,
    )
    y = centre.y + centre.height / 2
    lines = [_line((b.x + b.width, b.y + b.height / 2), (centre.x, y)) for b in left]
    lines += [_line((centre.x + centre.width, y), (b.x, b.y + b.height / 2)) for b in right]
    return _svg(here[lang], 1100, max(bottom, centre.y + centre.height) + 20, lines, [*left, centre, *right], lang)


def _neighbour_text(row: dict[str, Any], lang: str) -> tuple[str, str]:
    relation, node = graphs.RELATIONS[row["relation"]][0 if lang == "zh" else 1], row["node"]
    text = f"〔{relation}〕{node[lang]} [{node['id']}]" if lang == "zh" else f"[{relation}] {node['en']} [{node['id']}]"
    return text, COLOURS.get(node["kind"], "#fafafa")


def path_boxes(knowledge: Knowledge, condition: str, plan: str, on: date | None, lang: str) -> list[Box]:
    """The boxes of a decision path: a column a stage, a box a rule."""
    owner = knowledge.plans[plan]
    rules = [r for r in rules_of(knowledge, condition, owner, None, on) if r.kind != "red_flag"]
    boxes = []
    for place, stage in enumerate(knowledge.stages):
        x = 20.0 + place * 330
        boxes.append(Box(x, 86, 300, (getattr(stage, lang),), "#cfd8dc", True))
        texts = []
        for rule in (r for r in rules if r.stage == stage.id):
            row, kind = rule_json(knowledge, rule, owner), KINDS[rule.kind][0 if lang == "zh" else 1]
            texts.append((f"{kind} · {row['clause'][lang]} [{rule.id}]: {row['when'][lang]}", COLOURS[rule.kind]))
        boxes += _column(texts, x, 300, 136)
    return boxes


def decision_path(knowledge: Knowledge, condition: str, plan: str, on: date | None = None, lang: str = "zh") -> str:
    """A condition's decision path under a plan: stages from left to right, every rule with its condition in words."""
    boxes = path_boxes(knowledge, condition, plan, on, lang)
    record, owner = knowledge.conditions[condition], knowledge.plans[plan]
    heads = [b for b in boxes if b.bold]
    lines = [_line((a.x + a.width, a.y + a.height / 2), (b.x, b.y + b.height / 2)) for a, b in pairwise(heads)]
    legend, x = [], 20.0
    for kind, names in KINDS.items():
        label = names[0 if lang == "zh" else 1]
        if kind != "red_flag":
            legend.append(
                f'<rect x="{x:g}" y="48" width="14" height="14" fill="{COLOURS[kind]}" stroke="#90a4ae"/><text x="{x + 20:g}" y="60">{escape(label)}</text>'
            )
            x += 40 + width_of(label)
    title = f"{getattr(record, lang)} · {getattr(owner, lang)}" + (f" · {on.isoformat()}" if on else "")
    return _svg(title, 40 + 330 * len(knowledge.stages), max(b.y + b.height for b in boxes) + 20, lines + legend, boxes, lang)
