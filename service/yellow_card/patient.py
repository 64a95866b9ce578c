"""What a report may tell of a patient: age, sex, a local reference; initials where the site says so.

By allow-list: a Patient goes in, and only these come out.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.domain.safety_report import Subject

if TYPE_CHECKING:
    from service.domain.site import Site

Resource = dict[str, Any]
_SEXES = ("male", "female", "other", "unknown")
_OLDEST = 130
_WIDTH = 10
_OPEN_FROM = 90
"""From this age on a band is open at its end: the very old are few enough to be known by their age."""


def describe(patient: Resource | None, day: str, site: Site, local_reference: str | None) -> Subject:
    """What may be told of the patient at the day (FHIR date or dateTime) of the event."""
    held = patient or {}
    sex = held.get("gender") if held.get("gender") in _SEXES else None
    initials = initials_of(held) if site.initials else None
    age, unit = age_at(held.get("birthDate"), day)
    if site.age == "band":
        years = years_at(held.get("birthDate"), day)
        return Subject(None, "a", band_of(years), sex, None, local_reference, initials)
    return Subject(age, unit, None, sex, None, local_reference, initials)


def age_at(born: Any, day: str) -> tuple[Decimal | None, str]:
    """The age and its UCUM unit: years from the second birthday on, else months, else days.

    None where the dates do not say which of two ages it is, or say what cannot be.
    """
    birth, then = _span(born), _span(day)
    if birth is None or then is None:
        return None, "a"
    youngest, oldest = _years(birth[1], then[0]), _years(birth[0], then[1])
    if youngest != oldest or not 0 <= oldest <= _OLDEST or birth[1] > then[1]:
        return None, "a"
    if oldest >= 2:
        return Decimal(oldest), "a"
    if birth[0] != birth[1] or then[0] != then[1]:
        return None, "a"
    months = _months(birth[0], then[0])
    return (Decimal(months), "mo") if months else (Decimal((then[0] - birth[0]).days), "d")


def years_at(born: Any, day: str) -> tuple[int, int] | None:
    """The least and the greatest age in whole years that the dates allow; None where they say nothing."""
    birth, then = _span(born), _span(day)
    if birth is None or then is None:
        return None
    found = max(0, _years(birth[1], then[0])), _years(birth[0], then[1])
    return found if 0 <= found[1] <= _OLDEST else None


def band_of(years: tuple[int, int] | None) -> str | None:
    """The band of ten years that the age lies in for certain; the oldest are one band."""
    if years is None:
        return None
    low, high = (min(one, _OPEN_FROM) // _WIDTH * _WIDTH for one in years)
    if low != high:
        return None
    return f"{low}+" if low == _OPEN_FROM else f"{low}-{low + _WIDTH - 1}"


def initials_of(patient: Resource) -> str | None:
    """The first letters of the official or first name: given names, then family."""
    names = [one for one in patient.get("name", ()) if isinstance(one, dict)]
    chosen = next((one for one in names if one.get("use") == "official"), names[0] if names else {})
    words = [*chosen.get("given", ()), *([chosen["family"]] if chosen.get("family") else [])]
    return "".join(str(word).strip()[:1].upper() for word in words) or None


def _span(text: Any) -> tuple[date, date] | None:
    """The first and last day that a FHIR date or dateTime may mean."""
    if not isinstance(text, str):
        return None
    parts = text[:10].split("-")
    try:
        numbers = [int(part) for part in parts]
        if len(numbers) == 1:
            return date(numbers[0], 1, 1), date(numbers[0], 12, 31)
        if len(numbers) == 2:
            year, month = numbers
            return date(year, month, 1), date(year, month, monthrange(year, month)[1])
        return date(*numbers), date(*numbers)
    except (ValueError, TypeError):
        return None


def _years(birth: date, then: date) -> int:
    return then.year - birth.year - ((then.month, then.day) < (birth.month, birth.day))


def _months(birth: date, then: date) -> int:
    return (then.year - birth.year) * 12 + then.month - birth.month - (then.day < birth.day)
