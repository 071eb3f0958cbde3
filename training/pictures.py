"""What a run looks like: precision and recall, calibration, clearance against alpha, cost, drift and ablation, as PNG bytes.

Drawn without a screen; Chinese labels where a font for them is installed, English otherwise. Every picture of simulated claims says so.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from training.boosting import Floats
from training.costs import Prices, curve
from training.metrics import Estimate, Ranked, calibration_bins, clearance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from training.findings import Report

COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#66a182", "#7d5ba6", "#8d8d8d", "#2e4057")
CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Source Han Sans SC",
    "SimHei",
    "Microsoft YaHei",
)
ALPHAS = np.geomspace(0.002, 0.15, 60)
DOTS = 120


@cache
def chinese() -> str | None:
    """A font that knows Chinese; None where there is none."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE if name in installed), None)


def words(zh: str, en: str) -> str:
    """Both languages where the fonts allow, else English."""
    return f"{zh} / {en}" if chinese() else en


def _canvas(title: tuple[str, str], x: tuple[str, str], y: tuple[str, str], *, simulated: bool) -> tuple[Figure, Axes]:
    """A figure outside pyplot's registry: nothing is left open."""
    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    axes = figure.subplots()
    mark = words("（模拟）", "(simulated)").replace(" / ", " ") if simulated else ""
    axes.set_title(f"{words(*title)} {mark}".strip(), fontsize=12)
    axes.set_xlabel(words(*x))
    axes.set_ylabel(words(*y))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=110)
    figure.clear()
    return held.getvalue()


def _drawn(draw: Callable[[], Figure]) -> bytes:
    """Draws with a font for Chinese where there is one."""
    font = chinese()
    with mpl.rc_context({"font.family": [font, "DejaVu Sans"] if font else ["DejaVu Sans"], "axes.unicode_minus": False}):
        return _png(draw())


def precision_recall(scores: Mapping[str, Floats], truth: Floats, *, simulated: bool = True) -> bytes:
    """Precision against recall for each score (n,)."""

    def draw() -> Figure:
        figure, axes = _canvas(
            ("精确率与召回率", "Precision and recall"), ("召回率", "recall"), ("精确率", "precision"), simulated=simulated
        )
        for colour, (name, score) in zip(COLOURS * 2, scores.items(), strict=False):
            ranked = Ranked.of(score, truth)
            recall, precision = ranked.curve()
            some = np.unique(np.linspace(0, len(recall) - 1, 600).astype(int))
            axes.plot(recall[some], precision[some], color=colour, label=f"{_name(name)}  AP {ranked.average_precision():.3f}")
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        axes.legend(fontsize=8, frameon=False)
        return figure

    return _drawn(draw)


def calibration(score: Floats, truth: Floats, *, simulated: bool = True) -> bytes:
    """Share wrong against mean score in equally filled bins, with 95 % intervals."""

    def draw() -> Figure:
        figure, axes = _canvas(("校准", "Calibration"), ("平均分", "mean score"), ("应拒比例", "share refused"), simulated=simulated)
        bins = calibration_bins(score, truth)
        spread = 1.96 * np.sqrt(np.maximum(bins[:, 1] * (1 - bins[:, 1]), 1e-6) / bins[:, 2])
        top = float(max(bins[:, :2].max() * 1.1, 0.05))
        axes.plot([0, top], [0, top], color="#8d8d8d", lw=1, ls="--")
        axes.errorbar(bins[:, 0], bins[:, 1], yerr=spread, fmt="o", color=COLOURS[0], ms=4, lw=1)
        axes.set(xlim=(0, top), ylim=(0, top))
        return figure

    return _drawn(draw)


def clearance_curve(scores: Mapping[str, Floats], chance: Floats, *, simulated: bool = True) -> bytes:
    """The share of claims that could be released, against alpha, for each score (n,)."""

    def draw() -> Figure:
        figure, axes = _canvas(
            ("放行比例与alpha", "Clearance against alpha"),
            ("alpha", "alpha: share of released claims that should be refused"),
            ("放行比例", "share released"),
            simulated=simulated,
        )
        for colour, (name, score) in zip(COLOURS * 2, scores.items(), strict=False):
            axes.plot(ALPHAS, clearance(score, chance, ALPHAS), color=colour, label=_name(name))
        axes.set_xscale("log")
        ticks = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.set_ylim(0, 1.02)
        axes.legend(fontsize=8, frameon=False)
        return figure

    return _drawn(draw)


def cost_curve(scores: Mapping[str, Floats], chance: Floats, amount: Floats, price: Prices, *, simulated: bool = True) -> bytes:
    """Total cost a claim against the share investigated, for each score (n,)."""

    def draw() -> Figure:
        figure, axes = _canvas(
            ("总成本", "Total cost"), ("调查比例", "share investigated"), ("每案成本（元）", "cost a claim, CNY"), simulated=simulated
        )
        shares = np.linspace(0, 1, DOTS)
        for colour, (name, score) in zip(COLOURS * 2, scores.items(), strict=False):
            total = [one.total for one in curve(score, chance, amount, price, shares)]
            axes.plot(shares, total, color=colour, label=_name(name))
            best = int(np.argmin(total))
            axes.plot(shares[best], total[best], "o", color=colour, ms=5)
        axes.set(xlim=(0, 1), ylim=(0, None))
        axes.legend(fontsize=8, frameon=False)
        return figure

    return _drawn(draw)


def drift(filed_on: Floats, score: Floats, truth: Floats, *, simulated: bool = True) -> bytes:
    """Mean score and share wrong by month of filing; `filed_on` (n,) in days since 1970-01-01."""

    def draw() -> Figure:
        figure, axes = _canvas(("漂移", "Drift"), ("报案月份", "month of filing"), ("比例", "share"), simulated=simulated)
        months = filed_on.astype("datetime64[D]").astype("datetime64[M]")
        known = np.unique(months)
        rows = [months == month for month in known]
        rate, mean, n = (np.array([f(row) for row in rows]) for f in (lambda r: truth[r].mean(), lambda r: score[r].mean(), np.sum))
        spread = 1.96 * np.sqrt(rate * (1 - rate) / n)
        axes.fill_between(known, rate - spread, rate + spread, color=COLOURS[1], alpha=0.2, lw=0)
        axes.plot(known, rate, color=COLOURS[1], label=words("应拒比例", "share refused"))
        axes.plot(known, mean, color=COLOURS[0], label=words("平均分", "mean score"))
        axes.set_ylim(0, None)
        axes.tick_params(axis="x", rotation=30)
        axes.legend(fontsize=8, frameon=False)
        return figure

    return _drawn(draw)


def ablation(found: Mapping[str, Estimate], *, simulated: bool = True) -> bytes:
    """Average precision with its interval, one bar a baseline."""

    def draw() -> Figure:
        figure, axes = _canvas(("消融", "Ablation"), ("平均精度", "average precision"), ("", ""), simulated=simulated)
        axes.set_ylabel("")
        names = [_name(name) for name in found]
        values = np.array([e.value for e in found.values()])
        around = np.maximum(np.array([[e.value - e.low, e.high - e.value] for e in found.values()]).T, 0)
        axes.barh(names, values, xerr=around, color=COLOURS[0], alpha=0.8, ecolor="#333333", height=0.6)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        return figure

    return _drawn(draw)


_NAMES: Mapping[str, tuple[str, str]] = {
    "everything": ("全部调查", "investigate everything"),
    "rules": ("仅规则", "rules only"),
    "logistic": ("逻辑回归", "logistic"),
    "claim_only": ("无关联的树", "trees, no links"),
    "links": ("本模型", "this model"),
    "ceiling": ("可达上限", "reachable ceiling"),
    "oracle": ("潜在神谕", "latent oracle"),
}


def _name(name: str) -> str:
    return words(*_NAMES[name]) if name in _NAMES else name


def of_scores(
    scores: Mapping[str, Floats],
    truth: Floats,
    *,
    chance: Floats | None = None,
    amount: Floats | None = None,
    price: Prices | None = None,
    filed_on: Floats | None = None,
    ranked: Mapping[str, Estimate] | None = None,
    simulated: bool = True,
) -> dict[str, bytes]:
    """Every picture that the given columns (n,) allow, by file name; `scores` holds the model's as "links". Without `chance` the
    answers themselves stand for it."""
    refused = truth if chance is None else chance
    made = {
        "precision_recall.png": precision_recall({k: v for k, v in scores.items() if k != "everything"}, truth, simulated=simulated),
        "calibration.png": calibration(scores["links"], truth, simulated=simulated),
        "clearance.png": clearance_curve({k: v for k, v in scores.items() if k != "everything"}, refused, simulated=simulated),
    }
    if amount is not None and price is not None:
        made["cost.png"] = cost_curve({k: v for k, v in scores.items() if k != "everything"}, refused, amount, price, simulated=simulated)
    if filed_on is not None:
        made["drift.png"] = drift(filed_on, scores["links"], truth, simulated=simulated)
    if ranked:
        made["ablation.png"] = ablation(ranked, simulated=simulated)
    return made


def of_report(found: Report) -> dict[str, bytes]:
    """The pictures of an evaluation."""
    curves = found.curves
    return of_scores(
        curves["scores"],
        curves["truth"],
        chance=curves["chance"],
        amount=curves["amount"],
        price=curves["price"],
        filed_on=curves["filed_at"],
        ranked=curves["ranked"],
    )
