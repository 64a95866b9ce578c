"""A call: its statuses and bodies, and what is on record of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.errors import DataUnavailable, Invalid, Unavailable
from service.domain.issues import error
from service.operations.advise import Advice
from tests.web.hooks.asking import INSTANCE, SIGN, sign, stored
from tests.web.hooks.conftest import CARD

if TYPE_CHECKING:
    from tests.web.conftest import Client
    from tests.web.hooks.conftest import Adviser

JSON = {"Content-Type": "application/json"}


def told(answer: Any) -> list[tuple[str, str]]:
    """Code and place of each issue of an OperationOutcome."""
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    assert answer.headers["content-type"].startswith("application/fhir+json")
    return [(issue["code"], issue.get("expression", [""])[0]) for issue in body["issue"]]


@pytest.mark.requirement(
    "Calling a CDS Service: a service takes a POST of JSON at {baseUrl}/cds-services/{id}",
    "Response: a call that succeeds is answered 200 with an object that has cards",
    "Use of JSON: what is exchanged is JSON",
)
def test_a_call_is_answered_with_the_cards(client: Client, adviser: Adviser) -> None:
    answer = client.post(SIGN, json=sign())
    assert (answer.status_code, answer.json()) == (200, {"cards": [CARD]})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    question = adviser.asked[0]
    assert (question.call.patient, question.call.user) == ("Patient/9990000018", "Practitioner/example")
    assert (question.service.id, question.showing.base) == ("htg117-order-sign", "http://testserver")
    assert 0 < question.seconds <= client.app.state.desk.ehr_seconds


@pytest.mark.requirement(
    "Response: no guidance is an empty array of cards",
    "Use of JSON: an optional member without a value is left out",
)
def test_no_guidance_is_an_empty_list_and_no_system_actions(client: Client, adviser: Adviser) -> None:
    adviser.answer = Advice()
    assert client.post(SIGN, json=sign()).json() == {"cards": []}


@pytest.mark.requirement("System Action: system actions stand beside the cards")
def test_system_actions_stand_beside_the_cards(client: Client, adviser: Adviser) -> None:
    action = {"type": "create", "resource": {"resourceType": "Task"}}
    adviser.answer = Advice((), (action,))
    assert client.post(SIGN, json=sign()).json() == {"cards": [], "systemActions": [action]}


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "zstd", "identity, gzip", "GZIP", "?"])
@pytest.mark.parametrize("path", [SIGN, f"{SIGN}/feedback", "/fhir/QuestionnaireResponse/$submit"])
def test_a_body_in_a_coding_is_refused_whatever_it_holds(client: Client, path: str, coding: str) -> None:
    kind = "application/fhir+json" if path.startswith("/fhir") else "application/json"
    headers = {"Content-Type": kind, "Content-Encoding": coding}
    answer = client.post(path, content=json.dumps(sign()), headers=headers)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
    assert told(answer) == [("not-supported", "")]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/cds-services/", f"{SIGN}/", f"{SIGN}/feedback/", "/fhir/Questionnaire/"])
def test_nobody_is_sent_elsewhere_for_a_slash_too_many(client: Client, path: str, method: str) -> None:
    headers = {"Host": "elsewhere.example", "Content-Type": "application/json"}
    answer = client.request(method, path, content=json.dumps(sign()), headers=headers)
    assert (answer.status_code, answer.headers.get("location")) == (404, None)
    assert told(answer) == [("not-found", "")]


@pytest.mark.parametrize("coding", ["identity", "Identity", "identity, identity"])
def test_a_body_without_a_coding_may_say_so(client: Client, coding: str) -> None:
    headers = {**JSON, "Content-Encoding": coding}
    assert client.post(SIGN, content=json.dumps(sign()), headers=headers).status_code == 200


def test_a_charset_is_taken_and_an_id_is_mirrored(client: Client) -> None:
    headers = {"Content-Type": "application/json; charset=UTF-8", "X-Request-ID": "abc-1"}
    answer = client.post(SIGN, content=json.dumps(sign()), headers=headers)
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "abc-1")


@pytest.mark.requirement("Response: other statuses, 4xx and 5xx, say that a call failed")
@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", JSON, 400, "structure"),
        (b"[]", JSON, 400, "structure"),
        (b'{"hook": ', JSON, 400, "structure"),
        (b'{"hook": "a", "hook": "b"}', JSON, 400, "structure"),
        (b'{"hook": NaN}', JSON, 400, "structure"),
        (b"\xff\xfe", JSON, 400, "structure"),
        (b'{"a": "\\ud800"}', JSON, 400, "structure"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, JSON, 413, "too-long"),
        (b" " * 5_000_001, JSON, 413, "too-long"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "not-supported"),
        (b"{}", {"Content-Type": "application/json; charset=latin-1"}, 415, "not-supported"),
        (b"hook=order-sign", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "not-supported"),
        (b"{}", {}, 415, "not-supported"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    client: Client, adviser: Adviser, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client.post(SIGN, content=body, headers=headers)
    assert (answer.status_code, [one[0] for one in told(answer)]) == (status, [code])
    assert adviser.asked == []


@pytest.mark.requirement(
    "Calling a CDS Service: hook, hookInstance and context are required",
    "Use of JSON: members are neither null nor empty",
)
def test_every_fault_of_a_request_is_told_at_once(client: Client, adviser: Adviser) -> None:
    answer = client.post(SIGN, json={"hook": "", "hookInstance": "1", "context": None})
    assert answer.status_code == 400
    assert told(answer) == [("value", "hook"), ("value", "hookInstance"), ("value", "context")]
    assert adviser.asked == []


@pytest.mark.requirement("Calling a CDS Service: the hook is the one that the service is for")
def test_another_hook_is_refused(client: Client) -> None:
    answer = client.post(SIGN, json=sign(hook="patient-view"))
    assert (answer.status_code, told(answer)) == (400, [("value", "hook")])


def test_an_unknown_service_is_not_found_and_says_which_there_are(client: Client) -> None:
    answer = client.post("/cds-services/nobody", json=sign())
    assert (answer.status_code, told(answer)) == (404, [("not-found", "")])
    assert "htg117-order-sign" in answer.text


@pytest.mark.parametrize(
    ("method", "url", "allowed"),
    [
        ("GET", SIGN, "POST"),
        ("PUT", SIGN, "POST"),
        ("OPTIONS", SIGN, "POST"),
        ("POST", "/cds-services", "GET, HEAD"),
        ("DELETE", f"{SIGN}/feedback", "POST"),
    ],
)
def test_another_method_is_told_which_there_are(client: Client, method: str, url: str, allowed: str) -> None:
    answer = client.request(method, url)
    assert (answer.status_code, told(answer)) == (405, [("not-supported", "")])
    assert sorted(answer.headers["allow"].split(", ")) == sorted(allowed.split(", "))


@pytest.mark.requirement("Prefetch: data that is needed and cannot be had is answered 412")
def test_data_that_cannot_be_had_is_a_412_with_the_keys(client: Client, adviser: Adviser) -> None:
    missing = [error("required", "send it", "prefetch.patient"), error("required", "send it", "prefetch.b")]
    adviser.fault = DataUnavailable("two parts of the record cannot be had", issues=missing)
    answer = client.post(SIGN, json=sign())
    assert (answer.status_code, told(answer)) == (
        412, [("required", "prefetch.patient"), ("required", "prefetch.b")],
    )  # fmt: skip
    response = stored(client.app.state.services.records, "GuidanceResponse")[0]
    assert response["status"] == "data-required"


@pytest.mark.parametrize(
    ("fault", "status"), [(Invalid("the order is another patient's"), 400), (Unavailable("later"), 503)]
)
def test_a_failure_never_is_an_empty_list(
    client: Client, adviser: Adviser, fault: Exception, status: int
) -> None:
    adviser.fault = fault
    answer = client.post(SIGN, json=sign())
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")


def test_what_nobody_foresaw_is_a_500_that_says_nothing_and_is_on_record(
    client: Client, adviser: Adviser
) -> None:
    adviser.fault = ZeroDivisionError("Patient/9990000018")
    answer = client.post(SIGN, json=sign())
    assert (answer.status_code, told(answer)) == (500, [("exception", "")])
    assert "9990000018" not in answer.text
    assert [one["outcome"] for one in stored(client.app.state.services.records, "AuditEvent")] == ["8"]


@pytest.mark.requirement("Security: access to patients' data is audited")
def test_a_call_is_on_record_before_its_answer(client: Client) -> None:
    client.post(SIGN, json=sign(), headers={"X-Request-ID": "r-1"})
    records = client.app.state.services.records
    response, event = stored(records, "GuidanceResponse")[0], stored(records, "AuditEvent")[0]
    when = event["recorded"]
    assert response == {
        "resourceType": "GuidanceResponse",
        "id": response["id"],
        "requestIdentifier": {"value": INSTANCE},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{CARD['uuid']}"}],
        "moduleCanonical": "https://htg117.example/fhir/PlanDefinition/htg117-patient-selection|2006.1.0",
        "status": "success",
        "subject": {"reference": "Patient/9990000018"},
        "encounter": {"reference": "Encounter/e-1"},
        "occurrenceDateTime": when,
        "note": [{"text": "warning: Criteria not known: 3"}],
    }
    assert event == {
        "resourceType": "AuditEvent",
        "id": event["id"],
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest",
            "display": "RESTful Operation",
        },
        "subtype": [
            {
                "system": "http://hl7.org/fhir/restful-interaction",
                "code": "operation",
                "display": "operation",
            }
        ],
        "action": "E",
        "recorded": when,
        "outcome": "0",
        "agent": [
            {"who": {"reference": "Practitioner/example"}, "requestor": True},
            {
                "type": {
                    "coding": [
                        {
                            "system": "http://dicom.nema.org/resources/ontology/DCM",
                            "code": "110153",
                            "display": "Source Role ID",
                        }
                    ]
                },
                "who": {"display": "any program on this machine: development mode"},
                "requestor": False,
                "network": {"address": "127.0.0.1", "type": "2"},
            },
        ],
        "source": {
            "observer": {"display": "htg117 2006.1.0"},
            "type": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                    "code": "4",
                    "display": "Application Server",
                }
            ],
        },
        "entity": [
            {
                "what": {"reference": "Patient/9990000018"},
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "1",
                    "display": "Person",
                },
                "role": {
                    "system": "http://terminology.hl7.org/CodeSystem/object-role",
                    "code": "1",
                    "display": "Patient",
                },
            },
            {
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "2",
                    "display": "System Object",
                },
                "role": {
                    "system": "http://terminology.hl7.org/CodeSystem/object-role",
                    "code": "24",
                    "display": "Query",
                },
                "name": "cds-services/htg117-order-sign",
                "detail": [
                    {"type": "action", "valueString": "call"},
                    {"type": "hook", "valueString": "order-sign"},
                    {"type": "hookInstance", "valueString": INSTANCE},
                    {"type": "status", "valueString": "200"},
                    {"type": "X-Request-ID", "valueString": "r-1"},
                ],
            },
            {
                "what": {"reference": f"GuidanceResponse/{response['id']}"},
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "2",
                    "display": "System Object",
                },
                "role": {
                    "system": "http://terminology.hl7.org/CodeSystem/object-role",
                    "code": "4",
                    "display": "Domain Resource",
                },
            },
        ],
    }


def test_what_is_on_record_is_sound_fhir_and_found_by_its_search_parameters(client: Client) -> None:
    client.post(SIGN, json=sign())
    found = client.get(f"/fhir/GuidanceResponse?request={INSTANCE}&patient=Patient/9990000018").json()
    event = client.get(
        "/fhir/AuditEvent?patient=Patient/9990000018&outcome=0&type=rest&agent=Practitioner/example"
    ).json()
    assert (found["total"], event["total"]) == (1, 1)
    for bundle in (found, event):
        resource = bundle["entry"][0]["resource"]
        outcome = client.post(
            f"/fhir/{resource['resourceType']}/$validate",
            json=resource,
            headers={"Content-Type": "application/fhir+json"},
        ).json()
        assert [one for one in outcome["issue"] if one["severity"] in ("error", "fatal")] == []


@pytest.mark.parametrize(
    ("body", "outcome", "named"),
    [(sign(hook="x"), "4", "htg117-order-sign"), ({}, "4", "htg117-order-sign")],
)
def test_a_call_that_fails_is_on_record_too(
    client: Client, body: dict[str, Any], outcome: str, named: str
) -> None:
    client.post(SIGN, json=body)
    records = client.app.state.services.records
    event = stored(records, "AuditEvent")[0]
    assert (event["outcome"], event["entity"][0]["name"]) == (outcome, f"cds-services/{named}")
    assert event["outcomeDesc"].startswith("hook")
    assert stored(records, "GuidanceResponse") == []


def test_an_unknown_service_leaves_nothing_of_its_address_on_record(client: Client) -> None:
    client.post("/cds-services/Patient-9990000018", json=sign())
    event = stored(client.app.state.services.records, "AuditEvent")[0]
    assert event["entity"][0]["name"] == "cds-services/(unknown)"
