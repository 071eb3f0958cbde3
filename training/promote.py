"""Whether a version may serve: eight gates, each of which can refuse and says why; and the way back.

Nothing here overrides a gate. What a gate measures against is in promotion.yaml.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from knowledge_graph.loader import Knowledge
from training.comparison import Floats, calibration_excess, precision_difference, share_difference
from training.dataset import Dataset
from training.registry import HELD_OUT, Registry, RegistryError, Version
from triage.aliases import CHALLENGER, CHAMPION, PREVIOUS
from triage.bundle import Bundle, BundleError
from triage.bundle_check import verified
from triage.features import FeatureSet
from triage.reading import Reader
from triage.risk import Scorer
from triage.rules_digest import rules_digest


@dataclass(frozen=True, slots=True)
class Finding:
    """What one gate found."""

    gate: str
    passed: bool
    zh: str
    en: str

    def __str__(self) -> str:
        return f"{'✓' if self.passed else '✗'} {self.gate}: {self.zh} / {self.en}"


@dataclass(frozen=True, slots=True)
class Running:
    """What the code that would serve the model is: digests of its features and reader, and of the rules by plan; and the weakest
    promise that opens the gate of any plan."""

    names: tuple[str, ...]
    features: str
    reader: str
    rules: Mapping[str, str]
    alpha: float
    delta: float

    @classmethod
    def of(cls, knowledge: Knowledge) -> Running:
        """Of this installation with that rulebook."""
        shipped = FeatureSet.load()
        rules = {plan: rules_digest(knowledge, plan) for plan in knowledge.plans}
        gates = [plan.gate for plan in knowledge.plans.values() if plan.gate is not None]
        alpha, delta = max((g.alpha for g in gates), default=1.0), max((g.delta for g in gates), default=1.0)
        return cls(tuple(shipped.names), shipped.digest, Reader.from_knowledge(knowledge).digest, rules, alpha, delta)


@dataclass(frozen=True)
class Judged:
    """A bundle with its scores of the held-out rows (n,)."""

    bundle: Bundle
    scores: Floats

    def released(self, held: Dataset) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows its certificate would release (n,): those that pass the rules, at or below their group's threshold."""
        groups = self.bundle.certificate.groups if self.bundle.certificate else {}
        limits = np.array([groups[g].threshold if g in groups else -1.0 for g in held.groups])
        return held.passes_rules & (self.scores <= limits)


@cache
def chosen(name: str) -> float:
    """A number of promotion.yaml."""
    data = yaml.safe_load((Path(__file__).parent / "promotion.yaml").read_text(encoding="utf-8"))
    return float(data[name]["default"])


def judged(bundle: Bundle, held: Dataset) -> Judged:
    """Scores the held-out rows with a bundle. Raises RegistryError when it needs features the rows lack."""
    missing = set(bundle.features) - set(held.names)
    if missing:
        raise RegistryError(
            f"{bundle.name}: 留出数据缺少特征 {', '.join(sorted(missing))} / the held-out rows lack these features, train the challenger again"
        )
    columns = [held.names.index(name) for name in bundle.features]
    scorer = Scorer(bundle)
    return Judged(bundle, np.array([scorer.score(row) for row in held.X[:, columns]]))


# ---- the gates


def quality(mine: Judged, theirs: Judged | None, held: Dataset) -> Finding:
    """Average precision and the share released, neither below the champion's beyond noise."""
    if theirs is None:
        return Finding("quality", True, "没有冠军可比", "there is no champion to compare with")
    confidence = chosen("confidence")
    precision = precision_difference(
        mine.scores, theirs.scores, held.y, held.weight, confidence=confidence, resamples=int(chosen("resamples"))
    )
    share = share_difference(mine.released(held), theirs.released(held), confidence=confidence)
    told = f"AP {precision}; released {share}"
    if precision.worse or share.worse:
        return Finding("quality", False, f"明显低于冠军：{told}", f"below the champion beyond noise: {told}")
    return Finding("quality", True, f"不低于冠军：{told}", f"not below the champion: {told}")


def calibration(mine: Judged, held: Dataset) -> Finding:
    """The calibration error, less what chance shows, within its limit."""
    excess, limit = (
        calibration_excess(mine.scores, held.y, held.weight, resamples=int(chosen("resamples"))),
        chosen("calibration_error"),
    )
    zh, en = f"校准误差 {max(excess, 0):.4f}，上限 {limit:g}", f"calibration error {max(excess, 0):.4f}, limit {limit:g}"
    return Finding("calibration", excess <= limit, zh, en)


def certificate(bundle: Bundle, running: Running, today: date) -> Finding:
    """There is one, it is valid today, at least one group is certified, and it was issued for what runs."""
    held = bundle.certificate
    if held is None or not held.groups or held.overall is None:
        return Finding("certificate", False, "没有任何组别得到证明，须有更多标签", "no group is certified: more labels are needed")
    if held.expires_on < today or held.closed is not None:
        return Finding("certificate", False, f"证书已失效（{held.expires_on}）", f"the certificate is no longer valid ({held.expires_on})")
    if held.alpha > running.alpha or held.delta > running.delta:
        zh, en = "保证弱于任何计划的要求", "it promises less than any plan asks for"
        return Finding("certificate", False, f"{zh}：alpha {held.alpha:g}", f"{en}: alpha {held.alpha:g}, delta {held.delta:g}")
    if held.digests != bundle.digests:
        return Finding("certificate", False, "证书所证不是本模型", "the certificate was issued for another model")
    stale = sorted(plan for plan, name in (bundle.digests.rules if bundle.digests else {}).items() if running.rules.get(plan) != name)
    if stale:
        return Finding("certificate", False, f"规则已变：{', '.join(stale)}，请重新训练", f"rules changed: {', '.join(stale)}; train again")
    groups = ", ".join(sorted(held.groups))
    return Finding("certificate", True, f"有效至 {held.expires_on}：{groups}", f"valid to {held.expires_on}: {groups}")


def groups(mine: Judged, theirs: Judged | None, held: Dataset) -> Finding:
    """No group's average precision below the champion's beyond noise; the interval is widened for the number of groups."""
    if theirs is None:
        return Finding("groups", True, "没有冠军可比", "there is no champion to compare with")
    compared = [g for g in np.unique(held.groups) if held.y[held.groups == g].sum() >= chosen("group_positives")]
    confidence = 1 - (1 - chosen("confidence")) / max(1, len(compared))
    worse = []
    for name in compared:
        rows = held.groups == name
        difference = precision_difference(
            mine.scores[rows],
            theirs.scores[rows],
            held.y[rows],
            held.weight[rows],
            confidence=confidence,
            resamples=int(chosen("resamples")),
        )
        worse += [f"{name} {difference}"] if difference.worse else []
    if worse:
        return Finding("groups", False, f"以下组别变差：{'; '.join(worse)}", f"worse for: {'; '.join(worse)}")
    return Finding("groups", True, f"{len(compared)} 个组别均未变差", f"none of {len(compared)} groups is worse")


def latency(mine: Bundle, theirs: Bundle | None) -> Finding:
    """One claim's scoring time against the champion's, taken in turns in this process."""
    if theirs is None:
        return Finding("latency", True, "没有冠军可比", "there is no champion to compare with")
    ratio, limit = latency_ratio(_scoring(mine), _scoring(theirs)), chosen("latency_ratio")
    return Finding(
        "latency", ratio <= limit, f"耗时为冠军的 {ratio:.2f} 倍，上限 {limit:g}", f"{ratio:.2f} times the champion's, limit {limit:g}"
    )


def _scoring(bundle: Bundle) -> Callable[[], float]:
    scorer = Scorer(bundle)
    row = [np.nan if v is None else v for v in bundle.golden.rows[0]] if bundle.golden else [np.nan] * len(bundle.features)
    return lambda: scorer.score(row)


def latency_ratio(mine: Callable[[], object], theirs: Callable[[], object], rounds: int = 300) -> float:
    """Median CPU time of `mine` over that of `theirs`, taken in turns so that a busy machine slows both."""
    taken: tuple[list[int], list[int]] = ([], [])
    for _ in range(rounds):
        for work, times in ((mine, taken[0]), (theirs, taken[1])):
            start = time.process_time_ns()
            work()
            times.append(time.process_time_ns() - start)
    return float(np.median(taken[0]) / max(1.0, float(np.median(taken[1]))))


def features(bundle: Bundle, running: Running) -> Finding:
    """The names in their order and the digest of the feature definitions equal the running code's."""
    digest = bundle.digests.features if bundle.digests else ""
    if bundle.features != running.names:
        odd = sorted(set(bundle.features) ^ set(running.names))[:5]
        return Finding(
            "features",
            False,
            f"特征名不同：{', '.join(odd) or '顺序'}，请重新训练",
            f"feature names differ: {', '.join(odd) or 'order'}; train again",
        )
    if digest != running.features:
        return Finding("features", False, "特征定义已变，请重新训练", "feature definitions changed; train again")
    return Finding("features", True, f"{len(running.names)} 个特征一致", f"{len(running.names)} features agree")


def reader(bundle: Bundle, running: Running) -> Finding:
    """Made with the reader that runs."""
    same = bundle.digests is not None and bundle.digests.reader == running.reader
    return Finding(
        "reader",
        same,
        "读取器一致" if same else "读取器已变，请重新训练",
        "the reader agrees" if same else "the reader changed; train again",
    )


def golden(folder: Path, digest: str) -> Finding:
    """Loads in a process of its own and scores its golden rows as recorded."""
    try:
        verified(folder, digest)
    except BundleError as error:
        zh, _, en = str(error).partition(" / ")
        return Finding("golden", False, zh, en or zh)
    return Finding("golden", True, "金标准行一致", "golden rows agree")


# ---- promoting


def examine(registry: Registry, version: Version, running: Running, today: date) -> Iterator[Finding]:
    """All gates in order; a bundle that does not verify is judged no further, as nothing may load it."""
    yield (first := golden(version.bundle, version.digest))
    if not first.passed:
        return
    mine = version.load()
    yield from (features(mine, running), reader(mine, running), certificate(mine, running, today))
    held = Dataset.load(registry.file(version, HELD_OUT))
    serving = registry.find(CHAMPION)
    theirs = serving.load() if serving is not None and serving.number != version.number else None
    ours, others = judged(mine, held), judged(theirs, held) if theirs else None
    yield from (quality(ours, others, held), groups(ours, others, held), calibration(ours, held), latency(mine, theirs))


def promote(registry: Registry, version: Version, running: Running, today: date, *, by: str) -> list[Finding]:
    """Makes the version champion when every gate passes; the findings either way. One at a time, so that none is held against a
    champion that no longer is. Raises RegistryError, DatasetError where the held-out rows cannot be read."""
    with registry.deciding():
        found = list(examine(registry, version, running, today))
        if all(f.passed for f in found):
            make_champion(registry, version, by=by, at=today)
    return found


def make_champion(registry: Registry, version: Version, *, by: str, at: date) -> None:
    """Moves the aliases: the old champion becomes previous before the new one serves, so that there is always a way back."""
    old = registry.find(CHAMPION)
    if old is not None and old.number != version.number:
        registry.set_alias(PREVIOUS, old.number)
    registry.set_alias(CHAMPION, version.number)
    if registry.aliases().get(CHALLENGER) == version.number:
        registry.drop_alias(CHALLENGER)
    registry.tag(version, promoted_by=by, promoted_on=at.isoformat())


def rollback(registry: Registry, *, by: str, at: date) -> Version:
    """The version aliased `previous` serves again, once its bundle verifies. Raises RegistryError, BundleError."""
    with registry.deciding():
        version = registry.version(PREVIOUS)
        verified(version.bundle, version.digest)
        make_champion(registry, version, by=by, at=at)
    return version
