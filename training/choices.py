"""The numbers of training that a reviewer may dispute: model.yaml with its defaults, ranges and sources, some of them overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Self

import yaml


@dataclass(frozen=True)
class Choices:
    """`values` by name; asking for one that model.yaml does not have is a KeyError."""

    values: Mapping[str, float]

    @classmethod
    def load(cls, **overridden: float) -> Self:
        """The defaults, but for what is overridden. Raises KeyError naming a number that there is not."""
        defaults = {name: float(entry["default"]) for name, entry in described().items()}
        unknown = set(overridden) - set(defaults)
        if unknown:
            raise KeyError(f"model.yaml: 没有 {sorted(unknown)} / has no such number")
        return cls({**defaults, **overridden})

    def __getitem__(self, name: str) -> float:
        return self.values[name]


@cache
def described() -> Mapping[str, Mapping[str, Any]]:
    """Every entry of model.yaml as it stands."""
    data: Mapping[str, Mapping[str, Any]] = yaml.safe_load(resources.files("training").joinpath("model.yaml").read_text(encoding="utf-8"))
    return data
