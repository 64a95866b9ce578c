"""Filled forms for the extraction tests: any Questionnaire answered, and small ones made by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

Json = dict[str, Any]
ROOT = Path(__file__).parents[3]
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
HEAD: Json = {
    "resourceType": "QuestionnaireResponse",
    "id": "form-1",
    "identifier": {"system": "https://forms.example.org", "value": "1"},
    "status": "completed",
    "subject": {"reference": "Patient/p1"},
    "encounter": {"reference": "Encounter/e1"},
    "authored": "2026-11-02T10:00:00+00:00",
    "author": {"reference": "Practitioner/d1"},
}
_VALUES: Json = {
    "boolean": {"valueBoolean": True},
    "decimal": {"valueDecimal": Decimal("6.30")},
    "integer": {"valueInteger": 3},
    "date": {"valueDate": "2026-11-01"},
    "dateTime": {"valueDateTime": "2026-11-01T09:30:00+00:00"},
    "time": {"valueTime": "09:30:00"},
    "string": {"valueString": "a text"},
    "text": {"valueString": "a longer text"},
    "url": {"valueUri": "https://example.org/x"},
    "attachment": {"valueAttachment": {"url": "https://example.org/y"}},
    "reference": {"valueReference": {"reference": "Device/1"}},
}


def new_id(key: str) -> str:
    """An id that shows what it was made for."""
    return f"urn:uuid:{key}"


def load(path: Path) -> Json:
    """A resource with its decimals as they are written."""
    found: Json = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return found


def published(name: str) -> Json:
    """A Questionnaire of the guidance."""
    return load(ROOT / "profiles" / "htg117" / f"Questionnaire-htg117-{name}.json")


def form(*items: Json, **more: Any) -> Json:
    """A completed response of these items."""
    return {**HEAD, "questionnaire": "https://example.org/Questionnaire/q", **more, "item": list(items)}


def item(link_id: str, *answers: Json, items: list[Json] | None = None) -> Json:
    """One item of a response."""
    found: Json = {"linkId": link_id}
    if answers:
        found["answer"] = list(answers)
    if items:
        found["item"] = items
    return found


def questionnaire(
    *items: Json, extension: list[Json] | None = None, contained: list[Json] | None = None
) -> Json:
    """A Questionnaire of these items."""
    found: Json = {
        "resourceType": "Questionnaire",
        "url": "https://example.org/Questionnaire/q",
        "status": "active",
        "item": list(items),
    }
    if extension:
        found["extension"] = extension
    if contained:
        found["contained"] = contained
    return found


def ext(name: str, **value: Any) -> Json:
    """One SDC extension: ``ext("templateExtractValue", valueString="…")``."""
    return {"url": SDC + name, **value}


def complex_ext(name: str, *parts: Json) -> Json:
    """One SDC extension with parts."""
    return {"url": SDC + name, "extension": list(parts)}


def part(name: str, **value: Any) -> Json:
    """One part of a complex extension."""
    return {"url": name, **value}


def fill(source: Json, option: int = 0) -> Json:
    """A response that answers every question, choices with the option of that number."""
    return {
        **HEAD,
        "questionnaire": f"{source['url']}|{source['version']}",
        "item": [made for entry in source["item"] if (made := _filled(entry, option)) is not None],
    }


def _filled(entry: Json, option: int) -> Json | None:
    kind = entry["type"]
    if kind == "display":
        return None
    found: Json = {"linkId": entry["linkId"]}
    below = [made for inner in entry.get("item", ()) if (made := _filled(inner, option)) is not None]
    if kind == "group":
        return {**found, "item": below} if below else None
    if kind in ("choice", "open-choice"):
        options = entry.get("answerOption", [{"valueString": "free"}])
        chosen = options[option % len(options)]
        answer = {name: value for name, value in chosen.items() if name.startswith("value")}
    elif kind == "quantity":
        unit = next(
            (
                one["valueCoding"]
                for one in entry.get("extension", ())
                if one["url"].endswith(("unitOption", "-unit"))
            ),
            {"code": "1", "system": "http://unitsofmeasure.org"},
        )
        answer = {
            "valueQuantity": {
                "value": Decimal("6.30"),
                "unit": unit.get("display", unit["code"]),
                "system": unit["system"],
                "code": unit["code"],
            }
        }
    else:
        answer = dict(_VALUES[kind])
    if below:
        answer["item"] = below
    return {**found, "answer": [answer]}
