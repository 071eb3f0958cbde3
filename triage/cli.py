"""The root command `triage`: composed of the sub-commands that the packages register, so that it imports none of them."""

from __future__ import annotations

from importlib.metadata import entry_points

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="理赔分诊 / claim triage")


def main() -> None:
    """Adds every registered sub-command and runs the one asked for."""
    for entry in sorted(entry_points(group="claim_triage.commands"), key=lambda e: e.name):
        app.add_typer(entry.load(), name=entry.name)
    app()
