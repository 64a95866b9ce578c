"""The real service's own answers against what CDS Hooks 2.0.1 demands of them."""

from __future__ import annotations

import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from markdown_it import MarkdownIt

from service.app import build
from service.cds.discovery import render_discovery
from service.domain.errors import Unavailable
from service.settings import Settings
from tests.patience import PATIENCE
from tests.web.conftest import Client
from tests.web.hooks.asking import SIGN, sign, stored
from tests.web.hooks.test_socket import coded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKENS = frozenset({"userId", "patientId", "encounterId", "performer", "dispatchedOrders"})
SECRET = "secret-access-token"
ACCESS = {
    "fhirAuthorization": {
        "access_token": SECRET,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/*.read",
        "subject": "htg117",
    },
}
_QUERY = re.compile(r"[A-Z][A-Za-z]+(/\{\{context\.\w+\}\}|\?[^?]+)")
_PARAMETER = re.compile(r"[a-z-]+(:in)?|_count|_sort|_id")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """The whole service, its own adviser in place."""
    with Client(build(Settings(database_url=f"sqlite:///{tmp_path}/r.sqlite3", **PATIENCE))) as made:
        yield made


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Client]:
    """The same, which waits as long as it does unless it is told otherwise."""
    yield from serve(tmp_path)


@pytest.fixture
def within(tmp_path: Path) -> Iterator[Client]:
    """The same, whose records are asked by threads of its own: a test can put itself between."""
    yield from serve(tmp_path, hook_records="threads")


def serve(folder: Path, **more: Any) -> Iterator[Client]:
    with Client(build(Settings(database_url=f"sqlite:///{folder}/r.sqlite3", **more))) as made:
        yield made


def empties(value: Any, path: str = "") -> list[str]:
    """The places of members that are null or empty."""
    if value is None or value in ("", [], {}):
        return [path]
    if isinstance(value, dict):
        return [place for name, inner in value.items() for place in empties(inner, f"{path}.{name}")]
    if isinstance(value, list):
        return [place for at, inner in enumerate(value) for place in empties(inner, f"{path}[{at}]")]
    return []


def templates(client: Client) -> list[str]:
    found = client.get("/cds-services").json()["services"]
    return [text for one in found for text in one["prefetch"].values()]


@pytest.mark.requirement("Use of JSON: nothing in an answer is null or empty")
def test_nothing_in_an_answer_is_null_or_empty(client: Client) -> None:
    assert empties(client.get("/cds-services").json()) == []
    answer = client.post(SIGN, json=coded()).json()
    assert len(answer["cards"]) == 1
    assert empties(answer) == []


@pytest.mark.requirement("Discovery: without services the list is empty")
def test_without_services_the_list_is_empty() -> None:
    assert render_discovery([]) == {"services": []}


@pytest.mark.requirement("Prefetch: tokens name members of the context that a template may use")
def test_tokens_name_members_of_the_context(client: Client) -> None:
    for text in templates(client):
        inside = re.findall(r"\{\{(.*?)\}\}", text)
        assert inside, text
        assert {one.removeprefix("context.") for one in inside} <= TOKENS, text
        assert all(one.startswith("context.") for one in inside), text
        assert text.count("{{") == text.count("}}") == len(inside), text


@pytest.mark.requirement("Prefetch: templates stay in the recommended subset")
def test_templates_stay_in_the_recommended_subset(client: Client) -> None:
    for text in templates(client):
        assert _QUERY.fullmatch(text), text
        for pair in text.partition("?")[2].split("&") if "?" in text else ():
            name, _, value = pair.partition("=")
            assert _PARAMETER.fullmatch(name), text
            assert value, text


@pytest.mark.requirement("Card Attributes: detail is GitHub Flavored Markdown")
def test_a_cards_detail_reads_as_markdown_with_its_table(client: Client) -> None:
    detail = client.post(SIGN, json=coded()).json()["cards"][0]["detail"]
    kinds = {token.type for token in MarkdownIt("commonmark").enable("table").parse(detail)}
    assert {"table_open", "paragraph_open"} <= kinds
    assert "html_block" not in kinds


@pytest.mark.requirement("Card Attributes: feedback finds a card by its uuid")
def test_feedback_finds_the_card_by_its_uuid(client: Client) -> None:
    card = client.post(SIGN, json=coded()).json()["cards"][0]
    given = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-08-01T09:00:00Z"}
    assert client.post(f"{SIGN}/feedback", json={"feedback": [given]}).status_code == 200
    kept = stored(client.app.state.services.records, "HookFeedback")[0]
    assert kept["subject"] == {"reference": "Patient/9990000018"}


@pytest.mark.requirement("Prefetch: a key that is left out is not a key that is null")
def test_a_key_that_is_left_out_is_asked_for_and_null_is_no_data(client: Client) -> None:
    body = coded()
    assert client.post(SIGN, json=body).status_code == 200
    del body["prefetch"]["conditionRecord"]
    answer = client.post(SIGN, json=body)
    assert answer.status_code == 412
    assert [issue["expression"] for issue in answer.json()["issue"]] == [["prefetch.`conditionRecord`"]]


@pytest.mark.requirement("Prefetch: an OperationOutcome in the place of data is said on the card")
def test_an_operation_outcome_in_prefetch_is_said_on_the_card(client: Client) -> None:
    body = coded()
    issue = {"severity": "error", "code": "timeout", "diagnostics": "slow"}
    body["prefetch"]["conditionRecord"] = {"resourceType": "OperationOutcome", "issue": [issue]}
    without = client.post(SIGN, json=coded()).json()["cards"][0]["detail"]
    told = client.post(SIGN, json=body).json()["cards"][0]["detail"]
    assert "could not be read" in told
    assert "could not be read" not in without


def opened(address: str) -> dict[str, Any]:
    """A request that sends no data but opens the EHR's FHIR server."""
    access = ACCESS | {"fhirServer": address}
    body = sign(**access) | {"context": coded()["context"]}
    del body["prefetch"]
    return body


@pytest.mark.requirement(
    "Response: a slow EHR costs no more than its share of the time",
    "FHIR Resource Access: nothing of an access token is on record",
)
def test_an_ehr_that_never_answers_is_said_and_its_token_is_nowhere(hasty: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and says nothing
        answer = hasty.post(SIGN, json=opened(f"http://127.0.0.1:{silent.getsockname()[1]}/fhir"))
    assert answer.status_code == 200, answer.text
    assert "could not be read" in answer.json()["cards"][0]["detail"]
    records = hasty.app.state.services.records
    assert SECRET not in answer.text
    assert SECRET not in json.dumps([stored(records, one) for one in ("AuditEvent", "GuidanceResponse")])


@pytest.mark.parametrize("asked", ["subjects", "search"])
def test_records_that_do_not_answer_are_said_and_the_call_goes_on(
    within: Client, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    records = within.app.state.services.records
    gate = threading.Event()
    monkeypatch.setattr(type(records), "subjects", lambda _self, _types, names: names)

    def slow(*_given: Any) -> Any:
        gate.wait(60)
        raise Unavailable("too late to matter")

    monkeypatch.setattr(type(records), asked, slow)
    answer = within.post(SIGN, json=coded())
    gate.set()
    assert answer.status_code == 200, answer.text
    assert "the records kept here do not answer" in answer.json()["cards"][0]["detail"]


class Ehr(BaseHTTPRequestHandler):
    """An EHR whose patient has no record but himself; it keeps what it was asked."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """The patient, or an empty page."""
        self.asked.append(f"{self.headers['Authorization']} {self.path.split('?')[0]}")
        found: dict[str, Any] = {"resourceType": "Patient", "id": "9990000018"}
        if "/Patient/" not in self.path:
            found = {"resourceType": "Bundle", "type": "searchset", "total": 0}
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's own name
        """Nothing."""


@pytest.mark.requirement(
    "FHIR Resource Access: what was not sent is read from the FHIR server that the call opens"
)
def test_what_was_not_sent_is_read_from_the_ehr(client: Client) -> None:
    Ehr.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Ehr) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answer = client.post(SIGN, json=opened(f"http://127.0.0.1:{server.server_port}/fhir"))
        server.shutdown()
    assert answer.status_code == 200, answer.text
    assert "could not be read" not in answer.json()["cards"][0]["detail"]
    kinds = (
        "CarePlan",
        "Condition",
        "Observation",
        "Patient/9990000018",
        "Procedure",
        "QuestionnaireResponse",
    )
    assert sorted(Ehr.asked) == [f"Bearer {SECRET} /fhir/{kind}" for kind in kinds]
