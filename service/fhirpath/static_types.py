"""What is known of a part's items before evaluation: the types they can have, and whether they have an order.

A type is named as the model names it (`Patient`, `Patient.contact`, `code`); System types as
`System.Integer`. `types` is None where anything is possible, and empty for the empty collection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .errors import resembling

if TYPE_CHECKING:
    from .model import Model, TypeInfo

_SYSTEM_OF = {
    "boolean": "Boolean",
    "string": "String",
    "uri": "String",
    "base64Binary": "String",
    "xhtml": "String",
    "integer": "Integer",
    "decimal": "Decimal",
    "date": "Date",
    "dateTime": "DateTime",
    "instant": "DateTime",
    "time": "Time",
    "Quantity": "Quantity",
}
_NUMBERS = frozenset({"Integer", "Decimal"})
_MOMENTS = frozenset({"Date", "DateTime", "Time"})
ACCEPTED: dict[str, frozenset[str]] = {
    "Decimal": _NUMBERS,
    "Number": _NUMBERS,
    "Moment": _MOMENTS,
    "Measured": _NUMBERS | {"Quantity"},
    "Bounded": _NUMBERS | _MOMENTS | {"Quantity"},
    **{
        kind: frozenset({kind})
        for kind in ("Boolean", "String", "Integer", "Quantity", "Date", "DateTime", "Time")
    },
}
_OPEN = frozenset({"Element", "BackboneElement", "System.TypeInfo", "System.Quantity"})


class Static(NamedTuple):
    """The types the items of a part can have, and whether their order means anything."""

    types: frozenset[str] | None
    ordered: bool = True


ANYTHING = Static(None)
NOTHING = Static(frozenset())


def of_system(name: str) -> Static:
    """One System type."""
    return Static(frozenset({f"System.{name}"}))


def either(*parts: Static) -> Static:
    """What comes from one part or another."""
    ordered = all(part.ordered for part in parts)
    found: frozenset[str] = frozenset()
    for part in parts:
        if part.types is None:
            return Static(None, ordered)
        found |= part.types
    return Static(found, ordered)


def system_type(name: str, model: Model) -> str | None:
    """The System type a type converts to implicitly, without its namespace; None for one that does not."""
    if name.startswith("System."):
        return name[7:]
    return next((_SYSTEM_OF[line] for line in model.ancestry(name) if line in _SYSTEM_OF), None)


def accepts(kind: str, static: Static, model: Model) -> bool:
    """Whether an item of the part could be of a kind of value a function or operator takes."""
    if not static.types or kind not in ACCEPTED:
        return True
    wanted = ACCEPTED[kind]
    return any(name in _OPEN or system_type(name, model) in wanted for name in static.types) or (
        "System.Quantity" in static.types and "Quantity" in wanted
    )


def children(static: Static, name: str, model: Model) -> Static | None:
    """What the step to a name leads to; None where no type of the part has such an element."""
    if static.types is None or not static.types:
        return static
    found: set[str] = set()
    known = False
    for type_ in static.types:
        if type_ in _OPEN:
            return Static(None, static.ordered)
        info = model.type(type_)
        if info is None:
            continue
        if info.abstract and info.kind == "resource":
            if _some_resource_has(name, model):
                return Static(None, static.ordered)
            continue
        element = info.elements.get(name)
        if element is not None:
            known = True
            found.update(element.types)
        elif name == "value" and info.kind == "primitive":
            known = True
            found.add(f"System.{system_type(type_, model)}")
    return Static(frozenset(found), static.ordered) if known else None


_RESOURCE_ELEMENTS: dict[Model, frozenset[str]] = {}


def _some_resource_has(name: str, model: Model) -> bool:
    known = _RESOURCE_ELEMENTS.get(model)
    if known is None:
        names: set[str] = set()
        for resource in model.resources:
            info = model.type(resource)
            if info is not None:
                names.update(info.elements)
        known = _RESOURCE_ELEMENTS[model] = frozenset(names)
    return name in known


def all_children(static: Static, model: Model) -> Static:
    """What `children()` leads to."""
    if static.types is None:
        return Static(None, ordered=False)
    found: set[str] = set()
    for type_ in static.types:
        info = model.type(type_)
        if info is None or info.abstract:
            return Static(None, ordered=False)
        for element in info.elements.values():
            found.update(element.types)
    return Static(frozenset(found), ordered=False)


def suggestion(static: Static, name: str, model: Model, functions: frozenset[str]) -> str:
    """What may have been meant by an element that does not exist."""
    if name in functions:
        return f"to call the function, write {name}()"
    known: set[str] = set()
    for type_ in static.types or ():
        info = model.type(type_)
        if info is not None:
            choice = _choice(info, name)
            if choice:
                return choice
            known.update(info.elements)
    return resembling(name, known)


def _choice(info: TypeInfo, name: str) -> str:
    """FHIRPath writes a choice by its own name, not by its JSON property."""
    field = info.fields.get(name)
    if field is None or not field[0].choice:
        return ""
    return f"did you mean {field[0].name}, or {field[0].name}.ofType({field[1]})?"


def described(static: Static) -> str:
    """The types as an error message names them."""
    names = sorted(static.types or ())
    return " or ".join(names[:3]) + (" or others" if len(names) > 3 else "")
