"""A registry's table of T, N, stage, tumour size and nodes, checked against the staging library: `triage read tnm`."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge_graph.libraries import Staging
from triage.reading.staging import TNM

_COLUMNS = {
    "t": re.compile(r"^t[ _]?stage"),
    "n": re.compile(r"^n[ _]?stage"),
    "group": re.compile(r"^(?:\dth[ _]?stage|stage[ _]?group|stage$)"),
    "size": re.compile(r"tumor[ _]?size|size"),
    "positive": re.compile(r"nodes?[ _]?positive|positive[ _]?nodes?"),
    "examined": re.compile(r"nodes?[ _]?examined"),
}
_LETTERS = "ABC"


class TableError(Exception):
    """A table without the columns a check needs; the message names the column."""


@dataclass
class TableCheck:
    """`rows` read; how many stages follow from T and N; rows that contradict themselves, by what, with their line numbers."""

    rows: int = 0
    staged: int = 0
    wrong_stage: list[int] = field(default_factory=list)
    flagged: dict[str, list[int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data with counts."""
        flagged = {name: {"rows": len(lines), "lines": lines} for name, lines in self.flagged.items()}
        return {"rows": self.rows, "stage_right": self.staged, "stage_wrong": self.wrong_stage, "flagged": flagged}


def check_table(path: Path, staging: Staging) -> TableCheck:
    """Reads a CSV with a header line; sizes are in mm. Raises TableError where a column is missing."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        columns = _columns(reader.fieldnames or ())
        found = TableCheck()
        for number, row in enumerate(reader, 2):
            _check(found, number, {name: (row[column] or "").strip() for name, column in columns.items()}, staging)
    return found


def _columns(names: Any) -> dict[str, str]:
    found = {key: next((n for n in names if words.search(n.strip().lower())), None) for key, words in _COLUMNS.items()}
    missing = [key for key in ("t", "n", "group") if found[key] is None]
    if missing:
        raise TableError(f"no column for {', '.join(missing)} among: {', '.join(names)}")
    return {key: name for key, name in found.items() if name is not None}


def _check(found: TableCheck, number: int, cells: Mapping[str, str], staging: Staging) -> None:
    found.rows += 1
    match = TNM.search(f"{cells['t']}{cells['n']}m0".lower())
    t, n = (match["t"], match["n"]) if match else (None, None)
    if stage_group(t, n, "0", staging) == cells["group"].upper():
        found.staged += 1
    else:
        found.wrong_stage.append(number)
    positive, examined, size = (_number(cells.get(k)) for k in ("positive", "examined", "size"))
    if staging.nodes_fit(n, positive) is False:
        band = staging_band(n, staging)
        why = f"N{n} with more than {band} positive nodes" if band is not None and positive > band else f"N{n} with too few positive nodes"
        found.flagged.setdefault(why, []).append(number)
    if positive is not None and examined is not None and positive > examined:
        found.flagged.setdefault("more positive nodes than examined", []).append(number)
    if staging.size_fits(t, size) is False:
        found.flagged.setdefault(f"T{t} against the size", []).append(number)


def staging_band(n: str | None, staging: Staging) -> int | None:
    """The most positive nodes a category N holds; None where it has no upper end."""
    return next((b.most for b in staging.nodes if n is not None and b.n == n[:1]), None)


def stage_group(t: str | None, n: str | None, m: str | None, staging: Staging) -> str | None:
    """The stage group that T, N and M make; None where they make none or several."""
    groups = Counter(g.group for g in staging.groups if staging.group_fits(g.group, t, n, m))
    return next(iter(groups)) if len(groups) == 1 else None


def _number(text: str | None) -> Any:
    try:
        return int(float(text)) if text else None
    except ValueError:
        return None
