"""The features of the risk model: one definition for a claim and for a table of claims, and nothing that comes later."""

from __future__ import annotations

import math
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_graph.loader import Knowledge
from tests.builders import claim
from tests.desks import shipped
from triage.casefile import CaseFile
from triage.facts import Facts
from triage.features import WEIGHT, FeatureSet, encode, flag_columns, flag_values
from triage.flags import early_flags
from triage.judge import closure, judge, rules_for
from triage.logic import atoms
from triage.observation import Observation, Source, Why
from triage.values import Interval, OneOf

FEATURES = FeatureSet.load()
PLANS = ("mutual-aid-reference", "insurer-reference", "seniors-reference")
CONDITIONS = ("breast_cancer", "malignancy_severe", "ami_severe", "malignancy_mild", "no-such-condition", None)


@cache
def asked() -> tuple[str, ...]:
    """Every fact that a feature or an early flag asks for."""
    knowledge, _ = shipped()
    compiled = [rules_for(knowledge, knowledge.plans[PLANS[0]], (c,)) for c in ("breast_cancer", "malignancy_severe", "ami_severe")]
    early = {r.id for r in early_flags(knowledge)}
    of_flags = [a.fact for cs in compiled for c in cs.rules if c.rule.id in early and c.when is not None for a in atoms(c.when)]
    counted = [n for f in FEATURES.features if f.from_.count for n in f.from_.count.of]
    own = [f.from_.fact for f in FEATURES.features if f.from_.fact]
    return tuple(dict.fromkeys([*own, *counted, *of_flags]))


def any_value(knowledge: Knowledge, name: str) -> st.SearchStrategy[Any]:
    """Values of a fact's type, its list where it has one."""
    definition = knowledge.facts[name]
    if definition.values:
        return st.sampled_from(definition.values)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "bool": st.booleans(),
        "int": st.integers(-40, 400),
        "number": st.floats(-10, 100, allow_nan=False).map(lambda x: round(x, 1)),
    }
    return kinds[definition.type]


@st.composite
def a_row(draw: st.DrawFn) -> dict[str, Any]:
    """One row of a frame: plan, condition, and each fact known or not."""
    knowledge, _ = shipped()
    row = {name: draw(st.none() | any_value(knowledge, name)) for name in asked()}
    return {**row, "plan": draw(st.sampled_from(PLANS)), "condition": draw(st.sampled_from(CONDITIONS))}


def facts_of(row: dict[str, Any]) -> Facts:
    """A claim's facts that are exactly those of a row: a reviewer entered them, so nothing is derived."""
    knowledge, _ = shipped()
    entered = [Observation(n, v, Source.REVIEWER, why=None if v is not None else Why.UNCLEAR) for n, v in row.items() if n in asked()]
    file = CaseFile(claim(plan=row["plan"], member={"memberships": []}), tuple(entered))
    return Facts(file, knowledge, knowledge.plans[row["plan"]], date(2021, 3, 1))


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The rows as a typed frame."""
    knowledge, _ = shipped()
    types = {"bool": pl.Boolean, "int": pl.Int64, "number": pl.Float64}
    schema: dict[str, Any] = {"plan": pl.String, "condition": pl.String}
    for name in asked():
        definition = knowledge.facts[name]
        schema[name] = types.get(definition.type, pl.String)
    return pl.DataFrame(rows, schema=schema)


def flags_of(row: dict[str, Any], facts: Facts) -> dict[str, float]:
    """The flags of one claim, by its verdicts."""
    knowledge, _ = shipped()
    conditions = (row["condition"],) if row["condition"] in knowledge.conditions else ()
    rules = rules_for(knowledge, facts.plan, conditions)
    facts.finding_queries.update(rules.queries)
    return flag_values([judge(rule, facts) for rule in rules.rules if rule.rule.kind == "red_flag"], knowledge)


@settings(max_examples=60, deadline=None)
@given(st.lists(a_row(), min_size=1, max_size=6))
def test_a_claim_and_a_row_of_a_table_have_the_same_features_and_flags(rows: list[dict[str, Any]]) -> None:
    """Whatever is known of it: the flags of `judge`, and every feature to the last bit."""
    knowledge, _ = shipped()
    framed = flag_columns(frame_of(rows), knowledge)
    matrix = FEATURES.matrix(framed)
    for number, row in enumerate(rows):
        facts = facts_of(row)
        flags = flags_of(row, facts)
        assert {n: v for n, v in framed.row(number, named=True).items() if n in flags} == pytest.approx(flags, nan_ok=True, abs=0)
        np.testing.assert_array_equal(matrix[number], FEATURES.row(facts, flags, {}, row["condition"] or ""))


def test_columns_of_links_are_taken_as_they_are() -> None:
    """Under the names the case graph gives them, on both sides."""
    links = {f.from_.column: 1.5 for f in FEATURES.features if f.from_.links}
    made = FEATURES.row(facts_of({"plan": PLANS[0]}), {}, links)
    matrix = FEATURES.matrix(pl.DataFrame({"plan": [PLANS[0]], **{k: [v] for k, v in links.items()}}))
    columns = [i for i, f in enumerate(FEATURES.features) if f.from_.links]
    assert len(columns) > 15
    np.testing.assert_array_equal(matrix[0, columns], np.asarray(made)[columns])
    np.testing.assert_array_equal(matrix[0, columns], 1.5)


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (Interval(10, 20), 15.0),
        (Interval(10, None), 10.0),
        (Interval(None, 20), 20.0),
        (OneOf(frozenset({1, 2})), math.nan),
        (None, math.nan),
    ],
)
def test_what_is_not_settled(value: Any, becomes: float) -> None:
    """An interval is its midpoint or its known end; a set or nothing is NaN."""
    made = dict(zip(FEATURES.names, FEATURES.row(facts_of({"plan": PLANS[0], "days_since_waiting_end": value}), {}, {}), strict=True))
    assert made["days_since_waiting_end"] == pytest.approx(becomes, nan_ok=True)


def test_a_conflict_is_not_known() -> None:
    """Two papers that say otherwise leave NaN, not one of the two."""
    said = [Observation("hospital.level", v, Source.REGISTRY) for v in (1, 3)]
    knowledge, _ = shipped()
    facts = Facts(CaseFile(claim(), tuple(said)), knowledge, knowledge.plans[PLANS[0]], date(2021, 3, 1))
    assert facts.get("hospital.level").conflict
    assert FEATURES.named(FEATURES.row(facts, {}, {}))["hospital.level"] is None


def test_what_an_investigation_told_is_never_a_feature() -> None:
    """Neither its answers by name, nor any other fact it settled, nor the flag that rests on it."""
    knowledge, _ = shipped()
    reached = closure(knowledge, [f.from_.fact for f in FEATURES.features if f.from_.fact])
    assert not [n for n in reached if n.startswith("inv.") and FEATURES.names.count(n)]
    told = CaseFile(
        claim(), (Observation("hospital.level", 1, Source.INVESTIGATION), Observation("inv.evaded", True, Source.INVESTIGATION))
    )
    facts = Facts(told, knowledge, knowledge.plans[PLANS[0]], date(2021, 3, 1))
    flags = flags_of({"condition": "breast_cancer"}, facts)
    row = FEATURES.named(FEATURES.row(facts, flags, {}, "breast_cancer"))
    assert (row["hospital.level"], row[WEIGHT]) == (None, 0.0)
    assert "rf12" not in {r.id for r in early_flags(knowledge)}
    with pytest.raises(ValueError, match="x: 调查结论不得作为特征"):
        FeatureSet.from_text(
            "groups: [{id: g, zh: g, en: g}]\nfeatures: [{name: x, from: {fact: inv.evaded}, encode: bool, group: g, zh: x, en: x, source: x}]"
        )


def test_every_fact_and_flag_named_by_a_feature_exists() -> None:
    """And its list holds the values the rulebook has, in the rulebook's types."""
    knowledge, _ = shipped()
    for feature in FEATURES.features:
        names = [feature.from_.fact] if feature.from_.fact else list(feature.from_.count.of) if feature.from_.count else []
        assert set(names) <= set(knowledge.facts), feature.name
        if feature.from_.fact and feature.values:
            assert feature.values == knowledge.facts[feature.from_.fact].values, feature.name
        if feature.from_.flag not in (None, "weight"):
            assert feature.from_.flag in {r.id for r in early_flags(knowledge)}
    conditions = next(f for f in FEATURES.features if f.name == "condition")
    assert set(conditions.values) == {c.id for c in knowledge.conditions.values() if not c.abstract}


def test_no_feature_is_an_id_a_text_a_date_or_a_length() -> None:
    """Those would let a model know the claim instead of judging it."""
    knowledge, _ = shipped()
    for feature in FEATURES.features:
        if feature.from_.fact:
            definition = knowledge.facts[feature.from_.fact]
            assert definition.type in ("bool", "int", "number") or feature.values, feature.name


def test_the_digest_follows_what_changes_a_number_and_not_the_words() -> None:
    """A better wording must not close the gate; another order must."""
    text = resources.files("triage").joinpath("features.yaml").read_text(encoding="utf-8")
    assert FeatureSet.from_text(text.replace("申报病种", "申报疾病")).digest == FEATURES.digest
    assert FeatureSet.from_text(text.replace("values: [F, M]", "values: [M, F]")).digest != FEATURES.digest
    assert len(FEATURES.names) == len(FEATURES.monotone)
    assert 55 <= len(FEATURES.names) <= 65


def test_a_value_the_list_does_not_have_is_unknown() -> None:
    """A private rulebook's condition is not taken for another."""
    condition = next(f for f in FEATURES.features if f.name == "condition")
    assert math.isnan(encode(condition, "no-such-condition"))
