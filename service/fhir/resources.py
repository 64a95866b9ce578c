"""The one door to ``fhir.resources``: typed models for those who author and build resources.

The models are FHIR R4B's (4.3.0); ``fhir.resources`` has none of R4's own 4.0.1. They know neither codes nor
references nor invariants, so that what they accept still goes through ``service.fhir.validation``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from service.domain.errors import Invalid
from service.domain.issues import Issue, Severity
from service.fhir.json_text import decode, nests_deeper
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from fhir.resources.R4B.resource import Resource

_DEPTH = 90


def typed(resource: dict[str, Any]) -> Resource:
    """The resource as a typed model; Invalid, with a place for each fault, where the model refuses it."""
    name = resource.get("resourceType")
    if not isinstance(name, str) or name not in R4.resources:
        raise Invalid("resourceType must be one of R4's resource types", expression="resourceType")
    if nests_deeper(resource, _DEPTH):
        raise Invalid(f"the resource nests more than {_DEPTH} levels, more than the typed models can read")
    try:
        model = get_fhir_model_class(name)
    except (KeyError, ValueError):
        raise Invalid(f"R4B, which the typed models speak, has no {name}", expression=name) from None
    try:
        return cast("Resource", model.model_validate(resource))
    except ValidationError as fault:
        issues = [_issue(name, entry) for entry in fault.errors()]
        raise Invalid(f"this is no {name} of R4B", issues=issues) from None
    except KeyError as fault:  # a resourceType inside that R4B does not have
        raise Invalid(f"R4B has no resource type {str(fault)[:60]}", expression=name) from None


def plain(model: Resource) -> dict[str, Any]:
    """A typed model as a plain dict, in FHIR's JSON shape."""
    return decode(model.model_dump_json(exclude_none=True).encode()).resource


def _issue(name: str, entry: Any) -> Issue:
    parts = [name]
    for step in entry.get("loc", ()):
        if isinstance(step, int):
            parts[-1] += f"[{step}]"
        else:
            parts.append(str(step))
    return Issue(Severity.ERROR, "structure", str(entry.get("msg", ""))[:200], ".".join(parts))
