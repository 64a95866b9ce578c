"""Sound resources that the tests break, one fault at a time, and the means to break them."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

NARRATIVE = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>text</p></div>'}

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "volume",
    "text": NARRATIVE,
    "status": "final",
    "category": [
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                    "code": "procedure",
                }
            ]
        }
    ],
    "code": {"text": "Volume"},
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2024-02-29T10:00:00Z",
    "performer": [{"reference": "Practitioner/1"}],
    "valueQuantity": {
        "value": Decimal("6.30"),
        "unit": "mL",
        "system": "http://unitsofmeasure.org",
        "code": "mL",
    },
}

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "synthetic",
    "text": NARRATIVE,
    "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}],
    "name": [{"family": "Example", "given": ["Ann", "Bea"]}],
    "gender": "female",
    "birthDate": "1970-01-01",
}

QUESTIONNAIRE: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "id": "form",
    "text": NARRATIVE,
    "url": "https://example.org/Questionnaire/form",
    "version": "1",
    "name": "Form",
    "title": "A form",
    "status": "active",
    "item": [
        {"linkId": "1", "text": "Yes or no", "type": "boolean"},
        {
            "linkId": "2",
            "text": "Which",
            "type": "choice",
            "answerOption": [{"valueString": "one"}, {"valueString": "two"}],
            "enableWhen": [{"question": "1", "operator": "=", "answerBoolean": True}],
        },
        {
            "linkId": "3",
            "text": "Group",
            "type": "group",
            "item": [{"linkId": "3.1", "text": "Note", "type": "string", "maxLength": 5}],
        },
        {"linkId": "4", "text": "Shown only", "type": "display"},
    ],
}

RESPONSE: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "id": "response",
    "text": NARRATIVE,
    "questionnaire": "https://example.org/Questionnaire/form",
    "status": "completed",
    "authored": "2024-01-01T10:00:00Z",
    "item": [{"linkId": "1", "text": "Yes or no", "answer": [{"valueBoolean": False}]}],
}

FIRST = "urn:uuid:11111111-1111-4111-8111-111111111111"
SECOND = "urn:uuid:21111111-1111-4111-8111-111111111111"

BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "id": "bundle",
    "type": "collection",
    "entry": [
        {"fullUrl": FIRST, "resource": PATIENT},
        {"fullUrl": SECOND, "resource": {**OBSERVATION, "subject": {"reference": FIRST}}},
    ],
}

TRANSACTION: dict[str, Any] = {
    "resourceType": "Bundle",
    "id": "transaction",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": FIRST,
            "resource": {key: value for key, value in PATIENT.items() if key != "id"},
            "request": {"method": "POST", "url": "Patient"},
        }
    ],
}

SAMPLES = (OBSERVATION, PATIENT, QUESTIONNAIRE, RESPONSE, BUNDLE, TRANSACTION)

GONE = object()


def changed(resource: dict[str, Any], *changes: tuple[str, Any]) -> dict[str, Any]:
    """A copy with each value put at its path (``item.1.type``), or taken away where it is GONE."""
    made = copy.deepcopy(resource)
    for path, value in changes:
        *steps, last = path.split(".")
        at: Any = made
        for step in steps:
            at = at[int(step)] if isinstance(at, list) else at[step]
        if value is GONE:
            del at[int(last) if isinstance(at, list) else last]
        else:
            at[int(last) if isinstance(at, list) else last] = copy.deepcopy(value)
    return made
