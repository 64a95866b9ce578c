"""Decimals: exact arithmetic, rounding, boundaries, text, and the bounds that hostile numbers meet."""

from decimal import Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhirpath import decimals

D = Decimal
numbers = st.decimals(
    min_value=D("-1e12"), max_value=D("1e12"), allow_nan=False, allow_infinity=False, places=6
)
wild = st.decimals(allow_nan=True, allow_infinity=True) | st.sampled_from(
    [
        D("1E999999"),
        D("-1E999999"),
        D("1E-999999"),
        D("9" * 300),
        D("0." + "0" * 300 + "1"),
        D("-0.0"),
        D(10) ** 9,
    ]
)


def _same(found: Decimal | None, expected: str | None) -> bool:
    """Equal in value and in the digits shown."""
    return (None if found is None else str(found)) == expected


@pytest.mark.parametrize(
    ("value", "digits", "low", "high"),
    [
        ("1.587", None, "1.58650000", "1.58750000"),
        ("1.587", 6, "1.586500", "1.587500"),
        ("1.587", 2, "1.58", "1.59"),
        ("1.587", 0, "1", "2"),
        ("1.587", -1, None, None),
        ("1.587", 32, None, None),
        ("-1.587", None, "-1.58750000", "-1.58650000"),
        ("-1.587", 2, "-1.59", "-1.58"),
        ("-1.587", 0, "-2", "-1"),
        ("1", 5, "0.50000", "1.50000"),
        ("12.500", 4, "12.4995", "12.5005"),
        ("-120", 2, "-120.50", "-119.50"),
        ("0.0034", 1, "0.0", "0.1"),
        ("-0.0034", 1, "-0.1", "0.0"),
        ("0.123456789", None, "0.1234567885", "0.1234567895"),
        ("1E999999", None, None, None),
    ],
)
def test_boundaries(value: str, digits: int | None, low: str | None, high: str | None) -> None:
    assert _same(decimals.low_boundary(D(value), digits), low)
    assert _same(decimals.high_boundary(D(value), digits), high)


@pytest.mark.parametrize(
    ("value", "expected"), [("1.58700", 5), ("1", 0), ("100", 0), ("1E+2", 0), ("-0.0", 1), ("NaN", 0)]
)
def test_precision_counts_the_decimals_as_written(value: str, expected: int) -> None:
    assert decimals.precision(D(value)) == expected


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        ("3.14159", 3, "3.142"),
        ("1", 0, "1"),
        ("0.5", 0, "1"),
        ("-0.5", 0, "-1"),
        ("2.5", 0, "3"),
        ("2.50", 4, "2.50"),
        ("1E999999", 0, None),
    ],
)
def test_rounding_takes_a_half_away_from_zero(value: str, digits: int, expected: str | None) -> None:
    assert _same(decimals.round_half(D(value), digits), expected)


def test_rounding_to_negative_digits_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        decimals.round_half(D("1"), -1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("6.30", "6.30"), ("1E+2", "100"), ("1E-8", "0.00000001"), ("-0.10", "-0.10"), ("0", "0")],
)
def test_text_is_plain_digits(value: str, expected: str) -> None:
    assert decimals.text(D(value)) == expected


def test_text_refuses_what_would_fill_memory() -> None:
    with pytest.raises(ValueError, match="outside the range"):
        decimals.text(D("1E999999999"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1", "1"),
        ("+1.50", "1.50"),
        ("-0.1", "-0.1"),
        ("1.", None),
        (".5", None),
        ("1e5", None),
        ("1 ", None),
        ("", None),
        ("NaN", None),
        ("٣", None),
    ],
)
def test_parse_decimal(source: str, expected: str | None) -> None:
    assert _same(decimals.parse_decimal(source), expected)


def test_arithmetic() -> None:
    assert decimals.add(D("1.2"), D("1.8")) == D("3.0")
    assert decimals.subtract(D("1.8"), D("1.2")) == D("0.6")
    assert decimals.multiply(D("1.2"), D("1.8")) == D("2.16")
    assert decimals.divide(D(1), D(2)) == D("0.5")
    assert str(decimals.divide(D(1), D(3))) == "0." + "3" * 28
    assert decimals.divide(D(1), D(0)) is None
    assert decimals.divide(D(0), D(0)) is None
    assert decimals.truncated_divide(D("5.5"), D("0.7")) == 7
    assert decimals.truncated_divide(D("-5"), D("2")) == -2
    assert decimals.truncated_divide(D(5), D(0)) is None
    assert decimals.modulo(D("5.5"), D("0.7")) == D("0.6")
    assert decimals.modulo(D("-5"), D("2")) == D("-1")
    assert decimals.modulo(D(5), D(0)) is None
    assert [decimals.floor(D("-2.1")), decimals.ceiling(D("-1.1")), decimals.truncate(D("-1.56"))] == [
        -3,
        -1,
        -1,
    ]


def test_powers_roots_and_logarithms() -> None:
    assert decimals.power(D(2), D(3)) == D(8)
    assert decimals.power(D("2.5"), D(2)) == D("6.25")
    assert decimals.power(D(2), D(-1)) == D("0.5")
    assert decimals.power(D(0), D(0)) == D(1)
    assert decimals.power(D(81), D("0.5")) == D(9)
    assert decimals.power(D(-1), D("0.5")) is None
    assert decimals.power(D(0), D(-1)) is None
    assert decimals.sqrt(D(81)) == D(9)
    assert decimals.sqrt(D(-1)) is None
    assert decimals.ln(D(1)) == D(0)
    assert decimals.ln(D(0)) is None
    assert str(decimals.log(D(16), D(2))) == "4"
    assert str(decimals.log(D("100.0"), D("10.0"))) == "2"
    assert decimals.log(D(2), D(1)) is None
    assert decimals.log(D(-2), D(2)) is None
    assert decimals.exp(D("-0.0")) == D(1)


def test_hostile_numbers_are_out_of_range_at_once() -> None:
    huge = D("1E999999")
    assert decimals.power(D(10), D(1_000_000_000)) is None
    assert decimals.power(D("0.5"), D(10) ** 9) is None
    assert decimals.exp(D(10) ** 9) is None
    assert decimals.multiply(huge, huge) is None
    assert [decimals.truncate(huge), decimals.floor(huge), decimals.ceiling(huge)] == [None, None, None]
    assert decimals.truncated_divide(huge, D(1)) is None
    assert decimals.modulo(huge, D(7)) is None
    assert not decimals.in_range(huge)
    assert not decimals.in_range(D("Infinity"))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("1.10", "1.1", True),
        ("0.6666666666", "0.67", True),
        ("0.6666666666", "0.6", False),
        ("1.2", "1", True),
        ("1.5", "1", False),
        ("100", "101", False),
        ("1E999999", "1", False),
        ("1E999999", "1E999999", True),
    ],
)
def test_equivalence_rounds_to_the_less_precise(a: str, b: str, expected: bool) -> None:
    assert decimals.equivalent(D(a), D(b)) is expected


def test_fractions_become_exact_decimals_where_they_end() -> None:
    assert decimals.from_fraction(Fraction(1, 8)) == D("0.125")
    assert decimals.from_fraction(Fraction(45359237, 10**8)) == D("0.45359237")
    assert str(decimals.from_fraction(Fraction(2, 3))) == "0." + "6" * 27 + "7"
    assert decimals.from_fraction(Fraction(10) ** 200) is None


@given(numbers, numbers, numbers)
def test_sums_and_products_are_exact(a: Decimal, b: Decimal, c: Decimal) -> None:
    total, product = decimals.add(a, b), decimals.multiply(a, b)
    assert total is not None
    assert product is not None
    assert Fraction(total) == Fraction(a) + Fraction(b)
    assert Fraction(product) == Fraction(a) * Fraction(b)
    assert decimals.subtract(total, b) == a
    left, right = decimals.add(total, c), decimals.add(b, c)
    assert right is not None
    assert left == decimals.add(a, right)


@given(numbers, numbers.filter(bool))
def test_division_leaves_its_remainder(a: Decimal, b: Decimal) -> None:
    whole, rest = decimals.truncated_divide(a, b), decimals.modulo(a, b)
    assert whole is not None
    assert rest is not None
    assert Fraction(whole) * Fraction(b) + Fraction(rest) == Fraction(a)
    assert abs(rest) < abs(b)


@given(numbers, st.none() | st.integers(min_value=0, max_value=28))
def test_boundaries_enclose_the_number(value: Decimal, digits: int | None) -> None:
    low, high = decimals.low_boundary(value, digits), decimals.high_boundary(value, digits)
    assert low is not None
    assert high is not None
    assert low <= value <= high
    assert decimals.precision(low) == decimals.precision(high) == (8 if digits is None else digits)


@given(numbers)
def test_text_is_read_back_as_written(value: Decimal) -> None:
    found = decimals.parse_decimal(decimals.text(value))
    assert found is not None
    assert str(found) == format(value, "f")


@given(wild, wild, st.none() | st.integers(min_value=-3, max_value=60))
def test_no_number_raises(a: Decimal, b: Decimal, digits: int | None) -> None:
    for binary in (
        decimals.add,
        decimals.subtract,
        decimals.multiply,
        decimals.divide,
        decimals.modulo,
        decimals.truncated_divide,
        decimals.power,
    ):
        binary(a, b)
    for unary in (decimals.sqrt, decimals.exp, decimals.truncate, decimals.floor, decimals.ceiling):
        unary(a)
    if not a.is_nan():
        decimals.ln(a)
        decimals.equivalent(a, a)
    if not (a.is_nan() or b.is_nan()):
        decimals.log(a, b)
    decimals.low_boundary(a, digits)
    decimals.high_boundary(a, digits)


def test_the_callers_decimal_context_does_not_matter() -> None:
    with localcontext(Context(prec=2)):
        assert decimals.add(D("123.456"), D("0.001")) == D("123.457")
        assert decimals.round_half(D("123.456"), 2) == D("123.46")
        assert _same(decimals.low_boundary(D("123.456")), "123.45550000")
        assert decimals.modulo(D("123.456"), D(100)) == D("23.456")
