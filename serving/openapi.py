"""Writes docs/openapi.json: `python -m serving.openapi`. A test compares it with the app, so that a change of the API is seen."""

from __future__ import annotations

import json
from pathlib import Path

from serving.app import create_app

TARGET = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def rendered() -> str:
    """The API's description as committed."""
    return json.dumps(create_app(None).openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(rendered(), encoding="utf-8")
