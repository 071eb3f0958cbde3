"""The assumptions of the simulated world: each a number with the range over which headlines are tried, in words, with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from types import MappingProxyType

import yaml
from pydantic import BaseModel, ConfigDict, model_validator


class UnknownAssumption(KeyError):
    """An assumption was named that config.yaml does not hold."""


class OutsideRange(ValueError):
    """A value outside what config.yaml calls possible."""


class Assumption(BaseModel):
    """One number a reviewer could dispute."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    default: float
    low: float
    high: float
    zh: str
    en: str
    source: str
    confidence: str

    @model_validator(mode="after")
    def _inside(self) -> Assumption:
        if not self.low <= self.default <= self.high:
            raise ValueError(f"默认值须在范围内 / the default must lie in its range: {self.low} <= {self.default} <= {self.high}")
        return self


@dataclass(frozen=True)
class Assumptions:
    """All assumptions with the values in force; `a["ring_share"]` is a float."""

    entries: Mapping[str, Assumption]
    values: Mapping[str, float]

    @staticmethod
    def load() -> Assumptions:
        """config.yaml with its defaults."""
        data = yaml.safe_load(resources.files("training.world").joinpath("config.yaml").read_text(encoding="utf-8"))
        entries = {name: Assumption.model_validate(entry) for name, entry in data.items()}
        return Assumptions(MappingProxyType(entries), MappingProxyType({n: e.default for n, e in entries.items()}))

    def shifted(self) -> Assumptions:
        """The same with the changes of shifted.yaml: a world that must close a gate certified before it."""
        changes = yaml.safe_load(resources.files("training.world").joinpath("shifted.yaml").read_text(encoding="utf-8"))
        return self.with_(**changes)

    def names(self) -> dict[str, tuple[float, float]]:
        """Every name with the ends of its range."""
        return {name: (entry.low, entry.high) for name, entry in self.entries.items()}

    def with_(self, **values: float) -> Assumptions:
        """The same with some values changed. Raises UnknownAssumption or OutsideRange (shares stay shares, nothing is negative)."""
        for name, value in values.items():
            self._check(name, value)
        return replace(self, values=MappingProxyType({**self.values, **{n: float(v) for n, v in values.items()}}))

    def _check(self, name: str, value: float) -> None:
        if name not in self.entries:
            raise UnknownAssumption(f"config.yaml: 没有假设“{name}”，请用 names() 查看 / no assumption of that name, see names()")
        most = 1.0 if self.entries[name].high <= 1.0 else float("inf")
        if not 0.0 <= value <= most:
            raise OutsideRange(f"config.yaml: {name}={value} 不可能，请取0至{most:g} / impossible, take 0 to {most:g}")

    def changed(self) -> dict[str, float]:
        """What differs from the defaults."""
        return {n: v for n, v in self.values.items() if v != self.entries[n].default}

    def __getitem__(self, name: str) -> float:
        if name not in self.values:
            raise UnknownAssumption(f"config.yaml: 没有假设“{name}” / no assumption of that name")
        return self.values[name]
