"""What an operator sets: environment variables TRIAGE_*, or options of `triage serve`."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and nothing else."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """Where the store is, what the gate rests on, and where to listen: on loopback only until there is a login."""

    model_config = SettingsConfigDict(env_prefix="TRIAGE_", extra="ignore")

    database: str = "sqlite:///var/triage.db"
    bundle: Path | None = None
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
