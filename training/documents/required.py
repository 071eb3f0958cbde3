"""Which papers a claim of a disease needs, and which claimants usually bring beside them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class RequiredPapers:
    """Evidence types: `base` for every claim, `needed` before a decision, `usual` often brought beside them."""

    base: tuple[str, ...]
    needed: tuple[str, ...]
    usual: tuple[str, ...]


@lru_cache(maxsize=1)
def _lists() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "required.yaml").read_text(encoding="utf-8"))
    return loaded


def required_papers(disease: str) -> RequiredPapers:
    """The lists for a disease (`disease_of`: breast, lung, thyroid, colon, rectum, stomach, cervix, ami, stroke; else those of other)."""
    lists = _lists()
    entry = lists.get(disease, lists["other"])
    return RequiredPapers(tuple(lists["base"]), tuple(entry["needed"]), tuple(entry["usual"]))
