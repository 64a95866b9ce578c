"""What one element's value must be: its type, length, allowed values, null flavours, dates.

Source: ICH E2B(R3) core list of data elements, as the table restates it; the bounds on weight and height are
those that MHRA publishes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from service.domain.issues import error, warning
from service.fhirpath import ucum
from service.yellow_card.e2b.values import (
    PRECISIONS,
    QUALIFIED,
    UNWRITABLE,
    Attachment,
    Moment,
    Null,
    Value,
    as_text,
    read_moment,
    sendable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from service.domain.issues import Issue
    from service.yellow_card.e2b.elements import Element, Guide

_LANGUAGE = re.compile(r"[a-z]{3}", re.ASCII)
_TERM = re.compile(r"[0-9]{8}", re.ASCII)
_TELECOM = re.compile(r"[A-Za-z0-9+()@._/,' -]+")
_TOKEN = re.compile(r"\S+")
_RELEASE = re.compile(r"[0-9]{1,2}\.[0-9]", re.ASCII)
_SHOWN = 40
# Results and their limits may lie below nought; no other number of a report can.
_SIGNED = frozenset({"F.r.4", "F.r.5"})


Check = Callable[["Element", Value, str, "Checking"], "Iterator[Issue]"]


@dataclass(frozen=True, slots=True)
class Checking:
    """What values are checked against: the table, the present moment, and when the message was made."""

    guide: Guide
    now: datetime
    created: Moment | None = None


def check_value(element: Element, value: object, place: str, checking: Checking) -> Iterator[Issue]:
    """What is wrong with one value, whatever it is."""
    if isinstance(value, Null):
        if value.flavour not in element.nulls:
            allowed = ", ".join(sorted(element.nulls))
            remedy = f"allowed are {allowed}" if allowed else "give a value"
            yield _fault(element, place, f"may not be the null flavour {value.flavour[:10]}; {remedy}")
        return
    if not isinstance(value, str | Decimal | int | Attachment):
        yield _fault(element, place, "holds a structure; it holds one value", "structure")
        return
    if isinstance(value, Decimal) and not sendable(value):
        yield _fault(element, place, "is no number that can be sent; give it as it was measured")
        return
    text = as_text(value)
    if isinstance(value, str) and not value.strip():
        yield _fault(element, place, "is blank; give a value, or leave it out")
        return
    if isinstance(value, str) and (bad := UNWRITABLE.search(value)) is not None:
        yield _fault(
            element, place, f"has the character U+{ord(bad[0]):04X}, which XML cannot carry; take it out"
        )
    if element.length is not None and len(text) > element.length:
        yield _fault(
            element, place, f"has {len(text)} characters; at most {element.length} are allowed: shorten it",
            "too-long",
        )  # fmt: skip
    yield from _KINDS[element.kind](element, value, place, checking)


def _text(element: Element, value: Value, place: str, _: Checking) -> Iterator[Issue]:
    if not isinstance(value, str):
        yield _fault(element, place, f"is a {type(value).__name__}; it is a text")


def _code(element: Element, value: Value, place: str, _: Checking) -> Iterator[Issue]:
    allowed = element.values or {}
    if as_text(value) not in allowed:
        shown = ", ".join(f"{code} ({label})" if label else code for code, label in allowed.items())
        yield _fault(element, place, f"is {_cut(value)}; allowed are {shown}", "code-invalid")


def _boolean(element: Element, value: Value, place: str, _: Checking) -> Iterator[Issue]:
    if not isinstance(value, bool):
        yield _fault(element, place, f"is {_cut(value)}; it is true or false")
    elif as_text(value) not in (element.values or {}):
        instead = f", or the null flavour {' or '.join(sorted(element.nulls))}" if element.nulls else ""
        yield _fault(element, place, f"may only be true{instead}; otherwise leave it out")


def _number(element: Element, value: Value, place: str, _: Checking) -> Iterator[Issue]:
    if not isinstance(value, Decimal):
        yield _fault(element, place, f"is {_cut(value)}; it is a number, with a point and without a comma")
        return
    if value < 0 and element.number not in _SIGNED:
        yield _fault(element, place, "is below nought; no such amount is possible")
    elif element.above is not None and value <= element.above:
        yield _fault(element, place, f"is {value}; it is above {element.above}")
    if element.most is not None and value > element.most:
        yield _fault(element, place, f"is {value}; more than {element.most} is not accepted")
    if element.whole and value != value.to_integral_value():
        yield _fault(element, place, f"is {value}; it is given rounded, without decimals")


def _unit(element: Element, value: Value, place: str, _: Checking) -> Iterator[Issue]:
    if element.values:
        yield from _code(element, value, place, _)
    elif not isinstance(value, str) or ucum.find(value) is None:
        yield _fault(
            element,
            place,
            f"is {_cut(value)}; it is a unit in UCUM, or {{DF}} for dosage forms",
            "code-invalid",
        )


def _pattern(wanted: re.Pattern[str], what: str) -> Check:
    def check(element: Element, value: Value, place: str, _: Checking) -> Iterator[Issue]:
        if not isinstance(value, str) or not wanted.fullmatch(value):
            yield _fault(element, place, f"is {_cut(value)}; it is {what}")

    return check


def _country(element: Element, value: Value, place: str, checking: Checking) -> Iterator[Issue]:
    if value not in checking.guide.countries:
        yield _fault(
            element, place,
            f"is {_cut(value)}; it is a country's two letters, EU, or XI for Northern Ireland",
            "code-invalid",
        )  # fmt: skip


def _document(element: Element, value: Value, place: str, _: Checking) -> Iterator[Issue]:
    if not isinstance(value, Attachment):
        yield _fault(element, place, "is no file in base64 that can be read; enclose it again")
    elif not value.content or "/" not in value.media_type:
        yield _fault(element, place, "is an empty file, or says no media type (such as application/pdf)")


def _reaction(element: Element, value: Value, place: str, _: Checking) -> Iterator[Issue]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield _fault(element, place, "is no number of a reaction (E.i), counted from 1")


def _date(element: Element, value: Value, place: str, checking: Checking) -> Iterator[Issue]:
    zone = checking.now.tzinfo
    moment = read_moment(value, zone) if isinstance(value, str) and zone is not None else None
    if moment is None:
        yield _fault(
            element,
            place,
            f"is {_cut(value)}; a date is CCYYMMDD, or CCYYMMDDhhmmss with +/-ZZzz, or part of it",
        )
        return
    if PRECISIONS.index(moment.precision) < PRECISIONS.index(element.precision):
        yield _fault(
            element, place, f"is given to the {moment.precision}; give it to the {element.precision}"
        )
    elif element.precision == "second" and not moment.placed:
        said = f"{_name(element)} has no offset from UTC, so that its moment is uncertain; add +0000 or +0100"
        yield warning("value", said, place, element.number)
    if moment.first > checking.now:
        yield _fault(element, place, "lies in the future; correct it", "business-rule")
    elif checking.created is not None and moment.first > checking.created.last:
        yield _fault(
            element, place, "lies after the message's own date (C.1.2); correct one of them", "business-rule"
        )


def _name(element: Element) -> str:
    return f"{element.number} ({element.name})"


def _fault(element: Element, place: str, said: str, code: str = "value") -> Issue:
    return error(code, f"{_name(element)} {said}", place, element.number)


def _cut(value: Value) -> str:
    text = as_text(value) if not isinstance(value, Attachment) else "a file"
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}…'"


_KINDS: dict[str, Check] = {
    "text": _text,
    "telecom": _pattern(_TELECOM, "a number or address in letters, digits, spaces and + ( ) @ . _ / , ' -"),
    "token": _pattern(_TOKEN, "a code without spaces"),
    "code": _code,
    "boolean": _boolean,
    "number": _number,
    "unit": _unit,
    "country": _country,
    "language": _pattern(_LANGUAGE, "a language's three small letters (ISO 639-2), such as eng"),
    "meddra-code": _pattern(_TERM, "a MedDRA code of eight digits"),
    "meddra-version": _pattern(_RELEASE, "a MedDRA release, such as 27.1"),
    "qualified": _pattern(QUALIFIED, "a number, with >, >=, < or <= before it where it is only a bound"),
    "document": _document,
    "reaction": _reaction,
    "date": _date,
}
