"""One training run, end to end: rows, model, calibration, certificate, evaluation, pictures, a bundle, and a version in the registry.

What decides lives elsewhere; this says in which order. Nothing here reads a clock: the day the certificate is issued is given.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from knowledge_graph.loader import Knowledge
from training.card import cards
from training.certificate import Certificates, Certified, certify, sequences, thinned
from training.choices import Choices
from training.dataset import Dataset
from training.judgement import judge
from training.model import Fitted, fit, mature
from training.promote import Running
from training.registry import HELD_OUT, Data, Registry, Run, Version
from training.sources import Source
from triage.aliases import CHALLENGER
from triage.bundle import Bundle, Certificate, Golden, Group, Sample, write_bundle
from triage.features import FeatureSet

GOLDEN_ROWS = 16
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Terms:
    """What a certificate must promise: the strictest of the rulebook's plans, so that one bundle serves them all."""

    alpha: float
    delta: float
    valid_days: int
    audit_rate: float

    @classmethod
    def of(cls, knowledge: Knowledge) -> Terms:
        """Raises ValueError when no plan of the rulebook says what its gate must promise."""
        gates = [plan.gate for plan in knowledge.plans.values() if plan.gate is not None]
        if not gates:
            raise ValueError("plans.yaml: 没有任何计划写明 gate / no plan says what its gate must promise")
        return cls(
            min(g.alpha for g in gates), min(g.delta for g in gates), min(g.valid_days for g in gates), max(g.audit_rate for g in gates)
        )


@dataclass(frozen=True)
class Learnt:
    """A fitted model, what a sample proved of it, and the bundle written."""

    fitted: Fitted
    certificates: Certificates
    bundle: Bundle


def learn(
    dataset: Dataset,
    knowledge: Knowledge,
    folder: Path,
    *,
    source: Source,
    today: date,
    seed: int,
    threads: int = 1,
    choices: Choices | None = None,
) -> Learnt:
    """Fits, calibrates, certifies and writes the bundle. Raises DatasetError when there is too little to learn from, BundleError."""
    fitted = fit(dataset, FeatureSet.load(), seed=seed, choices=choices, threads=threads)
    terms = Terms.of(knowledge)
    proven = certificates(dataset, fitted, terms, seed)
    running = Running.of(knowledge)
    bundle = write_bundle(
        folder,
        name=f"{source.name}-{today.isoformat()}-{seed}",
        purpose=source.purpose,
        created_on=today,
        model=fitted.text,
        features=dataset.names,
        features_digest=running.features,
        reader_digest=running.reader,
        rules=running.rules,
        calibration=fitted.calibration,
        audit_rate=terms.audit_rate,
        golden=golden(dataset, fitted, seed),
        certificate=promise(proven, terms, source, today, seed),
    )
    return Learnt(fitted, proven, bundle)


def seen_at(dataset: Dataset, as_of: datetime, choices: Choices) -> Dataset:
    """Claims filed by then (wall time), with the labels known by then; those filed so lately that only the quick answers are in have
    none, as quick answers flatter."""
    moment = np.datetime64(as_of.replace(tzinfo=None), "us")
    return mature(dataset.take(dataset.filed_at <= moment), moment, choices)


def certificates(dataset: Dataset, fitted: Fitted, terms: Terms, seed: int) -> Certificates:
    """Proven on the certificate's own time slice: claims that pass all rules and were investigated by a draw. The thresholds tested
    come from the slice before it."""
    fair = dataset.passes_rules & dataset.at_random
    before = fitted.split.calibrate[fair[fitted.split.calibrate]]
    asked = fitted.split.certify[fair[fitted.split.certify]]
    draws = np.random.default_rng(seed).random(len(asked))
    sample = asked[thinned(dataset.drawn[asked], dataset.lane[asked], draws)]
    rows = {str(name): int(n) for name, n in zip(*np.unique(dataset.groups[sample], return_counts=True), strict=True)}
    scores = fitted.score(dataset.X[before])
    tested = sequences(scores, dataset.y[before], dataset.groups[before], alpha=terms.alpha, rows=rows)
    return certify(
        fitted.score(dataset.X[sample]),
        dataset.y[sample],
        dataset.groups[sample],
        tested,
        terms.alpha,
        terms.delta,
        detection=fitted.choices["detection"],
    )


def promise(proven: Certificates, terms: Terms, source: Source, today: date, seed: int) -> Certificate | None:
    """The certificate as the bundle carries it; None when no group and no overall bound was proven."""
    groups = {name: _group(row) for name, row in proven.groups.items() if row is not None}
    if not groups or proven.overall is None:
        return None
    return Certificate(
        alpha=proven.alpha,
        delta=proven.delta,
        issued_on=today,
        expires_on=today + timedelta(days=terms.valid_days),
        groups=groups,
        overall=_group(proven.overall),
        population=f"{source.name}: 通过全部规则、随机抽查的案件 / claims that pass all rules, investigated by a draw",
        sample=Sample(lane="shadow, audit", seed=seed),
        simulated=source.simulated,
    )


def _group(row: Certified) -> Group:
    return Group(threshold=row.threshold, n=row.n, wrong=row.wrong, bound=row.bound, bound_truth=row.bound_truth)


def golden(dataset: Dataset, fitted: Fitted, seed: int) -> Golden:
    """Rows of the test slice, and one of which nothing is known, with their scores."""
    drawn = np.random.default_rng(seed).choice(fitted.split.test, min(GOLDEN_ROWS, len(fitted.split.test)), replace=False)
    x = np.vstack([dataset.X[np.sort(drawn)], np.full(len(dataset.names), np.nan)])
    rows = tuple(tuple(None if math.isnan(v) else float(v) for v in row) for row in x)
    return Golden(rows=rows, scores=tuple(float(s) for s in fitted.score(x)))


def train(
    registry: Registry,
    dataset: Dataset,
    knowledge: Knowledge,
    *,
    source: Source,
    today: date,
    seed: int,
    as_of: datetime | None = None,
    threads: int = 1,
    choices: Choices | None = None,
    bundle_out: Path | None = None,
    tell: Tell = lambda _: None,
) -> Version:
    """Learns, judges and registers a challenger. Raises DatasetError, BundleError, RegistryError, and OSError where `bundle_out` cannot
    be written: then nothing is registered. With `as_of` nothing later is seen, be it by the certificate or by the test."""
    started = time.monotonic()
    if as_of is not None:
        dataset = seen_at(dataset, as_of, choices or Choices.load())
    with tempfile.TemporaryDirectory() as folder:
        tell(f"训练 {len(dataset)} 件 / training on {len(dataset)} claims")
        learnt = learn(
            dataset,
            knowledge,
            Path(folder) / "bundle",
            source=source,
            today=today,
            seed=seed,
            threads=threads,
            choices=choices,
        )
        if bundle_out is not None:
            shutil.copytree(Path(folder) / "bundle", bundle_out)
        tell("评估与作图 / evaluating and drawing")
        run = _run(dataset, learnt, source, seed, threads)
        tell("登记 / registering")
        version = registry.record(run, Path(folder) / "bundle")
    registry.set_alias(CHALLENGER, version.number)
    tell(f"用时 {time.monotonic() - started:.1f} 秒 / took {time.monotonic() - started:.1f} s")
    return version


def _run(dataset: Dataset, learnt: Learnt, source: Source, seed: int, threads: int) -> Run:
    """What the run leaves behind: parameters, metrics of the test slice, pictures, the card and the rows judged on."""
    fitted = learnt.fitted
    found = judge(dataset, fitted, learnt.certificates, seed=seed, threads=threads)
    return Run(
        name=learnt.bundle.name,
        parameters={**fitted.choices.values, "seed": seed, "source": source.name, "trees": fitted.boosted.rounds},
        metrics=found.metrics,
        data=Data(source.name, dataset.digest(), source.origin, len(dataset), len(dataset.names)),
        pictures=found.pictures(simulated=source.simulated),
        files={HELD_OUT: found.held.to_bytes(), **cards(learnt.bundle, found.metrics, source.name, len(dataset), fitted.gain)},
        tags={"simulated": str(source.simulated).lower(), "source": source.name},
    )
