"""What an expression or an answer gives, made fit for an element: FHIR types cast to FHIR types.

A cast never loses what a value means: a Quantity is not made a number, a dateTime without a zone not an
instant. What does not fit is UNFIT. SDC 4.0, Definition-based extraction: "some type casting".
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from service.fhirpath import temporal
from service.fhirpath.model import R4
from service.fhirpath.nodes import Node
from service.fhirpath.values import output, type_name

UNFIT: Final = object()
"""A value that an element cannot take."""

TEXTS = frozenset(
    ("string", "code", "id", "uri", "url", "canonical", "oid", "uuid", "markdown", "base64Binary")
)
_WHOLE = frozenset({"integer", "positiveInt", "unsignedInt"})
_MOMENTS = frozenset({"date", "dateTime", "instant", "time"})
_SYSTEM = {
    "Boolean": "boolean",
    "Integer": "integer",
    "Decimal": "decimal",
    "String": "string",
    "Date": "date",
    "DateTime": "dateTime",
    "Time": "time",
    "Quantity": "Quantity",
}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_LEAST = {"positiveInt": 1, "unsignedInt": 0}


def typed(item: Any) -> tuple[str, Any, Any]:
    """The FHIR type, JSON value and ``_`` sibling of one of the engine's items."""
    if item.__class__ is Node:
        return item.shape.name, item.value, item.sibling
    name = type_name(item).rpartition(".")[2]
    return _SYSTEM.get(name, name), output(item), None


def cast(kind: str, value: Any, target: str) -> Any:
    """The value of one FHIR type as a value of another, or UNFIT."""
    if kind == target:
        return value
    if target in TEXTS:
        return _to_text(kind, value, target)
    simple = _PRIMITIVE.get(target)
    if simple is not None:
        return simple(kind, value, target)
    if value.__class__ is dict and R4.type(kind) is not None:
        if R4.is_a(kind, target) or (R4.is_a(kind, "Quantity") and R4.is_a(target, "Quantity")):
            return value
        if target == "CodeableConcept" and kind == "Coding":
            return {"coding": [value]}
        return UNFIT
    if value.__class__ is str and kind in TEXTS:
        if target == "CodeableConcept" or target == "Annotation":
            return {"text": value}
        if target == "Reference":
            return {"reference": value}
    return UNFIT


def _to_text(kind: str, value: Any, target: str) -> Any:
    if kind in TEXTS or kind in _MOMENTS:
        return value if value.__class__ is str else UNFIT
    found: Any = None
    if value.__class__ is bool:
        return "true" if value else "false"
    if kind == "decimal" or kind in _WHOLE:
        return str(value)
    if value.__class__ is dict:
        if kind == "Coding":
            found = value.get("code") if target == "code" else value.get("display") or value.get("code")
        elif kind == "Reference":
            found = value.get("reference")
    return found if found.__class__ is str and found else UNFIT


def _to_boolean(_kind: str, value: Any, _target: str) -> Any:
    return value if value.__class__ is bool else UNFIT


def _to_whole(_kind: str, value: Any, target: str) -> Any:
    if value.__class__ is Decimal and value.is_finite() and value == value.to_integral_value():
        value = int(value) if value.adjusted() < 20 else None
    if value.__class__ is not int or value < _LEAST.get(target, -(2**31)) or value >= 2**31:
        return UNFIT
    return value


def _to_decimal(_kind: str, value: Any, _target: str) -> Any:
    return value if value.__class__ in (int, Decimal, float) else UNFIT


def _to_date(kind: str, value: Any, _target: str) -> Any:
    if value.__class__ is not str:
        return UNFIT
    if kind in ("dateTime", "instant"):
        return value[:10]
    return value if kind in TEXTS and temporal.parse_date(value) is not None else UNFIT


def _to_date_time(kind: str, value: Any, _target: str) -> Any:
    if value.__class__ is not str:
        return UNFIT
    if kind in ("date", "instant"):
        return value
    return value if kind in TEXTS and temporal.parse_datetime(value) is not None else UNFIT


def _to_instant(kind: str, value: Any, _target: str) -> Any:
    if value.__class__ is str and (kind == "dateTime" or kind in TEXTS) and _INSTANT.fullmatch(value):
        return value
    return UNFIT


def _to_time(kind: str, value: Any, _target: str) -> Any:
    if value.__class__ is str and kind in TEXTS and temporal.parse_time(value) is not None:
        return value
    return UNFIT


_PRIMITIVE = {
    "boolean": _to_boolean,
    "integer": _to_whole,
    "positiveInt": _to_whole,
    "unsignedInt": _to_whole,
    "decimal": _to_decimal,
    "date": _to_date,
    "dateTime": _to_date_time,
    "instant": _to_instant,
    "time": _to_time,
}


def is_instant(value: object) -> bool:
    """Whether a text is an instant: a date and time to the second, with its zone."""
    return isinstance(value, str) and _INSTANT.fullmatch(value) is not None
