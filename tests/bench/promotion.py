"""Promotion under load: a real server answers requests while the champion changes; none may fail, and each swap has its time limit."""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import yaml

from tests.bundling import bundle
from tests.small_registry import SmallRegistry
from tests.test_service import Server

SECONDS = 2.0
"""Within which a promoted version must serve."""
CLAIM = yaml.safe_load((Path(__file__).parent / "claim.yaml").read_text(encoding="utf-8"))


@dataclass
class Load:
    """Clients that ask for suggestions and file claims until told to stop; every answer is counted, every failure kept."""

    url: str
    clients: int
    answered: int = 0
    failed: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _ask(self, client: int) -> None:
        number = 0
        with httpx.Client(base_url=self.url, timeout=20) as http:
            while not self._stop.is_set():
                number += 1
                path = ("/v1/suggestions", "/v1/claims")[number % 2]
                self._count(http, path, {**CLAIM, "claim_id": f"load-{client}-{number}"})

    def _count(self, http: httpx.Client, path: str, body: dict[str, object]) -> None:
        try:
            answer = http.post(path, json=body)
            told = "" if answer.status_code in (200, 201) else f"{path} {answer.status_code} {answer.text[:200]}"
        except httpx.HTTPError as error:
            told = f"{path} {error!r}"
        with self._lock:
            self.answered += 1
            self.failed += [told] if told else []


def swap(server: Server, registry: SmallRegistry, version: int, name: str) -> float:
    """Points the champion at a version and waits until it serves; how many seconds that took."""
    started = time.perf_counter()
    registry.point(version)
    while server.http.get("/v1/version").json()["bundle"] != name:
        if time.perf_counter() - started > 60:
            raise AssertionError(f"{name} never served: {server.http.get('/readyz').text}")
        time.sleep(0.02)
    return time.perf_counter() - started


def under_load(folder: Path, *, swaps: int, clients: int, pause: float = 0.0) -> tuple[Load, list[float]]:
    """The load's count and the seconds of each swap between two models, `pause` seconds of load before each."""
    registry = SmallRegistry(folder)
    versions = {}
    for name, trees in (("one", 30), ("two", 60)):
        versions[name] = registry.add(folder / name, bundle(folder / name, name, trees=trees).digest)
    registry.point(versions["one"])
    server = Server(folder, "--mlflow", f"sqlite:///{registry.database}")
    try:
        with Load(str(server.http.base_url), clients) as load:
            names = [("two", "one")[n % 2] for n in range(swaps)]
            taken = []
            for name in names:
                time.sleep(pause)
                taken.append(swap(server, registry, versions[name], name))
        return load, taken
    finally:
        server.stop()


def main() -> int:
    """Prints requests, failures and the swaps' times; 1 when a request failed or a swap took too long."""
    with tempfile.TemporaryDirectory() as folder:
        load, taken = under_load(Path(folder), swaps=10, clients=2, pause=2.0)
    print(f"promotion under load: {load.answered} requests, {len(load.failed)} failed; {len(taken)} swaps")
    print(f"  swap median {statistics.median(taken):.2f} s, slowest {max(taken):.2f} s, limit {SECONDS:g} s")
    return 1 if load.failed or max(taken) >= SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
