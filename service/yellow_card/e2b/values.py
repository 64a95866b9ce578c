"""What an element of E2B(R3) can hold: text, a number, a boolean, an enclosed file, or a null flavour.

Dates are HL7 text as sent (``CCYY[MM[DD[hh[mm[ss]]]]][+/-ZZzz]``): how precise they are is part of what they
say. A qualified number (F.r.3.2) is text too: ``12.5``, or ``>12.5``, ``>=12.5``, ``<12.5``, ``<=12.5``.
Source: ICH E2B(R3) core list of data elements; HL7 v3 data types.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import tzinfo

NUMBER = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?", re.ASCII)
QUALIFIED = re.compile(r"(>=|<=|>|<)?(-?[0-9]{1,60}(?:\.[0-9]{1,60})?)", re.ASCII)
_DATE = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)"
    r"(?:(?P<second>\d\d)(?:\.(?P<part>\d{1,6}))?)?)?)?)?)?(?P<offset>[+-]\d{4})?",
    re.ASCII,
)
PRECISIONS = ("year", "month", "day", "hour", "minute", "second")
# XML 1.0 has no place for these, not even as references.
UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Null:
    """Nothing is sent, and why: HL7's null flavour (``NI``, ``MSK``, ``UNK``, ``ASKU`` …)."""

    flavour: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a report. ``compression`` is HL7's code (``DF`` …) or empty."""

    media_type: str
    content: bytes = field(repr=False)
    compression: str = ""


Value = str | Decimal | bool | int | Null | Attachment
Content = dict[str, Any]
"""Elements by number: values, and lists of contents (or of values) by the number of their group."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as HL7 has it: the span from its first instant to its last, and how precise it is.

    ``placed`` says whether the text has an offset of its own.
    """

    first: datetime
    last: datetime
    precision: str
    placed: bool


def read_moment(text: str, zone: tzinfo) -> Moment | None:
    """The span of time that a date in HL7's form means, or None where it is no date.

    A date without an offset is taken to be in ``zone``.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    parts = found.groupdict()
    precision = next(name for name in reversed(PRECISIONS) if parts[name] is not None)
    if parts["offset"] is not None:
        if PRECISIONS.index(precision) < PRECISIONS.index("hour"):
            return None
        minutes = int(parts["offset"][1:3]) * 60 + int(parts["offset"][3:])
        if int(parts["offset"][3:]) > 59 or minutes > 14 * 60:
            return None
        zone = timezone(timedelta(minutes=minutes if parts["offset"][0] == "+" else -minutes))
    try:
        first = datetime(
            int(parts["year"]),
            int(parts["month"] or 1),
            int(parts["day"] or 1),
            int(parts["hour"] or 0),
            int(parts["minute"] or 0),
            int(parts["second"] or 0),
            int((parts["part"] or "0").ljust(6, "0")),
            zone,
        )
    except ValueError:
        return None
    return Moment(first, _last(first, precision), precision, parts["offset"] is not None)


def _last(first: datetime, precision: str) -> datetime:
    """The last instant that a date of this precision still names."""
    if first.year == 9999:
        return first
    if precision == "year":
        following = first.replace(year=first.year + 1)
    elif precision == "month":
        following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    elif precision == "second":
        return first
    else:
        following = first + timedelta(**{f"{precision}s": 1})
    return following - timedelta(microseconds=1)


def write_moment(moment: datetime) -> str:
    """A moment with its offset in HL7's form, to the second."""
    return moment.strftime("%Y%m%d%H%M%S%z")


def sendable(number: Decimal) -> bool:
    """Whether a number can be written out: finite, and no longer than any element allows."""
    if not number.is_finite():
        return False
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and abs(exponent) <= 60 and number.adjusted() <= 60


def as_text(value: Value) -> str:
    """A value as it stands in the message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def from_text(kind: str, text: str) -> Value:
    """A value as read from the message; one that is not of its type stays text, for the rules to report."""
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "number" and NUMBER.fullmatch(text):
        try:
            return Decimal(text)
        except InvalidOperation:
            return text
    return text
