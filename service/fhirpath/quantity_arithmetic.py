"""Quantities converted, added, multiplied and bounded."""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from . import decimals, ucum
from .quantity_values import VAGUE, WORDS, Quantity, definite, in_unit, ratio_of


def convert(quantity: Quantity, unit: str) -> Quantity | None:
    """The quantity in another unit (§ toQuantity); None when it cannot be had in it."""
    unit = WORDS.get(unit, unit)
    if quantity.unit == unit:
        return quantity
    value = in_unit(quantity, unit)
    number = None if value is None else decimals.from_fraction(value)
    return None if number is None else Quantity(number, unit)


def add(a: Quantity, b: Quantity) -> Quantity | None:
    """The sum, in the finer unit of the two; None when they do not compare or it is out of range (§ Math)."""
    pair = _aligned(a, b)
    if pair is None:
        return None
    left, right, unit = pair
    return _quantity(decimals.add(left, right), unit)


def subtract(a: Quantity, b: Quantity) -> Quantity | None:
    """The difference, as for add."""
    pair = _aligned(a, b)
    if pair is None:
        return None
    left, right, unit = pair
    return _quantity(decimals.subtract(left, right), unit)


def _aligned(a: Quantity, b: Quantity) -> tuple[Decimal, Decimal, str] | None:
    """Both numbers in the finer unit; a scale that is not a ratio only goes with itself."""
    if a.unit == b.unit:
        return a.value, b.value, a.unit
    ratio = ratio_of(a.unit, b.unit)
    if ratio is None:
        return None
    if ratio < 1:
        moved = convert(b, a.unit)
        return None if moved is None else (a.value, moved.value, a.unit)
    moved = convert(a, b.unit)
    return None if moved is None else (moved.value, b.value, b.unit)


def multiply(a: Quantity, b: Quantity) -> Quantity | None:
    """The product, in the product of the units: 12 'cm' * 3 'cm' is 36 'cm2'; None if there is none."""
    if b.unit == "1":
        return _quantity(decimals.multiply(a.value, b.value), a.unit)
    if a.unit == "1":
        return _quantity(decimals.multiply(a.value, b.value), b.unit)
    product = _unit_product(a.unit, b.unit, 1)
    value = decimals.multiply(a.value, b.value)
    if product is None or value is None:
        return None
    ratio, unit = product
    # Kept apart so that a product without rescaling keeps its digits: 2.0 'cm' * 2.0 's' is 4.00 'cm.s'.
    if ratio == 1:
        return Quantity(value, unit)
    return _quantity(decimals.from_fraction(Fraction(value) * ratio), unit)


def divide(a: Quantity, b: Quantity) -> Quantity | None:
    """The quotient, in the quotient of the units: 12 'cm2' / 3 'cm' is 4 'cm'.

    Units that measure the same cancel to '1'. None for division by zero and for units without a quotient.
    """
    if b.unit == "1" or a.unit == b.unit:
        return _quantity(decimals.divide(a.value, b.value), a.unit if b.unit == "1" else "1")
    if not b.value or not decimals.in_range(a.value) or not decimals.in_range(b.value):
        return None
    same = ratio_of(a.unit, b.unit)
    quotient = _unit_product(a.unit, b.unit, -1) if same is None else (same, "1")
    if quotient is None:
        return None
    ratio, unit = quotient
    return _quantity(decimals.from_fraction(Fraction(a.value) / Fraction(b.value) * ratio), unit)


@lru_cache(maxsize=1024)
def _unit_product(a: str, b: str, power: int) -> tuple[Fraction, str] | None:
    """a times b (or over b, for power -1) as a plain ratio and a UCUM unit; None if there is none."""
    if a in VAGUE or b in VAGUE:
        return None
    left, right = definite(a), definite(b)
    if left is None or right is None or left.scale is not None or right.scale is not None:
        return None
    product = ucum.multiply(left, right if power > 0 else ucum.power(right, power))
    unit = ucum.write(product.terms)
    written = ucum.find(unit)
    if written is None:
        return None
    return product.factor / written.factor, unit


def negate(quantity: Quantity) -> Quantity:
    """The quantity with the other sign."""
    return Quantity(quantity.value.copy_negate(), quantity.unit)


def absolute(quantity: Quantity) -> Quantity:
    """The quantity without its sign (§ abs)."""
    return Quantity(quantity.value.copy_abs(), quantity.unit)


def low_boundary(quantity: Quantity, digits: int | None = None) -> Quantity | None:
    """The least quantity it can stand for, as decimals.low_boundary of its number."""
    return _quantity(decimals.low_boundary(quantity.value, digits), quantity.unit)


def high_boundary(quantity: Quantity, digits: int | None = None) -> Quantity | None:
    """The greatest quantity it can stand for, as decimals.high_boundary of its number."""
    return _quantity(decimals.high_boundary(quantity.value, digits), quantity.unit)


def _quantity(value: Decimal | None, unit: str) -> Quantity | None:
    return None if value is None else Quantity(value, unit)
