"""What a hostile reading of the other operations found: silent first choices, and input not looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.conftest import BASE, FHIR_JSON

if TYPE_CHECKING:
    from tests.web.conftest import Client

TERMS = f"{BASE}/CodeSystem/htg117-event-terms"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("PlanDefinition/htg117-patient-selection/$apply?subject=Patient/1&subject=Patient/2", "subject"),
        (f"CodeSystem/$lookup?system={TERMS}&code=fever&code=cement-leak", "code"),
    ],
)
def test_a_parameter_given_twice_is_refused_in_the_address_too(
    client: Client, address: str, name: str
) -> None:
    answer = client.get(f"/fhir/{address}")
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (400, [name])


@pytest.mark.parametrize(
    ("address", "name", "sent"),
    [
        ("ValueSet/$expand", "valueSet", {"resourceType": "ValueSet", "compose": {"include": "x"}}),
        (
            "ValueSet/$validate-code",
            "valueSet",
            {"resourceType": "ValueSet", "status": "draft", "compose": {"include": [5]}},
        ),
        ("CodeSystem/$validate-code", "codeSystem", {"resourceType": "CodeSystem", "concept": 5}),
        ("ConceptMap/$translate", "conceptMap", {"resourceType": "ConceptMap", "group": [{"element": 1}]}),
    ],
)
def test_a_resource_sent_along_is_checked_first(
    client: Client, address: str, name: str, sent: dict[str, Any]
) -> None:
    coding = {"name": "coding", "valueCoding": {"system": TERMS, "code": "fever"}}
    parameters = [{"name": name, "resource": sent}, *([] if "expand" in address else [coding])]
    body = json.dumps({"resourceType": "Parameters", "parameter": parameters})
    answer = client.post(f"/fhir/{address}", content=body, headers=FHIR_JSON)
    assert (answer.status_code, answer.json()["resourceType"]) == (422, "OperationOutcome")


def test_a_code_without_its_system_is_not_translated(client: Client) -> None:
    answer = client.get("/fhir/ConceptMap/$translate?code=other")
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (400, ["system"])


def condition(patient: str, **more: Any) -> dict[str, Any]:
    """A bone metastasis of a synthetic patient."""
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {
        "resourceType": "Condition",
        "id": "2",
        "subject": {"reference": patient},
        "clinicalStatus": {"coding": [{"system": clinical, "code": "active"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "94222008"}]},
    } | more


def populate(client: Client, subject: str, *entries: Any, form: str = "htg117-eligibility") -> Any:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "subject", "valueReference": {"reference": subject}},
            {"name": "data", "resource": {
                "resourceType": "Bundle", "type": "collection",
                "entry": [{"resource": one} for one in entries]}},
        ],
    }  # fmt: skip
    return client.post(f"/fhir/Questionnaire/{form}/$populate", content=json.dumps(body), headers=FHIR_JSON)


def answered(answer: Any) -> set[str]:
    """The top linkIds with an answer in what was populated."""
    items = answer.json()["parameter"][0]["resource"].get("item", [])
    return {item["linkId"] for item in items if item.get("answer")}


PATIENT = {"resourceType": "Patient", "id": "1"}


@pytest.mark.parametrize(
    ("subject", "patient", "known"),
    [
        ("Patient/1", "Patient/1", True),
        ("Patient/1", "https://a.example.org/fhir/Patient/1", True),
        ("https://a.example.org/fhir/Patient/1", "https://a.example.org/fhir/Patient/1", True),
        ("https://a.example.org/fhir/Patient/1", "https://b.example.org/fhir/Patient/1", False),
        ("Patient/1", "Patient/2", False),
    ],
)
def test_only_what_is_said_of_the_subject_is_filled_in(
    client: Client, subject: str, patient: str, known: bool
) -> None:
    answer = populate(client, subject, PATIENT, condition(patient))
    assert (answer.status_code, "lesion.nature" in answered(answer)) == (200, known)


def test_one_id_on_two_servers_is_two_patients(client: Client) -> None:
    hosts = [condition(f"https://{host}.example.org/fhir/Patient/1") for host in "ab"]
    answer = populate(client, "Patient/1", PATIENT, *hosts)
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (
        422,
        ["Parameters.parameter:data"],
    )


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        (5, "Bundle.entry[1]"),
        ({"resourceType": "Foo"}, "Bundle.entry[1].resource"),
        (condition("Patient/1", subject="x"), "Bundle.entry[1].resource.subject"),
        (condition("Patient/1", code=5), "Bundle.entry[1].resource.code"),
    ],
)
@pytest.mark.parametrize("address", ["Questionnaire/htg117-eligibility/$populate",
                                     "PlanDefinition/htg117-patient-selection/$apply"])  # fmt: skip
def test_data_that_cannot_be_read_is_refused_with_its_place(
    client: Client, address: str, entry: Any, place: str
) -> None:
    subject: dict[str, Any] = {"valueReference": {"reference": "Patient/1"}}
    if "apply" in address:
        subject = {"valueString": "Patient/1"}
    bundle = {"resourceType": "Bundle", "type": "collection",
              "entry": [{"resource": PATIENT}, {"resource": entry}]}  # fmt: skip
    parameters = [{"name": "subject", **subject}, {"name": "data", "resource": bundle}]
    body = json.dumps({"resourceType": "Parameters", "parameter": parameters})
    answer = client.post(f"/fhir/{address}", content=body, headers=FHIR_JSON)
    assert (answer.status_code, answer.json()["issue"][0].get("expression")) == (422, [place])


def pain(score: int, when: str) -> dict[str, Any]:
    """A recorded pain score of the synthetic patient."""
    return {
        "resourceType": "Observation",
        "id": f"o{score}",
        "status": "final",
        "subject": {"reference": "Patient/1"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "38214-3"}]},
        "effectiveDateTime": when,
        "valueQuantity": {"value": score},
    }


@pytest.mark.parametrize("form", ["htg117-eligibility", "htg117-procedure"])
@pytest.mark.parametrize(
    ("scores", "known"),
    [
        ([(7, "2026-11-19"), (3, "2026-11-20")], True),
        ([(3, "2026-11-20"), (3, "2026-11-20")], True),
        ([(7, "2026-11-20"), (3, "2026-11-20")], False),
        ([(7, "2026-11-20"), (3, "2026-11-20T08:00:00Z")], False),
        ([(3, "2026-11-20T08:00:00Z"), (7, "2026-11-20")], False),
    ],
)
def test_which_of_two_scores_is_the_later_is_never_guessed(
    client: Client, form: str, scores: list[tuple[int, str]], known: bool
) -> None:
    made = populate(client, "Patient/1", PATIENT, *(pain(*one) for one in scores), form=form)
    items = made.json()["parameter"][0]["resource"].get("item", [])
    scored = [one for one in items if one["linkId"] == "pain.score"]
    given = [answer["valueDecimal"] for one in scored for answer in one.get("answer", ())]
    assert given == ([3] if known else [])
