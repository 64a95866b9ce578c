"""How precise a date or time is, and the earliest and latest value it can stand for.

FHIRPath § precision, § lowBoundary, § highBoundary. Precision is counted in digits: 4 a year, 6 a month, 8 a
day, 10 an hour, 12 a minute, 14 a second, 17 a millisecond; for a Time 2, 4, 6 and 9.
"""

from decimal import Decimal

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
    make_time,
    zone_text,
)

# Digits of precision -> how many parts that keeps, and whether the fraction of the second is kept.
_DATE = {4: 1, 6: 2, 8: 3}
_CLOCK = {10: 4, 12: 5, 14: 6, 17: 6}
_DATETIME = {**_DATE, **_CLOCK}
_TIME = {2: 1, 4: 2, 6: 3, 9: 3}

# A value without a zone is earliest where the day begins first, and latest where it begins last.
_LOW_ZONE = (14 * 60, "+14:00")
_HIGH_ZONE = (-12 * 60, "-12:00")


def precision(value: Temporal) -> int:
    """The number of digits the value is written with (§ precision)."""
    count = len(value.parts)
    digits = 2 * count if isinstance(value, Time) else 2 + 2 * count
    return digits + fraction_digits(value)


def low_boundary(value: Temporal, digits: int | None = None) -> Temporal | None:
    """The earliest value of that type it can stand for, to `digits` of precision (by default the finest).

    A DateTime with a clock but no zone gets +14:00. None for a precision the type does not have.
    """
    return _boundary(value, digits, high=False)


def high_boundary(value: Temporal, digits: int | None = None) -> Temporal | None:
    """The latest value of that type it can stand for, to `digits` of precision (by default the finest).

    A DateTime with a clock but no zone gets -12:00. None for a precision the type does not have.
    """
    return _boundary(value, digits, high=True)


def _boundary(value: Temporal, digits: int | None, *, high: bool) -> Temporal | None:
    fill = _high_parts if high else _low_parts
    if isinstance(value, Date):
        kept = _DATE.get(8 if digits is None else digits)
        return None if kept is None else make_date(fill(value.parts)[:kept])
    if isinstance(value, Time):
        kept = _TIME.get(9 if digits is None else digits)
        if kept is None:
            return None
        clock = _clock(value, fill((2000, 1, 1, *value.parts))[3:], digits, 9, high=high)
        return make_time(clock[:kept])
    kept = _DATETIME.get(17 if digits is None else digits)
    if kept is None:
        return None
    parts = _clock(value, fill(value.parts), digits, 17, high=high)[:kept]
    if value.offset is not None:
        return make_datetime(parts, value.offset, zone_text(value))
    return make_datetime(parts, *(_HIGH_ZONE if high else _LOW_ZONE))


def _low_parts(parts: Parts) -> Parts:
    return parts + (1, 1, 1, 0, 0, Decimal(0))[len(parts) :]


def _high_parts(parts: Parts) -> Parts:
    if len(parts) == 1:
        parts = (*parts, 12)
    if len(parts) == 2:
        parts = (*parts, days_in_month(int(parts[0]), int(parts[1])))
    return parts + (0, 0, 0, 23, 59, Decimal(59))[len(parts) :]


def _clock(value: DateTime | Time, parts: Parts, digits: int | None, finest: int, *, high: bool) -> Parts:
    """The parts with the second to the millisecond, or whole if `digits` asks for no fraction.

    More digits than a millisecond's are kept unless the millisecond was asked for.
    """
    whole, _, fraction = format(Decimal(parts[-1]), "f").partition(".")
    if digits is not None and digits < finest:
        return (*parts[:-1], Decimal(whole))
    fraction = fraction[: fraction_digits(value)].ljust(3, "9" if high else "0")
    if digits is not None:
        fraction = fraction[:3]
    return (*parts[:-1], Decimal(f"{whole}.{fraction}"))
