"""How answers compare: equality, and the order of numbers, dates and quantities. None: cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.forms.elements import number, text
from service.fhirpath import quantity, temporal

if TYPE_CHECKING:
    from decimal import Decimal

    from service.fhir.forms.items import Value

_NUMBERS = frozenset({"integer", "decimal", "positiveInt", "unsignedInt"})
_DATES = frozenset({"date", "dateTime", "instant"})
_TEXTS = frozenset({"string", "text", "uri", "url", "code", "canonical", "markdown"})
UCUM = "http://unitsofmeasure.org"


def key_of(value: Value) -> tuple[Any, ...] | None:
    """What two equal answers share: system and code of a Coding, the number, the text. None for the rest."""
    content = value.content
    if value.type == "Coding" and isinstance(content, dict):
        return ("Coding", text(content, "system"), text(content, "code") or text(content, "display"))
    if value.type in _NUMBERS:
        counted = number(content)
        return None if counted is None else ("number", counted)
    if value.type == "Reference" and isinstance(content, dict):
        return ("Reference", text(content, "reference"))
    return (value.type, content) if isinstance(content, str) else None


def equal(actual: Value, expected: Value) -> bool | None:
    """Whether two answers are equal; None when that cannot be told (precision, units without a bridge)."""
    if actual.type == "Coding" and expected.type == "Coding":
        return _same_coding(actual.content, expected.content)
    if actual.type == "boolean" and expected.type == "boolean":
        return actual.content is expected.content
    if actual.type == "Reference" and expected.type == "Reference":
        return key_of(actual) == key_of(expected)
    if actual.type in _TEXTS and expected.type in _TEXTS:
        return bool(actual.content == expected.content)
    if not _ordered_alike(actual.type, expected.type):
        return False
    if actual.type in _DATES and actual.content == expected.content:
        return True
    order = compare(actual, expected)
    return None if order is None else order == 0


def compare(actual: Value, expected: Value) -> int | None:
    """-1, 0 or 1 as the first answer is less than, equal to or greater than the second; None: open."""
    if actual.type in _NUMBERS and expected.type in _NUMBERS:
        return _order(number(actual.content), number(expected.content))
    if actual.type == "Quantity" and expected.type == "Quantity":
        return compare_quantities(actual.content, expected.content)
    if actual.type in _TEXTS and expected.type in _TEXTS:
        left, right = actual.content, expected.content
        if isinstance(left, str) and isinstance(right, str):
            return (left > right) - (left < right)
        return None
    if _ordered_alike(actual.type, expected.type):
        left_time, right_time = _temporal(actual), _temporal(expected)
        if left_time is not None and right_time is not None:
            return temporal.compare(left_time, right_time)
    return None


def compare_quantities(actual: Any, expected: Any) -> int | None:
    """-1, 0 or 1; None where a value is missing, or where no unit leads from one to the other."""
    if not (isinstance(actual, dict) and isinstance(expected, dict)):
        return None
    left, right = number(actual.get("value")), number(expected.get("value"))
    if left is None or right is None or "comparator" in actual or "comparator" in expected:
        return None
    if unit_of(actual) == unit_of(expected):
        return _order(left, right)
    if actual.get("system") == UCUM == expected.get("system"):
        left_code, right_code = text(actual, "code"), text(expected, "code")
        if left_code and right_code:
            return quantity.compare(quantity.Quantity(left, left_code), quantity.Quantity(right, right_code))
    return None


def unit_of(content: Any) -> tuple[str | None, str | None]:
    """System and code of a Quantity's unit; a unit without a code goes by its words."""
    code = text(content, "code")
    return (text(content, "system"), code) if code else (None, text(content, "unit"))


def decimal_places(value: object) -> int:
    """The digits after the decimal point, as written."""
    counted = number(value)
    exponent = 0 if counted is None else counted.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _order(left: Decimal | None, right: Decimal | None) -> int | None:
    return None if left is None or right is None else (left > right) - (left < right)


def _ordered_alike(left: str, right: str) -> bool:
    return left == right or (left in _NUMBERS and right in _NUMBERS) or (left in _DATES and right in _DATES)


def _temporal(value: Value) -> temporal.Temporal | None:
    if not isinstance(value.content, str):
        return None
    if value.type == "time":
        return temporal.parse_time(value.content)
    if value.type == "date":
        return temporal.parse_date(value.content)
    return temporal.parse_datetime(value.content) if value.type in _DATES else None


def _same_coding(actual: Any, expected: Any) -> bool:
    if not (isinstance(actual, dict) and isinstance(expected, dict)):
        return False
    code = text(expected, "code")
    if text(actual, "code") != code:
        return False
    if code is None and text(actual, "display") != text(expected, "display"):
        return False
    system = text(expected, "system")
    return system is None or text(actual, "system") == system
