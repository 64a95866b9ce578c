"""FHIR data types of a report: concepts, quantities, components, and values without what is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.evaluation import Code
from service.yellow_card.wording import clean

if TYPE_CHECKING:
    from decimal import Decimal

Resource = dict[str, Any]

_TERMS = "http://terminology.hl7.org/CodeSystem"
_UCUM = "http://unitsofmeasure.org"


def coded(code: Code, text: str | None = None) -> Resource:
    """The CodeableConcept of a code."""
    coding = {"system": code.system, "code": code.code, "display": code.display}
    return {"coding": [coding], "text": text or code.display}


def quantity(value: Decimal, unit: str, code: str) -> Resource:
    """A Quantity in UCUM."""
    return {"value": value, "unit": unit, "system": _UCUM, "code": code}


def hl7(system: str, code: str, display: str) -> Resource:
    """The CodeableConcept of a code of HL7's terminology."""
    return {"coding": [{"system": f"{_TERMS}/{system}", "code": code, "display": display}]}


def bound(system: str, code: str | None, known: dict[str, str]) -> Resource | None:
    """A code of one of HL7's required lists; nothing where HL7's list does not have it."""
    return hl7(system, code, known[code]) if code is not None and code in known else None


def serious_or_not(base: str, code: str | None) -> Resource | None:
    """The summary that the project's own list has for AdverseEvent.seriousness; None is not known."""
    if code is None:
        return None
    return coded(Code(f"{base}/CodeSystem/event-seriousness", code, code.capitalize()))


def property_of(name: str, value: Resource) -> Resource:
    """A property of a Device, named in words."""
    return {"type": {"text": name}} | value


def component(
    name: str, *, concept: Resource | None = None, text: str | None = None, truth: bool | None = None
) -> Resource:
    """A component of an Observation, named in words, with the one value that is given."""
    made: Resource = {"code": {"text": name}}
    if concept is not None:
        made["valueCodeableConcept"] = concept
    elif truth is not None:
        made["valueBoolean"] = truth
    else:
        made["valueString"] = text
    return made


def pruned(value: Any) -> Any:
    """The value without what is None or empty, at any depth, and every text clean."""
    if isinstance(value, dict):
        kept = ((key, pruned(inner)) for key, inner in value.items())
        return {key: inner for key, inner in kept if inner is not None and inner not in ({}, [], "")}
    if isinstance(value, list):
        return [one for one in map(pruned, value) if one is not None and one not in ({}, [], "")]
    return clean(value) if isinstance(value, str) else value
