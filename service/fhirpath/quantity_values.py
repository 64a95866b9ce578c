"""Quantities read from text and elements and written back, and what their units are worth to each other."""

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from . import decimals, ucum
from .lazy import pattern
from .records import record
from .ucum import Unit

UCUM: Final = "http://unitsofmeasure.org"
CALENDAR: Final = "http://hl7.org/fhirpath/CodeSystem/calendar-units"


@record
class Quantity:
    """A number with a unit: a UCUM code, or a calendar word in the singular."""

    value: Decimal
    unit: str


# Calendar word -> the UCUM code of (about) the same length.
DEFINITE: Final = {
    "year": "a",
    "month": "mo",
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
VAGUE: Final = frozenset({"year", "month"})
WORDS: Final = {**{word: word for word in DEFINITE}, **{f"{word}s": word for word in DEFINITE}}
# A FHIR Quantity's time units are read as calendar durations (FHIR R4, FHIRPath page, Use of FHIR Quantity).
_FROM_FHIR: Final = {"a": "year", "mo": "month", "d": "day", "h": "hour", "min": "minute", "s": "second"}
# What toQuantity reckons a year and a month to be; a year against a month is 12.
_DAYS: Final = {"year": Fraction(365), "month": Fraction(30)}

_TEXT = pattern(r"(?P<value>[+-]?[0-9]+(?:\.[0-9]+)?)\s*(?:'(?P<unit>[^']+)'|(?P<word>[a-zA-Z]+))?", re.ASCII)


def calendar_unit(word: str) -> str | None:
    """The calendar word in the singular (`days` gives `day`); None for any other text."""
    return WORDS.get(word)


def make(value: Decimal, unit: str) -> Quantity:
    """The quantity of a literal: `unit` as quoted or as a word; calendar words become singular."""
    return Quantity(value, WORDS.get(unit, unit))


def parse_quantity(text: str) -> Quantity | None:
    """The quantity as toQuantity reads text: `4 days`, `1 'wk'`, `1.0` (unit 1); None for anything else."""
    found = _TEXT().fullmatch(text)
    if found is None:
        return None
    value = decimals.parse_decimal(found["value"])
    if value is None:
        return None
    if found["word"] is not None:
        word = WORDS.get(found["word"])
        return None if word is None else Quantity(value, word)
    return make(value, found["unit"] or "1")


_NUMBERS: frozenset[Any] = frozenset({int, Decimal})


def from_element(element: dict[str, Any]) -> Quantity | None:
    """The System quantity of a FHIR Quantity element; None when it stands for none.

    It stands for one when it has a value and a UCUM or calendar code, and no comparator: `< 5 mg` is no
    amount. The codes a, mo, d, h, min and s become calendar durations, as FHIR asks.
    """
    value: Any = element.get("value")
    code: Any = element.get("code")
    if value.__class__ not in _NUMBERS or code.__class__ is not str:
        return None
    if not code or element.get("comparator") is not None:
        return None
    system = element.get("system")
    if system == UCUM:
        return Quantity(Decimal(value), _FROM_FHIR.get(code, code))
    if system == CALENDAR and code in WORDS:
        return Quantity(Decimal(value), WORDS[code])
    return None


def to_element(quantity: Quantity) -> dict[str, Any]:
    """The quantity as a FHIR Quantity element: value, unit, system and code."""
    system = CALENDAR if quantity.unit in DEFINITE else UCUM
    return {"value": quantity.value, "unit": quantity.unit, "system": system, "code": quantity.unit}


def to_text(quantity: Quantity) -> str:
    """The text that parse_quantity reads back: `1 'wk'`, `1 week`, `4 days`. ValueError out of range."""
    number = decimals.text(quantity.value)
    if quantity.unit not in DEFINITE:
        return f"{number} '{quantity.unit}'"
    return f"{number} {quantity.unit}{'' if quantity.value == 1 else 's'}"


@lru_cache(maxsize=1024)
def definite(unit: str) -> Unit | None:
    """The UCUM unit of a code or a calendar word; None when unknown."""
    return ucum.find(DEFINITE.get(unit, unit))


@lru_cache(maxsize=1024)
def ratio_of(source: str, target: str, *, loose: bool = False) -> Fraction | None:
    """What one `source` is in `target`, for units that are ratios; None when they do not compare.

    loose: a calendar year or month counts as its definite namesake, as equivalence has it.
    """
    if source == target:
        return Fraction(1)
    if source in DEFINITE and target in DEFINITE:
        if source in VAGUE and target in VAGUE:
            return Fraction(12) if source == "year" else Fraction(1, 12)
        if source in VAGUE or target in VAGUE:
            return _days(source) / _days(target)
    elif (source in VAGUE or target in VAGUE) and not loose:
        return None
    a, b = definite(source), definite(target)
    if a is None or b is None or a.dimension != b.dimension or a.scale is not None or b.scale is not None:
        return None
    return a.factor / b.factor


@lru_cache(maxsize=1024)
def decimal_ratio(source: str, target: str) -> Decimal | None:
    """ratio_of as a short decimal, for quick comparison; None where it is none."""
    ratio = ratio_of(source, target)
    number = None if ratio is None else decimals.from_fraction(ratio)
    return None if number is None or Fraction(number) != ratio else number


def _days(word: str) -> Fraction:
    if word in _DAYS:
        return _DAYS[word]
    unit, day = ucum.parse(DEFINITE[word]), ucum.parse("d")
    return unit.factor / day.factor


def in_unit(quantity: Quantity, target: str, *, loose: bool = False) -> Fraction | None:
    """The number the quantity has in another unit; None when it has none."""
    if not decimals.in_range(quantity.value):
        return None
    ratio = ratio_of(quantity.unit, target, loose=loose)
    if ratio is not None:
        return Fraction(quantity.value) * ratio
    if quantity.unit in DEFINITE or target in DEFINITE:
        return None
    a, b = definite(quantity.unit), definite(target)
    return None if a is None or b is None else ucum.convert(Fraction(quantity.value), a, b)
