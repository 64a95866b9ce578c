"""The primitive types: whether a JSON value is one, and what to say where it is not.

Source: FHIR R4 data types page (formats, limits) and JSON page (which JSON type carries which primitive).
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from service.fhir.validation.run import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

MEGABYTE = 1_048_576
_INTEGER = 2_147_483_647
_DIGITS = 400  # a double reaches 308; beyond, a few characters of text could ask for endless arithmetic
_LARGEST = 10**_DIGITS

_CODE = re.compile(r"[^\s\ud800-\udfff]+(?:\s[^\s\ud800-\udfff]+)*").fullmatch
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_URI = re.compile(r"[^\s\ud800-\udfff]+").fullmatch
_OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+").fullmatch
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_BASE64 = re.compile(r"(?:\s*[A-Za-z0-9+/]{4})*(?:\s*[A-Za-z0-9+/]{2}[A-Za-z0-9+/=]=)?\s*").fullmatch
_HALF = re.compile(r"[\ud800-\udfff]").search
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]").search
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_DATE = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?", re.ASCII).fullmatch
_DATE_TIME = re.compile(
    rf"([0-9]{{4}})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01])(?:T{_CLOCK}{_ZONE})?)?)?"
).fullmatch
_INSTANT = re.compile(rf"([0-9]{{4}})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{_CLOCK}{_ZONE}").fullmatch
_TIME = re.compile(_CLOCK).fullmatch


class Primitive(NamedTuple):
    """How one primitive type is checked: its JSON type's name, the test, and what is allowed."""

    json: str
    holds: Callable[[Any], bool]
    allowed: str


def _is_string(value: Any) -> bool:
    if type(value) is not str or not 0 < len(value) <= MEGABYTE:
        return False
    return value.isprintable() or not _CONTROL(value)


def _is_code(value: Any) -> bool:
    return type(value) is str and _CODE(value) is not None


def _is_id(value: Any) -> bool:
    return type(value) is str and _ID(value) is not None


def _is_uri(value: Any) -> bool:
    if type(value) is not str or _URI(value) is None:
        return False
    if value.startswith("urn:"):
        if value.startswith("urn:oid:"):
            return _OID(value) is not None
        if value.startswith("urn:uuid:"):
            return _UUID(value) is not None
    return True


def _is_canonical(value: Any) -> bool:
    return _is_uri(value) and (":" in value or value[0] == "#")


def _is_oid(value: Any) -> bool:
    return type(value) is str and _OID(value) is not None


def _is_uuid(value: Any) -> bool:
    return type(value) is str and _UUID(value) is not None


def _is_base64(value: Any) -> bool:
    return type(value) is str and value != "" and _BASE64(value) is not None


def _on_calendar(match: re.Match[str] | None) -> bool:
    """Whether the day exists: ``2023-02-29`` has the format but is no day."""
    if match is None:
        return False
    year, month, day = match.groups()
    if day is None or day < "29":
        return bool(year != "0000")
    if month == "02":
        number = int(year)
        return day == "29" and number % 4 == 0 and (number % 100 != 0 or number % 400 == 0)
    return bool((day != "31" or month not in ("04", "06", "09", "11")) and year != "0000")


def _is_date(value: Any) -> bool:
    return type(value) is str and _on_calendar(_DATE(value))


def _is_date_time(value: Any) -> bool:
    return type(value) is str and _on_calendar(_DATE_TIME(value))


def _is_instant(value: Any) -> bool:
    return type(value) is str and _on_calendar(_INSTANT(value))


def _is_time(value: Any) -> bool:
    return type(value) is str and _TIME(value) is not None


def _is_boolean(value: Any) -> bool:
    return value is True or value is False


def _is_decimal(value: Any) -> bool:
    if type(value) is Decimal:
        return value.is_finite() and -_DIGITS < value.adjusted() < _DIGITS
    return (type(value) is int and -_LARGEST < value < _LARGEST) or (type(value) is float and isfinite(value))


def _is_integer(value: Any) -> bool:
    return type(value) is int and -_INTEGER - 1 <= value <= _INTEGER


def _is_unsigned(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _INTEGER


def _is_positive(value: Any) -> bool:
    return type(value) is int and 0 < value <= _INTEGER


def is_odd(value: Any) -> bool:
    """Whether a value is one that JSON cannot hold, or a number too large to reckon with."""
    if isinstance(value, (int, float, Decimal)):
        return not isinstance(value, bool) and not _is_decimal(value)
    return not isinstance(value, (str, dict, list)) and value is not None


def has_control(value: Any) -> bool:
    """Whether a text has control characters, but for tab and line ends: R4 says that it should not.

    Half of a surrogate pair is no character at all, and so no matter of should.
    """
    return isinstance(value, str) and _CONTROL(value) is not None and _HALF(value) is None


_TEXT = "text of at least one character, at most 1 MB, without control characters or half characters"

PRIMITIVES: dict[str, Primitive] = {
    "base64Binary": Primitive("string", _is_base64, "base64: A-Z a-z 0-9 + /, padded with = to fours"),
    "boolean": Primitive("boolean", _is_boolean, "true or false, without quotation marks"),
    "canonical": Primitive("string", _is_canonical, "an absolute URL (|version if needed), or # and an id"),
    "code": Primitive("string", _is_code, "no space at either end, single ones inside"),
    "date": Primitive("string", _is_date, "a calendar day as YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": Primitive(
        "string",
        _is_date_time,
        "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone (Z or +hh:mm), a day that exists",
    ),
    "decimal": Primitive("number", _is_decimal, "a JSON number of at most 400 digits"),
    "id": Primitive("string", _is_id, "1 to 64 of A-Z a-z 0-9 - ."),
    "instant": Primitive("string", _is_instant, "YYYY-MM-DDThh:mm:ss with a zone (Z or +hh:mm)"),
    "integer": Primitive("number", _is_integer, "a whole JSON number from -2147483648 to 2147483647"),
    "markdown": Primitive("string", _is_string, _TEXT),
    "oid": Primitive("string", _is_oid, "urn:oid: and numbers with dots"),
    "positiveInt": Primitive("number", _is_positive, "a whole JSON number from 1 to 2147483647"),
    "string": Primitive("string", _is_string, _TEXT),
    "time": Primitive("string", _is_time, "hh:mm:ss without a zone"),
    "unsignedInt": Primitive("number", _is_unsigned, "a whole JSON number from 0 to 2147483647"),
    "uri": Primitive("string", _is_uri, "a URI without spaces; urn:oid: and urn:uuid: in their formats"),
    "url": Primitive("string", _is_uri, "a URL without spaces"),
    "uuid": Primitive("string", _is_uuid, "urn:uuid: and a UUID in lower case"),
    "xhtml": Primitive("string", lambda value: type(value) is str and value != "", "an XHTML div"),
}
"""Every primitive type of R4 by name."""


def explain(type_name: str, value: Any) -> tuple[str, str]:
    """Issue code and message for a value that is not of the primitive type."""
    primitive = PRIMITIVES[type_name]
    given = _json_type(value)
    if given != primitive.json:
        advice = ""
        if given == "string" and primitive.json in ("number", "boolean"):
            advice = "; leave out the quotation marks"
        elif primitive.json == "string" and given in ("number", "boolean"):
            advice = "; put it in quotation marks"
        elif given == "null":
            advice = "; leave the element out where there is no value"
        return "structure", f"{type_name} is written as a JSON {primitive.json}, not {given}{advice}"
    if value == "":
        return "value", f"an empty string is no {type_name}; leave the element out where there is no value"
    return "value", f"{quoted(value)} is no {type_name}; allowed: {primitive.allowed}"


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float, Decimal)):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return f"a Python {type(value).__name__}"
