"""A toy guidance, data only: it proves that the engine knows no guidance. ``load()`` reads it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

PROFILES = Path(__file__).parent / "profiles"
BASE = "https://toy.example.org/fhir"


@cache
def load() -> dict[str, dict[str, Any]]:
    """Every resource of the toy guidance by its canonical, with and without version."""
    held: dict[str, dict[str, Any]] = {}
    for path in sorted(PROFILES.glob("*.json")):
        resource = json.loads(path.read_text(encoding="utf-8"))
        held[resource["url"]] = held[f"{resource['url']}|{resource['version']}"] = resource
    return held


def form(**answers: Any) -> dict[str, Any]:
    """A completed watering record; dots in linkIds are written as double underscores."""
    items = [
        {"linkId": link.replace("__", "."), "answer": [_answer(value)]} for link, value in answers.items()
    ]
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{BASE}/Questionnaire/toy-watering|1999.1.0",
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "authored": "1999-02-01T10:00:00Z",
        "item": items,
    }


def _answer(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if str(value)[:4].isdigit():
        return {"valueDate": value}
    return {"valueCoding": {"system": f"{BASE}/CodeSystem/toy-plants", "code": value}}
