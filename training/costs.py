"""What a way of choosing whom to investigate costs: investigations, wrong payments, and the delay of those who waited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@cache
def chosen(name: str) -> float:
    """A number of costs.yaml."""
    data: Mapping[str, Mapping[str, Any]] = yaml.safe_load(resources.files("training").joinpath("costs.yaml").read_text(encoding="utf-8"))
    return float(data[name]["default"])


@dataclass(frozen=True, slots=True)
class Prices:
    """Of one claim, CNY: an investigation and the delay it brings."""

    investigation: float
    delay: float

    @property
    def of_one(self) -> float:
        """What investigating one claim costs in all."""
        return self.investigation + self.delay


@dataclass(frozen=True, slots=True)
class Cost:
    """A claim, CNY, on average; `investigated` and `caught` are shares of claims and of those that should be refused."""

    investigation: float
    wrong_payments: float
    delay: float
    investigated: float
    caught: float

    @property
    def total(self) -> float:
        """The sum of the three."""
        return self.investigation + self.wrong_payments + self.delay

    def to_json(self) -> dict[str, float]:
        """Plain data."""
        parts = {"investigation": self.investigation, "wrong_payments": self.wrong_payments, "delay": self.delay}
        return {**parts, "total": self.total, "investigated": self.investigated, "caught": self.caught}


def prices(assumptions: Mapping[str, float]) -> Prices:
    """By the world's cost and days of an investigation."""
    return Prices(assumptions["investigation_cost"], assumptions["investigation_days"] * chosen("delay_per_day"))


def cost(investigate: Bools, refused: Floats, amount: Floats, price: Prices, weight: Floats | None = None) -> Cost:
    """Of investigating the claims marked: a claim that would be refused is paid in full where nobody looks (all (n,))."""
    weights = np.ones(len(refused)) if weight is None else weight
    share = float(np.average(investigate, weights=weights))
    missed = float(np.average(np.where(investigate, 0.0, refused * amount), weights=weights))
    caught = float(np.sum(weights * investigate * refused) / max(float(np.sum(weights * refused)), 1e-300))
    return Cost(share * price.investigation, missed, share * price.delay, share, caught)


def worthwhile(chance: Floats, amount: Floats, price: Prices) -> Bools:
    """Investigate where the payment saved on average exceeds what looking costs (n,): the least total cost for calibrated chances."""
    return np.asarray(chance * amount > price.of_one)


def curve(score: Floats, refused: Floats, amount: Floats, price: Prices, shares: Floats) -> list[Cost]:
    """Costs when the claims of highest score are investigated, by share of claims."""
    order = np.argsort(-score, kind="stable")
    found = []
    for share in shares:
        investigate = np.zeros(len(score), dtype=bool)
        investigate[order[: round(float(share) * len(score))]] = True
        found.append(cost(investigate, refused, amount, price))
    return found


def saved_at(score: Floats, refused: Floats, caught: float, weight: Floats | None = None) -> float:
    """The share of investigations saved when those of highest score are made until `caught` of the refusable are found."""
    weights = np.ones(len(score)) if weight is None else weight
    order = np.argsort(-score, kind="stable")
    found = np.cumsum((weights * refused)[order])
    place = int(np.searchsorted(found, caught * found[-1] - 1e-9))
    return float(1 - np.cumsum(weights[order])[min(place, len(order) - 1)] / weights.sum())
