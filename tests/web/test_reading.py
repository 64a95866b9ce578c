"""read, vread, history, search and metadata over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service.fhir import validation
from tests.web.conftest import BASE, FHIR_JSON, eligibility, resources

if TYPE_CHECKING:
    from tests.web.conftest import Client

PROFILES = Path(__file__).parents[2] / "profiles"
FORM = "/fhir/Questionnaire/htg117-eligibility"


def test_published_content_is_served_as_it_lies_on_disk(client: Client) -> None:
    answer = client.get(FORM)
    assert answer.content == (PROFILES / "htg117/Questionnaire-htg117-eligibility.json").read_bytes()
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8; fhirVersion=4.0"
    assert answer.headers["etag"] == 'W/"2006.1.0"'
    assert client.get(f"{FORM}/_history/2006.1.0").content == answer.content
    assert client.get(FORM, headers={"If-None-Match": 'W/"2006.1.0"'}).status_code == 304
    assert client.get(f"{FORM}/_history/1999.1").status_code == 404


def test_the_capability_statement_is_valid_and_names_what_is_served(client: Client) -> None:
    statement = client.get("/fhir/metadata").json()
    assert [str(issue) for issue in validation.check(statement) if issue.fails] == []
    served = {entry["type"]: entry for entry in statement["rest"][0]["resource"]}
    operations = {one["name"] for one in served["QuestionnaireResponse"]["operation"]}
    assert {"submit", "validate"} <= operations
    assert [one["code"] for one in served["QuestionnaireResponse"]["interaction"]] == [
        "read", "vread", "history-instance", "history-type", "search-type", "create", "update",
    ]  # fmt: skip
    assert "derived-from" in {one["name"] for one in served["Observation"]["searchParam"]}
    assert statement["implementation"]["url"] == "http://testserver/fhir"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"url={BASE}/Questionnaire/htg117-eligibility", ["htg117-eligibility"]),
        ("_id=htg117-eligibility,htg117-procedure", ["htg117-eligibility", "htg117-procedure"]),
        ("title:contains=criteria+record", ["htg117-eligibility"]),
        ("version=2006.1.0&_count=0", []),
        ("status=retired", []),
    ],
)
def test_published_content_is_found_by_its_parameters(client: Client, query: str, found: list[str]) -> None:
    assert [one["id"] for one in resources(client.get(f"/fhir/Questionnaire?{query}"))] == found


def test_next_links_lead_through_everything_once(client: Client) -> None:
    whole = [one["id"] for one in resources(client.get("/fhir/ValueSet?_count=1000"))]
    seen: list[str] = []
    url: str | None = "/fhir/ValueSet?_count=7&status=active,draft"
    while url:
        page = client.get(url)
        seen += [one["id"] for one in resources(page)]
        url = next((link["url"] for link in page.json()["link"] if link["relation"] == "next"), None)
    assert seen == whole
    assert page.json()["total"] == len(whole)


def test_a_summary_is_marked_and_holds_the_summary_elements_only(client: Client) -> None:
    [found] = resources(client.get("/fhir/Questionnaire?_id=htg117-eligibility&_summary=true"))
    assert found["meta"]["tag"][-1]["code"] == "SUBSETTED"
    assert "item" not in found
    assert found["url"] == f"{BASE}/Questionnaire/htg117-eligibility"
    count = client.get("/fhir/Questionnaire?_summary=count").json()
    assert (count["total"], "entry" in count) == (3, False)
    [text] = resources(client.get("/fhir/Questionnaire?_id=htg117-eligibility&_elements=title"))
    assert set(text) == {"resourceType", "id", "meta", "title", "status"}


def test_an_unknown_parameter_is_said_in_the_bundle_and_refused_when_strict(client: Client) -> None:
    answer = client.get("/fhir/Observation?patientt=1")
    [issue] = resources(answer)[0]["issue"]
    assert (issue["severity"], issue["code"]) == ("warning", "not-supported")
    assert answer.json()["entry"][0]["search"] == {"mode": "outcome"}
    assert answer.json()["link"] == [{"relation": "self", "url": "http://testserver/fhir/Observation"}]
    strict = client.get("/fhir/Observation?patientt=1", headers={"Prefer": "handling=strict"})
    assert strict.status_code == 400


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/fhir/Nonsense", 404),
        ("/fhir/Observation/none", 404),
        ("/fhir/Observation/none/_history", 404),
        ("/fhir/Observation/none/_history/1", 404),
        ("/fhir/Observation/none/_history/x", 404),
        ("/fhir/Questionnaire/none", 404),
        ("/nowhere", 404),
        ("/fhir/Observation?date=yesterday", 400),
        ("/fhir/Observation?_count=-1", 400),
        ("/fhir/Observation?_sort=nonsense", 400),
        ("/fhir/Observation?_summary=perhaps", 400),
        ("/fhir/Observation?_cursor=zzz", 400),
        ("/fhir/Observation?code:sorted=1", 400),
        ("/fhir/Observation?code=%00", 400),
        ("/fhir/Observation/_history?_since=once", 400),
        ("/fhir/Observation/$nonsense", 404),
        ("/fhir/QuestionnaireResponse/$submit", 405),
        ("/fhir/metadata?_format=xml", 406),
    ],
)
def test_a_request_that_cannot_be_met_gets_one_kind_of_body(
    client: Client, address: str, status: int
) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8; fhirVersion=4.0"
    outcome = answer.json()
    plain = {name: value for name, value in outcome.items() if name != "meta"}  # the profile is not held
    assert outcome["meta"]["profile"] == [
        "https://fhir.hl7.org.uk/StructureDefinition/UKCore-OperationOutcome"
    ]
    assert [str(issue) for issue in validation.check(plain) if issue.fails] == []


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/fhir+json;fhirVersion=3.0", 406),
        ("application/fhir+xml", 406),
        ("text/html, */*;q=0.1", 200),
        ("application/json", 200),
        ("application/fhir+xml, application/fhir+json;q=0.5", 200),
        ("*/*;q=0", 406),
    ],
)
def test_json_is_what_there_is(client: Client, accept: str, status: int) -> None:
    assert client.get(FORM, headers={"Accept": accept}).status_code == status


def test_request_and_correlation_ids_are_mirrored(client: Client) -> None:
    ids = {"X-Request-ID": "60e0b220-8136-4ca5-ae46-1d97ef59d068", "X-Correlation-ID": "11c46f5f"}
    answer = client.get("/fhir/Nonsense", headers=ids)
    assert {name: answer.headers[name] for name in ids} == ids
    bare = client.get("/fhir/metadata")
    assert len(bare.headers["X-Request-ID"]) == 36
    assert "X-Correlation-ID" not in bare.headers


def test_search_by_post_finds_the_same(client: Client) -> None:
    client.post("/fhir/QuestionnaireResponse", json=eligibility(), headers=FHIR_JSON)
    form = {"subject": "https://ehr.example.org/fhir/Patient/9990000018", "status": "completed"}
    posted = client.post("/fhir/QuestionnaireResponse/_search", data=form)
    got = client.get("/fhir/QuestionnaireResponse", params=form)
    assert resources(posted) == resources(got) != []
    wrong = client.post("/fhir/QuestionnaireResponse/_search", json=form)
    assert wrong.status_code == 415
