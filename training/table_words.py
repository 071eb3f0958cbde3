"""What learning from a table of anyone's found, in words for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from training.table_run import TableReport

_NAMES = {
    "auc": "AUC",
    "average_precision": "平均精度 average precision",
    "recall_at_capacity": "召回率 recall in the top {share}",
    "precision_at_capacity": "精度 precision in the top {share}",
    "ece": "期望校准误差 ECE",
}
SHOWN = 8


def lines(report: TableReport) -> Iterator[str]:
    """Figures with their intervals, the clearance curve, the groups certified, the heaviest columns and every warning."""
    counts = "，".join(f"{name} {n}" for name, n in report.rows.items())
    yield f"行数 rows: {counts}; 阳性率 base rate {report.base_rate:.4f}"
    for name, words in _NAMES.items():
        yield f"  {words.format(share=f'{report.capacity:.0%}'):<40} {report.found[name]}"
    yield "放行曲线 clearance curve: alpha, 放行 released, 其中有误 wrong among them"
    for row in report.clearance:
        proven = f"{row.released}   {row.wrong}" if row.threshold is not None else "未能证明 nothing proven"
        yield f"  {row.alpha:<6g} {proven}"
    for name, held in report.certificates.groups.items():
        said = "未能证明 not proven" if held is None else f"≤ {held.threshold:.4f}, {held.wrong}/{held.n}"
        yield f"  {name} (alpha {report.certificates.alpha:g}, delta {report.certificates.delta:g}): {said}"
    yield "增益 gain: " + ", ".join(f"{name} {share:.1%}" for name, share in list(report.gain.items())[:SHOWN])
    for zh, en in report.warnings:
        yield f"! {zh} / {en}"
