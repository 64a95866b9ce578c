"""Math (§5.7). Decimals are exact; what is no number, such as the root of a negative one, is empty."""

from __future__ import annotations

from decimal import Decimal

from service.fhirpath import decimals, quantity
from service.fhirpath.errors import EvaluationError
from service.fhirpath.quantity import Quantity

from .registry import scalar


@scalar("abs", "5.7.1", takes="Measured", gives="input")
def absolute(value: int | Decimal | Quantity) -> int | Decimal | Quantity:
    """abs() : Integer | Decimal | Quantity."""
    if isinstance(value, Quantity):
        return quantity.absolute(value)
    # Not abs(), which rounds a Decimal to the thread's context.
    return value.copy_abs() if isinstance(value, Decimal) else abs(value)


@scalar("ceiling", "5.7.2", takes="Number", gives="Integer")
def ceiling(value: int | Decimal) -> int | None:
    """ceiling() : Integer. The least integer not below it."""
    return decimals.ceiling(Decimal(value))


@scalar("exp", "5.7.3", takes="Number", gives="Decimal")
def exp(value: int | Decimal) -> Decimal | None:
    """exp() : Decimal. e raised to it."""
    return decimals.exp(Decimal(value))


@scalar("floor", "5.7.4", takes="Number", gives="Integer")
def floor(value: int | Decimal) -> int | None:
    """floor() : Integer. The greatest integer not above it."""
    return decimals.floor(Decimal(value))


@scalar("ln", "5.7.5", takes="Number", gives="Decimal")
def ln(value: int | Decimal) -> Decimal | None:
    """ln() : Decimal. The natural logarithm."""
    return decimals.ln(Decimal(value))


@scalar("log", "5.7.6", "base: Number", takes="Number", gives="Decimal")
def log(value: int | Decimal, base: int | Decimal) -> Decimal | None:
    """log(base) : Decimal. The logarithm to a base."""
    return decimals.log(Decimal(value), Decimal(base))


@scalar("power", "5.7.7", "exponent: Number", takes="Number", gives="any")
def power(base: int | Decimal, exponent: int | Decimal) -> int | Decimal | None:
    """power(exponent) : Integer | Decimal. An Integer where both are and the result is one."""
    found = decimals.power(Decimal(base), Decimal(exponent))
    if found is not None and base.__class__ is int and exponent.__class__ is int and exponent >= 0:
        return int(found) if abs(found) < 2**31 else None
    return found


@scalar("round", "5.7.8", "precision?: Integer", takes="Number", gives="Decimal")
def rounded(value: int | Decimal, precision: int = 0) -> Decimal | None:
    """round([precision]) : Decimal. To so many decimals, halves away from zero."""
    if precision < 0:
        raise EvaluationError("round() takes a precision of at least 0")
    return decimals.round_half(Decimal(value), precision)


@scalar("sqrt", "5.7.9", takes="Number", gives="Decimal")
def sqrt(value: int | Decimal) -> Decimal | None:
    """sqrt() : Decimal. The square root; empty below zero."""
    return decimals.sqrt(Decimal(value))


@scalar("truncate", "5.7.10", takes="Number", gives="Integer")
def truncate(value: int | Decimal) -> int | None:
    """truncate() : Integer. Without what stands after the point."""
    return decimals.truncate(Decimal(value))
