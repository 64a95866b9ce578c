"""Exact decimal numbers as FHIRPath needs them: arithmetic, rounding, boundaries, text.

Numbers are `decimal.Decimal`. FHIRPath asks for at least 28 digits with 8 decimals (§ Literals, Decimal);
here sums and products are exact to 100 digits, quotients, roots and logarithms are correct to 28 digits. A
result beyond 10^100 or closer to zero than 10^-100 is out of range, and out of range is None (empty, § Math),
reached at once: no operand, however hostile, makes a call here slow. The thread's decimal context is never
read or changed, so the caller's settings do not matter.
"""

import re
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Underflow,
)
from fractions import Fraction

DIGITS = 28
"""Significant digits of a result that has no end: quotients, roots, logarithms, powers with a fraction."""

MAX_DECIMALS = 28
"""The most decimals a boundary or a rounding can be asked for."""

_LIMIT = 100
_TRAPS = [InvalidOperation, DivisionByZero, Overflow, Underflow]


def _context(digits: int, rounding: str = ROUND_HALF_EVEN) -> Context:
    return Context(prec=digits, rounding=rounding, Emin=-_LIMIT, Emax=_LIMIT, traps=_TRAPS)


# Contexts are shared between threads: only their flags ever change, and no code reads those.
_EXACT = _context(_LIMIT)
_QUOTIENT = _context(DIGITS)
_GUARDED = _context(DIGITS + 12)
_ENDING = Context(prec=_LIMIT, Emin=-_LIMIT, Emax=_LIMIT, traps=[*_TRAPS, Inexact])
# Wide enough to place any number in range on any grid in use without losing a digit.
_GRID = Context(prec=4 * _LIMIT, Emin=-4 * _LIMIT, Emax=4 * _LIMIT, traps=[InvalidOperation])

_DECIMAL = re.compile(r"[+-]?[0-9]{1,100}(?:\.[0-9]{1,100})?", re.ASCII)
_ONE = Decimal(1)
_HALF = Decimal("0.5")


def in_range(value: Decimal) -> bool:
    """Whether the number is finite and small enough in magnitude and in digits to be computed with."""
    if not value.is_finite():
        return False
    # Whole numbers are known at once: to take a number apart is ten times as much work.
    if value.same_quantum(_ONE):
        return value.adjusted() <= _LIMIT
    return value.adjusted() <= _LIMIT and _exponent(value) >= -2 * _LIMIT


def parse_decimal(source: str) -> Decimal | None:
    """The number the text writes as toDecimal accepts it, `(+|-)?digits(.digits)?`; None otherwise."""
    return Decimal(source) if _DECIMAL.fullmatch(source) else None


def text(value: Decimal) -> str:
    """The number in plain digits: trailing zeros kept, never an exponent (`Decimal("1E+2")` gives `100`).

    Raises ValueError for a number out of range, whose plain digits would fill memory.
    """
    if not in_range(value):
        raise ValueError("the decimal is outside the range that can be written in plain digits")
    return format(value, "f")


def from_fraction(value: Fraction) -> Decimal | None:
    """The fraction as a decimal: exact if it ends within 100 digits, else to 28; None out of range."""
    numerator, denominator = Decimal(value.numerator), Decimal(value.denominator)
    try:
        return _ENDING.divide(numerator, denominator)
    except Inexact:
        return divide(numerator, denominator)
    except DecimalException:
        return None


def _attempt(operation: Callable[[Decimal, Decimal], Decimal], a: Decimal, b: Decimal) -> Decimal | None:
    try:
        return operation(a, b)
    except DecimalException:
        return None


def add(a: Decimal, b: Decimal) -> Decimal | None:
    """The sum; None when out of range."""
    return _attempt(_EXACT.add, a, b)


def subtract(a: Decimal, b: Decimal) -> Decimal | None:
    """The difference; None when out of range."""
    return _attempt(_EXACT.subtract, a, b)


def multiply(a: Decimal, b: Decimal) -> Decimal | None:
    """The product; None when out of range."""
    return _attempt(_EXACT.multiply, a, b)


def divide(a: Decimal, b: Decimal) -> Decimal | None:
    """a / b to 28 digits; None when b is zero or the quotient is out of range."""
    return _attempt(_QUOTIENT.divide, a, b)


def truncated_divide(a: Decimal, b: Decimal) -> int | None:
    """`a div b`, the quotient with its fraction dropped; None when b is zero or a number is out of range."""
    if not b or not in_range(a) or not in_range(b):
        return None
    (an, ad), (bn, bd) = a.as_integer_ratio(), b.as_integer_ratio()
    quotient = abs(an * bd) // abs(ad * bn)
    return quotient if (an < 0) == (bn < 0) else -quotient


def modulo(a: Decimal, b: Decimal) -> Decimal | None:
    """`a mod b`, what truncated division leaves (with the sign of a); None as for truncated_divide."""
    if not b or not in_range(a) or not in_range(b):
        return None
    return _attempt(_GRID.remainder, a, b)


def truncate(value: Decimal) -> int | None:
    """The integer part; None when out of range."""
    return int(value) if in_range(value) else None


def floor(value: Decimal) -> int | None:
    """The greatest integer not above the number; None when out of range."""
    return int(value.to_integral_value(ROUND_FLOOR, _GRID)) if in_range(value) else None


def ceiling(value: Decimal) -> int | None:
    """The least integer not below the number; None when out of range."""
    return int(value.to_integral_value(ROUND_CEILING, _GRID)) if in_range(value) else None


def round_half(value: Decimal, digits: int = 0) -> Decimal | None:
    """The number rounded to `digits` decimals, a half going away from zero; None when out of range.

    A number that has no more decimals than asked for is returned as it is. Raises ValueError for negative
    digits (§ round: the precision must be 0 or more).
    """
    if digits < 0:
        raise ValueError("round() takes a precision of 0 or more")
    if not in_range(value):
        return None
    if precision(value) <= digits:
        return value
    return _place(value, digits, ROUND_HALF_UP)


def precision(value: Decimal) -> int:
    """The digits after the decimal point, trailing zeros included (§ precision)."""
    return max(0, -_exponent(value)) if value.is_finite() else 0


def least_precision(value: Decimal) -> int:
    """The digits after the decimal point, trailing zeros not counted (§ Equivalent)."""
    return precision(_stripped(value))


def equivalent(a: Decimal, b: Decimal) -> bool:
    """Whether a ~ b: equal when both are rounded to the decimals of the less precise (§ Equivalent)."""
    if a == b:
        return True
    if not (in_range(a) and in_range(b)):
        return False
    digits = min(least_precision(a), least_precision(b))
    return _place(a, digits, ROUND_HALF_UP) == _place(b, digits, ROUND_HALF_UP)


def low_boundary(value: Decimal, digits: int | None = None) -> Decimal | None:
    """The least number that, written as precisely as `value`, reads as it; rounded down to `digits`.

    Without `digits`: 8, or as many as it takes. None for digits below 0 or above 28, or out of range
    (§ lowBoundary).
    """
    return _boundary(value, digits, -1)


def high_boundary(value: Decimal, digits: int | None = None) -> Decimal | None:
    """The greatest number that, written as precisely as `value`, reads as it; rounded up to `digits`.

    Limits as for low_boundary (§ highBoundary).
    """
    return _boundary(value, digits, 1)


def _boundary(value: Decimal, digits: int | None, sign: int) -> Decimal | None:
    if not in_range(value):
        return None
    own = precision(value)
    if digits is None:
        digits = min(max(8, own + 1), MAX_DECIMALS)
    if not 0 <= digits <= MAX_DECIMALS:
        return None
    bound = _GRID.add(value, _HALF.scaleb(-own, _GRID) * sign)
    placed = _place(bound, digits, ROUND_FLOOR if sign < 0 else ROUND_CEILING)
    return placed or placed.copy_abs()


def power(base: Decimal, exponent: Decimal) -> Decimal | None:
    """base to the power of exponent: exact while it fits, else to 28 digits.

    None when the result is not a real number or out of range (§ power).
    """
    if not exponent:
        return _ONE
    if not base and exponent.is_signed():
        return None
    try:
        if exponent == _HALF:
            return _QUOTIENT.sqrt(base)
        exact = _EXACT.power(base, exponent)
        whole = exponent == exponent.to_integral_value()
        return exact if whole and exponent > 0 else _rounded(exact)
    except DecimalException:
        return None


def sqrt(value: Decimal) -> Decimal | None:
    """The square root to 28 digits; None for a negative number (§ sqrt)."""
    try:
        return _QUOTIENT.sqrt(value)
    except DecimalException:
        return None


def ln(value: Decimal) -> Decimal | None:
    """The natural logarithm to 28 digits; None unless the number is positive (§ ln)."""
    if value <= 0:
        return None
    try:
        return _QUOTIENT.ln(value)
    except DecimalException:
        return None


def log(value: Decimal, base: Decimal) -> Decimal | None:
    """The logarithm to the base, 28 digits; None unless both are positive and base is not 1 (§ log)."""
    if value <= 0 or base <= 0 or base == 1:
        return None
    try:
        return _rounded(_GUARDED.divide(_GUARDED.ln(value), _GUARDED.ln(base)))
    except DecimalException:
        return None


def exp(value: Decimal) -> Decimal | None:
    """e to the power of the number, to 28 digits; None when out of range (§ exp)."""
    try:
        return _QUOTIENT.exp(value)
    except DecimalException:
        return None


def _rounded(value: Decimal) -> Decimal:
    """The number to 28 digits, without the zeros that a computation leaves behind (4.000… is 4)."""
    return _stripped(_QUOTIENT.plus(value))


def _stripped(value: Decimal) -> Decimal:
    """The number without trailing zeros after the decimal point; zeros of an integer stay."""
    if _exponent(value) >= 0:
        return value
    if not value:
        return Decimal(0)
    normal = value.normalize(_GRID)
    return normal if _exponent(normal) <= 0 else normal.quantize(_ONE, context=_GRID)


def _place(value: Decimal, digits: int, rounding: str) -> Decimal:
    """The number with exactly `digits` decimals. The number is in range."""
    return value.quantize(_ONE.scaleb(-digits, _GRID), rounding, _GRID)


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    # NaN and the infinities have a letter for an exponent; callers have asked is_finite() first.
    return exponent if isinstance(exponent, int) else 0
