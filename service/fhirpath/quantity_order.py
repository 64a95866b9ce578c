"""How quantities compare: =, ~, <, and whether they compare at all."""

from decimal import Decimal
from fractions import Fraction

from . import decimals
from .quantity_values import DEFINITE, VAGUE, Quantity, decimal_ratio, definite, in_unit, ratio_of


def compare(a: Quantity, b: Quantity) -> int | None:
    """-1, 0 or 1 as a is less than, equal to or more than b; None when they do not compare.

    They compare when the units are the same text or commensurable. A calendar year or month and a definite
    duration do not.
    """
    if a.unit == b.unit:
        return (a.value > b.value) - (a.value < b.value)
    if not (decimals.in_range(a.value) and decimals.in_range(b.value)):
        return None
    ratio = decimal_ratio(a.unit, b.unit)
    if ratio is not None:
        scaled = decimals.multiply(a.value, ratio)
        return None if scaled is None else (scaled > b.value) - (scaled < b.value)
    ratio = decimal_ratio(b.unit, a.unit)
    if ratio is not None:
        scaled = decimals.multiply(b.value, ratio)
        return None if scaled is None else (a.value > scaled) - (a.value < scaled)
    left = in_unit(a, b.unit)
    if left is None:
        return None
    right = Fraction(b.value)
    order = (left > right) - (left < right)
    return -order if _falling(b.unit) else order


def _falling(unit: str) -> bool:
    """Whether more on the unit's scale is less of the thing, as with pH."""
    found = definite(unit)
    if found is None or found.scale is None:
        return False
    low, high = found.scale.to_ratio(Fraction(0)), found.scale.to_ratio(Fraction(1))
    return low is not None and high is not None and high < low


def equal(a: Quantity, b: Quantity) -> bool | None:
    """Whether a = b; None when they do not compare (§ Quantity Equality)."""
    order = compare(a, b)
    return None if order is None else order == 0


def equivalent(a: Quantity, b: Quantity) -> bool:
    """Whether a ~ b: equal once rounded to the less precise, in the finer unit (§ Quantity Equivalence).

    Rounding knows what a power of ten is worth: 4 'g' ~ 4040 'mg', because 4 'g' is written to the gram. A
    calendar duration is equivalent to its definite namesake; quantities that do not compare are not
    equivalent.
    """
    if a.unit == b.unit:
        return decimals.equivalent(a.value, b.value)
    ratio = ratio_of(a.unit, b.unit, loose=True)
    if ratio is None:
        return equal(a, b) is True
    if not (decimals.in_range(a.value) and decimals.in_range(b.value)):
        return False
    if ratio < 1:
        a, b, ratio = b, a, 1 / ratio
    coarse, fine = Fraction(a.value) * ratio, Fraction(b.value)
    shift = _power_of_ten(ratio)
    if shift is None:
        coarse_digits = decimals.least_precision(decimals.from_fraction(coarse) or Decimal(0))
    else:
        coarse_digits = decimals.least_precision(a.value) - shift
    digits = min(coarse_digits, decimals.least_precision(b.value))
    return _round(coarse, digits) == _round(fine, digits)


def _power_of_ten(ratio: Fraction) -> int | None:
    """n when the ratio, which is 1 or more, is 10^n; None otherwise."""
    digits = str(ratio.numerator)
    if ratio.denominator != 1 or digits.rstrip("0") != "1":
        return None
    return len(digits) - 1


def _round(value: Fraction, digits: int) -> int:
    """The value in units of 10^-digits, rounded, a half going away from zero."""
    scaled = abs(value) * Fraction(10) ** digits
    whole = (scaled + Fraction(1, 2)).__floor__()
    return -whole if value < 0 else whole


def comparable(a: Quantity, b: Quantity) -> bool:
    """Whether a and b compare at all: the same unit, or units of the same dimension (§ comparable)."""
    if a.unit == b.unit:
        return True
    if a.unit in DEFINITE and b.unit in DEFINITE:
        return True
    if a.unit in VAGUE or b.unit in VAGUE:
        return False
    left, right = definite(a.unit), definite(b.unit)
    return left is not None and right is not None and left.dimension == right.dimension
