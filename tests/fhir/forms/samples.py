"""Small forms and responses, written short."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
COLOURS = "https://example.org/colours"


def form(*items: Json, **more: Any) -> Json:
    """A Questionnaire of these items."""
    return {
        "resourceType": "Questionnaire",
        "url": "https://example.org/form",
        "version": "1",
        "status": "active",
        "item": list(items),
        **more,
    }


def item(link_id: str, kind: str, *children: Json, **more: Any) -> Json:
    """An item of a form."""
    return {"linkId": link_id, "type": kind, **({"item": list(children)} if children else {}), **more}


def response(*items: Json, status: str = "completed", **more: Any) -> Json:
    """A response to ``form``."""
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://example.org/form|1",
        "status": status,
        "item": list(items),
        **more,
    }


def answered(link_id: str, *answers: Json) -> Json:
    """An item of a response with answers: ``answered("a", {"valueInteger": 3})``."""
    return {"linkId": link_id, "answer": list(answers)}


def group(link_id: str, *items: Json) -> Json:
    """A group of a response."""
    return {"linkId": link_id, "item": list(items)}


def extension(url: str, **value: Any) -> Json:
    """An extension, its url shortened to ``core:`` or ``sdc:`` and the rest."""
    return {"url": url.replace("core:", CORE).replace("sdc:", SDC), **value}


def coding(code: str, system: str | None = COLOURS, **more: Any) -> Json:
    """A Coding."""
    return {**({"system": system} if system else {}), "code": code, **more}


def fhirpath(text: str, **more: Any) -> Json:
    """An Expression in FHIRPath."""
    return {"language": "text/fhirpath", "expression": text, **more}


def when(question: str, operator: str, **answer: Any) -> Json:
    """An enableWhen."""
    return {"question": question, "operator": operator, **answer}


def constraint(key: str, expression: str, *, old: bool = False, severity: str = "error") -> Json:
    """A targetConstraint, or the questionnaire-constraint that went before it."""
    value = {"valueString": expression} if old else {"valueExpression": fhirpath(expression)}
    return extension(
        "core:questionnaire-constraint" if old else "core:targetConstraint",
        extension=[
            {"url": "key", "valueId": key},
            {"url": "severity", "valueCode": severity},
            {"url": "human", "valueString": f"keep {key}"},
            {"url": "expression", **value},
        ],
    )
