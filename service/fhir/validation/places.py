"""Where in a resource a check stands: linked tuples, written out as FHIRPath only when there is an issue.

A place is ``(parent place, JSON property, index or -1, depth)``; a resource's root: ``(None, type, -1, 0)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.fhirpath.model import TypeInfo

Place: TypeAlias = "tuple[Any, str, int, int]"


def root(name: str) -> Place:
    """The place of a whole resource."""
    return (None, name, -1, 0)


def below(place: Place, name: str, index: int = -1) -> Place:
    """The place of a property, or of one entry of its array."""
    return (place, name, index, place[3] + 1)


def steps(place: Place) -> list[tuple[str, int]]:
    """The property names and indices from the root down, the root's type first."""
    found = []
    at: Place | None = place
    while at is not None:
        found.append((at[1], at[2]))
        at = at[0]
    found.reverse()
    return found


def render(place: Place, document: Any) -> str:
    """The place as FHIRPath: ``QuestionnaireResponse.item[2].answer[0].value`` for ``valueCoding``.

    The document tells which type a nested resource is of, and so which properties are forms of a choice.
    """
    written = steps(place)
    if all(name.islower() and name.isalpha() for name, _ in written[1:]):  # no form of a choice among them
        return ".".join([name if index < 0 else f"{name}[{index}]" for name, index in written])
    parts = []
    info: TypeInfo | None = None
    at: Any = document
    for number, (name, index) in enumerate(written):
        plain = name[1:] if name[:1] == "_" else name
        if number:
            at = at.get(plain) if isinstance(at, dict) else None
            if index >= 0:
                at = at[index] if isinstance(at, list) and index < len(at) else None
            field = info.fields.get(plain) if info else None
            info = R4.type(field[1]) if field else None
            plain = field[0].name if field else plain
        if number == 0 or (info is not None and info.name == "Resource"):
            kind = at.get("resourceType") if isinstance(at, dict) else None
            info = R4.type(kind) if isinstance(kind, str) else None
        if not plain.isidentifier():
            plain = f"`{plain[:40]}`"
        parts.append(plain if index < 0 else f"{plain}[{index}]")
    return ".".join(parts)
