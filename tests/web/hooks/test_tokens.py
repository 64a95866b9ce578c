"""Tokens at the routes: one for each address, used once, on whatever worker; who is let in without."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
from joserfc.jwk import KeySet
from structlog.testing import capture_logs

from service.adapters.cds_clients import CdsClients
from service.app import build
from service.domain.errors import Unavailable
from service.operations.clients import Client as CdsClient
from service.settings import Settings
from tests.web.conftest import Client
from tests.web.hooks.asking import (
    BASE,
    ELLIPTIC,
    ISSUER,
    KEY,
    SIGN,
    bearer,
    clients_file,
    sign,
    stored,
    token,
)
from tests.web.hooks.conftest import hook_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.web.hooks.conftest import Adviser

ENDPOINT = f"{BASE}{SIGN}"


@contextlib.contextmanager
def serving(
    folder: Path, adviser: Adviser, more: dict[str, str] | None = None, **settings: Any
) -> Iterator[Client]:
    """A service with one registered EHR, as one worker among others on the same records."""
    file = clients_file(folder, **(more or {}))
    chosen = Settings(
        database_url=f"sqlite:///{folder}/r.sqlite3", base_url=BASE, clients=str(file), **settings
    )
    with Client(build(chosen)) as client:
        hook_up(client, adviser)
        yield client


@pytest.fixture
def guarded(tmp_path: Path, adviser: Adviser) -> Iterator[Client]:
    with serving(tmp_path, adviser) as client:
        yield client


def now() -> float:
    return time.time()


@pytest.mark.requirement(
    "Trusting CDS Clients: a call carries a JWT as bearer token",
    "Trusting CDS Clients: ES384 and RS384 are taken",
)
@pytest.mark.parametrize(("more"), [{}, {"key": ELLIPTIC, "algorithm": "ES384"}])
def test_a_sound_token_lets_in(guarded: Client, more: dict[str, Any]) -> None:
    assert guarded.post(SIGN, json=sign(), headers=bearer(now(), ENDPOINT, **more)).status_code == 200


@pytest.mark.requirement(
    "Trusting CDS Clients: discovery and feedback ask for a token too",
    "Trusting CDS Clients: aud is the address that is called, as a text or an array",
)
@pytest.mark.parametrize(
    ("method", "path", "aud", "status"),
    [
        ("GET", "/cds-services", f"{BASE}/cds-services", 200),
        ("GET", "/cds-services", [f"{BASE}/cds-services", "https://other.example.org"], 200),
        ("GET", "/cds-services", f"{BASE}/cds-services/", 401),
        ("GET", "/cds-services", BASE, 401),
        ("GET", "/cds-services", ENDPOINT, 401),
        ("POST", SIGN, [ENDPOINT], 200),
        ("POST", SIGN, f"{BASE}/cds-services", 401),
        ("POST", SIGN, f"http://testserver{SIGN}", 401),
        ("POST", SIGN, f"{ENDPOINT}/feedback", 401),
        ("POST", f"{SIGN}/feedback", f"{ENDPOINT}/feedback", 400),
        ("POST", f"{SIGN}/feedback", ENDPOINT, 401),
    ],
)
def test_a_token_is_for_the_address_that_is_called(
    guarded: Client, method: str, path: str, aud: Any, status: int
) -> None:
    headers = bearer(now(), ENDPOINT, aud=aud)
    body = {"json": sign()} if method == "POST" else {}
    assert guarded.request(method, path, headers=headers, **body).status_code == status


@pytest.mark.requirement("Trusting CDS Clients: a call without a sound token is refused")
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer  ", "Bearer x", "Basic dTpw", "Bearer a.b.c"],
)
def test_no_token_or_none_that_holds_is_a_401_that_leaks_nothing(
    guarded: Client, adviser: Adviser, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization is not None else {}
    for method, path in (("GET", "/cds-services"), ("POST", SIGN), ("POST", f"{SIGN}/feedback")):
        answer = guarded.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["issue"][0]["code"] == "login"
    assert adviser.asked == []
    assert stored(guarded.app.state.services.records, "AuditEvent") == []


@pytest.mark.requirement("Trusting CDS Clients: jti protects against replay")
@pytest.mark.parametrize("path", ["/cds-services", SIGN, f"{SIGN}/feedback"])
def test_a_token_is_used_once_whatever_came_of_it(guarded: Client, path: str) -> None:
    headers = bearer(now(), f"{BASE}{path}")
    method = "GET" if path == "/cds-services" else "POST"
    body = (
        {}
        if method == "GET"
        else {"content": b"{", "headers": headers | {"Content-Type": "application/json"}}
    )
    first = guarded.request(method, path, **({"headers": headers} | body))
    again = guarded.request(method, path, **({"headers": headers} | body))
    assert (first.status_code, again.status_code) == (200 if method == "GET" else 400, 401)


@pytest.mark.requirement("Trusting CDS Clients: jti protects against replay")
@pytest.mark.parametrize("path", ["/cds-services", SIGN])
def test_a_token_used_on_one_worker_is_refused_on_another(
    tmp_path: Path, adviser: Adviser, path: str
) -> None:
    headers = bearer(now(), f"{BASE}{path}")
    method, body = ("POST", {"json": sign()}) if path == SIGN else ("GET", {})
    with serving(tmp_path, adviser) as one, serving(tmp_path, adviser) as other:
        assert one.request(method, path, headers=headers, **body).status_code == 200
        answer = other.request(method, path, headers=headers, **body)
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (401, "login")
        assert other.request(method, path, headers=bearer(now(), f"{BASE}{path}"), **body).status_code == 200


def test_the_log_says_once_of_each_token_why_it_is_refused_and_of_none(
    tmp_path: Path, adviser: Adviser
) -> None:
    headers = bearer(now(), ENDPOINT)
    told = {"event": "token-refused", "log_level": "warning"}
    again = {**told, "why": "it was used before", "client": "ehr"}
    structlog.reset_defaults()  # warnings are heard
    with serving(tmp_path, adviser) as one, serving(tmp_path, adviser) as other, capture_logs() as lines:
        assert one.post(SIGN, json=sign(), headers=headers).status_code == 200
        for worker in (one, other):  # it remembers; the store does
            assert worker.post(SIGN, json=sign(), headers=headers).status_code == 401
        assert one.post(SIGN, json=sign()).status_code == 401
        elsewhere = bearer(now(), "https://elsewhere.example.org")
        assert one.post(SIGN, json=sign(), headers=elsewhere).status_code == 401
    said = [line for line in lines if line["event"] == "token-refused"]
    assert said == [
        again,
        again,
        {**told, "why": "there is none", "client": None},
        {**told, "why": f"its audience is not {ENDPOINT}", "client": "ehr"},
    ]


@pytest.mark.requirement("Trusting CDS Clients: a tenant is carried along")
def test_the_record_names_client_tenant_and_the_patient_of_its_server(guarded: Client) -> None:
    guarded.post(SIGN, json=sign(), headers=bearer(now(), ENDPOINT, tenant="ward-1"))
    records = guarded.app.state.services.records
    event, response = stored(records, "AuditEvent")[0], stored(records, "GuidanceResponse")[0]
    agent = {"identifier": {"value": ISSUER}, "display": "ehr"}
    assert [one["who"] for one in event["agent"]] == [
        {"reference": f"{ISSUER}/fhir/Practitioner/example"}, agent,
    ]  # fmt: skip
    assert {"type": "tenant", "valueString": "ward-1"} in event["entity"][1]["detail"]
    assert response["subject"] == {"reference": f"{ISSUER}/fhir/Patient/9990000018"}


def test_relative_references_are_kept_for_the_client_whose_they_are(tmp_path: Path, adviser: Adviser) -> None:
    with serving(tmp_path, adviser, {"local_references": "true"}) as client:
        client.post(SIGN, json=sign(), headers=bearer(now(), ENDPOINT))
        response = stored(client.app.state.services.records, "GuidanceResponse")[0]
    assert response["subject"] == {"reference": "Patient/9990000018"}


def test_what_a_client_knows_and_asks_for_reaches_the_adviser(tmp_path: Path, adviser: Adviser) -> None:
    more = {"revision": "3", "system_actions": "true", "form_app": '"https://forms.example.org/launch"'}
    with serving(tmp_path, adviser, more) as client:
        client.post(SIGN, json=sign(), headers=bearer(now(), ENDPOINT))
    question = adviser.asked[0]
    assert question.client is not None
    showing = question.showing
    assert (question.client.name, question.call.revision) == ("ehr", 3)
    assert (showing.base, showing.form_app, showing.system_actions, showing.revision) == (
        BASE, "https://forms.example.org/launch", True, 3,
    )  # fmt: skip


@pytest.mark.requirement("Trusting CDS Clients: without clients nobody is let in where others can reach it")
def test_without_a_file_of_clients_only_development_mode_lets_in(tmp_path: Path, adviser: Adviser) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/r.sqlite3",
        issuers=("https://issuer.example.org",),
        audience="https://fhir.example.org",
    )
    with Client(build(settings)) as client:
        hook_up(client, adviser)
        for headers in ({}, bearer(now(), f"http://testserver{SIGN}")):
            assert client.post(SIGN, json=sign(), headers=headers).status_code == 401


class Down:
    """A clerk whose records cannot be reached."""

    async def commit(self, *_given: Any, **_named: Any) -> None:
        """Nothing: Unavailable."""
        raise Unavailable("down")


@pytest.mark.requirement("Security: a record that cannot be stored is counted, and the clinician answered")
def test_the_clinician_gets_the_answer_when_the_store_is_down_and_it_is_counted(
    guarded: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded.app.state.desk.journal, "_clerk", Down())
    headers = bearer(now(), ENDPOINT)
    assert guarded.post(SIGN, json=sign(), headers=headers).status_code == 200
    assert guarded.post(SIGN, json=sign(), headers=headers).status_code == 401  # this worker knows it
    told = guarded.get("/metrics").text
    assert "htg117_audit_failures_total 1.0" in told
    assert "htg117_audit_waiting 1.0" in told


def test_a_token_past_its_skew_is_refused(guarded: Client) -> None:
    old = token(now() - 1000, ENDPOINT)
    assert guarded.post(SIGN, json=sign(), headers={"Authorization": f"Bearer {old}"}).status_code == 401


class Gate(httpx.AsyncBaseTransport):
    """A key server that answers once it is let."""

    def __init__(self) -> None:
        """It is not yet."""
        self.calls = 0
        self.open = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The keys of the EHR."""
        self.calls += 1
        await self.open.wait()
        keys = json.dumps(KeySet([KEY]).as_dict(private=False)).encode()
        return httpx.Response(200, stream=httpx.ByteStream(keys), request=request)


def behind(gate: Gate, patience: float) -> CdsClients:
    ehr = CdsClient("ehr", ISSUER, jku=f"{ISSUER}/keys")
    return CdsClients([ehr], time.time, httpx.AsyncClient(transport=gate), patience)


def test_a_call_that_cannot_have_its_keys_in_time_may_be_sent_again(
    guarded: Client, adviser: Adviser
) -> None:
    gate = Gate()
    hook_up(guarded, adviser, guard=behind(gate, patience=0.01))
    headers = bearer(now(), ENDPOINT)
    assert guarded.post(SIGN, json=sign(), headers=headers).status_code == 401
    gate.open.set()
    for _ in range(20):
        guarded.run(asyncio.sleep(0))
    assert guarded.post(SIGN, json=sign(), headers=headers).status_code == 200
    assert gate.calls == 1


def test_what_keys_were_waited_for_is_taken_from_the_ehrs_time(guarded: Client, adviser: Adviser) -> None:
    gate = Gate()
    hook_up(guarded, adviser, guard=behind(gate, patience=60), ehr_seconds=30.0, seconds=31.0)

    async def let() -> None:
        asyncio.get_running_loop().call_later(0.2, gate.open.set)

    guarded.run(let())
    assert guarded.post(SIGN, json=sign(), headers=bearer(now(), ENDPOINT)).status_code == 200
    assert adviser.asked[0].seconds < 30.0 - 0.15
