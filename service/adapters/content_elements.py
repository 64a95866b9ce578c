"""The elements of a resource with their FHIR types and places, for checks that look for a kind of element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.fhirpath.model import R4

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its FHIR type (a backbone element's is its path), value and FHIRPath."""

    type: str
    value: Any
    place: str


def elements(resource: dict[str, Any]) -> Iterator[Element]:
    """Every element, parents first; what the model does not know is passed over."""
    yield from _inside(resource, str(resource.get("resourceType")), str(resource.get("resourceType")))


def _inside(value: dict[str, Any], type_: str, place: str) -> Iterator[Element]:
    info = R4.type(type_)
    if info is None:
        return
    for name, held in value.items():
        field = info.fields.get(name)
        if field is None:
            continue
        many = isinstance(held, list)
        for at, one in enumerate(held if many else [held]):
            here = f"{place}.{name}[{at}]" if many else f"{place}.{name}"
            inner = field[1]
            if inner == "Resource" and isinstance(one, dict):
                inner = str(one.get("resourceType"))
            yield Element(inner, one, here)
            if isinstance(one, dict):
                yield from _inside(one, inner, here)
