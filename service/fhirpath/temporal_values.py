"""The types Date, DateTime and Time, read from text and taken apart.

A value holds only the parts it was written with: 2015-02 is a month, not its first day. Seconds are a Decimal
with the digits as written, so 28.10 stays 28.10; seconds and their fraction are one part, as FHIRPath has it.
A zone offset stays as written and is never normalised in the value. Years run from 0001 to 9999.
"""

from datetime import date, datetime
from decimal import Context, Decimal
from functools import lru_cache
from typing import ClassVar, TypeAlias

from .decimals import divide
from .lazy import pattern
from .records import record


@record
class Date:
    """A date to the year, the month or the day.

    text: the FHIR string (`2015-02`). parts: year, then month and day where written.
    """

    text: str
    parts: tuple[int, ...]
    offset: ClassVar[None] = None

    def __hash__(self) -> int:
        return hash(self.text)


@record
class DateTime:
    """A date and time at any precision.

    text: the FHIR string (`2015-02-04T14:34:28+10:00`; a partial one without a final T).
    parts: year, then month, day, hour, minute (int) and second (Decimal) where written.
    offset: minutes east of UTC; None when no zone was written.
    """

    text: str
    parts: tuple[int | Decimal, ...]
    offset: int | None

    def __hash__(self) -> int:
        return hash(self.text)


@record
class Time:
    """A time of day, without a zone.

    text: the FHIR string (`14:34:28`). parts: hour, then minute (int) and second (Decimal) where written.
    """

    text: str
    parts: tuple[int | Decimal, ...]
    offset: ClassVar[None] = None

    def __hash__(self) -> int:
        return hash(self.text)


Temporal: TypeAlias = Date | DateTime | Time
Parts: TypeAlias = tuple[int | Decimal, ...]

_YEAR = r"(?!0000)([0-9]{4})"
_DAY = r"(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?"
# FHIR allows 60 for a leap second.
_CLOCK = r"([01][0-9]|2[0-3])(?::([0-5][0-9])(?::((?:[0-5][0-9]|60)(?:\.[0-9]+)?))?)?"
_ZONE = r"(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"

_DATE = pattern(_YEAR + _DAY)
_DATETIME = pattern(f"{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{_CLOCK}{_ZONE}")
_TIME = pattern(f"T?{_CLOCK}")

_HOUR = Decimal(60)
# Wide enough for every second that _LONGEST characters can write.
_WIDE = Context(prec=100)

# Longer text is no date: a bound on what the cache below can hold, far above any real precision.
_LONGEST = 64


@lru_cache(maxsize=4096)
def parse_date(text: str) -> Date | None:
    """The date written as `2015`, `2015-02` or `2015-02-04`; None for anything else, 2015-02-30 included."""
    parts = _date_parts(text)
    return None if parts is None else Date(text, parts)


@lru_cache(maxsize=4096)
def parse_datetime(text: str) -> DateTime | None:
    """The date-time written in FHIR's or FHIRPath's way; None for anything else.

    Beside whole date-times it reads dates (`2015-02`), dates with a final T as in FHIRPath literals (`2015T`)
    and times cut short (`2015-02-04T14+10:00`). No real calendar date, no date-time.
    """
    if len(text) > _LONGEST:
        return None
    found = _DATETIME().fullmatch(text)
    if found is None:
        bare = text.removesuffix("T")
        parts = _date_parts(bare)
        return None if parts is None else DateTime(bare, parts, None)
    year, month, day, hour, minute, second, zone = found.groups()
    found_day = _real(int(year), int(month), int(day))
    if found_day is None:
        return None
    return DateTime(text, found_day + _clock_parts(hour, minute, second), _offset(zone))


@lru_cache(maxsize=1024)
def parse_time(text: str) -> Time | None:
    """The time written as `14`, `14:34` or `14:34:28.5`, also after a T; None for anything else."""
    found = _TIME().fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    return Time(text.removeprefix("T"), _clock_parts(*found.groups()))


def _date_parts(text: str) -> tuple[int, ...] | None:
    found = _DATE().fullmatch(text)
    if found is None:
        return None
    year, month, day = found.groups()
    if day is not None:
        return _real(int(year), int(month), int(day))
    return (int(year),) if month is None else (int(year), int(month))


def days_in_month(year: int, month: int) -> int:
    """The days of the month in the Gregorian calendar."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _real(year: int, month: int, day: int) -> tuple[int, int, int] | None:
    """The three parts if the calendar has that day."""
    if day > 28 and day > days_in_month(year, month):
        return None
    return year, month, day


def _clock_parts(hour: str, minute: str | None, second: str | None) -> Parts:
    if minute is None:
        return (int(hour),)
    if second is None:
        return int(hour), int(minute)
    return int(hour), int(minute), Decimal(second)


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


def _date_text(parts: Parts) -> str:
    if len(parts) == 3:
        year, month, day = parts
        return f"{year:04d}-{month:02d}-{day:02d}"
    return f"{parts[0]:04d}" if len(parts) == 1 else f"{parts[0]:04d}-{parts[1]:02d}"


def _clock_text(parts: Parts) -> str:
    texts = [f"{part:02d}" for part in parts[:2]]
    if len(parts) == 3:
        second = format(parts[2], "f")
        texts.append(second if second[1:2].isdigit() else f"0{second}")
    return ":".join(texts)


def make_date(parts: Parts) -> Date:
    """The Date of these parts."""
    return Date(_date_text(parts), tuple([int(part) for part in parts]))


def make_day(day: date) -> Date:
    """The Date of a day of the calendar."""
    return Date(day.isoformat(), (day.year, day.month, day.day))


def make_datetime(parts: Parts, offset: int | None, zone: str = "") -> DateTime:
    """The DateTime of these parts; `zone` is the offset as it is to be written. A date alone has no zone."""
    if len(parts) <= 3:
        return DateTime(_date_text(parts), parts, None)
    return DateTime(f"{_date_text(parts[:3])}T{_clock_text(parts[3:])}{zone}", parts, offset)


def make_time(parts: Parts) -> Time:
    """The Time of these parts."""
    return Time(_clock_text(parts), parts)


def zone_text(value: DateTime) -> str:
    """The zone as the value wrote it: `Z`, `+10:00`, or nothing."""
    if value.offset is None:
        return ""
    return "Z" if value.text.endswith("Z") else value.text[-6:]


def now(instant: datetime) -> DateTime:
    """The instant as a DateTime to the millisecond (§ now). The instant must know its zone, or ValueError."""
    span = instant.utcoffset()
    if span is None:
        raise ValueError("now= must be a datetime that knows its time zone")
    offset = int(span.total_seconds()) // 60
    hours, minutes = divmod(abs(offset), 60)
    zone = f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"
    today = (instant.year, instant.month, instant.day)
    return make_datetime(today + time_of_day(instant).parts, offset, zone)


def today(instant: datetime) -> Date:
    """The instant's date in its own zone (§ today)."""
    return make_day(instant.date())


def time_of_day(instant: datetime) -> Time:
    """The instant's time in its own zone, to the millisecond (§ timeOfDay)."""
    second = Decimal(f"{instant.second}.{instant.microsecond // 1000:03d}")
    return make_time((instant.hour, instant.minute, second))


def to_datetime(value: Date | DateTime) -> DateTime:
    """The value as a DateTime of the same precision; a Date gets no zone (§ toDateTime)."""
    return value if isinstance(value, DateTime) else DateTime(value.text, value.parts, None)


def to_date(value: Date | DateTime) -> Date:
    """The value's date, to the precision it has (§ toDate)."""
    if isinstance(value, Date):
        return value
    # The date is written first, each part of it in as many digits as it has.
    year, *rest = value.parts[:3]
    parts = (int(year), *[int(part) for part in rest])
    return Date(value.text[: 1 + 3 * len(parts)], parts)


def _part(value: Temporal, index: int) -> int | None:
    """The part counted from the year (0) to the second (5), whole; None when not written."""
    if isinstance(value, Time):
        index -= 3
    return int(value.parts[index]) if 0 <= index < len(value.parts) else None


def year(value: Temporal) -> int | None:
    """The year; None for a Time (§ yearOf)."""
    return _part(value, 0)


def month(value: Temporal) -> int | None:
    """The month, or None when the value has none (§ monthOf)."""
    return _part(value, 1)


def day(value: Temporal) -> int | None:
    """The day of the month, or None when the value has none (§ dayOf)."""
    return _part(value, 2)


def hour(value: Temporal) -> int | None:
    """The hour, or None when the value has none (§ hourOf)."""
    return _part(value, 3)


def minute(value: Temporal) -> int | None:
    """The minute, or None when the value has none (§ minuteOf)."""
    return _part(value, 4)


def second(value: Temporal) -> int | None:
    """The whole second, or None when the value has none (§ secondOf)."""
    return _part(value, 5)


def fraction_digits(value: Temporal) -> int:
    """How many digits of a second the value was written with."""
    last = value.parts[-1]
    if isinstance(last, Decimal):
        exponent = last.as_tuple().exponent
        return -exponent if isinstance(exponent, int) else 0
    return 0


def milliseconds(seconds: int | Decimal) -> int:
    """The seconds in whole milliseconds, finer digits dropped."""
    return int(Decimal(seconds).scaleb(3, _WIDE))


def millisecond(value: Temporal) -> int | None:
    """The milliseconds of the second, or None when no fraction was written (§ millisecondOf)."""
    if not fraction_digits(value):
        return None
    return milliseconds(value.parts[-1]) % 1000


def timezone_offset(value: Temporal) -> Decimal | None:
    """The zone offset in hours (-7.0, 5.5), or None when no zone was written (§ timezoneOffsetOf)."""
    if value.offset is None:
        return None
    hours, minutes = divmod(value.offset, 60)
    return divide(Decimal(value.offset), _HOUR) if minutes else Decimal(f"{hours}.0")


def date_of(value: Temporal) -> Date | None:
    """The date of a Date or DateTime; None for a Time (§ dateOf)."""
    return None if isinstance(value, Time) else to_date(value)


def time_of(value: Temporal) -> Time | None:
    """The time of a DateTime; None when it has none (§ timeOf)."""
    if isinstance(value, Time):
        return value
    return make_time(value.parts[3:]) if len(value.parts) > 3 else None
