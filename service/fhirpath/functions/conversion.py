"""Conversion (§5.5): iif, and for each System type a conversion and the question whether it succeeds.

`toX()` is empty where the value has no such form; `convertsToX()` tells. Both are empty for an empty input.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.fhirpath import decimals, quantity, temporal
from service.fhirpath.code import Code, One, Run, single, typed, valued
from service.fhirpath.errors import EvaluationError
from service.fhirpath.nodes import Node
from service.fhirpath.quantity import Quantity
from service.fhirpath.temporal import Date, DateTime, Time
from service.fhirpath.values import type_name

from .registry import Function, Parameter, register, special

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhirpath.frame import Frame

CONVERSIONS: set[str] = set()
"""The names of toX() and convertsToX(), each of which takes the value of its one item."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_FARTHEST = 10**101
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})


@special(
    "iif",
    "5.5.1",
    "criterion: Expression",
    "true-result: Expression",
    "otherwise-result?: Expression",
    gives="any",
)
def iif(source: Code, criterion: Code, result: Code, otherwise: Code | None = None) -> Code:
    """iif(criterion, true-result [, otherwise-result]) : collection. Only the branch taken is evaluated.

    The criterion must be a Boolean (an element counts as true). `$this` is the input, at most one item.
    """
    holds, inputs = _holding(criterion), _at_most_one(source)
    then, other = result.one, otherwise.one if otherwise is not None else _nothing
    if then is not None and other is not None:
        this_way, that_way = then, other

        def choose_one(frame: Frame) -> Any:
            this, frame.this = frame.this, inputs(frame)
            found = this_way(frame) if holds(frame) is True else that_way(frame)
            frame.this = this
            return found

        return valued(choose_one, boolean=result.boolean and (otherwise is None or otherwise.boolean))
    yes, no = result.run, otherwise.run if otherwise is not None else _no_items

    def choose(frame: Frame) -> list[Any]:
        this, frame.this = frame.this, inputs(frame)
        found = yes(frame) if holds(frame) is True else no(frame)
        frame.this = this
        return found

    return Code(choose)


def _holding(criterion: Code) -> One:
    value = single(criterion, "the criterion of iif()")
    if criterion.boolean and criterion.one is not None:
        return criterion.one

    def holds(frame: Frame) -> Any:
        found = value(frame)
        if found.__class__ is Node:
            return True
        if found is not None and found.__class__ is not bool:
            raise EvaluationError(f"the criterion of iif() should be a Boolean, found {type_name(found)}")
        return found

    return holds


def _at_most_one(source: Code) -> Run:
    run = source.run

    def inputs(frame: Frame) -> list[Any]:
        items = run(frame)
        if len(items) > 1:
            raise EvaluationError(f"iif() takes one item, found {len(items)}")
        return items

    return inputs


def _nothing(_frame: Frame) -> None:
    """What there is where no result is given for a criterion that is not true."""


def _no_items(_frame: Frame) -> list[Any]:
    return []


def to_boolean(value: Any) -> bool | None:
    """toBoolean() : Boolean. From true/t/yes/y/1/1.0 and their opposites, in any case."""
    if value.__class__ is bool:
        return bool(value)
    if value.__class__ in (int, Decimal):
        return True if value == 1 else False if value == 0 else None
    if value.__class__ is str:
        text = value.lower()
        return True if text in _TRUE else False if text in _FALSE else None
    return None


def to_integer(value: Any) -> int | None:
    """toInteger() : Integer. From an Integer, a Boolean, or a text of an optional sign and digits."""
    if value.__class__ in (int, bool):
        return int(value)
    if value.__class__ is str and _INTEGER.fullmatch(value):
        number = int(value)
        return number if -(2**31) <= number < 2**31 else None
    return None


def to_date(value: Any) -> Date | None:
    """toDate() : Date. From a Date, a DateTime, or a text of one."""
    if value.__class__ is str:
        found = temporal.parse_date(value)
        if found is not None:
            return found
        value = temporal.parse_datetime(value)
    if isinstance(value, DateTime):
        return temporal.to_date(value)
    return value if isinstance(value, Date) else None


def to_datetime(value: Any) -> DateTime | None:
    """toDateTime() : DateTime. From a DateTime, a Date, or a text of one."""
    if value.__class__ is str:
        return temporal.parse_datetime(value)
    if isinstance(value, Date):
        return temporal.to_datetime(value)
    return value if isinstance(value, DateTime) else None


def to_time(value: Any) -> Time | None:
    """toTime() : Time. From a Time or a text of one."""
    if value.__class__ is str:
        return temporal.parse_time(value)
    return value if isinstance(value, Time) else None


def to_decimal(value: Any) -> Decimal | None:
    """toDecimal() : Decimal. From a number, a Boolean, or a text of digits."""
    if value.__class__ in (int, bool):
        return Decimal(int(value)) if value.__class__ is int else Decimal("1.0") if value else Decimal("0.0")
    if value.__class__ is str:
        return decimals.parse_decimal(value)
    return value if isinstance(value, Decimal) else None


def to_quantity(value: Any) -> Quantity | None:
    """toQuantity([unit]) : Quantity. From a number or a Boolean with the unit '1', or a text of one."""
    if value.__class__ in (int, Decimal):
        return Quantity(Decimal(value), "1")
    if value.__class__ is bool:
        return Quantity(Decimal("1.0") if value else Decimal("0.0"), "1")
    if value.__class__ is str:
        return quantity.parse_quantity(value)
    return value if isinstance(value, Quantity) else None


def to_string(value: Any) -> str | None:
    """toString() : String. As the value is written, without @ or quotation marks."""
    kind = value.__class__
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        # An integer of JSON may be longer than Python writes; beyond any number in range it has no text.
        return str(value) if -_FARTHEST < value < _FARTHEST else None
    if kind is Decimal:
        return decimals.text(value) if decimals.in_range(value) else None
    if kind is Quantity:
        return quantity.to_text(value) if decimals.in_range(value.value) else None
    if kind in (Date, DateTime, Time):
        return str(value.text)
    return None


def _declare(kind: str, section: str, convert: Callable[[Any], Any]) -> None:
    """Declare toX() and convertsToX() of one type."""

    def converted(source: Code, _unit: Code | None = None) -> Code:
        value = single(source, f"to{kind}()")

        def one(frame: Frame) -> Any:
            found = value(frame)
            return None if found is None else convert(found)

        return valued(one, boolean=kind == "Boolean")

    def converts(source: Code, _unit: Code | None = None) -> Code:
        value = single(source, f"convertsTo{kind}()")

        def one(frame: Frame) -> Any:
            found = value(frame)
            return None if found is None else convert(found) is not None

        return valued(one, boolean=True)

    def converted_to_unit(source: Code, unit: Code | None = None) -> Code:
        plain = converted(source)
        if unit is None or plain.one is None:
            return plain
        value, wanted = plain.one, typed(unit, "String", "toQuantity() for its unit")

        def one(frame: Frame) -> Any:
            found, target = value(frame), wanted(frame)
            return None if found is None or target is None else quantity.convert(found, target)

        return valued(one)

    def converts_to_unit(source: Code, unit: Code | None = None) -> Code:
        result = converted_to_unit(source, unit).one
        value = single(source, "convertsToQuantity()")
        outcome = result if result is not None else value

        def one(frame: Frame) -> Any:
            return None if value(frame) is None else outcome(frame) is not None

        return valued(one, boolean=True)

    measured = kind == "Quantity"
    parameters = (Parameter("unit", "String", True),) if measured else ()
    to, converts_to = (converted_to_unit, converts_to_unit) if measured else (converted, converts)
    register(Function(f"to{kind}", section, parameters, "Any", kind, False, False, to))
    register(Function(f"convertsTo{kind}", section, parameters, "Any", "Boolean", False, False, converts_to))
    CONVERSIONS.update((f"to{kind}", f"convertsTo{kind}"))


_declare("Boolean", "5.5.2", to_boolean)
_declare("Integer", "5.5.3", to_integer)
_declare("Date", "5.5.4", to_date)
_declare("DateTime", "5.5.5", to_datetime)
_declare("Decimal", "5.5.6", to_decimal)
_declare("Quantity", "5.5.7", to_quantity)
_declare("String", "5.5.8", to_string)
_declare("Time", "5.5.9", to_time)
