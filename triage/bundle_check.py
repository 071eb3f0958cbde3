"""Tries a bundle in a process of its own, because an altered LightGBM file may crash or hang whoever loads it.

The process (`python -m triage.bundle_check`) reads a folder and a digest, one a line, and ends with 0 when the bundle has that digest,
loads, and scores its golden rows as recorded; anything else, a signal or a timeout included, means that it must not be loaded.
"""

from __future__ import annotations

import math
import resource
import subprocess
import sys
from pathlib import Path

from triage.bundle import Bundle, BundleError

MEMORY = 4 << 30
"""Bytes the trial process may take."""
SECONDS = 20.0
TOLERANCE = 1e-9
"""Between a golden score and the one computed here: the last bits of a sum may differ by machine, nothing more."""


class Trial:
    """A process that waits for one bundle to try; made beforehand it has its imports behind it when a bundle comes."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "triage.bundle_check"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self._child: subprocess.Popen[str] = subprocess.Popen(command, text=True, errors="replace", **pipes)  # type: ignore[call-overload]  # noqa: S603

    @property
    def waits(self) -> bool:
        """Whether it is still there."""
        return self._child.poll() is None

    def run(self, folder: Path, digest: str, seconds: float) -> str:
        """What went wrong, "" when nothing did. Raises TimeoutExpired after killing the process."""
        try:
            _, said = self._child.communicate(f"{folder}\n{digest}\n", timeout=seconds)
        except subprocess.TimeoutExpired:
            self.drop()
            raise
        return "" if self._child.returncode == 0 else (said.strip() or f"exit {self._child.returncode}").splitlines()[-1]

    def drop(self) -> None:
        """Ends the process."""
        self._child.kill()
        self._child.communicate()


def verified(folder: Path, digest: str, *, seconds: float = SECONDS, trial: Trial | None = None) -> Bundle:
    """The bundle, after a child process loaded it and scored its golden rows. Raises BundleError saying what failed."""
    bundle = Bundle.load(folder, digest=digest)
    try:
        wrong = (trial if trial is not None and trial.waits else Trial()).run(folder, digest, seconds)
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"{folder}: 试算未在{seconds:g}秒内结束，已拒绝 / the trial did not end within {seconds:g} s, refused") from error
    if wrong:
        raise BundleError(f"{folder}: 试算失败，已拒绝 / the trial failed, refused: {wrong}")
    return bundle


def _without_heavy_imports() -> None:
    """LightGBM imports these only to accept their types; leaving them out starts the trial in a third of the time."""
    for name in ("sklearn", "pandas", "dask", "matplotlib", "graphviz"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    _without_heavy_imports()
    import lightgbm  # noqa: F401 - so that it is there when the bundle comes

    from triage.risk import Scorer

    folder, digest = (sys.stdin.readline().rstrip("\n") for _ in range(2))
    if not folder:
        return
    bundle = Bundle.load(Path(folder), digest=digest)
    scorer, golden = Scorer(bundle), bundle.golden
    if golden is None:
        raise BundleError(f"{folder}: 没有金标准行 / the bundle has no golden rows")
    for number, (row, expected) in enumerate(zip(golden.rows, golden.scores, strict=True), 1):
        score = scorer.score([math.nan if value is None else value for value in row])
        if not abs(score - expected) <= TOLERANCE:
            raise BundleError(f"{folder}: 第{number}条金标准行不符 / golden row {number} scores {score:.9f}, recorded {expected:.9f}")


if __name__ == "__main__":
    try:
        _main()
    except BundleError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
