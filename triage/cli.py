"""The root command `triage`: composed of the commands that the packages register, so that it imports none of them by name."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

import typer

from triage.store.cipher import BadKey, use_keys

app = typer.Typer(no_args_is_help=True, add_completion=False, help="理赔分诊 / claim triage")


@app.callback()
def _root() -> None:
    """理赔分诊 / claim triage."""


def main() -> None:
    """Adds every registered command and runs the one asked for; papers are sealed with the keys of TRIAGE_KEY_FILE."""
    try:
        use_keys(Path(named) if (named := os.environ.get("TRIAGE_KEY_FILE")) else None)
    except BadKey as error:
        sys.exit(str(error))
    group = typer.main.get_group(app)
    for entry in sorted(entry_points(group="claim_triage.commands"), key=lambda e: e.name):
        command = typer.main.get_command(entry.load())
        command.name = entry.name
        group.add_command(command, entry.name)
    group()
