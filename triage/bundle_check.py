"""Tries a bundle in a process of its own, because an altered LightGBM file may crash or hang whoever loads it.

`python -m triage.bundle_check FOLDER DIGEST` ends with 0 when the bundle has that digest, loads, and scores its golden rows as
recorded; anything else, a signal or a timeout included, means that it must not be loaded.
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


def verified(folder: Path, digest: str, *, seconds: float = SECONDS) -> Bundle:
    """The bundle, after a child process loaded it and scored its golden rows. Raises BundleError saying what failed."""
    bundle = Bundle.load(folder, digest=digest)
    command = [sys.executable, "-m", "triage.bundle_check", str(folder), digest]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"{folder}: 试算未在{seconds:g}秒内结束，已拒绝 / the trial did not end within {seconds:g} s, refused") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or f"exit {done.returncode}").splitlines()[-1]
        raise BundleError(f"{folder}: 试算失败，已拒绝 / the trial failed, refused: {said}")
    return bundle


def _without_heavy_imports() -> None:
    """LightGBM imports these only to accept their types; leaving them out starts the trial in a third of the time."""
    for name in ("sklearn", "pandas", "dask", "matplotlib", "graphviz"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def _try(folder: Path, digest: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    bundle = Bundle.load(folder, digest=digest)
    _without_heavy_imports()
    from triage.risk import Scorer

    scorer = Scorer(bundle)
    golden = bundle.golden
    if golden is None:
        raise BundleError(f"{folder}: 没有金标准行 / the bundle has no golden rows")
    for number, (row, expected) in enumerate(zip(golden.rows, golden.scores, strict=True), 1):
        score = scorer.score([math.nan if value is None else value for value in row])
        if not abs(score - expected) <= TOLERANCE:
            raise BundleError(f"{folder}: 第{number}条金标准行不符 / golden row {number} scores {score:.9f}, recorded {expected:.9f}")


if __name__ == "__main__":
    try:
        _try(Path(sys.argv[1]), sys.argv[2])
    except BundleError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
