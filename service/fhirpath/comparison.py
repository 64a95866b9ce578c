"""Which of two values is the greater (§6.2 Comparison)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import quantity, temporal
from .equality import as_quantity
from .errors import EvaluationError
from .quantity import Quantity
from .temporal import Date, DateTime, Time
from .values import type_name

_NUMBERS: frozenset[Any] = frozenset({int, Decimal})
_MOMENTS: frozenset[Any] = frozenset({Date, DateTime, Time})


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
