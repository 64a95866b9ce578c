"""CDS Hooks over a real socket: the process as it is started, and a real HTTP client."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.web.hooks.asking import SIGN, bearer, clients_file, sign
from tests.web.test_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = "https://fhir.nhs.uk/Id/opcs-4"
PREFETCH: dict[str, Any] = {
    "patient": {"resourceType": "Patient", "id": "9990000018"},
    "conditionRecord": None,
    "procedureRecord": None,
    "carePlanRecord": None,
    "painRecord": None,
    "htg117-eligibility": None,
}


def coded() -> dict[str, Any]:
    """A request whose order has the guidance's codes, all of its record sent."""
    made = sign(prefetch=PREFETCH)
    coding = [{"system": KEYS, "code": code} for code in ("W35.1", "Y53.4")]
    made["context"]["draftOrders"]["entry"][0]["resource"]["code"] = {"coding": coding}
    return made


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hooks")
    with serving(folder / "r.sqlite3", HTG117_BODY_SECONDS="1", HTG117_MAX_BODY="20000") as (_, found):
        yield found


@pytest.mark.requirement(
    "Discovery: the services are listed at {baseUrl}/cds-services",
    "Discovery: each service has hook, description and id",
    "Discovery: prefetch is templates by key",
)
def test_discovery_lists_every_service_and_says_what_it_needs(address: str) -> None:
    answer = httpx.get(f"{address}/cds-services", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found = {one["id"]: one for one in answer.json()["services"]}
    assert {id_: one["hook"] for id_, one in found.items()} == {
        "htg117-encounter-discharge": "encounter-discharge",
        "htg117-order-dispatch": "order-dispatch",
        "htg117-order-select": "order-select",
        "htg117-order-sign": "order-sign",
        "htg117-patient-view": "patient-view",
    }
    for one in found.values():
        assert all(
            isinstance(one[name], str) and one[name] for name in ("title", "description", "hook", "id")
        )
        assert all(isinstance(key, str) and isinstance(text, str) for key, text in one["prefetch"].items())
    assert httpx.head(f"{address}/cds-services").status_code == 200


@pytest.mark.requirement("Response: a card has summary, indicator and source")
def test_an_order_comes_to_a_card(address: str) -> None:
    answer = httpx.post(f"{address}{SIGN}", json=coded(), headers={"X-Request-ID": "walk-1"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "walk-1"), answer.text
    (card,) = answer.json()["cards"]
    assert card["indicator"] in ("info", "warning", "critical")
    assert 0 < len(card["summary"]) < 140
    assert card["source"]["label"]
    found = httpx.get(f"{address}/fhir/GuidanceResponse", params={"identifier": f"urn:uuid:{card['uuid']}"})
    assert found.json()["total"] == 1


@pytest.mark.requirement("Prefetch: data that is needed and cannot be had is answered 412")
def test_without_data_or_access_the_answer_is_412(address: str) -> None:
    body = coded()
    del body["prefetch"]
    answer = httpx.post(f"{address}{SIGN}", json=body)
    assert (answer.status_code, answer.json()["resourceType"]) == (412, "OperationOutcome")
    assert {issue["expression"][0] for issue in answer.json()["issue"]} >= {"prefetch.`conditionRecord`"}


def test_an_order_about_something_else_comes_to_no_card(address: str) -> None:
    body = coded()
    coding = {"system": KEYS, "code": "A01.1"}
    body["context"]["draftOrders"]["entry"][0]["resource"]["code"] = {"coding": [coding]}
    answer = httpx.post(f"{address}{SIGN}", json=body)
    assert (answer.status_code, answer.json()) == (200, {"cards": []})


def test_feedback_on_a_card_that_was_shown_is_traced_to_its_call(address: str) -> None:
    card = httpx.post(f"{address}{SIGN}", json=coded()).json()["cards"][0]
    given = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-08-01T09:00:00Z"}
    for _ in range(2):
        answer = httpx.post(f"{address}{SIGN}/feedback", json={"feedback": [given]})
        assert (answer.status_code, answer.content) == (200, b"")


def raw(address: str, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What a socket answers to bytes sent piece by piece."""
    found = urlsplit(address)
    with socket.create_connection((found.hostname or "", found.port or 0), timeout=20) as peer:
        for piece in pieces:
            peer.sendall(piece)
            time.sleep(pause)
        read = b""
        while chunk := peer.recv(65536):
            read += chunk
            head, _, body = read.partition(b"\r\n\r\n")
            if b"content-length:" in head.lower():
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                if len(body) >= length:
                    break
        return read


HEAD = f"POST {SIGN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (b"Content-Length: 500\r\n\r\n", b'{"hook":'),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"8\r\n{'hook':\r\n"),
    ],
)
def test_a_body_that_does_not_arrive_is_answered_408(address: str, lines: bytes, body: bytes) -> None:
    answer = raw(address, HEAD + lines, body)
    assert answer.startswith(b"HTTP/1.1 408 ")
    outcome = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (outcome["resourceType"], outcome["issue"][0]["code"]) == ("OperationOutcome", "timeout")
    assert b"connection: close" in answer.lower()


def test_a_client_that_hangs_up_within_its_body_is_no_fault_of_the_service(address: str) -> None:
    def counted() -> list[str]:
        told = httpx.get(f"{address}/metrics").text.splitlines()
        return [line for line in told if line.startswith("htg117_requests_total") and '"5' in line]

    before = counted()
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10) as client:
        client.sendall(f"POST {SIGN} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n".encode())
        client.sendall(b'Content-Length: 1000\r\n\r\n{"hook":')
    for _ in range(200):
        told = httpx.get(f"{address}/fhir/AuditEvent", params={"outcome": "4"}).text
        if "the connection ended before" in told:
            break
        time.sleep(0.02)
    assert "the connection ended before" in told
    assert counted() == before


def test_a_body_past_the_limit_is_refused_before_it_is_read(address: str) -> None:
    answer = raw(address, HEAD + b"Content-Length: 999999999\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    answer = raw(address, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"7000\r\n" + b" " * 0x7000 + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.requirement("Trusting CDS Clients: a call carries a JWT as bearer token")
def test_a_registered_client_is_served_and_nobody_else(tmp_path: Path) -> None:
    file = str(clients_file(tmp_path))
    with serving(tmp_path / "r.sqlite3", HTG117_CLIENTS=file) as (_, address):
        assert httpx.get(f"{address}/cds-services").status_code == 401
        listed = httpx.get(f"{address}/cds-services", headers=bearer(time.time(), f"{address}/cds-services"))
        assert len(listed.json()["services"]) == 5
        headers = bearer(time.time(), f"{address}{SIGN}")
        answer = httpx.post(f"{address}{SIGN}", json=coded(), headers=headers)
        assert (answer.status_code, len(answer.json()["cards"])) == (200, 1)
        assert httpx.post(f"{address}{SIGN}", json=coded(), headers=headers).status_code == 401
