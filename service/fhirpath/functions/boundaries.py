"""Precision and boundaries (3.0, utility functions): the least and the greatest a value can stand for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from service.fhirpath import decimals, quantity, temporal
from service.fhirpath.quantity import Quantity

from .registry import scalar


@scalar("lowBoundary", "lowBoundary of 3.0", "precision?: Integer", takes="Bounded", gives="any")
def low_boundary(value: Any, precision: int | None = None) -> Any:
    """lowBoundary([precision]) : Decimal | Date | DateTime | Time | Quantity. Empty for a precision it
    cannot have.
    """
    if isinstance(value, int | Decimal):
        return decimals.low_boundary(Decimal(value), precision)
    if isinstance(value, Quantity):
        return quantity.low_boundary(value, precision)
    return temporal.low_boundary(value, precision)


@scalar("highBoundary", "highBoundary of 3.0", "precision?: Integer", takes="Bounded", gives="any")
def high_boundary(value: Any, precision: int | None = None) -> Any:
    """highBoundary([precision]) : Decimal | Date | DateTime | Time | Quantity. As lowBoundary, from above."""
    if isinstance(value, int | Decimal):
        return decimals.high_boundary(Decimal(value), precision)
    if isinstance(value, Quantity):
        return quantity.high_boundary(value, precision)
    return temporal.high_boundary(value, precision)


@scalar("precision", "precision of 3.0", takes="Bounded", gives="Integer")
def precision(value: Any) -> int:
    """precision() : Integer. The digits after the point of a number, all digits of a date or time."""
    if isinstance(value, int | Decimal):
        return decimals.precision(Decimal(value))
    if isinstance(value, Quantity):
        return decimals.precision(value.value)
    return temporal.precision(value)


@scalar("comparable", "comparable of 3.0", "other: Quantity", takes="Quantity", gives="Boolean")
def comparable(value: Quantity, other: Quantity) -> bool:
    """comparable(other) : Boolean. Whether the two units measure the same thing."""
    return quantity.comparable(value, other)
