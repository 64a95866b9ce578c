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
