"""create, conditional create and update of forms over HTTP; what must be refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.conftest import BASE, FHIR_JSON, eligibility, resources

if TYPE_CHECKING:
    from tests.web.conftest import Client

ADDRESS = "/fhir/QuestionnaireResponse"
SUBMIT = f"{ADDRESS}/$submit"


def post(client: Client, form: dict[str, Any], **headers: str) -> Any:
    return client.post(ADDRESS, content=json.dumps(form), headers=FHIR_JSON | headers)


def test_a_form_comes_back_as_it_was_sent_but_for_id_and_meta(client: Client) -> None:
    text = json.dumps({"id": "mine", "meta": {"source": "https://ehr.example.org"}} | eligibility())
    sent = text.replace('"valueDecimal": 8', '"valueDecimal":  6.30').replace("f-1", "f\\u002d1")
    answer = client.post(ADDRESS, content=sent, headers=FHIR_JSON)
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"')
    stored = answer.json()
    assert stored["id"] != "mine"
    assert stored["meta"]["source"] == "https://ehr.example.org"
    assert answer.headers["location"] == f"http://testserver{ADDRESS}/{stored['id']}/_history/1"
    read = client.get(f"{ADDRESS}/{stored['id']}")
    assert read.content == answer.content
    kept = sent[sent.index('"identifier"') :].replace(": ", ":").replace(", ", ",")
    assert read.text.replace(": ", ":").replace(", ", ",").endswith(kept)
    assert '"valueDecimal":  6.30' in read.text
    assert "f\\u002d1" in read.text


def test_prefer_says_how_much_comes_back(client: Client) -> None:
    minimal = post(client, eligibility(), Prefer="return=minimal")
    assert (minimal.status_code, minimal.content) == (201, b"")
    outcome = post(client, eligibility(), Prefer="return=OperationOutcome")
    assert outcome.json()["resourceType"] == "OperationOutcome"


def test_if_none_exist_creates_once(client: Client) -> None:
    condition = "identifier=https://ehr.example.org/forms|f-1"
    first = post(client, eligibility(), **{"If-None-Exist": condition})
    again = post(client, eligibility(), **{"If-None-Exist": condition})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    post(client, eligibility())
    assert post(client, eligibility(), **{"If-None-Exist": condition}).status_code == 412
    assert post(client, eligibility(), **{"If-None-Exist": "nonsense=1"}).status_code == 400


def test_an_update_needs_the_version_that_stands(client: Client) -> None:
    made = post(client, eligibility(status="in-progress")).json()
    address = f"{ADDRESS}/{made['id']}"
    changed = eligibility(id=made["id"], status="completed")
    stale = client.put(address, json=changed, headers=FHIR_JSON | {"If-Match": 'W/"7"'})
    good = client.put(address, json=changed, headers=FHIR_JSON | {"If-Match": 'W/"1"'})
    assert (stale.status_code, good.status_code, good.headers["etag"]) == (412, 200, 'W/"2"')
    assert client.get(f"{address}/_history/1").json()["status"] == "in-progress"
    entries = client.get(f"{address}/_history").json()["entry"]
    assert [entry["request"]["method"] for entry in entries] == ["PUT", "POST"]
    assert client.put(f"{ADDRESS}/other", json=changed, headers=FHIR_JSON).status_code == 400
    assert client.put(f"{ADDRESS}/x", json=eligibility(id="x"), headers=FHIR_JSON).status_code == 404


def test_a_submitted_form_is_changed_by_an_amendment_only(client: Client) -> None:
    form = client.post(SUBMIT, json=eligibility(), headers=FHIR_JSON).json()["entry"][0]["resource"]
    answer = client.put(f"{ADDRESS}/{form['id']}", json=form | {"status": "amended"}, headers=FHIR_JSON)
    assert (answer.status_code, "$submit" in answer.text) == (409, True)


_DEEP = '{"resourceType":"QuestionnaireResponse","item":' + '[{"item":' * 1000 + "[]" + "}]" * 1000 + "}"
_ELSE = f"{BASE}/Questionnaire/none"
_OLD = f"{BASE}/Questionnaire/htg117-eligibility|1.0"


def _with(link: str, value: dict[str, Any]) -> str:
    return json.dumps(eligibility(item=[{"linkId": link, "answer": [value]}]))


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("{", 400, "not JSON"),
        ("[]", 400, "not a JSON object"),
        ("", 400, "missing"),
        (_DEEP, 413, "nest"),
        (" " * 5_000_001, 413, "limit"),
        ('{"resourceType":"QuestionnaireResponse","status":"completed","status":"amended"}', 400, "twice"),
        ('{"resourceType":"QuestionnaireResponse","item":NaN}', 400, "NaN"),
        ('{"resourceType":"QuestionnaireResponse","status":"\\ud800"}', 400, "surrogate"),
        ('{"resourceType":"Patient"}', 400, "QuestionnaireResponse is wanted"),
        ('{"resourceType":["Foo"]}', 400, "no resource type"),
        ('{"resourceType":"Parameters"}', 400, "questionnaire-response"),
        ('{"resourceType":"Parameters","parameter":[{"name":"form"}]}', 400, "no parameter here"),
        (json.dumps(eligibility(questionnaire=_ELSE)), 422, "published"),
        (json.dumps(eligibility(questionnaire=_OLD)), 422, "published"),
        (json.dumps(eligibility(status="in-progress")), 422, "submit takes completed"),
        (json.dumps(eligibility(subject=None)), 422, "subject"),
        (_with("lesion.natur", {"valueBoolean": True}), 422, "lesion.nature"),
        (_with("pain.score", {"valueString": "8"}), 422, "valueDecimal"),
        (_with("mdt.date", {"valueDate": "2026-07-01"}), 422, "enabled"),
    ],
)
def test_what_cannot_be_accepted_is_refused_with_place_and_remedy(
    client: Client, body: str, status: int, said: str
) -> None:
    answer = client.post(SUBMIT, content=body.encode(), headers=FHIR_JSON)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert resources(client.get(ADDRESS)) == []


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/fhir+xml", "", "application/fhir+json; fhirVersion=5.0"]
)
def test_another_media_type_is_refused(client: Client, kind: str) -> None:
    answer = client.post(SUBMIT, content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 415


def test_a_body_is_cut_off_at_the_limit_even_if_it_does_not_say_how_long_it_is(client: Client) -> None:
    async def pieces() -> Any:
        for _ in range(11):
            yield b" " * 1_000_000

    assert client.post(SUBMIT, content=pieces(), headers=FHIR_JSON).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_writes_are_not_allowed(client: Client, method: str) -> None:
    answer = client.request(method, "/fhir/Observation/1", json={}, headers=FHIR_JSON)
    assert answer.status_code == 405
    assert client.post("/fhir/Observation", json={}, headers=FHIR_JSON).status_code == 405
