"""The edges of the service: what a careless or hostile caller may send, each with its answer."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.app import create_app
from tests.builders import claim_data
from tests.desks import desk

JSON = {"content-type": "application/json"}


class Asked:
    """The app over a desk in a folder, asked without a socket."""

    def __init__(self, folder: Path, host: str = "http://127.0.0.1") -> None:
        self.app, self.host = create_app(desk(folder, gate=False)), host

    def __call__(self, method: str, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._ask(method, path, given))

    async def _ask(self, method: str, path: str, given: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=self.host) as http:
            return await http.request(method, path, **given)


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    """A service with one claim, c-1, that waits for papers."""
    asked = Asked(tmp_path)
    assert asked("POST", "/v1/claims", json=claim_data()).status_code == 201
    return asked


@pytest.mark.parametrize(
    "body", [b"{", b"", b"null", b'{"a": "\xff"}', b"[" * 100_000, b'{"plan": ' + b"9" * 5_000 + b"}", b'{"\\ud800": 1}']
)
def test_a_body_that_is_no_claim_is_422_in_both_languages(ask: Asked, body: bytes) -> None:
    answer = ask("POST", "/v1/claims", content=body, headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert re.search("[\u4e00-\u9fff]", answer.json()["detail_zh"])
    assert answer.json()["detail_en"].isascii()


@pytest.mark.parametrize("kind", [{}, {"content-type": "text/plain"}, {"content-type": "application/x-www-form-urlencoded"}])
def test_a_web_page_elsewhere_cannot_send_a_decision_without_asking(ask: Asked, kind: dict[str, str]) -> None:
    """Browsers send these types, or none, to other sites without a preflight."""
    decision = b'{"action": "override", "route": "clear", "reason_code": "x", "actor": "w"}'
    assert ask("POST", "/v1/claims/c-1/decisions", content=decision, headers=kind).status_code == 422


def test_other_host_names_are_refused(tmp_path: Path) -> None:
    """A name that an attacker points at this machine is not this machine's name."""
    answer = Asked(tmp_path, "http://evil.example")("GET", "/v1/claims")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:claim-triage:wrong-host")


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"', '"a\\u0000b"', '{"one_of": []}', "[]", '{"from": null, "to": null}'])
def test_a_correction_without_a_usable_value_is_422(ask: Asked, value: str) -> None:
    body = f'{{"fact": "first_diagnosis_date", "value": {value}, "reason": "r", "actor": "甲"}}'.encode()
    assert ask("POST", "/v1/claims/c-1/observations", content=body, headers=JSON).status_code == 422
    assert ask("GET", "/claims/c-1").status_code == 200


@pytest.mark.parametrize("who", [None, "", "  ", "gate", "Triage", "x" * 101])
def test_a_decision_names_a_person(ask: Asked, who: str | None) -> None:
    named = {} if who is None else {"actor": who}
    answer = ask("POST", "/v1/claims/c-1/decisions", json={"action": "accept", **named})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "actor")


def test_the_person_may_be_named_in_a_header(ask: Asked) -> None:
    body = {"action": "override", "route": "clear", "reason_code": "x"}
    answer = ask("POST", "/v1/claims/c-1/decisions", json=body, headers={"X-Actor": "%E7%8E%8B%E5%90%9B"})
    assert answer.status_code == 201
    assert ask("GET", "/v1/claims/c-1").json()["decisions"][-1]["actor"] == "王君"


@pytest.mark.parametrize("header", ["%00", "gate", "%ff", "x" * 101])
def test_a_header_that_names_nobody_is_422(ask: Asked, header: str) -> None:
    answer = ask("POST", "/v1/claims", json=claim_data(claim_id="c-2"), headers={"X-Actor": header})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "X-Actor")


def test_a_digest_that_contradicts_if_match_is_stale(ask: Asked) -> None:
    body = {"action": "override", "route": "clear", "reason_code": "x", "actor": "甲", "suggestion_digest": "0"}
    assert ask("POST", "/v1/claims/c-1/decisions", json=body, headers={"If-Match": '"1"'}).status_code == 409


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        ({"action": "accept"}, "evidence_requested"),
        ({"action": "override", "route": "human_review", "reason_code": "x"}, "kept_for_review"),
        ({"action": "override", "route": "refer_siu", "reason_code": "x"}, "referred_to_siu"),
        ({"action": "override", "route": "investigate", "reason_code": "x"}, "investigation_opened"),
    ],
)
def test_every_route_short_of_the_end_can_be_decided(ask: Asked, decision: dict[str, str], outcome: str) -> None:
    answer = ask("POST", "/v1/claims/c-1/decisions", json={**decision, "actor": "甲"})
    assert (answer.status_code, answer.json().get("outcome")) == (201, outcome)


@pytest.mark.parametrize("path", ["/nowhere", "/claims/nobody", "/claims/%00"])
def test_a_missing_page_says_so_in_both_languages(ask: Asked, path: str) -> None:
    answer = ask("GET", path, headers={"accept-language": "fr, en;q=0.8"})
    assert (answer.status_code, answer.headers["content-language"]) == (404, "en")
    assert 'lang="zh-CN"' in answer.text
    assert "没有" in answer.text


def test_a_taken_port_is_said_before_any_address_is_printed(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-c", "from triage.cli import main; main()", "serve", "--port", str(taken.getsockname()[1])]
        environment = {**os.environ, "PYTHONPATH": os.getcwd()}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
