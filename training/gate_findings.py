"""The certificate on trial: is its promise kept in every group, how much does it release, and does a changed world close the gate?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.boosting import Floats
from training.certificate import Certificates, certify, plan, sequences
from training.dataset import Dataset
from training.exchangeability import Shift, shift
from training.findings import Grid, Line, Section, asked, at_least, at_most, exact, named
from training.metrics import Estimate, clearance
from training.trial import ALL, Kept, Pool, kept, rung
from training.world.make import make_world
from training.world_rows import from_world
from triage.alarm import Evidence

if TYPE_CHECKING:
    from training.evaluate import Trial

CURVE = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08)
"""Alphas shown of what a score could release."""


def gate_section(made: Trial, claims: int) -> Section:
    """The trial at the issue's alpha, the demonstration's alpha beside it, and the shifted world."""
    whole = pool_of(made, made.held)
    large = [str(g) for g in np.unique(whole.groups) if (whole.groups == g).mean() >= asked("group_share")]
    pool = whole.only(large)
    strict = _trial(pool, float(asked("alpha")), made.seed)
    loose = _trial(pool, made.fitted.choices["alpha"], made.seed)
    lines = [*_kept_lines(strict), *_alarm_lines(made, claims)]
    grids = (_trial_grid("trial", asked("alpha"), strict), _trial_grid("trial_demonstration", made.fitted.choices["alpha"], loose))
    return Section("gate", "证书与闸门", "certificate and gate", tuple(lines), (*grids, _curve_grid(made), _plan_grid(pool, made)))


def pool_of(made: Trial, dataset: Dataset) -> Pool:
    """The claims of a dataset that pass all rules, with the model's scores."""
    passes = dataset.take(dataset.passes_rules)
    assert passes.latent is not None
    return Pool(made.fitted.score(passes.X, made.threads), passes.latent["p_refused"].to_numpy(), passes.groups)


def _trial(pool: Pool, alpha: float, seed: int) -> list[Kept]:
    return kept(pool, alpha=alpha, delta=float(asked("delta")), labels=int(asked("audit_labels")), draws=int(asked("draws")), seed=seed)


def _kept_lines(found: list[Kept]) -> list[Line]:
    draws, delta = int(asked("draws")), float(asked("delta"))
    most = round(delta + 1.645 * float(np.sqrt(delta * (1 - delta) / draws)), 3)
    groups = [one for one in found if one.group != ALL]
    worst = max((one.violations for one in groups), key=lambda v: v.value, default=exact(float("nan")))
    overall = found[0]
    return [
        at_most("violations", "承诺被打破的抽样比例（整体）", "draws that broke the promise (overall)", overall.violations, most),
        at_most("worst_group_violations", f"同上，最差的组（{len(groups)}组）", f"the same, worst of {len(groups)} groups", worst, most),
        at_least("groups_tried", "检验的组数", "groups tried", exact(float(len(groups))), asked("least_groups")),
        *named([("released", "平均放行比例（整体）", "share released on average (overall)", exact(overall.released))]),
        *named([("best_release", "同一评分的最佳可能", "best possible with that score", exact(overall.best))]),
        at_least(
            "share_of_best_release", "放行占最佳可能之比", "released over best", exact(overall.of_best), asked("share_of_best_release")
        ),
    ]


def _trial_grid(name: str, alpha: float, found: list[Kept]) -> Grid:
    rows = tuple((k.group, k.violations, k.certified, k.released, k.best, k.of_best) for k in found)
    zh, en = f"每组的证书（alpha {alpha:g}）", f"certificates by group (alpha {alpha:g})"
    return Grid(name, zh, en, ("group", "violations", "certified", "released", "best", "of_best"), rows)


def _curve_grid(made: Trial) -> Grid:
    """What each score could release at best."""
    held = made.held.take(made.held.passes_rules)
    passes = made.held.passes_rules
    alphas = np.array(CURVE)
    rows = []
    for name, score in (("oracle", made.oracle[passes]), ("links", made.scores["links"][passes]), ("rules", made.scores["rules"][passes])):
        best = clearance(score, pool_chance(held), alphas)
        rows += [(name, float(alpha), float(value)) for alpha, value in zip(alphas, best, strict=True)]
    return Grid("clearance", "各评分的最佳放行比例", "best possible release by score", ("score", "alpha", "released"), tuple(rows))


def pool_chance(dataset: Dataset) -> Floats:
    """The latent chance of refusal (n,)."""
    assert dataset.latent is not None
    return np.asarray(dataset.latent["p_refused"].to_numpy(), dtype=np.float64)


def _plan_grid(pool: Pool, made: Trial) -> Grid:
    """Labels an alpha costs, when half of it is really wrong."""
    groups = [str(g) for g in np.unique(pool.groups)]
    rows = []
    for alpha in (0.01, 0.02, made.fitted.choices["alpha"]):
        [one, *_] = plan(alpha, float(asked("delta")), groups, alpha / 2)
        rows.append((alpha, len(groups), one.clean, one.labels))
    return Grid("plan", "每组所需标签", "labels needed by group", ("alpha", "groups", "clean", "labels_at_half_alpha"), tuple(rows))


# ---- the alarm


@dataclass(frozen=True)
class _Issued:
    """A certificate on fresh claims of the model's own world, and the scores it rests on."""

    certificates: Certificates
    sample: Floats


def _issued(made: Trial, pool: Pool, seed: int) -> _Issued:
    drawn = np.random.default_rng(seed)
    labels, alpha = int(asked("audit_labels")), made.fitted.choices["alpha"]
    before, rows = drawn.integers(0, len(pool.scores), (2, labels))
    answers = [(drawn.random(labels) < pool.chance[r]).astype(float) for r in (before, rows)]
    sizes = {str(name): int(n) for name, n in zip(*np.unique(pool.groups[rows], return_counts=True), strict=True)}
    tested = sequences(pool.scores[before], answers[0], pool.groups[before], alpha=alpha, rows=sizes)
    return _Issued(certify(pool.scores[rows], answers[1], pool.groups[rows], tested, alpha, float(asked("delta"))), pool.scores[rows])


def _alarm_lines(made: Trial, claims: int) -> list[Line]:
    issued = _issued(made, pool_of(made, made.held), made.seed)
    changed = made.assumptions.with_(**asked("shifted"))
    shifted = from_world(make_world(claims, made.seed + 50, changed), read=made.read, workers=made.workers)
    later = shifted.take(np.flatnonzero((shifted.filed_at >= made.fitted.split.trained_at) & shifted.passes_rules))
    same = made.held.take(made.held.passes_rules)
    (rang, moved), (calm, still) = _watched(made, issued, later), _watched(made, issued, same)
    return [
        at_least(
            "shift_alarm",
            "变化的世界：证据/关门线（>=1关门）",
            "shifted world: evidence over the limit (>= 1 closes)",
            _strength(rang),
            1.0,
        ),
        *named([("shift_audited", "变化的世界：审计案件", "shifted world: audited claims", exact(float(rang.n)))]),
        *named([("shift_exchangeability", "变化的世界：评分分布的证据", "shifted world: evidence by scores alone", _wealth(moved))]),
        at_most("same_alarm", "未变的世界：证据/关门线", "unchanged world: evidence over the limit", _strength(calm), 1.0),
        *named([("same_exchangeability", "未变的世界：评分分布的证据", "unchanged world: evidence by scores alone", _wealth(still))]),
    ]


def _watched(made: Trial, issued: _Issued, claims: Dataset) -> tuple[Evidence, Shift]:
    scores = made.fitted.score(claims.X, made.threads)
    audited = np.random.default_rng(made.seed).random(len(claims)) < made.assumptions["audit_rate"]
    limits = issued.certificates.thresholds(claims.groups)
    heard = rung(scores, claims.truth, audited, limits, issued.certificates.alpha)
    return heard, shift(issued.sample, scores[audited][:5_000], level=1 / heard.limit)


def _strength(heard: Evidence) -> Estimate:
    return exact(heard.peak / heard.limit)


def _wealth(moved: Shift) -> Estimate:
    return exact(moved.peak / moved.limit)
