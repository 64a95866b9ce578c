"""The first page, the API's documentation, and the operations' addresses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from openapi_spec_validator import validate

from tests.web.conftest import FHIR_JSON, eligibility
from tools import generate_openapi

if TYPE_CHECKING:
    from tests.web.conftest import Client


def test_the_first_page_says_what_this_is_and_cites_the_paragraphs(client: Client) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for said in (
        "does not decide",
        "not endorsed",
        "Your responsibility",
        "2.1.2",
        "Development mode",
        "/docs",
    ):
        assert said in page.text
    for address in ("/docs", "/openapi.json", "/fhir/metadata", "/fhir/Questionnaire/htg117-eligibility"):
        assert f'href="{address}"' in page.text
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", ["/", "/docs"])
def test_a_page_is_well_formed_and_has_the_landmarks_that_readers_steer_by(
    client: Client, address: str
) -> None:
    text = client.get(address).text.replace("<!doctype html>", "").replace('<meta charset="utf-8">', "")
    text = text.replace('initial-scale=1">', 'initial-scale=1"/>').replace("<br>", "<br/>")
    page = ElementTree.fromstring(text)
    assert page.get("lang") == "en-GB"
    assert [part.tag for part in page.findall("body/*")] == ["a", "main", "footer"]
    assert len(page.findall(".//h1")) == 1
    assert all(cell.get("scope") == "col" for cell in page.findall(".//th"))


def test_the_description_is_valid_and_the_committed_one_is_fresh(client: Client) -> None:
    described = client.get("/openapi.json").json()
    validate(described)
    assert generate_openapi.TARGET.read_text(encoding="utf-8") == generate_openapi.build()
    assert described["paths"] == json.loads(generate_openapi.build())["paths"]
    forms = described["paths"]["/fhir/QuestionnaireResponse/$submit"]["post"]["requestBody"]["content"]
    assert set(forms["application/fhir+json"]["examples"]) == {
        path.stem.removeprefix("QuestionnaireResponse-")
        for path in (Path(__file__).parents[2] / "profiles").glob("*/examples/QuestionnaireResponse-*.json")
    }


def test_each_example_of_the_description_is_taken(client: Client) -> None:
    described = client.get("/openapi.json").json()
    body = described["paths"]["/fhir/QuestionnaireResponse/$submit"]["post"]["requestBody"]
    for example in body["content"]["application/fhir+json"]["examples"].values():
        answer = client.post("/fhir/QuestionnaireResponse/$submit", json=example["value"], headers=FHIR_JSON)
        assert answer.status_code == 200, answer.text


def test_health_readiness_and_metrics(client: Client) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json()["status"] == "ready"
    client.post("/fhir/QuestionnaireResponse/$submit", json=eligibility(), headers=FHIR_JSON)
    text = client.get("/metrics").text
    line = 'htg117_requests_total{method="POST",route="/fhir/{type}/$submit",status="200"} 1.0'
    assert line in text.splitlines()
    assert "9990000018" not in text


def test_a_name_that_is_no_operations_is_not_counted_under_itself(client: Client) -> None:
    assert client.get("/fhir/Questionnaire/$9990000018").status_code == 404
    assert client.get("/fhir/Questionnaire/x/$9990000018").status_code == 404
    text = client.get("/metrics").text
    line = 'htg117_requests_total{method="GET",route="/fhir/{type}/$*",status="404"} 1.0'
    assert line in text.splitlines()
    assert "9990000018" not in text
