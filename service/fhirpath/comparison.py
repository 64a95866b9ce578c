"""Which of two values is the greater (§6.2 Comparison)."""

from __future__ import annotations

from decimal import Decimal
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from . import quantity, temporal
from .equality import as_quantity
from .errors import EvaluationError
from .quantity import Quantity
from .temporal import Date, DateTime, Time
from .values import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS: frozenset[Any] = frozenset({int, Decimal})
_MOMENTS: frozenset[Any] = frozenset({Date, DateTime, Time})
ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
"""What each operator asks of two numbers, and so of an order and 0."""


def in_order(holds: Callable[[Any, Any], bool], a: Any, b: Any) -> bool | None:
    """Whether two values, of which None is none, are in the order of an operator; None where it is open."""
    kind, other = a.__class__, b.__class__
    if (kind is int or kind is Decimal) and (other is int or other is Decimal):
        return holds(a, b)
    if a is None or b is None:
        return None
    order = compare(a, b)
    return None if order is None else holds(order, 0)


def compare(a: Any, b: Any) -> int | None:
    """-1, 0 or 1 for two System values; None where precision, zone or unit leaves it open.

    EvaluationError for values of types that have no common order.
    """
    kind, other = a.__class__, b.__class__
    if kind is Quantity and other is Quantity:
        return quantity.compare(a, b)
    if (kind is str and other is str) or (kind in _NUMBERS and other in _NUMBERS):
        return int(a > b) - int(a < b)
    if kind in _MOMENTS and other in _MOMENTS and (kind is Time) is (other is Time):
        return temporal.compare(a, b)
    if kind is Quantity or other is Quantity:
        left, right = as_quantity(a), as_quantity(b)
        if left is not None and right is not None:
            return quantity.compare(left, right)
    raise EvaluationError(f"{type_name(a)} and {type_name(b)} cannot be compared")
