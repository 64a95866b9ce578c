"""A profile's limits on one value: its length, its least and its greatest value (ElementDefinition)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhir.validation.places import Place


def check_limits(
    definition: dict[str, Any], value: Any, place: Place, error: Callable[[str, str, Place, str], None]
) -> None:
    """Reports a value that is too long, too small or too great."""
    longest = definition.get("maxLength")
    if isinstance(longest, int) and isinstance(value, str) and len(value) > longest:
        message = f"this has {len(value)} characters; at most {longest} may stand here"
        error("too-long", message, place, "maxLength")
    for key, limit in definition.items():
        if key.startswith("minValue") and _compare(value, limit) == -1:
            error("value", f"the value may not be less than {_said(limit)}", place, "minValue")
        elif key.startswith("maxValue") and _compare(value, limit) == 1:
            error("value", f"the value may not be greater than {_said(limit)}", place, "maxValue")


def _said(limit: Any) -> str:
    if isinstance(limit, dict):
        return f"{limit.get('value')} {limit.get('code') or limit.get('unit') or ''}".strip()[:60]
    return str(limit)[:60]


def _compare(value: Any, limit: Any) -> int | None:
    """-1, 0 or 1; None where the two cannot be compared for certain."""
    if isinstance(value, dict) and isinstance(limit, dict):
        if value.get("code") != limit.get("code") or value.get("system") != limit.get("system"):
            return None
        return _compare(value.get("value"), limit.get("value"))
    if isinstance(value, bool) or isinstance(limit, bool):
        return None
    if isinstance(value, (int, float, Decimal)) and isinstance(limit, (int, float, Decimal)):
        one, other = Decimal(str(value)), Decimal(str(limit))
        return (one > other) - (one < other) if one.is_finite() and other.is_finite() else None
    if isinstance(value, str) and isinstance(limit, str):
        return _compare_times(_day(value), _day(limit))
    return None


def _compare_times(one: str, other: str) -> int | None:
    shortest = min(len(one), len(other))
    if one[:shortest] == other[:shortest]:
        return 0 if len(one) == len(other) else None
    return 1 if one > other else -1


def _day(text: str) -> str:
    """The part of a date or time that can be compared as text: the day, whatever the zone."""
    return text[:10] if "T" in text else text
