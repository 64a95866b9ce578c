"""FHIR dates as spans of time, in microseconds since 1970, for search. R4 ``search.html#date``.

A date without a time zone is a day in the United Kingdom.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

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
    try:
        start = datetime(  # noqa: DTZ001 - the zone is put in below
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),
        )
        after = _after(start, month, day, hour, second, fraction)
        if fraction:
            start += timedelta(microseconds=int(fraction[1:7].ljust(6, "0")))
            after = start + _width(fraction)
        tzinfo = ZoneInfo("UTC") if zone == "Z" else LOCAL
        if zone and zone != "Z":
            tzinfo = datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").tzinfo  # type: ignore[assignment]
        low = microseconds(start.replace(tzinfo=tzinfo))
        high = microseconds(after.replace(tzinfo=tzinfo)) - 1
    except (ValueError, OverflowError):
        return None
    return low, high


def _width(fraction: str) -> timedelta:
    return timedelta(microseconds=max(1, 10 ** (6 - min(len(fraction) - 1, 6))))


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
