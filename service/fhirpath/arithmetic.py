"""What the arithmetic operators make of two values (§6.6): numbers, texts, quantities, dates and times."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import decimals, quantity, temporal
from .equality import as_quantity
from .errors import EvaluationError, LimitError
from .quantity import Quantity
from .temporal import Date, DateTime, Time
from .values import type_name

_NUMBERS: frozenset[Any] = frozenset({int, Decimal})
_MOMENTS: frozenset[Any] = frozenset({Date, DateTime, Time})
_LONGEST = 1_000_000


def _integer(value: int) -> int | None:
    """An Integer has 32 bits; overflow is empty (§6.6)."""
    return value if -(2**31) <= value < 2**31 else None


def add(a: Any, b: Any) -> Any:
    """a + b (§6.6.3): numbers, texts, quantities, a date or time and a time-valued quantity (§6.7)."""
    kind, other = a.__class__, b.__class__
    if kind is int and other is int:
        return _integer(a + b)
    if kind in _NUMBERS and other in _NUMBERS:
        return decimals.add(Decimal(a), Decimal(b))
    if kind is str and other is str:
        return concatenate(a, b)
    if kind in _MOMENTS and other is Quantity:
        return _moved(a, b, 1)
    if kind is Quantity or other is Quantity:
        return _measured(a, b, "+", quantity.add)
    raise _mismatch(a, "+", b)


def subtract(a: Any, b: Any) -> Any:
    """a - b (§6.6.4)."""
    kind, other = a.__class__, b.__class__
    if kind is int and other is int:
        return _integer(a - b)
    if kind in _NUMBERS and other in _NUMBERS:
        return decimals.subtract(Decimal(a), Decimal(b))
    if kind in _MOMENTS and other is Quantity:
        return _moved(a, b, -1)
    if kind is Quantity or other is Quantity:
        return _measured(a, b, "-", quantity.subtract)
    raise _mismatch(a, "-", b)


def multiply(a: Any, b: Any) -> Any:
    """a * b (§6.6.1)."""
    kind, other = a.__class__, b.__class__
    if kind is int and other is int:
        return _integer(a * b)
    if kind in _NUMBERS and other in _NUMBERS:
        return decimals.multiply(Decimal(a), Decimal(b))
    return _measured(a, b, "*", quantity.multiply)


def divide(a: Any, b: Any) -> Any:
    """a / b (§6.6.2): always a Decimal; empty by zero."""
    if a.__class__ in _NUMBERS and b.__class__ in _NUMBERS:
        return decimals.divide(Decimal(a), Decimal(b))
    return _measured(a, b, "/", quantity.divide)


def whole(a: Any, b: Any) -> Any:
    """a div b (§6.6.5): the division without its remainder; empty by zero."""
    if a.__class__ is int and b.__class__ is int:
        return _integer(_quotient(a, b)) if b else None
    if a.__class__ in _NUMBERS and b.__class__ in _NUMBERS:
        found = decimals.truncated_divide(Decimal(a), Decimal(b))
        return None if found is None else _integer(found)
    raise _mismatch(a, "div", b)


def remainder(a: Any, b: Any) -> Any:
    """a mod b (§6.6.6): the remainder of that division; empty by zero."""
    if a.__class__ is int and b.__class__ is int:
        return a - b * _quotient(a, b) if b else None
    if a.__class__ in _NUMBERS and b.__class__ in _NUMBERS:
        return decimals.modulo(Decimal(a), Decimal(b))
    raise _mismatch(a, "mod", b)


def _quotient(a: int, b: int) -> int:
    """The quotient with its fraction dropped: towards zero, where Python's own goes down."""
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def negate(value: Any) -> Any:
    """-value (§6.6): of a number or quantity."""
    if value.__class__ is int:
        return _integer(-value)
    if value.__class__ is Decimal:
        return value.copy_negate() if value else value
    if value.__class__ is Quantity:
        return quantity.negate(value)
    raise EvaluationError(f"- takes a number or a Quantity, found {type_name(value)}")


def affirm(value: Any) -> Any:
    """+value: the number or quantity as it is."""
    if value.__class__ in _NUMBERS or value.__class__ is Quantity:
        return value
    raise EvaluationError(f"+ takes a number or a Quantity, found {type_name(value)}")


def _moved(moment: Any, by: Quantity, sign: int) -> Any:
    try:
        amount = by.value if sign > 0 else by.value.copy_negate()
        return temporal.add(moment, amount, by.unit)
    except ValueError as error:
        raise EvaluationError(str(error)) from None


def _measured(a: Any, b: Any, operator: str, operation: Any) -> Any:
    left, right = as_quantity(a), as_quantity(b)
    if left is None or right is None:
        raise _mismatch(a, operator, b)
    return operation(left, right)


def _mismatch(a: Any, operator: str, b: Any) -> EvaluationError:
    return EvaluationError(f"{operator} cannot take {type_name(a)} and {type_name(b)}")


def concatenate(a: str, b: str) -> str:
    """The two texts as one, no longer than a text may be."""
    if len(a) + len(b) > _LONGEST:
        raise LimitError(f"a text longer than {_LONGEST} characters")
    return a + b


ARITHMETIC = {"+": add, "-": subtract, "*": multiply, "/": divide, "div": whole, "mod": remainder}
