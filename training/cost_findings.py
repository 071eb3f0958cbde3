"""What the model is worth in money: total cost beside investigating everything, the rules alone and the oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.boosting import Floats
from training.costs import Bools, Prices, chosen, cost, prices, saved_at, worthwhile
from training.dataset import Dataset
from training.findings import Grid, Section, asked, at_least, exact, named
from training.metrics import resampled
from training.world_rows import rulebook

if TYPE_CHECKING:
    from training.evaluate import Trial


def cost_section(made: Trial) -> Section:
    """Of the claims that no rule stops; red flags are one way of choosing among them. A claim's refusal counts by its chance, so that the luck of one
    investigation is no part of the comparison."""
    open_claims = np.flatnonzero(made.held.lane != "rules")
    held = made.held.take(open_claims)
    refused, amount = made.oracle[open_claims], held.attributes["amount"].to_numpy()
    score, price = made.scores["links"][open_claims], prices(made.assumptions.values)
    ways = ways_of(held, score, refused, amount, price)

    def measure(weights: Floats) -> dict[str, float]:
        of = {name: cost(way, refused, amount, price, weights) for name, way in ways.items()}
        best, rules, best_rules = of["oracle"].total, of["rules"].total, of["rules_by_cost"].total
        with_persons = of["rules_and_persons"].total
        return {
            **{name: one.total for name, one in of.items()},
            "gap_closed": (rules - of["links"].total) / (rules - best),
            "gap_closed_with_persons": (with_persons - of["links"].total) / (with_persons - best),
            "gap_closed_by_cost": (best_rules - of["links"].total) / (best_rules - best),
            "saved": saved_at(score, refused, chosen("equal_caught"), weights),
            "saved_99": saved_at(score, refused, 0.99, weights),
            "oracle_saved": saved_at(refused, refused, chosen("equal_caught"), weights),
        }

    found = resampled(len(held), measure, resamples=min(int(asked("resamples")), 100))
    part = chosen("equal_caught")
    lines = (
        at_least(
            "gap_closed",
            "弥合“仅规则—神谕”总成本差距",
            "gap in total cost, rules to oracle, closed",
            found["gap_closed"],
            asked("gap_closed"),
        ),
        *named(
            [
                (
                    "gap_closed_with_persons",
                    "同上，红旗转人工的案件也全部发调",
                    "the same, where flags for a person mean an investigation too",
                    found["gap_closed_with_persons"],
                ),
                (
                    "gap_closed_by_cost",
                    "同上，规则阈值按成本取最优",
                    "the same, the rules' limit chosen by cost",
                    found["gap_closed_by_cost"],
                ),
            ]
        ),
        at_least(
            "investigations_saved",
            f"查获{part:.0%}时节省的调查费用",
            f"investigation cost saved with {part:.0%} of the breaches caught",
            found["saved"],
            asked("investigations_saved"),
        ),
        *named([("saved_99", "查获99%时节省", "saved with 99 % caught", found["saved_99"])]),
        *named([("oracle_saved", "神谕可节省", "what the oracle could save", found["oracle_saved"])]),
        *named([("amount", "平均给付额（元）", "average amount, CNY", exact(float(amount.mean())))]),
    )
    rows = []
    for name, way in ways.items():
        one = cost(way, refused, amount, price)
        rows.append((name, found[name], one.investigation, one.wrong_payments, one.delay, one.investigated, one.caught))
    columns = ("way", "total", "investigation", "wrong_payments", "delay", "investigated", "caught")
    return Section("costs", "成本（每案，元）", "costs a claim, CNY", lines, (Grid("costs", "成本", "costs", columns, tuple(rows)),))


def ways_of(held: Dataset, score: Floats, chance: Floats, amount: Floats, price: Prices) -> dict[str, Bools]:
    """Whom each way would investigate (n,)."""
    weight = held.attributes["flag_weight"].to_numpy()
    plans = rulebook().plans.values()
    first, second = min(plan.flag_weights.person for plan in plans), min(plan.flag_weights.investigate for plan in plans)
    limits = [weight >= limit for limit in (0, 1, 2, 3, 4, 5, 6, np.inf)]
    best = min(limits, key=lambda way: cost(way, chance, amount, price).total)
    return {
        "everything": np.ones(len(score), dtype=bool),
        "nothing": np.zeros(len(score), dtype=bool),
        "rules": weight >= second,  # the plan's own number: from there on flags alone mean an investigation
        "rules_and_persons": weight >= first,  # as if a person opened one whenever flags call for a person
        "rules_by_cost": best,
        "links": worthwhile(score, amount, price),
        "oracle": worthwhile(chance, amount, price),
    }
