"""What a report holds, in words for a person: dates, codes, numbers, yes and no."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.domain.evaluation import Code

if TYPE_CHECKING:
    from service.domain.safety_report import SafetyReport
    from service.yellow_card.fields import Field, Held, Words

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d)(?::[\d.]+)?(Z|[+-]\d\d:\d\d)?)?)?)?")
_UNITS = {"a": ("year", "years"), "mo": ("month", "months"), "wk": ("week", "weeks"), "d": ("day", "days")}
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)


def say(held: Held, report: SafetyReport, words: Words) -> str | None:
    """What the report holds for a field, as a person reads it; None where it holds nothing."""
    if held.value is None:
        return None
    if held.field.kind == "age":
        return say_age(held.value, report.subject.age_unit)
    if held.value == ():
        return held.field.empty or None
    values = held.value if isinstance(held.value, tuple) else (held.value,)
    return "; ".join(_one(value, held.field, words) for value in values)


def _one(value: Any, row: Field, words: Words) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Code):
        return clean(value.display or value.code)
    if isinstance(value, Decimal | int):
        return plain(value)
    if row.kind == "date":
        return say_date(str(value))
    if row.words:
        return clean(name(str(value), row.words, words))
    return clean(str(value))


def name(code: str, listed: str, words: Words) -> str:
    """What a code of a list is called; the code itself where the list does not have it."""
    found = words.get(listed, {}).get(code)
    return (found.display if found else None) or code


def plain(number: Decimal | int) -> str:
    """The number with the digits that it has, never with an exponent."""
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def say_age(age: Decimal, unit: str) -> str:
    """The age with its unit (UCUM) in words."""
    one, many = _UNITS.get(unit, (unit, unit))
    return f"{plain(age)} {one if age == 1 else many}"


def say_date(text: str) -> str:
    """A FHIR date or dateTime in words, as exact as it is; a text of another shape as it stands."""
    found = _DATE.fullmatch(text)
    if not found or (found[2] and not 1 <= int(found[2]) <= len(_MONTHS)):
        return clean(text)
    year, month, day, time, zone = found.groups()
    said = " ".join(
        part
        for part in (str(int(day)) if day else "", _MONTHS[int(month) - 1] if month else "", year)
        if part
    )
    if time:
        zone = {"Z": "UTC", "+00:00": "UTC", None: ""}.get(zone, f"UTC{zone}")
        said += f", {time}{' ' + zone if zone else ''}"
    return said


def clean(text: str) -> str:
    """The text without characters that no document can hold or that turn the direction of reading."""
    return _UNPRINTABLE.sub("\ufffd", text)
