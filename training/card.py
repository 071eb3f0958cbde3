"""The model card: what a version is, what it was trained on, what it promises and what it must not be used for, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from triage.bundle import Bundle

Line = tuple[str, str]
_LIMITS: tuple[Line, ...] = (
    (
        "只用于决定是否免除实地调查；任何拒赔须由人以书证作出",
        "It only says who need not be visited; a refusal takes a person and a document",
    ),
    ("“未发现问题”不等于不存在问题", "Nothing found does not mean that there is nothing"),
    ("特征、读取器、规则任一改变，闸门即关闭", "The gate closes when features, reader or rules change"),
)


def cards(bundle: Bundle, metrics: Mapping[str, float], source: str, rows: int, gain: Mapping[str, float]) -> dict[str, bytes]:
    """File name to text: model_card.zh.md and model_card.en.md."""
    return {
        f"model_card.{language}.md": "\n".join(_card(bundle, metrics, source, rows, gain, n)).encode()
        for n, language in enumerate(("zh", "en"))
    }


def _card(bundle: Bundle, metrics: Mapping[str, float], source: str, rows: int, gain: Mapping[str, float], language: int) -> list[str]:
    def said(*words: Line) -> list[str]:
        return [w[language] for w in words]

    simulated = bundle.purpose != "certified"
    warning = ("> 全部数字来自模拟数据，不代表真实案件。", "> Every number comes from simulated claims and says nothing about real ones.")
    return [
        f"# {bundle.name}",
        "",
        *(said(warning) if simulated else []),
        "",
        *said((f"- 数据：{source}，{rows} 件", f"- Data: {source}, {rows} claims")),
        *said((f"- 训练于 {bundle.created_on}，摘要 {bundle.digest}", f"- Trained on {bundle.created_on}, digest {bundle.digest}")),
        "",
        *said(("## 评估（留出案件）", "## Evaluation (held-out claims)")),
        "",
        *(f"- {name}: {value:.4f}" for name, value in sorted(metrics.items())),
        "",
        *said(("## 放行证书", "## Certificate")),
        "",
        *_promised(bundle, language),
        "",
        *said(("## 增益最大的特征", "## Features by gain")),
        "",
        *(f"- {name}: {share:.1%}" for name, share in sorted(gain.items(), key=lambda item: -item[1])[:10]),
        "",
        *said(("## 用途与限制", "## Use and limits")),
        "",
        *(f"- {line}" for line in said(*_LIMITS)),
        "",
    ]


def _promised(bundle: Bundle, language: int) -> list[str]:
    held = bundle.certificate
    if held is None:
        return [("无：没有组别得到证明，闸门关闭", "None: no group was proven, the gate is closed")[language]]
    head = (
        f"放行案件中不应赔付者不超过 {held.alpha:g}，置信度 {1 - held.delta:g}，有效至 {held.expires_on}：",
        f"At most {held.alpha:g} of released claims wrong, at confidence {1 - held.delta:g}, valid to {held.expires_on}:",
    )[language]
    word = ("有误", "wrong")[language]
    return [head, "", *(f"- {name}: ≤ {g.threshold:.4f}, {word} {g.wrong}/{g.n}" for name, g in sorted(held.groups.items()))]
