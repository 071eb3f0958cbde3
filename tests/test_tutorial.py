"""The data scientist's tutorial: every console and Python block of docs/data-scientist.md is run, in its order, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "data-scientist.md"
BLOCK = re.compile(r"^```(console|python)( exits=(\d+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[list[str], int]]:
    """(command, expected exit) of each `$` line and each Python block."""
    found: list[tuple[list[str], int]] = []
    for kind, _, exits, body in BLOCK.findall(DOCUMENT.read_text(encoding="utf-8")):
        if kind == "python":
            found.append(([sys.executable, "-W", "ignore", "-c", body], 0))
            continue
        lines = [line.removeprefix("$ ") for line in body.splitlines() if line.startswith("$ ")]
        found += [(["sh", "-ec", line], int(exits or 0)) for line in lines]
    return found


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    """Trained, compared, promoted, rolled back; also from the store and on one's own table."""
    given = {k: v for k, v in os.environ.items() if not k.startswith(("TRIAGE_", "MLFLOW_"))}
    given |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    for command, exits in steps():
        done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == exits, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
