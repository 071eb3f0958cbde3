"""A labelled corpus: YAML papers with what a careful person reads in them, and how far the reader agrees."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

FILED_ON = date(2021, 6, 30)
"""The filing date of a paper that names none."""


class CorpusError(Exception):
    """A corpus that cannot be scored; the message names file, paper and remedy."""


class Mention(BaseModel):
    """One labelled place: the `nth` occurrence (from 1) of `quote`, what it names and how it is asserted; `accept` are assertions a
    careful person may also choose."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    quote: str
    nth: int = 1
    kind: Literal["finding", "fact"] = "finding"
    id: str
    value: Any = None
    assertion: str = "present"
    accept: tuple[str, ...] = ()
    side: str | None = None
    grade: str | None = None
    on: Any = None


class Ignored(BaseModel):
    """A place where a finding may be read or not."""

    model_config = ConfigDict(extra="allow", frozen=True)
    quote: str
    nth: int = 1


class LabelledPaper(BaseModel):
    """One paper with its labels. `facts` are the values the paper as a whole states, `absent` facts and findings it must not be read
    to state, `ignore` places that count neither way; where the labels are
    `partial`, what they do not name counts neither way."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    lang: Literal["zh", "en"]
    evidence_type: str | None = None
    style: str = ""
    filed_on: date = FILED_ON
    text: str
    mentions: tuple[Mention, ...] = ()
    ignore: tuple[Ignored, ...] = ()
    partial: bool = False
    facts: dict[str, Any] = {}
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mention stands in its paper."""

    start: int
    end: int


def place(paper: LabelledPaper, mention: Mention | Ignored) -> Place:
    """The span of a mention's quote; raises CorpusError where the text has no such occurrence."""
    at = -1
    for _ in range(mention.nth):
        at = paper.text.find(mention.quote, at + 1)
        if at < 0:
            raise CorpusError(f"{paper.id}: occurrence {mention.nth} of {mention.quote!r} is not in the text; correct the quote")
    return Place(at, at + len(mention.quote))


def papers(folder: Path) -> Iterator[LabelledPaper]:
    """Every paper of a folder and its subfolders; raises CorpusError naming the file that cannot be read."""
    for path in sorted(folder.rglob("*.yaml")):
        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CorpusError(f"{path}: cannot be read: {error}") from error
        yield from _labelled(path, data)


def _spelled(data: Any) -> Any:
    """YAML reads the key `on` as a yes; it means the key."""
    if isinstance(data, dict):
        return {"on" if key is True else key: _spelled(value) for key, value in data.items()}
    return [_spelled(item) for item in data] if isinstance(data, list) else data


def _labelled(path: Path, data: Any) -> Iterator[LabelledPaper]:
    data = _spelled(data)
    items = data.get("documents", data.get("papers", [])) if isinstance(data, dict) else data if isinstance(data, list) else []
    for item in items or ():
        if isinstance(item, dict):
            try:
                yield LabelledPaper.model_validate(item)
            except ValidationError as error:
                raise CorpusError(f"{path}: {item.get('id', '?')}: {error}") from error


def days(wanted: Any) -> Any:
    """A labelled year or month as the days it has."""
    match = re.fullmatch(r"((?:19|20)\d{2})(?:-(\d{2}))?", str(wanted))
    if match is None:
        return wanted
    year, month = int(match[1]), int(match[2] or 0)
    last = monthrange(year, month or 12)[1]
    return {"from": f"{year}-{month or 1:02}-01", "to": f"{year}-{month or 12:02}-{last}"}
