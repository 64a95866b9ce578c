"""Moving dates and times by a quantity, and counting the time between two of them.

FHIRPath § Date/Time Arithmetic. Above the second the calendar rules: a year or a month later is the same day
of the month, or the month's last day where there is no such day; fractions of those units are dropped. A
value that lacks the unit's part is moved by the quantity turned into the value's finest part (365 days are 1
year, 30 days 1 month) and cut to a whole number. § duration and § difference are for trial use.
"""

import math
from collections.abc import Callable
from datetime import date
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_DOWN, Context, Decimal
from typing import Final

from .decimals import in_range
from .temporal_order import instant
from .temporal_values import (
    Date,
    DateTime,
    Parts,
    Temporal,
    Time,
    days_in_month,
    fraction_digits,
    make_date,
    make_datetime,
    make_day,
    make_time,
    milliseconds,
    to_datetime,
    zone_text,
)

# Units by every name they may be given: the calendar words and the UCUM codes of the same length. The code of
# a year or a month ('a', 'mo') means a mean length in days, which is not the calendar's, and is refused.
_WORDS = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
_UNITS: Final = {
    **{word: word for word in _WORDS},
    **{f"{word}s": word for word in _WORDS},
    "wk": "week",
    "d": "day",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "ms": "millisecond",
}
_MEAN: Final = {"a": "year", "mo": "month"}
_LEVEL: Final = {
    "year": 0,
    "month": 1,
    "week": 2,
    "day": 2,
    "hour": 3,
    "minute": 4,
    "second": 5,
    "millisecond": 5,
}
# Milliseconds in each unit; a year and a month as § toQuantity counts them.
_LENGTH: Final = {
    "year": 365 * 86_400_000,
    "month": 30 * 86_400_000,
    "week": 7 * 86_400_000,
    "day": 86_400_000,
    "hour": 3_600_000,
    "minute": 60_000,
    "second": 1000,
    "millisecond": 1,
}
_BY_LEVEL: Final = ("year", "month", "day", "hour", "minute", "second")
# The levels of the units that a value takes, and by them the units by every name.
_SPANS: Final[dict[type, tuple[int, int]]] = {Date: (0, 2), DateTime: (0, 5), Time: (3, 5)}
_FITTING: Final[dict[type, dict[str, str]]] = {
    kind: {name: unit for name, unit in _UNITS.items() if first <= _LEVEL[unit] <= last}
    for kind, (first, last) in _SPANS.items()
}
_LAST_DAY: Final = date.max.toordinal()

# Nothing moved this far stays within the years 1 to 9999, whatever the unit; in milliseconds it is 31,709
# years.
_FARTHEST: Final = Decimal(10) ** 15
_EXACT: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
# Finer than any clock; more digits of a quantity are cut.
_FINEST: Final = Decimal("1E-30")


def add(value: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    """The value moved by `amount` units, back for a negative amount; None outside the years 0001 to 9999.

    unit: a calendar word, singular or plural, or a UCUM code up to the week (`wk d h min s ms`). A Time goes
    round the clock. Raises ValueError, naming the units that would do, when the unit does not apply to the
    value.
    """
    name = _unit(value, unit)
    if not in_range(amount) or amount.copy_abs() > _FARTHEST:
        return None
    skipped = 3 if isinstance(value, Time) else 0
    finest = len(value.parts) + skipped - 1
    if _LEVEL[name] > finest:
        amount, name = _coarser(int(amount), name, finest)
    elif name == "millisecond":
        # Milliseconds are finer than whole seconds, and are then cut like any finer unit.
        amount = amount.scaleb(-3, _EXACT) if fraction_digits(value) else Decimal(_cut(int(amount), 1000))
        name = "second"
    elif name != "second":
        amount = Decimal(int(amount))
    if name == "week":
        amount, name = Decimal(int(amount) * 7), "day"
    if isinstance(value, Time):
        clock = _add_clock(value.parts, amount, name)[1]
        return make_time(clock)
    if isinstance(value, Date):
        return _add_to_date(value.parts, int(amount), name)
    parts = _add_parts(value.parts, amount, name)
    if parts is None:
        return None
    return make_datetime(parts, value.offset, zone_text(value))


def _unit(value: Temporal, unit: str) -> str:
    """The unit's calendar word if it applies to the value; ValueError otherwise."""
    name = _FITTING[value.__class__].get(unit)
    if name is not None:
        return name
    first, last = _SPANS[value.__class__]
    fitting = ", ".join(f"{word}s" for word in _WORDS if first <= _LEVEL[word] <= last)
    hint = f" (write {_MEAN[unit]})" if unit in _MEAN else ""
    raise ValueError(f"a {type(value).__name__} takes {fitting}, not the unit {unit!r}{hint}")


def _coarser(amount: int, name: str, level: int) -> tuple[Decimal, str]:
    """The amount in whole units of a coarser part."""
    target = _BY_LEVEL[level]
    if name == "month":
        return Decimal(_cut(amount, 12)), target
    return Decimal(_cut(amount * _LENGTH[name], _LENGTH[target])), target


def _cut(number: int, divisor: int) -> int:
    """The quotient without its fraction (towards zero)."""
    quotient = abs(number) // divisor
    return -quotient if number < 0 else quotient


def _add_to_date(parts: tuple[int, ...], amount: int, name: str) -> Date | None:
    """The date moved by a unit it has; None outside the calendar."""
    if name == "day":
        ordinal = date(*parts).toordinal() + amount
        return make_day(date.fromordinal(ordinal)) if 1 <= ordinal <= _LAST_DAY else None
    moved = _add_months(parts, amount * (12 if name == "year" else 1))
    return None if moved is None else make_date(moved)


def _add_parts(parts: Parts, amount: Decimal, name: str) -> Parts | None:
    """The date-time moved by a unit it has; None outside the calendar."""
    if name in ("year", "month"):
        return _add_months(parts, int(amount) * (12 if name == "year" else 1))
    if name == "day":
        days, clock = int(amount), parts[3:]
    else:
        days, clock = _add_clock(parts[3:], amount, name)
    ordinal = date(int(parts[0]), int(parts[1]), int(parts[2])).toordinal() + days
    if not 1 <= ordinal <= _LAST_DAY:
        return None
    moved = date.fromordinal(ordinal)
    return (moved.year, moved.month, moved.day, *clock)


def _add_months(parts: Parts, months: int) -> Parts | None:
    count = int(parts[0]) * 12 + (int(parts[1]) - 1 if len(parts) > 1 else 0) + months
    year, month = divmod(count, 12)
    if not 1 <= year <= 9999:
        return None
    if len(parts) < 3:
        return (year, month + 1)[: len(parts)]
    day = min(int(parts[2]), days_in_month(year, month + 1))
    return (year, month + 1, day, *parts[3:])


def _add_clock(clock: Parts, amount: Decimal, name: str) -> tuple[int, Parts]:
    """The days carried and the time of day, moved by hours, minutes or seconds."""
    hour, minute = int(clock[0]), int(clock[1]) if len(clock) > 1 else 0
    seconds: tuple[Decimal, ...] = ()
    if name == "second":
        total = _EXACT.add(Decimal(clock[2]), _shortest(amount))
        carry = math.floor(total) // 60
        seconds = (_EXACT.subtract(total, Decimal(carry * 60)),)
        minute += carry
    elif len(clock) > 2:
        seconds = (Decimal(clock[2]),)
    if name == "hour":
        hour += int(amount)
    elif name == "minute":
        minute += int(amount)
    days, minutes = divmod(hour * 60 + minute, 1440)
    moved: Parts = (*divmod(minutes, 60), *seconds)
    return days, moved[: len(clock)]


def _shortest(amount: Decimal) -> Decimal:
    """The number without trailing zeros, so that 1.0 s lends no fraction; cut after 30 decimals."""
    if amount == int(amount):
        return Decimal(int(amount))
    return amount.quantize(_FINEST, ROUND_DOWN, _EXACT).normalize(_EXACT)


def duration(a: Temporal, b: Temporal, unit: str) -> int | None:
    """The whole calendar periods from a to b, negative when b is earlier (§ duration).

    unit: a calendar word. None when either value is less precise than the unit, or when hours or finer are
    asked of two values of which only one has a zone. Raises ValueError for a unit that does not apply to the
    values and TypeError for a Time with a date.
    """
    return _count(a, b, unit, _elapsed, _calendar_periods)


def difference(a: Temporal, b: Temporal, unit: str) -> int | None:
    """The boundaries of the unit crossed from a to b, negative when b is earlier (§ difference).

    Weeks begin on Sunday. Unit, None and errors as for duration.
    """
    return _count(a, b, unit, _ticks, _calendar_boundaries)


_ByClock = Callable[[DateTime | Time, DateTime | Time, str], int]
_ByCalendar = Callable[[Parts, Parts, str], int]


def _count(a: Temporal, b: Temporal, unit: str, clock: _ByClock, by_calendar: _ByCalendar) -> int | None:
    if isinstance(a, Time) is not isinstance(b, Time):
        raise TypeError("a Time has no distance from a Date or a DateTime")
    finer = a if isinstance(a, DateTime) else b
    name = _unit(finer, unit)
    if unit.removesuffix("s") not in _WORDS:
        raise ValueError(f"write the unit as a calendar word ({name}), not {unit!r}")
    left = a if isinstance(a, Time) else to_datetime(a)
    right = b if isinstance(b, Time) else to_datetime(b)
    level = _LEVEL[name] - (3 if isinstance(left, Time) else 0)
    if len(left.parts) <= level or len(right.parts) <= level:
        return None
    if name == "millisecond" and not (fraction_digits(left) and fraction_digits(right)):
        return None
    if _LEVEL[name] <= 2:
        return by_calendar(left.parts, right.parts, name)
    if (left.offset is None) is not (right.offset is None):
        return None
    return clock(_with_minutes(left), _with_minutes(right), name)


def _with_minutes(value: DateTime | Time) -> DateTime | Time:
    if isinstance(value, Time):
        return value if len(value.parts) > 1 else make_time((*value.parts, 0))
    return value if len(value.parts) > 4 else make_datetime((*value.parts, 0), value.offset, zone_text(value))


def _milliseconds(value: DateTime | Time) -> int:
    minutes, seconds = instant(value)
    return minutes * 60_000 + milliseconds(seconds)


def _elapsed(a: DateTime | Time, b: DateTime | Time, name: str) -> int:
    return _cut(_milliseconds(b) - _milliseconds(a), _LENGTH[name])


def _ticks(a: DateTime | Time, b: DateTime | Time, name: str) -> int:
    # Hours are counted on the first value's own clock, which may be off UTC by half an hour.
    shift = (a.offset or 0) * 60_000
    return (_milliseconds(b) + shift) // _LENGTH[name] - (_milliseconds(a) + shift) // _LENGTH[name]


def _calendar_periods(a: Parts, b: Parts, name: str) -> int:
    shared = min(len(a), len(b))
    a, b = a[:shared], b[:shared]
    if b < a:
        return -_calendar_periods(b, a, name)
    if name in ("year", "month"):
        start = 1 if name == "year" else 2
        whole = _month_count(b, start) - _month_count(a, start)
    else:
        start = 3
        whole = _ordinal(b) - _ordinal(a)
    # The last period has not run its course until the rest of the date and clock is reached.
    whole -= b[start:] < a[start:]
    return whole // 7 if name == "week" else whole


def _calendar_boundaries(a: Parts, b: Parts, name: str) -> int:
    if name in ("year", "month"):
        start = 1 if name == "year" else 2
        return _month_count(b, start) - _month_count(a, start)
    if name == "week":
        # Day 7 of the calendar, 0001-01-07, is a Sunday.
        return _ordinal(b) // 7 - _ordinal(a) // 7
    return _ordinal(b) - _ordinal(a)


def _month_count(parts: Parts, kept: int) -> int:
    """The years counted (kept 1) or the months counted (kept 2)."""
    return int(parts[0]) if kept == 1 else int(parts[0]) * 12 + int(parts[1])


def _ordinal(parts: Parts) -> int:
    return date(int(parts[0]), int(parts[1]), int(parts[2])).toordinal()
