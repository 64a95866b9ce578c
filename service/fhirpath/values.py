"""System values: what FHIR elements are read as, and what leaves the engine.

FHIR's primitive types convert implicitly to System types, and FHIR.Quantity to System.Quantity
(FHIR R4, FHIRPath page, "Use of FHIR primitive types" and "Use of FHIR Quantity").
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import quantity, temporal
from .errors import EvaluationError
from .nodes import Node, TypeReflection
from .quantity import Quantity
from .temporal import Date, DateTime, Time

if TYPE_CHECKING:
    from collections.abc import Callable


def _read_boolean(node: Node) -> Any:
    value = node.value
    if value is None or value is True or value is False:
        return value
    raise _unreadable(node, "a boolean")


def _read_text(node: Node) -> Any:
    value = node.value
    if value is None or value.__class__ is str:
        return value
    raise _unreadable(node, "a text")


def _read_integer(node: Node) -> Any:
    value = node.value
    if value is None or value.__class__ is int:
        return value
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    raise _unreadable(node, "an integer")


def _read_decimal(node: Node) -> Any:
    value = node.value
    if value is None:
        return None
    if value.__class__ is int:
        return Decimal(value)
    if value.__class__ is float:
        value = Decimal(repr(value))
    if value.__class__ is Decimal and value.is_finite():
        return value
    raise _unreadable(node, "a decimal")


def _reader(parse: Callable[[str], Any], what: str) -> Callable[[Node], Any]:
    def read(node: Node) -> Any:
        if node.value is None:
            return None
        value = parse(node.value) if node.value.__class__ is str else None
        if value is None:
            raise _unreadable(node, what)
        return value

    return read


def _read_quantity(node: Node) -> Any:
    """A FHIR Quantity as a System one; the node itself where it has no value, or one that is qualified."""
    value = node.value.get("value")
    if value.__class__ is Decimal and not value.is_finite():
        raise EvaluationError(f"{node.location}.value is not a decimal; correct the resource")
    return _quantity_of(node.value) or node


def _quantity_of(element: dict[str, Any]) -> Quantity | None:
    value = element.get("value")
    if value is None or element.get("comparator") is not None:
        return None
    if value.__class__ is Decimal and not value.is_finite():
        return None
    found = quantity.from_element(element)
    if found is not None:
        return found
    unit = element.get("unit") or element.get("code")
    if value.__class__ is int or value.__class__ is Decimal:
        return Quantity(Decimal(value), unit if unit.__class__ is str and unit else "1")
    return None


READERS: dict[str, Callable[[Node], Any]] = {
    "boolean": _read_boolean,
    "string": _read_text,
    "uri": _read_text,
    "base64Binary": _read_text,
    "xhtml": _read_text,
    "integer": _read_integer,
    "decimal": _read_decimal,
    "date": _reader(temporal.parse_date, "a date"),
    "dateTime": _reader(temporal.parse_datetime, "a date-time"),
    "instant": _reader(temporal.parse_datetime, "an instant"),
    "time": _reader(temporal.parse_time, "a time"),
    "Quantity": _read_quantity,
}


# The same for many JSON values at once, which are of no node: None where one of them has to be looked at as
# a node, to be read or to say what is wrong with it.


def _alike(kind: type) -> Callable[[list[Any]], list[Any] | None]:
    wanted = frozenset({kind})

    def batch(values: list[Any]) -> list[Any] | None:
        return values if wanted.issuperset(map(type, values)) else None

    return batch


def _decimals(values: list[Any]) -> list[Any] | None:
    out: list[Any] = []
    for value in values:
        if value.__class__ is Decimal and value.is_finite():
            out.append(value)
        elif value.__class__ is int:
            out.append(Decimal(value))
        else:
            return None
    return out


def _each(
    alike: Callable[[list[Any]], list[Any] | None], read: Callable[[Any], Any]
) -> Callable[[list[Any]], list[Any] | None]:
    def batch(values: list[Any]) -> list[Any] | None:
        if alike(values) is None:
            return None
        out: list[Any] = []
        for value in values:
            found = read(value)
            if found is None:
                return None
            out.append(found)
        return out

    return batch


_alike_texts, _alike_objects = _alike(str), _alike(dict)
BATCHES: dict[Any, Callable[[list[Any]], list[Any] | None]] = {
    _read_boolean: _alike(bool),
    _read_text: _alike_texts,
    _read_integer: _alike(int),
    _read_decimal: _decimals,
    READERS["date"]: _each(_alike_texts, temporal.parse_date),
    READERS["dateTime"]: _each(_alike_texts, temporal.parse_datetime),
    READERS["instant"]: _each(_alike_texts, temporal.parse_datetime),
    READERS["time"]: _each(_alike_texts, temporal.parse_time),
    _read_quantity: _each(_alike_objects, _quantity_of),
}
"""By the reader of a type, what reads its JSON values all at once."""
SCALARS: dict[Any, tuple[type, Callable[[Any], Any] | None]] = {
    _read_boolean: (bool, None),
    _read_text: (str, None),
    _read_integer: (int, None),
    _read_decimal: (Decimal, lambda value: value if value.is_finite() else None),
    _read_quantity: (dict, _quantity_of),
    READERS["date"]: (str, temporal.parse_date),
    READERS["dateTime"]: (str, temporal.parse_datetime),
    READERS["instant"]: (str, temporal.parse_datetime),
    READERS["time"]: (str, temporal.parse_time),
}
"""By the reader of a type: the class of its values in JSON, and what reads one (None: nothing need)."""


def _unreadable(node: Node, what: str) -> EvaluationError:
    return EvaluationError(f"{node.location} is not {what}; correct the resource")


def system(item: Any) -> Any:
    """An item as its System value: a primitive or Quantity node is read, any other item stays as it is.

    None for a primitive that has extensions but no value.
    """
    if item.__class__ is Node:
        read = item.shape.read
        if read is not None:
            return read(item)
    return item


_SYSTEM_NAMES: dict[type, str] = {
    bool: "Boolean",
    int: "Integer",
    Decimal: "Decimal",
    str: "String",
    Date: "Date",
    DateTime: "DateTime",
    Time: "Time",
    Quantity: "Quantity",
}


def system_name(item: Any) -> str | None:
    """The name of a System value's type, None for a node."""
    return _SYSTEM_NAMES.get(item.__class__)


def type_name(item: Any) -> str:
    """The namespace and name of an item's type: `System.Integer`, `FHIR.code`, `FHIR.Patient.contact`."""
    name = _SYSTEM_NAMES.get(item.__class__)
    if name is not None:
        return f"System.{name}"
    if item.__class__ is Node:
        return f"FHIR.{item.shape.name}" if item.shape.name else "Any"
    return "System.TypeInfo"


def output(item: Any) -> Any:
    """What a caller gets for an item: bool, int, Decimal or str; an element or Quantity as a dict."""
    kind = item.__class__
    if kind is Node:
        if not item.shape.primitive:
            return item.value
        if item.value is None:
            return item.sibling
        return _read_decimal(item) if item.shape.name == "decimal" else item.value
    if kind in (Date, DateTime, Time):
        return item.text
    if kind is Quantity:
        return quantity.to_element(item)
    if kind is TypeReflection:
        return {"namespace": item.namespace, "name": item.name}
    return item


def part_of(item: Any, name: str) -> list[Any]:
    """The part of a System value that a step leads to: those of a Quantity and of what `type()` gives."""
    if item.__class__ is Quantity and name in ("value", "unit"):
        return [getattr(item, name)]
    if item.__class__ is TypeReflection and name in TypeReflection._fields:
        return [getattr(item, name)]
    return []
