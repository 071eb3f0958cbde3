"""The risk bundle: a score and the certificate that says which claims its score may release from field investigation.

Without a bundle, or with one that names no certificate, the gate is closed. A bundle made for tests says so, and every
suggestion it touches carries that in `degraded`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class BundleError(Exception):
    """A bundle file that cannot be used; the message names the file and the remedy."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Certificate(_Model):
    """Release up to `threshold` per group; valid to `expires_on`, end included. `alpha` and `delta` are probabilities."""

    alpha: float = Field(gt=0, lt=1)
    delta: float = Field(gt=0, lt=1)
    expires_on: date
    thresholds: dict[str, float]


class Bundle(_Model):
    """`score` is the probability that a full investigation would not have paid; constant until a model exists."""

    name: str
    purpose: Literal["test", "certified"]
    score: float = Field(ge=0, le=1)
    audit_rate: float = Field(ge=0, le=1)
    certificate: Certificate | None = None

    @classmethod
    def load(cls, path: Path) -> Bundle:
        """Reads a YAML bundle; BundleError names the file and what to correct."""
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError, ValidationError) as error:
            raise BundleError(
                f"{path}: 风险包无法读取，请更正或去掉该设置 / the bundle cannot be used, correct it or drop the setting: {error}"
            ) from error
