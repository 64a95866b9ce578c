"""Forms and records to populate from, and the answers as a test looks at them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from service.fhir.population import Populated, Surroundings, populate

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
URL = "https://toy.example.org/fhir/StructureDefinition/answer-source"
PATIENT = {"resourceType": "Patient", "id": "1", "birthDate": "1950-02-03", "name": [{"family": "Test"}]}


def expression(text: str, name: str | None = None, language: str = "text/fhirpath") -> dict[str, Any]:
    return {"language": language, "expression": text} | ({"name": name} if name else {})


def variable(name: str, text: str, language: str = "text/fhirpath") -> dict[str, Any]:
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/variable",
        "valueExpression": expression(text, name, language),
    }


def query(name: str, text: str) -> dict[str, Any]:
    return variable(name, text, "application/x-fhir-query")


def initial(text: str) -> list[dict[str, Any]]:
    return [{"url": f"{SDC}initialExpression", "valueExpression": expression(text)}]


LAUNCH = {
    "url": f"{SDC}launchContext",
    "extension": [
        {"url": "name", "valueCoding": {"code": "patient"}},
        {"url": "type", "valueCode": "Patient"},
    ],
}


def form(*items: dict[str, Any], extension: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "resourceType": "Questionnaire",
        "url": "urn:form",
        "version": "1",
        "status": "active",
        "extension": [LAUNCH, *(extension or [])],
        "item": list(items),
    }


def item(link: str, kind: str, text: str | None = None, **more: Any) -> dict[str, Any]:
    return {"linkId": link, "type": kind} | ({"extension": initial(text)} if text else {}) | more


def observation(identifier: str, when: str, value: Any, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": identifier,
        "status": "final",
        "code": {"coding": [{"system": "urn:c", "code": "x"}]},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"},
    } | more


def run(questionnaire: dict[str, Any], *held: dict[str, Any], asked: list[str] | None = None) -> Populated:
    def search(text: str) -> dict[str, Any]:
        if asked is not None:
            asked.append(text)
        kind = text.split("?", maxsplit=1)[0]
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": one} for one in held if one["resourceType"] == kind],
        }

    return populate(
        questionnaire,
        {"patient": [PATIENT]},
        Surroundings(search, NOW),
        subject={"reference": "Patient/1"},
        source_url=URL,
    )


def answers(populated: Populated) -> dict[str, Any]:
    return {
        entry["linkId"]: [
            next(value for name, value in answer.items() if name.startswith("value"))
            for answer in entry["answer"]
        ]
        for entry in populated.response.get("item", [])
        if "answer" in entry
    }
