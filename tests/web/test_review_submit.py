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
