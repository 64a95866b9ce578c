"""Where an extension stands, said in every way that a definition's context may say it.

Source: FHIR R4 defining extensions page §2.5.0.2 (context of use): an element's path from its resource, its
path from the data type that it is part of, or its type and that type's ancestors.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from service.fhir.validation.places import steps
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run


def names_of(place: Place, run: Run) -> frozenset[str]:
    """The contexts an element matches: ``Questionnaire.item.item``, ``Questionnaire.item``, ``Element``."""
    names = []
    at = place
    while at is not run.place and at[0] is not None:
        names.append(at[1])
        at = at[0]
    names.reverse()
    kind = run.resource.get("resourceType")
    return _names(kind if isinstance(kind, str) else "", tuple(names))


@lru_cache(maxsize=4096)
def _names(kind: str, names: tuple[str, ...]) -> frozenset[str]:
    type_name = kind
    found = set(R4.ancestry(kind)) or {kind}
    for name in names:
        info = R4.type(type_name)
        field = info.fields.get(name.removeprefix("_")) if info else None
        if field is None:
            return frozenset()
        element, type_name = field
        written = (element.name, element.name + "[x]") if element.choice else (element.name,)
        found = {f"{prefix}.{form}" for prefix in found for form in written}
        found.update(R4.ancestry(type_name))
    return frozenset(found)


def value_at(place: Place, run: Run) -> Any:
    """The element at a place of the document; for a primitive, the object of its ``_`` sibling."""
    at: Any = run.root
    for name, index in steps(place)[1:]:
        at = at.get(name) if isinstance(at, dict) else None
        if index >= 0:
            at = at[index] if isinstance(at, list) and index < len(at) else None
    return at


def type_at(place: Place, run: Run) -> str | None:
    """The type of the element at a place of the resource being checked."""
    names = []
    at = place
    while at is not run.place and at[0] is not None:
        names.append(at[1])
        at = at[0]
    found: str | None = run.resource.get("resourceType")
    for name in reversed(names):
        info = R4.type(found) if isinstance(found, str) else None
        field = info.fields.get(name.removeprefix("_")) if info else None
        found = field[1] if field else None
    return found
