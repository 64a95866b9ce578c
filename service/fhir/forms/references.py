"""What kind of resource a Reference points at, as far as the reference itself tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.fhir.forms.elements import objects, text
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.fhir.forms.elements import Json


def type_of_reference(reference: Json, resource: Json) -> str | None:
    """The resource type that a reference names, in the text or in ``type``; None where neither tells.

    ``resource`` holds the contained resources that ``#id`` may point at.
    """
    written = text(reference, "reference")
    if written is None:
        return text(reference, "type")
    if written.startswith("#"):
        for _, entry in objects(resource, "contained"):
            if entry.get("id") == written[1:]:
                return text(entry, "resourceType")
        return None
    steps = written.partition("?")[0].split("/")
    if "_history" in steps:
        steps = steps[: steps.index("_history")]
    if len(steps) >= 2 and steps[-2] in R4.resources:
        return steps[-2]
    named = text(reference, "type")
    if named is None and len(steps) == 2 and steps[0][:1].isupper():
        return steps[0]
    return named
