"""What a hostile reading of ``$submit`` found: answers that would have been wrong without a word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.conftest import FHIR_JSON, eligibility, resources

if TYPE_CHECKING:
    from tests.web.conftest import Client

SUBMIT = "/fhir/QuestionnaireResponse/$submit"


def submit(client: Client, form: dict[str, Any]) -> Any:
    return client.post(SUBMIT, content=json.dumps(form), headers=FHIR_JSON)


@pytest.mark.parametrize(
    ("link", "criterion"),
    [
        ("pain.present", "painful"),
        ("arrangements.consent", "consent-arrangements"),
        ("arrangements.audit", "audit-arrangements"),
        ("arrangements.governance", "governance-arrangements"),
    ],
)
def test_an_answer_that_says_only_why_it_is_absent_is_unknown(
    client: Client, link: str, criterion: str
) -> None:
    form = eligibility()
    said = {
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
        ]
    }
    for item in form["item"]:
        if item["linkId"] == link:
            item["answer"] = [{"_valueBoolean": said}]
    answer = submit(client, form)
    outcome = resources(answer)[1]
    truths = {
        part["code"]["coding"][0]["code"]: part["valueCodeableConcept"]["coding"][0]["code"]
        for part in outcome["component"]
    }
    assert (
        outcome["valueCodeableConcept"]["coding"][0]["code"],
        truths.pop(criterion),
        {*truths.values()},
    ) == (
        "information-needed",
        "unknown",
        {"met"},
    )


def said(answer: Any) -> tuple[int, list[str]]:
    """The status, and where the errors are."""
    places = [issue["expression"][0] for issue in answer.json()["issue"] if issue["severity"] == "error"]
    return answer.status_code, places


@pytest.mark.parametrize(
    ("subject", "place"),
    [
        ({"reference": "Practitioner/1"}, "QuestionnaireResponse.subject"),
        ({"reference": "https://ehr.example.org/fhir/Group/1"}, "QuestionnaireResponse.subject"),
        ({"reference": "#p"}, "QuestionnaireResponse.subject.reference"),
        ({"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number"}}, "QuestionnaireResponse.subject"),
        ({"identifier": {"value": "  "}}, "QuestionnaireResponse.subject"),
    ],
)
def test_results_are_only_made_about_a_patient_who_can_be_found(
    client: Client, subject: dict[str, Any], place: str
) -> None:
    form = eligibility(subject=subject, contained=[{"resourceType": "Patient", "id": "p"}])
    if "#p" not in subject.values():
        del form["contained"]
    assert said(submit(client, form)) == (422, [place])
    assert client.get("/fhir/Observation?_summary=count").json()["total"] == 0


def test_a_draft_of_one_patient_never_becomes_the_form_of_another(client: Client) -> None:
    draft = eligibility(status="in-progress")
    client.post("/fhir/QuestionnaireResponse", content=json.dumps(draft), headers=FHIR_JSON)
    other = eligibility(subject={"reference": "https://ehr.example.org/fhir/Patient/9990000026"})
    assert said(submit(client, other)) == (409, ["QuestionnaireResponse.subject"])
    assert submit(client, eligibility()).status_code == 200


def test_a_text_that_no_database_must_keep_is_refused(client: Client) -> None:
    form = eligibility(identifier={"system": "https://ehr.example.org/forms", "value": "a\x00b"})
    assert said(submit(client, form)) == (422, ["QuestionnaireResponse"])
    allowed = eligibility(identifier={"system": "https://ehr.example.org/forms", "value": "a\\u0000b"})
    assert submit(client, allowed).status_code == 200
