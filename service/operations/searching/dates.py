"""FHIR dates as spans of time, in microseconds since 1970, for search. R4 ``search.html#date``.

A date without a time zone is a day in the United Kingdom.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import tzinfo

LOCAL = ZoneInfo("Europe/London")
EARLIEST, LATEST = -(2**62), 2**62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)


def microseconds(moment: datetime) -> int:
    """The moment as whole microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The aware moment of a count of microseconds."""
    return _EPOCH + timedelta(microseconds=value)


def span(text: str) -> tuple[int, int] | None:
    """First and last microsecond that a FHIR date, dateTime or instant may mean, or None if it is none."""
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    whole = min(int(second or 0), 59)  # a leap second counts as the one before it
    try:
        start = datetime(  # noqa: DTZ001 - the zone is put in below
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), whole
        )
        if zone:
            low = microseconds(start.replace(tzinfo=_zone(zone)))
            if fraction:
                low += int(fraction[1:7].ljust(6, "0"))
            return low, low + _width(second, fraction) - 1
        after = _after(start, month, day, hour, second, fraction)
        if fraction:
            start += timedelta(microseconds=int(fraction[1:7].ljust(6, "0")))
            after = start + timedelta(microseconds=_width(second, fraction))
        low = microseconds(start.replace(tzinfo=LOCAL))
        high = microseconds(after.replace(tzinfo=LOCAL)) - 1
    except (ValueError, OverflowError):
        return None
    return low, high


def _zone(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[4:]))
    return timezone(ahead if text[0] == "+" else -ahead)


def _width(second: str | None, fraction: str | None) -> int:
    """How many microseconds a time of this precision may mean."""
    if second is None:
        return 60_000_000
    return 1_000_000 if fraction is None else 10 ** max(7 - len(fraction), 0)


def _after(
    start: datetime,
    month: str | None,
    day: str | None,
    hour: str | None,
    second: str | None,
    fraction: str | None,
) -> datetime:
    if fraction:
        return start
    if month is None:
        return start.replace(year=start.year + 1)
    if day is None:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    if hour is None:
        return start + timedelta(days=1)
    return start + (timedelta(minutes=1) if second is None else timedelta(seconds=1))
