"""Parts of dates and times, and the time between two (3.0: component extraction, duration and difference).

A part that the value is not precise enough to have is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhirpath import temporal
from service.fhirpath.errors import EvaluationError

from .registry import scalar

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from service.fhirpath.temporal import Date, Temporal, Time

_SECTION = "component extraction of 3.0"


@scalar("yearOf", _SECTION, takes="Moment", gives="Integer")
def year_of(value: Temporal) -> int | None:
    """yearOf() : Integer."""
    return temporal.year(value)


@scalar("monthOf", _SECTION, takes="Moment", gives="Integer")
def month_of(value: Temporal) -> int | None:
    """monthOf() : Integer. From 1."""
    return temporal.month(value)


@scalar("dayOf", _SECTION, takes="Moment", gives="Integer")
def day_of(value: Temporal) -> int | None:
    """dayOf() : Integer. The day of the month, from 1."""
    return temporal.day(value)


@scalar("hourOf", _SECTION, takes="Moment", gives="Integer")
def hour_of(value: Temporal) -> int | None:
    """hourOf() : Integer."""
    return temporal.hour(value)


@scalar("minuteOf", _SECTION, takes="Moment", gives="Integer")
def minute_of(value: Temporal) -> int | None:
    """minuteOf() : Integer."""
    return temporal.minute(value)


@scalar("secondOf", _SECTION, takes="Moment", gives="Integer")
def second_of(value: Temporal) -> int | None:
    """secondOf() : Integer."""
    return temporal.second(value)


@scalar("millisecondOf", _SECTION, takes="Moment", gives="Integer")
def millisecond_of(value: Temporal) -> int | None:
    """millisecondOf() : Integer."""
    return temporal.millisecond(value)


@scalar("timezoneOffsetOf", _SECTION, takes="DateTime", gives="Decimal")
def timezone_offset_of(value: Temporal) -> Decimal | None:
    """timezoneOffsetOf() : Decimal. In hours."""
    return temporal.timezone_offset(value)


@scalar("dateOf", _SECTION, takes="Moment", gives="Date")
def date_of(value: Temporal) -> Date | None:
    """dateOf() : Date."""
    return temporal.date_of(value)


@scalar("timeOf", _SECTION, takes="Moment", gives="Time")
def time_of(value: Temporal) -> Time | None:
    """timeOf() : Time."""
    return temporal.time_of(value)


@scalar("duration", "duration of 3.0", "value: Moment", "precision: String", takes="Moment", gives="Integer")
def duration(start: Temporal, end: Temporal, unit: str) -> int | None:
    """duration(value, precision) : Integer. The whole units between the two; empty where that is open."""
    return _between(temporal.duration, start, end, unit)


@scalar(
    "difference", "difference of 3.0", "value: Moment", "precision: String", takes="Moment", gives="Integer"
)
def difference(start: Temporal, end: Temporal, unit: str) -> int | None:
    """difference(value, precision) : Integer. The boundaries of the unit crossed between the two."""
    return _between(temporal.difference, start, end, unit)


def _between(measure: Callable[..., Any], start: Temporal, end: Temporal, unit: str) -> int | None:
    try:
        found: int | None = measure(start, end, unit)
    except (TypeError, ValueError) as error:
        raise EvaluationError(str(error)) from None
    return found
