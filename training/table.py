"""A labelled table of anyone's, read strictly: a CSV or Parquet file, its label, its time and its groups.

Whatever is wrong with it is said in both languages with the column, the row and the remedy; nothing is repaired in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray

from training.table_columns import Encoded, LeftOut, encoded

Floats = NDArray[np.float64]
YES = frozenset({"1", "1.0", "yes", "y", "true", "t", "是", "有", "真"})
NO = frozenset({"0", "0.0", "no", "n", "false", "f", "否", "无", "假"})
ALL = "all"
"""The group of every row where no column names one."""


class TableError(ValueError):
    """A table that cannot be learnt from; the message names the file, the column and the remedy."""


@dataclass(frozen=True)
class Table:
    """n labelled rows in time order: `x` (n, k), `names` and which of them are `categorical`, `wrong` (n,), `group` (n,), `test`
    marks the latest part, `block` (n,) the block of time of the rest (-1 in the test); `timed` says whether there was a time."""

    x: Floats
    names: tuple[str, ...]
    categorical: tuple[str, ...]
    wrong: Floats
    group: NDArray[np.str_]
    test: NDArray[np.bool_]
    block: NDArray[np.int64]
    timed: bool
    unlabelled: int
    left_out: tuple[LeftOut, ...]


@cache
def chosen(name: str) -> Any:
    """A number of table.yaml."""
    data = yaml.safe_load(resources.files("training").joinpath("table.yaml").read_text(encoding="utf-8"))
    return data[name]["default"]


def read_table(path: Path, label: str, *, time: str | None = None, group: str | None = None, seed: int = 0) -> Table:
    """Reads and checks a table. Raises TableError."""
    frame = _frame(path)
    for role, name in (("label", label), ("time", time), ("group", group)):
        if name is not None and name not in frame.columns:
            known = ", ".join(frame.columns[:30])
            raise TableError(
                f"{path.name}: 没有列“{name}”（--{role}），现有列： / no column {name!r} for --{role}; the columns are: {known}"
            )
    if len(named := [name for name in (label, time, group) if name is not None]) != len(set(named)):
        raise TableError(
            f"{path.name}: --label、--time、--group 须为不同的列 / --label, --time and --group must be different columns: {', '.join(named)}"
        )
    labelled = frame.filter(pl.col(label).is_not_null())
    wrong = _wrong(path, labelled[label])
    when = _when(path, labelled[time]) if time is not None else np.random.default_rng(seed).permutation(len(wrong)).astype(np.float64)
    order = np.argsort(when, kind="stable")
    labelled, wrong, when = labelled[order], wrong[order], when[order]
    test = _latest(path, time or "", when)
    _enough(path, wrong, test)
    rest = [c for c in labelled.columns if c not in (label, time, group)]
    columns = [encoded(labelled[name], ~test, int(chosen("most_levels"))) for name in rest]
    kept = [c for c in columns if isinstance(c, Encoded)]
    if not kept:
        raise TableError(f"{path.name}: 没有可用的特征列，请补充数值或类别列 / no column to learn from: add numbers or categories")
    names = _plain([c.name for c in kept])
    return Table(
        x=np.column_stack([c.values for c in kept]),
        names=names,
        categorical=tuple(n for n, c in zip(names, kept, strict=True) if c.category),
        wrong=wrong,
        group=_groups(path, labelled, group),
        test=test,
        block=_blocks(when, test),
        timed=time is not None,
        unlabelled=frame.height - labelled.height,
        left_out=tuple(c for c in columns if isinstance(c, LeftOut)),
    )


def _frame(path: Path) -> pl.DataFrame:
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema_length=None, null_values=["", "NA", "NaN", "null", "NULL"])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise TableError(
            f"{path}: 无法读取，须为UTF-8的CSV或Parquet / cannot be read: give a UTF-8 CSV or a Parquet file: {error}"
        ) from error


def _wrong(path: Path, column: pl.Series) -> Floats:
    """The label as 0 or 1. Raises TableError unless it has exactly two values that mean yes and no."""
    if not len(column):
        raise TableError(f"{path.name}: 列“{column.name}”没有任何标签 / column {column.name!r} holds no label at all")
    said = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    values = sorted(said.unique().to_list())
    odd = [value for value in values if value not in YES | NO]
    if odd:
        shown = ", ".join(odd[:5])
        raise TableError(
            f"{path.name}: 标签列“{column.name}”须为是/否（1/0、yes/no、true/false），却有 {len(values)} 种取值，如：{shown}"
            f" / label {column.name!r} must be yes or no (1/0, yes/no, true/false); it has {len(values)} values, such as: {shown}"
        )
    wrong = said.is_in(list(YES)).cast(pl.Float64).to_numpy()
    if wrong.min() == wrong.max():
        raise TableError(
            f"{path.name}: 标签列“{column.name}”全为 {values[0]}，须同时有阳性与阴性"
            f" / label {column.name!r} is {values[0]} throughout: both kinds are needed"
        )
    return np.asarray(wrong, dtype=np.float64)


def _when(path: Path, column: pl.Series) -> Floats:
    """The time as numbers that grow. Raises TableError naming the first value that is no time."""
    if column.dtype.is_temporal() and column.dtype not in (pl.Time, pl.Duration):
        column = column.cast(pl.Datetime("us")).cast(pl.Int64)
    if column.dtype == pl.String:
        column = pl.Series(column.name, [_instant(value) for value in column.to_list()], dtype=pl.Float64)
    if not column.dtype.is_numeric():
        raise TableError(f"{path.name}: 时间列“{column.name}”不是时间 / time column {column.name!r} holds no times, but {column.dtype}")
    values = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise TableError(
            f"{path.name}: 时间列“{column.name}”第 {bad[0] + 1} 个有标签的行无法解析，请用2020-01-31这样的日期或数字（共 {len(bad)} 行）"
            f" / time column {column.name!r}: labelled row {bad[0] + 1} cannot be parsed ({len(bad)} such rows):"
            " use dates such as 2020-01-31, or numbers"
        )
    return np.asarray(values, dtype=np.float64)


def _instant(value: str | None) -> float:
    for pattern in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y-%m", "%Y年%m月%d日", "%Y/%m"):
        try:
            return datetime.strptime((value or "").strip(), pattern).toordinal() * 1.0  # noqa: DTZ007 - only the order counts
        except ValueError:
            continue
    try:
        return datetime.fromisoformat((value or "").strip()).replace(tzinfo=None).timestamp() / 86_400 + 719_163
    except ValueError:
        return float("nan")


def _latest(path: Path, name: str, when: Floats) -> NDArray[np.bool_]:
    """The test: the latest rows, cut between two times so that the share is nearest to table.yaml's."""
    starts = np.flatnonzero(np.diff(when, prepend=-np.inf) > 0)
    shares = 1 - starts / len(when)
    cut = starts[int(np.argmin(np.abs(shares - chosen("test_share"))))]
    if not 0.05 <= 1 - cut / len(when) <= 0.6:
        raise TableError(
            f"{path.name}: 时间列“{name}”几乎只有一个取值，无法按时间切分，请换一列或不给--time"
            f" / time column {name!r} has almost one value only: name another, or leave out --time"
        )
    return np.asarray(np.arange(len(when)) >= cut)


def _blocks(when: Floats, test: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Blocks of the training period, cut between two times where there are few of them."""
    earlier = when[~test]
    places = np.unique(earlier, return_inverse=True)[1]
    wanted = int(chosen("blocks"))
    few = places.max() + 1 <= wanted
    cut = places if few else np.searchsorted(np.quantile(earlier, np.linspace(0, 1, wanted + 1)[1:-1]), earlier, side="left")
    cut = np.unique(cut, return_inverse=True)[1]
    if cut.max() == 0:
        cut = np.arange(len(earlier)) * wanted // len(earlier)
    return np.concatenate([cut, np.full(int(test.sum()), -1)]).astype(np.int64)


def _enough(path: Path, wrong: Floats, test: NDArray[np.bool_]) -> None:
    rows, least = len(wrong), int(chosen("least_positives"))
    before, after = int(wrong[~test].sum()), int(wrong[test].sum())
    if rows < chosen("least_rows") or min(before, after) < least:
        raise TableError(
            f"{path.name}: 有标签的行 {rows}，阳性：训练期 {before}、测试期 {after}；至少需要 {chosen('least_rows')} 行、两期各 {least} 个阳性"
            f" / {rows} labelled rows, positives: {before} to train on and {after} to test on; at least {chosen('least_rows')} rows and"
            f" {least} positives in each are needed"
        )


def _groups(path: Path, frame: pl.DataFrame, group: str | None) -> NDArray[np.str_]:
    if group is None:
        return np.full(frame.height, ALL)
    values = frame[group].cast(pl.String).fill_null("?").to_numpy().astype(np.str_)
    count, most = len(np.unique(values)), int(chosen("most_groups"))
    if count > most:
        raise TableError(
            f"{path.name}: 分组列“{group}”有 {count} 组，最多 {most} 组，请合并 / group column {group!r} has {count} groups, {most} at most:"
            " join some"
        )
    return values


def _plain(names: list[str]) -> tuple[str, ...]:
    """Names that LightGBM takes: without JSON's own characters, and no two alike."""
    plain: list[str] = []
    for name in names:
        word = "".join("_" if c in '":[]{},' or c.isspace() else c for c in name) or "_"
        plain.append(word if word not in plain else f"{word}_{len(plain)}")
    return tuple(plain)
