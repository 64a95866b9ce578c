"""CDS Hooks while the EHR fails in every way that it can: the right answer each time, and in time.

The EHR is a real server on a socket that the whole service reads from. Whatever part of the record cannot be
read is named on the card with its reason, and what rests on it is not known; the rest of the card stands. A
call never waits for an EHR beyond its deadline, and nothing of a fault becomes "no" or an empty answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from service.adapters.ehr import faults
from service.app import build
from service.cds.record import FIRST_PAGE
from service.settings import Settings
from tests.adapters.ehr import peer as fhir
from tests.adapters.ehr.peer import Peer, dropping, in_turn, outcome, packed, reply, searchset
from tests.patience import PATIENCE
from tests.web.conftest import Client
from tests.web.hooks.asking import BASE, SIGN, bearer, clients_file, sign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.adapters.ehr.peer import Request

PATIENT = "9990000018"
OPCS = "https://fhir.nhs.uk/Id/opcs-4"
METASTASIS = {
    "resourceType": "Condition",
    "id": "c-1",
    "clinicalStatus": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
    },
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "94527001"}]},
    "subject": {"reference": f"Patient/{PATIENT}"},
    "recordedDate": "2026-06-01",
}
LESION = "The lesion is a bone metastasis or a primary malignant bone tumour"
PROBLEMS = "The problems and diagnoses in the record"
WHOLE = {"resourceType": "Patient", "id": PATIENT}


@pytest.fixture
def ehr() -> Iterator[Peer]:
    """An EHR that has the patient, one diagnosis and nothing else, and gives it."""
    with Peer() as made:
        made.on(f"/Patient/{PATIENT}", reply(WHOLE))
        for type_ in ("Procedure", "CarePlan", "Observation", "QuestionnaireResponse"):
            made.on(f"/{type_}", reply(searchset()))
        made.on("/Condition", reply(searchset(METASTASIS)))
        yield made


def serve(folder: Path, **more: Any) -> Iterator[Client]:
    with Client(build(Settings(database_url=f"sqlite:///{folder}/records.sqlite3", **more))) as made:
        yield made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Client]:
    yield from serve(tmp_path, **PATIENCE)


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Client]:
    """A service that waits as long as it does unless it is told otherwise."""
    yield from serve(tmp_path)


@pytest.fixture
def brisk(tmp_path: Path) -> Iterator[Client]:
    """A service that waits for some seconds: there are EHRs that answer, and one that never does."""
    yield from serve(tmp_path, **PATIENCE | {"ehr_milliseconds": 3_000})


def request(server: str, **more: Any) -> dict[str, Any]:
    """An order with the guidance's codes; nothing of the record is sent along, the EHR may be asked."""
    body = sign(fhirServer=server, fhirAuthorization={
        "access_token": "the-clinicians-token", "token_type": "Bearer", "expires_in": 300,
        "scope": "patient/*.read", "subject": "cds-service",
    })  # fmt: skip
    del body["prefetch"]
    order = body["context"]["draftOrders"]["entry"][0]["resource"]
    order["code"] = {"coding": [{"system": OPCS, "code": code} for code in ("W35.1", "Y53.4")]}
    return body | more


def ask(house: Client, server: str, **more: Any) -> httpx.Response:
    answer: httpx.Response = house.post(SIGN, json=request(server, **more))
    return answer


def unread(answer: httpx.Response) -> dict[str, str]:
    """What the one card says could not be read, and why."""
    detail = the_card(answer)["detail"]
    _, found, rest = detail.partition("**Could not be read.**")
    lines = [line[2:] for line in rest.partition("\n\n**")[0].splitlines() if line.startswith("- ")]
    return dict(line.rsplit(": ", 1) for line in lines) if found else {}


def finding(answer: httpx.Response, criterion: str) -> str:
    """What the card's table says of a criterion: met, not met, or not known."""
    (row,) = [line for line in the_card(answer)["detail"].splitlines() if line.startswith(f"| {criterion}")]
    return str(row.split(" | ")[1].partition(":")[0])


def the_card(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    (card,) = answer.json()["cards"]
    assert len(card["summary"]) < 140
    made: dict[str, Any] = card
    return made


def test_an_ehr_that_answers_gives_the_card_its_facts(house: Client, ehr: Peer) -> None:
    answer = ask(house, ehr.base)
    assert (unread(answer), finding(answer, LESION)) == ({}, "met")
    assert {request.headers["authorization"] for request in ehr.requests} == {"Bearer the-clinicians-token"}


async def for_ever(request_: Request, writer: Any) -> None:
    """Pages without an end, one more each time."""
    at = int(request_.search.get("page", ["0"])[0])
    page = searchset(METASTASIS | {"id": str(at)}, following=f"?page={at + 1}")
    page["link"][1]["url"] = f"http://{request_.headers['host']}/fhir/Condition?page={at + 1}"
    writer.write(reply(page))


async def trickle(_request: Request, writer: Any) -> None:
    """A body that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 99999\r\n\r\n{")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silence(_request: Request, _writer: Any) -> None:
    """No answer at all."""
    await asyncio.sleep(60)


async def half(request_: Request, writer: Any) -> None:
    """The first page, and no second."""
    if request_.search.get("page"):
        await asyncio.sleep(60)
    writer.write(
        reply(searchset(METASTASIS, following=f"http://{request_.headers['host']}/fhir/Condition?page=1"))
    )


async def hanging_up(_request: Request, writer: Any) -> None:
    writer.close()


FOREIGN = METASTASIS | {"subject": {"reference": "Patient/9990000026"}}
BODY = reply(searchset(METASTASIS))
LATE = {"silent": silence, "a body without an end": trickle, "one page, then silence": half}
DRILLS: dict[str, tuple[Any, str]] = {
    "hangs up at once": (hanging_up, faults.BROKEN),
    "hangs up half-way": (dropping(BODY[:-30]), faults.BROKEN),
    "500": (reply(outcome("error"), 500), faults.FAILED),
    "503 for an hour": (reply(b"", 503, headers={"Retry-After": "3600"}), faults.FAILED),
    "429 for an hour": (reply(outcome("error"), 429, headers={"Retry-After": "3600"}), faults.BUSY),
    "429 by date": (reply(b"", 429, headers={"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}), faults.BUSY),
    "a page of HTML": (reply(b"<html>sign in</html>", kind="text/html"), faults.NOT_FHIR),
    "HTML that calls itself FHIR": (reply(b"<html>sign in</html>"), faults.BROKEN),
    "JSON cut short": (dropping(reply(json.dumps(searchset(METASTASIS)).encode()[:-9])), faults.BROKEN),
    "another charset": (
        reply(searchset(METASTASIS), kind="application/fhir+json; charset=utf-16"), faults.NOT_FHIR
    ),
    "bytes that are not UTF-8": (reply(b'{"resourceType": "Bundle", "x": "\xe9"}'), faults.BROKEN),
    "a bomb of gzip": (packed(b"[" * 100_000_000), faults.LARGE),
    "a huge body": (reply(b" " * 5_000_000), faults.LARGE),
    "pages for ever": (for_ever, faults.MANY_PAGES),
    "a redirect to another host": (
        reply(b"", 302, headers={"Location": "http://127.0.0.1:9/fhir/Condition"}), faults.ELSEWHERE
    ),
    "a next page at another host": (
        reply(searchset(METASTASIS, following="http://127.0.0.1:9/fhir/Condition")), faults.ASTRAY
    ),
    "another patient's data": (reply(searchset(METASTASIS, FOREIGN)), faults.OTHERS),
    "an OperationOutcome as answer": (reply(outcome("error")), faults.NOT_FHIR),
    "an OperationOutcome in the search": (
        reply(searchset(METASTASIS, outcome("error"))), faults.REPORTED
    ),
    "another resource": (reply(WHOLE), faults.NOT_FHIR),
    "fewer than it found": (reply(searchset() | {"total": 3}), FIRST_PAGE),
    "not found": (reply(outcome("error"), 404), faults.MISSING),
    "not HTTP": (dropping(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), faults.BROKEN),
}  # fmt: skip


@pytest.mark.parametrize("name", DRILLS)
@pytest.mark.requirement(
    "Prefetch: data that cannot be obtained is never taken for absent; the card says what could not be read"
)
def test_what_cannot_be_read_is_named_and_not_known_and_the_rest_stands(
    house: Client, ehr: Peer, name: str
) -> None:
    serve, reason = DRILLS[name]
    ehr.on("/Condition", serve)
    answer = ask(house, ehr.base)
    assert unread(answer) == {PROBLEMS: reason}
    assert finding(answer, LESION) == "not known"
    for secret in ("Jane", "SECRET", "the-clinicians-token", "9990000026"):
        assert secret not in answer.text


@pytest.mark.parametrize("name", LATE)
@pytest.mark.requirement(
    "Prefetch: a FHIR server that does not answer in time costs that part of the record, not the answer"
)
def test_what_is_late_is_not_waited_for(hasty: Client, ehr: Peer, name: str) -> None:
    ehr.on("/Condition", LATE[name])
    answer = ask(hasty, ehr.base)
    assert unread(answer)[PROBLEMS] == faults.SLOW
    assert finding(answer, LESION) == "not known"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.requirement("Prefetch: data that is needed and cannot be obtained gives 412")
def test_what_the_ehr_denies_is_asked_of_the_client_instead(house: Client, ehr: Peer, status: int) -> None:
    ehr.on("/Condition", reply(outcome("error"), status))
    answer = ask(house, ehr.base)
    assert answer.status_code == 412
    (issue,) = answer.json()["issue"]
    assert (issue["severity"], issue["code"]) == ("error", "incomplete")
    assert "'conditionRecord'" in issue["details"]["text"]
    assert "SECRET" not in answer.text


def test_an_answer_that_fails_once_is_asked_for_again_in_time(house: Client, ehr: Peer) -> None:
    ehr.on("/Condition", in_turn(reply(b"", 503, headers={"Retry-After": "0"}), BODY))
    answer = ask(house, ehr.base)
    assert (unread(answer), finding(answer, LESION)) == ({}, "met")


def test_remarks_of_the_ehr_take_nothing_away(house: Client, ehr: Peer) -> None:
    ehr.on("/Condition", reply(searchset(METASTASIS, outcome("information"))))
    answer = ask(house, ehr.base)
    assert (unread(answer), finding(answer, LESION)) == ({}, "met")


def test_many_calls_to_a_silent_ehr_do_not_hold_up_those_to_another(brisk: Client, ehr: Peer) -> None:
    with Peer() as silent:
        for path in (f"/Patient/{PATIENT}", "/Condition", "/Procedure", "/CarePlan", "/Observation",
                     "/QuestionnaireResponse"):  # fmt: skip
            silent.on(path, silence)

        async def run() -> list[httpx.Response]:
            slow = [brisk._http.post(SIGN, json=request(silent.base)) for _ in range(12)]
            return list(await asyncio.gather(*slow, brisk._http.post(SIGN, json=request(ehr.base))))

        *slow, quick = brisk._runner.run(run())
    assert (unread(quick), finding(quick, LESION)) == ({}, "met")
    assert all(finding(one, LESION) == "not known" for one in slow)
    assert all(set(unread(one).values()) <= {faults.SLOW, faults.RESTING} for one in slow)


def test_an_ehr_that_is_gone_is_told_and_then_left_alone(house: Client) -> None:
    with fhir.Peer() as gone:
        base = gone.base
    reasons = []
    for _ in range(6):
        answer = ask(house, base)
        assert finding(answer, LESION) == "not known"
        reasons.append(set(unread(answer).values()))
    assert reasons == [{faults.DOWN}] * 5 + [{faults.RESTING}]


# --- with a client that is known: what its calls may lead to


@pytest.fixture
def guarded(tmp_path: Path, ehr: Peer) -> Iterator[Client]:
    """A service that knows one client, whose server is the EHR."""
    file = clients_file(tmp_path, servers=json.dumps([ehr.base]))
    yield from serve(tmp_path, clients=str(file), base_url=BASE, **PATIENCE)


def call(guarded: Client, server: str, **more: Any) -> httpx.Response:
    headers = bearer(time.time(), f"{BASE}{SIGN}")
    answer: httpx.Response = guarded.post(SIGN, json=request(server, **more), headers=headers)
    return answer


def test_a_known_client_is_answered_from_its_own_server(guarded: Client, ehr: Peer) -> None:
    answer = call(guarded, ehr.base)
    assert (unread(answer), finding(answer, LESION)) == ({}, "met")


@pytest.mark.requirement(
    "FHIR Resource Access: a fhirServer that is not on the client's list is never called"
)
def test_a_server_that_is_not_the_clients_is_never_asked(guarded: Client, ehr: Peer) -> None:
    with Peer() as other:
        for server in (other.base, f"{ehr.base}/../../metadata", f"http://localhost:{ehr.port}/fhir"):
            answer = call(guarded, server)
            assert answer.status_code == 412
        assert (other.requests, ehr.requests) == ([], [])


def test_scopes_that_do_not_reach_are_not_tried(guarded: Client, ehr: Peer) -> None:
    body = request(ehr.base)
    scope = "patient/Patient.read patient/Procedure.read patient/CarePlan.read patient/Observation.read"
    body["fhirAuthorization"]["scope"] = f"{scope} patient/QuestionnaireResponse.rs"
    answer = call(guarded, ehr.base, fhirAuthorization=body["fhirAuthorization"])
    assert answer.status_code == 412
    assert not [request_ for request_ in ehr.requests if request_.path == "/fhir/Condition"]
