"""What an operator sets: environment variables TRIAGE_*, or options of `triage serve`."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and nothing else."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """Where the store is, what the gate rests on, and where to listen: on loopback only until there is a login.

    `bundle` names a bundle to serve whatever the registry says; otherwise the registry's champion is followed.
    """

    model_config = SettingsConfigDict(env_prefix="TRIAGE_", extra="ignore")

    database: str = "sqlite:///var/triage.db"
    bundle: Path | None = None
    mlflow: str = "sqlite:///mlruns/mlflow.db"
    poll_seconds: float = Field(default=0.25, gt=0, le=60)
    rulebook: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000

    @field_validator("host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        if not is_loopback(host):
            raise ValueError(
                f"host {host}: 尚无登录，只能监听本机（127.0.0.1）/ there is no login yet: only loopback (127.0.0.1) may be served"
            )
        return host

    @field_validator("mlflow")
    @classmethod
    def _sqlite(cls, mlflow: str) -> str:
        if not mlflow.startswith("sqlite:///"):
            raise ValueError(f"mlflow {mlflow}: 只支持 sqlite:///… / only sqlite:///… is supported")
        return mlflow
