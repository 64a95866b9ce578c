"""Type specifiers: what the name after `is`, `as` or in `ofType()` stands for, and which items are of it
(§6.3).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .errors import resembling
from .nodes import Node
from .values import system_name

if TYPE_CHECKING:
    from .model import Model
    from .shapes import Shape
    from .syntax import TypeName

SYSTEM_TYPES = frozenset(
    {"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any"}
)


class TypeMatch:
    """A resolved type: the FHIR type, the System type, or (for an unqualified Quantity) either."""

    __slots__ = ("fhir", "primitive", "system")

    def __init__(self, fhir: str | None, system: str | None, *, primitive: bool) -> None:
        self.fhir = fhir
        self.system = system
        self.primitive = primitive

    def is_of(self, item: Any) -> bool:
        """Whether an item is of the type or a specialisation of it: `is`."""
        if item.__class__ is Node:
            return self.fhir in item.shape.ancestry
        return self.system is not None and (self.system == "Any" or system_name(item) == self.system)

    def selects(self, item: Any) -> bool:
        """Whether `as` and `ofType()` keep an item.

        A primitive element must be of the very type: HL7's R4 tests have `gender.as(string)` empty though
        `gender.is(string)` is true, since a code and a string element are different choices.
        """
        if self.primitive and item.__class__ is Node:
            return bool(item.shape.name == self.fhir)
        return self.is_of(item)


def selects(match: TypeMatch, shape: Shape) -> bool:
    """Whether `as` and `ofType()` keep nodes of a type."""
    return match.selects(Node(None, shape, None, None, "", None))


@lru_cache(maxsize=1024)
def resolve(name: TypeName, model: Model) -> TypeMatch | None:
    """What a type specifier stands for, None where neither FHIR nor System has such a type.

    A type of one namespace named under the other is known, and no item is of it.
    """
    info = model.type(name.name)
    fhir = info is not None and info.kind != "backbone"
    system = name.name in SYSTEM_TYPES
    if name.namespace not in (None, "FHIR", "System") or not (fhir or system):
        return None
    return TypeMatch(
        name.name if fhir and name.namespace != "System" else None,
        name.name if system and name.namespace != "FHIR" else None,
        primitive=info is not None and info.kind == "primitive",
    )


def resembling_type(name: str, model: Model) -> str:
    """ "did you mean ..." for a type name, or nothing."""
    known = [*SYSTEM_TYPES, *(candidate for candidate in model.names if ("." in candidate) is ("." in name))]
    return resembling(name, known)
