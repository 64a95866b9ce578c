"""The documents that are measured: synthetic, made here, of the sizes that the targets name."""

from __future__ import annotations

from functools import cache
from typing import Any

Resource = dict[str, Any]
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
_TYPES = ("choice", "decimal", "integer", "boolean", "date", "string", "quantity", "dateTime")


def _option(code: str) -> Resource:
    return {"system": "https://bench.example.org/codes", "code": code, "display": code.title()}


def _item(number: int, extract: bool) -> Resource:
    kind = _TYPES[number % len(_TYPES)]
    item: Resource = {"linkId": f"q{number}", "text": f"Question {number}", "type": kind}
    if kind == "choice":
        item["answerOption"] = [{"valueCoding": _option(code)} for code in ("one", "two", "three")]
    if number % 5 == 4:
        item["enableWhen"] = [{"question": "q0", "operator": "exists", "answerBoolean": True}]
    if extract:
        item["code"] = [{"system": "https://bench.example.org/codes", "code": f"c{number}"}]
    return item


def _answer(kind: str) -> Resource:
    values: dict[str, Resource] = {
        "choice": {"valueCoding": _option("two")},
        "decimal": {"valueDecimal": 6},
        "integer": {"valueInteger": 3},
        "boolean": {"valueBoolean": True},
        "date": {"valueDate": "2026-01-02"},
        "string": {"valueString": "some words"},
        "quantity": {
            "valueQuantity": {
                "value": 37,
                "unit": "degree Celsius",
                "system": "http://unitsofmeasure.org",
                "code": "Cel",
            }
        },
        "dateTime": {"valueDateTime": "2026-01-02T10:00:00Z"},
    }
    return values[kind]


@cache
def questionnaire(items: int = 40, *, extract: bool = False) -> Resource:
    """A form of so many questions of every type; with ``extract``, each becomes an Observation."""
    made: Resource = {
        "resourceType": "Questionnaire",
        "id": "bench",
        "url": "https://bench.example.org/Questionnaire/bench",
        "version": "1",
        "status": "active",
        "subjectType": ["Patient"],
        "item": [_item(number, extract) for number in range(items)],
    }
    if extract:
        made["extension"] = [{"url": f"{SDC}observationExtract", "valueBoolean": True}]
    return made


@cache
def response(items: int = 40, *, extract: bool = False) -> Resource:
    """A completed response with an answer to every question."""
    form = questionnaire(items, extract=extract)
    return {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": "https://bench.example.org", "value": "1"},
        "questionnaire": f"{form['url']}|1",
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "authored": "2026-01-02T10:00:00Z",
        "item": [
            {"linkId": item["linkId"], "text": item["text"], "answer": [_answer(item["type"])]}
            for item in form["item"]
        ],
    }


@cache
def grouped_questionnaire() -> Resource:
    """A form of 60 questions in 6 groups."""
    items = [_item(number, True) for number in range(60)]
    groups = [
        {"linkId": f"g{at}", "text": f"Group {at}", "type": "group", "item": items[at * 10 : at * 10 + 10]}
        for at in range(6)
    ]
    return questionnaire(1) | {"item": groups}


@cache
def bundle(entries: int = 50) -> Resource:
    """A transaction Bundle of Observations."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
                "resource": _observation(number),
                "request": {"method": "POST", "url": "Observation"},
            }
            for number in range(entries)
        ],
    }


def _observation(number: int) -> Resource:
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": category, "code": "survey", "display": "Survey"}]}],
        "code": {
            "coding": [{"system": "https://bench.example.org/codes", "code": f"c{number}"}],
            "text": "A thing",
        },
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2026-01-02T10:00:00Z",
        "issued": "2026-01-02T10:00:00Z",
        "performer": [{"reference": "Practitioner/1"}],
        "valueQuantity": {
            "value": number,
            "unit": "cm",
            "system": "http://unitsofmeasure.org",
            "code": "cm",
        },
        "derivedFrom": [{"reference": "QuestionnaireResponse/1"}],
    }


def _computed(text: str) -> list[Resource]:
    return [{"url": f"{SDC}templateExtractValue", "valueString": text}]


@cache
def templated_questionnaire() -> Resource:
    """A form with a repeating group, each repetition of which a template turns into an Observation."""
    template: Resource = {
        "resourceType": "Observation",
        "id": "template",
        "status": "final",
        "code": {"coding": [{"system": "https://bench.example.org/codes", "code": "measured"}]},
        "subject": {"extension": _computed("%resource.subject"), "display": "The patient"},
        "_effectiveDateTime": {"extension": _computed("%resource.authored")},
        "valueQuantity": {
            "_value": {"extension": _computed("item.where(linkId = 'value').answer.value")},
            "unit": "cm",
            "system": "http://unitsofmeasure.org",
            "code": "cm",
        },
        "note": [{"_text": {"extension": _computed("item.where(linkId = 'note').answer.value")}}],
    }
    extension = {
        "url": f"{SDC}templateExtract",
        "extension": [{"url": "template", "valueReference": {"reference": "#template"}}],
    }
    group: Resource = {
        "extension": [extension],
        "linkId": "measurement",
        "text": "Measurement",
        "type": "group",
        "repeats": True,
        "item": [
            {"linkId": "value", "text": "Value", "type": "decimal"},
            {"linkId": "note", "text": "Note", "type": "string"},
        ],
    }
    form = questionnaire(1)
    return {name: form[name] for name in form if name != "item"} | {"contained": [template], "item": [group]}


@cache
def templated_response(repetitions: int = 40) -> Resource:
    """A completed response with so many measurements."""
    plain = response(1)
    return plain | {
        "item": [
            {
                "linkId": "measurement",
                "item": [
                    {"linkId": "value", "answer": [{"valueDecimal": number}]},
                    {"linkId": "note", "answer": [{"valueString": f"measurement {number}"}]},
                ],
            }
            for number in range(repetitions)
        ]
    }
