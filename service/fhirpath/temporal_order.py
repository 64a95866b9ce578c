"""How dates and times compare: =, ~, < and the rest, with unknown as an answer.

FHIRPath § Date/Time Equality: parts are compared from the left until they differ; a part that only one value
has leaves the answer open. Values with different zone offsets are compared as instants. A value without a
zone next to one with a zone stands for every instant between UTC+14:00 and UTC-12:00, so the answer is known
only where all of those agree.
"""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from .temporal_values import DateTime, Parts, Temporal, Time, days_in_month

EARLIEST_OFFSET = 14 * 60
LATEST_OFFSET = -12 * 60

# Minutes since the year 1 in UTC, and seconds of that minute.
Instant: TypeAlias = tuple[int, int | Decimal]


def compare(a: Temporal, b: Temporal) -> int | None:
    """-1, 0 or 1 as a is before, at or after b; None when precision or a missing zone leaves it open.

    A Date next to a DateTime is taken as a DateTime of its precision. Raises TypeError for a Time next to
    either.
    """
    if (type(a) is Time) is not (type(b) is Time):
        raise TypeError("a Time cannot be compared with a Date or a DateTime")
    if a.offset != b.offset:
        return _compare_instants(a, b)
    left, right = a.parts, b.parts
    shared = len(left)
    if shared == len(right):
        return (left > right) - (left < right)
    shared = min(shared, len(right))
    left, right = left[:shared], right[:shared]
    return None if left == right else (left > right) - (left < right)


def equal(a: Temporal, b: Temporal) -> bool | None:
    """Whether a = b; None when precision or a missing zone leaves it open. A Time never equals a date."""
    if (type(a) is Time) is not (type(b) is Time):
        return False
    order = compare(a, b)
    return None if order is None else order == 0


def equivalent(a: Temporal, b: Temporal) -> bool:
    """Whether a ~ b: as equal, but an open answer is no."""
    return equal(a, b) is True


@lru_cache(maxsize=8192)
def _compare_instants(a: Temporal, b: Temporal) -> int | None:
    low_a, high_a = _span(a)
    low_b, high_b = _span(b)
    if high_a < low_b:
        return -1
    if high_b < low_a:
        return 1
    if low_a == low_b and high_a == high_b and a.offset is not None and b.offset is not None:
        return 0
    return None


def _span(value: Temporal) -> tuple[Instant, Instant]:
    """The first and the last instant the value can stand for. Second 60 is a minute's end, left out."""
    parts = value.parts
    known = value.offset
    first, last = (EARLIEST_OFFSET, LATEST_OFFSET) if known is None else (known, known)
    if len(parts) == 6:
        minutes = _minutes(parts)
        return (minutes - first, parts[5]), (minutes - last, parts[5])
    return (_minutes(_first(parts)) - first, 0), (_minutes(_last(parts)) - last, 60)


def _first(parts: Parts) -> Parts:
    return parts + (1, 1, 1, 0, 0)[len(parts) :]


def _last(parts: Parts) -> Parts:
    if len(parts) == 1:
        parts = (*parts, 12)
    if len(parts) == 2:
        parts = (*parts, days_in_month(int(parts[0]), int(parts[1])))
    return parts + (0, 0, 0, 23, 59)[len(parts) :]


def _minutes(parts: Parts) -> int:
    days = date(int(parts[0]), int(parts[1]), int(parts[2])).toordinal()
    return days * 1440 + int(parts[3]) * 60 + int(parts[4])


def instant(value: DateTime | Time) -> Instant:
    """The minute since the year 1 in UTC (for a Time, of the day) and the second, of a value with minutes.

    A value without seconds is at second 0; one without a zone is read as UTC.
    """
    parts = value.parts
    if isinstance(value, Time):
        return int(parts[0]) * 60 + int(parts[1]), parts[2] if len(parts) > 2 else 0
    return _minutes(parts) - (value.offset or 0), parts[5] if len(parts) > 5 else 0
