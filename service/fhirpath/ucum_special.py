"""The scales of UCUM that are not ratios: temperatures with a zero of their own, logarithms, tangents, roots.

UCUM § 21. Each scale is a pair of functions between the number on the scale and the number of its starting
unit (for Cel, between degrees Celsius and kelvin). Temperatures and roots of squares are exact; logarithms
are good to 28 digits, tangents to about 15. None where there is no such number, or none in range.
"""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from . import decimals
from .records import record

Conversion = Callable[[Fraction], Fraction | None]


@record
class Scale:
    """A scale: `to_ratio` reads a number on it, `from_ratio` writes one."""

    to_ratio: Conversion
    from_ratio: Conversion


def _shifted(zero: Fraction) -> Scale:
    return Scale(lambda x: x + zero, lambda x: x - zero)


def _power(base: Fraction | None, exponent: Fraction) -> Fraction | None:
    """base to the exponent, e for None."""
    number = decimals.from_fraction(exponent)
    if number is None:
        return None
    if base is None:
        result = decimals.exp(number)
    else:
        whole = decimals.from_fraction(base)
        result = None if whole is None else decimals.power(whole, number)
    return None if result is None else Fraction(result)


def _logarithm(base: Fraction | None, value: Fraction) -> Fraction | None:
    number = decimals.from_fraction(value)
    if number is None:
        return None
    if base is None:
        result = decimals.ln(number)
    else:
        whole = decimals.from_fraction(base)
        result = None if whole is None else decimals.log(number, whole)
    return None if result is None else Fraction(result)


def _logarithmic(base: int | None, factor: int) -> Scale:
    """The scale whose number is `factor` times the logarithm of the ratio."""
    root = None if base is None else Fraction(base)

    def write(ratio: Fraction) -> Fraction | None:
        found = _logarithm(root, ratio)
        return None if found is None else found * factor

    return Scale(lambda x: _power(root, x / factor), write)


def _arctangent(x: Fraction) -> Fraction | None:
    try:
        return Fraction(repr(math.atan(x / 100)))
    except OverflowError:
        return None


def _tangent(x: Fraction) -> Fraction | None:
    # Beyond a right angle there is no slope.
    if abs(x) >= Fraction(repr(math.pi / 2)):
        return None
    return Fraction(repr(100 * math.tan(x)))


def _root(x: Fraction) -> Fraction | None:
    number = decimals.from_fraction(x)
    result = None if number is None else decimals.sqrt(number)
    return None if result is None else Fraction(result)


_ICE = Fraction(Decimal("273.15"))

SCALES = {
    "celsius": _shifted(_ICE),
    "fahrenheit": _shifted(Fraction(Decimal("459.67"))),
    # 273.15 K in quarters of five kelvins.
    "reaumur": _shifted(_ICE * 4 / 5),
    "tangent": Scale(_arctangent, _tangent),
    "potency-10": _logarithmic(10, -1),
    "potency-100": _logarithmic(100, -1),
    "potency-1000": _logarithmic(1000, -1),
    "potency-50000": _logarithmic(50000, -1),
    "neper": _logarithmic(None, 1),
    "bel": _logarithmic(10, 1),
    "bel-2": _logarithmic(10, 2),
    "bit": _logarithmic(2, 1),
    "root": Scale(lambda x: x * x, _root),
}
