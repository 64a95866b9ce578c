"""Quantities: text and elements, comparison across units, calendar durations, arithmetic with units."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhirpath import quantity
from service.fhirpath.quantity import Quantity

D = Decimal
UCUM = "http://unitsofmeasure.org"
CALENDAR = "http://hl7.org/fhirpath/CodeSystem/calendar-units"


def read(text: str) -> Quantity:
    found = quantity.parse_quantity(text)
    assert found is not None, text
    return found


def written(value: Quantity | None) -> str | None:
    return None if value is None else quantity.to_text(value)


numbers = st.decimals(min_value=-(10**6), max_value=10**6, allow_nan=False, allow_infinity=False, places=3)
words = st.sampled_from(["year", "month", "week", "day", "hour", "minute", "second", "millisecond"])
lengths = st.sampled_from(["m", "cm", "km", "[in_i]", "[ft_i]"])
codes = st.sampled_from(
    ["mg", "kg", "[lb_av]", "s", "h", "d", "a", "1", "%", "mol/L", "Cel", "[degF]", "K", "foo", "[iU]"]
)
quantities = st.builds(Quantity, numbers, words | lengths | codes)
long_ones = st.builds(Quantity, numbers, lengths)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", Quantity(D(1), "1")),
        ("1.0", Quantity(D("1.0"), "1")),
        ("4 days", Quantity(D(4), "day")),
        ("4day", Quantity(D(4), "day")),
        ("-1.5 'mg'", Quantity(D("-1.5"), "mg")),
        ("+10\t'mm[Hg]'", Quantity(D(10), "mm[Hg]")),
        ("1 'wk'", Quantity(D(1), "wk")),
        ("1 'month'", Quantity(D(1), "month")),
        ("1 wk", None),
        ("1.a", None),
        ("1.", None),
        ("mg", None),
        ("1 ''", None),
        ("1 'mg", None),
        ("1 Days", None),
        ("", None),
    ],
)
def test_text_is_read(text: str, expected: Quantity | None) -> None:
    assert quantity.parse_quantity(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Quantity(D(1), "wk"), "1 'wk'"),
        (Quantity(D(1), "week"), "1 week"),
        (Quantity(D("4.50"), "day"), "4.50 days"),
        (Quantity(D("1E+2"), "mg"), "100 'mg'"),
    ],
)
def test_text_is_written(value: Quantity, expected: str) -> None:
    assert quantity.to_text(value) == expected


@given(quantities)
def test_the_text_of_a_quantity_reads_as_the_quantity(value: Quantity) -> None:
    assert quantity.parse_quantity(quantity.to_text(value)) == value


@given(st.text(max_size=30) | st.text(alphabet="0123456789.+-' mgdays", max_size=20))
def test_no_text_raises(text: str) -> None:
    found = quantity.parse_quantity(text)
    assert found is None or found.unit


def test_literals_and_words() -> None:
    assert quantity.make(D(2), "days") == Quantity(D(2), "day")
    assert quantity.make(D(2), "mg") == Quantity(D(2), "mg")
    assert quantity.calendar_unit("milliseconds") == "millisecond"
    assert quantity.calendar_unit("d") is None


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"value": D("6.30"), "unit": "milligram", "system": UCUM, "code": "mg"}, Quantity(D("6.30"), "mg")),
        ({"value": 3, "system": UCUM, "code": "a"}, Quantity(D(3), "year")),
        ({"value": 3, "system": UCUM, "code": "min"}, Quantity(D(3), "minute")),
        ({"value": 3, "system": UCUM, "code": "wk"}, Quantity(D(3), "wk")),
        ({"value": 3, "system": CALENDAR, "code": "days"}, Quantity(D(3), "day")),
        ({"value": 3, "system": CALENDAR, "code": "mg"}, None),
        ({"value": 3, "system": UCUM, "code": "mg", "comparator": "<"}, None),
        ({"value": 3, "unit": "mg"}, None),
        ({"value": 3, "code": "mg"}, None),
        ({"value": 3, "system": UCUM, "code": ""}, None),
        ({"value": True, "system": UCUM, "code": "mg"}, None),
        ({"value": "3", "system": UCUM, "code": "mg"}, None),
        ({"system": UCUM, "code": "mg"}, None),
        ({}, None),
    ],
)
def test_elements_are_read(element: dict[str, Any], expected: Quantity | None) -> None:
    assert quantity.from_element(element) == expected


def test_elements_are_written() -> None:
    assert quantity.to_element(read("1.50 'mg'")) == {
        "value": D("1.50"),
        "unit": "mg",
        "system": UCUM,
        "code": "mg",
    }
    assert quantity.to_element(read("2 days")) == {
        "value": D(2),
        "unit": "day",
        "system": CALENDAR,
        "code": "day",
    }


@pytest.mark.parametrize(
    ("a", "b", "order", "same"),
    [
        ("4.0000 'g'", "4000.0 'mg'", 0, True),
        ("4 'g'", "4040 'mg'", -1, True),
        ("4.00 'g'", "4040 'mg'", -1, True),
        ("4.04 'g'", "4050 'mg'", -1, False),
        ("4 'g'", "4500 'mg'", -1, False),
        ("1 'm'", "1 'cm'", 1, False),
        ("1 'wk'", "8 'd'", -1, False),
        ("1 'h'", "62 'min'", -1, False),
        ("37 'Cel'", "98.6 '[degF]'", 0, True),
        ("7 '[pH]'", "6 'nmol/L'", 1, False),
        ("1 'cm'", "1 's'", None, False),
        ("1 'cm'", "1 'cm2'", None, False),
        ("1 'foo'", "2 'foo'", -1, False),
        ("1 'foo'", "1 'bar'", None, False),
        ("1 'foo'", "1 'mg'", None, False),
        # calendar durations and definite ones
        ("7 days", "1 week", 0, True),
        ("7 days", "1 'wk'", 0, True),
        ("1 day", "24 'h'", 0, True),
        ("10 seconds", "1 's'", 1, False),
        ("1 second", "1000 'ms'", 0, True),
        ("1 year", "1 'a'", None, True),
        ("1 year", "2 'a'", None, False),
        ("1 month", "1 'mo'", None, True),
        ("1 year", "1 'd'", None, False),
        ("1 year", "12 months", 0, True),
        ("1 year", "365 days", 0, True),
        ("1 month", "31 days", -1, False),
        ("1 year", "1 'mg'", None, False),
    ],
)
def test_comparison(a: str, b: str, order: int | None, same: bool) -> None:
    left, right = read(a), read(b)
    assert quantity.compare(left, right) == order
    assert quantity.compare(right, left) == (None if order is None else -order)
    assert quantity.equal(left, right) == (None if order is None else order == 0)
    assert quantity.equivalent(left, right) is same
    assert quantity.equivalent(right, left) is same


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("1 'cm'", "1 '[in_i]'", True),
        ("1 'cm'", "1 '[s]'", False),
        ("1 'cm'", "1 's'", False),
        ("1 'foo'", "1 'foo'", True),
        ("1 'Cel'", "1 'K'", True),
        ("1 year", "1 day", True),
        ("1 day", "1 'min'", True),
        ("1 year", "1 'a'", False),
    ],
)
def test_comparable(a: str, b: str, expected: bool) -> None:
    assert quantity.comparable(read(a), read(b)) is expected
    assert quantity.comparable(read(b), read(a)) is expected


@given(quantities, quantities)
def test_order_is_antisymmetric_and_known_only_where_comparable(a: Quantity, b: Quantity) -> None:
    forth, back = quantity.compare(a, b), quantity.compare(b, a)
    assert forth == (None if back is None else -back)
    assert (forth is not None) is quantity.comparable(a, b)
    assert quantity.equivalent(a, b) is quantity.equivalent(b, a)
    if quantity.equal(a, b):
        assert quantity.equivalent(a, b)


@given(long_ones, long_ones, long_ones)
def test_order_is_transitive(a: Quantity, b: Quantity, c: Quantity) -> None:
    if quantity.compare(a, b) == -1 and quantity.compare(b, c) == -1:
        assert quantity.compare(a, c) == -1


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("1 'kg'", "g", "1000 'g'"),
        ("1 '[lb_av]'", "kg", "0.45359237 'kg'"),
        ("37 'Cel'", "[degF]", "98.6 '[degF]'"),
        ("1 'm'", "[in_i]", "39.37007874015748031496062992 '[in_i]'"),
        ("2 years", "months", "24 months"),
        ("1 year", "day", "365 days"),
        ("1 day", "h", "24 'h'"),
        ("36 'h'", "days", "1.5 days"),
        ("1 year", "a", None),
        ("1 'cm'", "s", None),
        ("1 'cm'", "foo", None),
        ("5 'foo'", "foo", "5 'foo'"),
    ],
)
def test_conversion(value: str, unit: str, expected: str | None) -> None:
    assert written(quantity.convert(read(value), unit)) == expected


@given(st.builds(Quantity, numbers, st.sampled_from(["[in_i]", "[ft_i]", "km"])), lengths)
def test_conversion_leads_back(value: Quantity, unit: str) -> None:
    there = quantity.convert(value, unit)
    assert there is not None
    back = quantity.convert(there, value.unit)
    assert back is not None
    assert abs(back.value - value.value) <= abs(value.value) * D("1E-26")


@pytest.mark.parametrize(
    ("a", "b", "total", "difference", "product", "quotient"),
    [
        ("3 'm'", "3 'cm'", "303 'cm'", "297 'cm'", "900 'cm2'", "100 '1'"),
        ("12 'cm'", "3 'cm'", "15 'cm'", "9 'cm'", "36 'cm2'", "4 '1'"),
        ("12 'cm2'", "3 'cm'", None, None, "36 'cm3'", "4 'cm'"),
        ("4.0 'g'", "2.0 'm'", None, None, "8.00 'g.m'", "2 'g/m'"),
        ("5 'mg/mL'", "2 'mL'", None, None, "10 'mg'", "2.5 'mg/mL2'"),
        ("60 '{beats}/min'", "2 minutes", None, None, "120 '1'", "30 '/min2'"),
        ("6 'mg'", "2 '1'", None, None, "12 'mg'", "3 'mg'"),
        ("6 '1'", "2 'mg'", None, None, "12 'mg'", "3 '/mg'"),
        ("10 'L/min'", "2.5 '10.L/min'", "35 'L/min'", "-15 'L/min'", "250 'L2/min2'", "0.4 '1'"),
        ("1 day", "2 'h'", "26 'h'", "22 'h'", "2 'd.h'", "12 '1'"),
        ("1 year", "1 month", "13 months", "11 months", None, "12 '1'"),
        ("1 year", "1 'a'", None, None, None, None),
        ("20 'Cel'", "1 'Cel'", "21 'Cel'", "19 'Cel'", None, "20 '1'"),
        ("20 'Cel'", "1 'K'", None, None, None, None),
        ("1 'foo'", "1 'mg'", None, None, None, None),
        ("1 'mg'", "0 'mg'", "1 'mg'", "1 'mg'", "0 'mg2'", None),
        ("1 'mg'", "0 's'", None, None, "0 'mg.s'", None),
    ],
)
def test_arithmetic(
    a: str, b: str, total: str | None, difference: str | None, product: str | None, quotient: str | None
) -> None:
    left, right = read(a), read(b)
    assert written(quantity.add(left, right)) == total
    assert written(quantity.subtract(left, right)) == difference
    assert written(quantity.multiply(left, right)) == product
    assert written(quantity.divide(left, right)) == quotient


@given(long_ones, long_ones)
def test_adding_and_taking_away_leads_back(a: Quantity, b: Quantity) -> None:
    total = quantity.add(a, b)
    assert total is not None
    back = quantity.subtract(total, b)
    assert back is not None
    expected = quantity.convert(a, back.unit)
    assert expected is not None
    assert abs(back.value - expected.value) <= D("1E-15")


def test_signs_and_boundaries() -> None:
    assert quantity.negate(read("5.5 'mg'")) == read("-5.5 'mg'")
    assert quantity.absolute(read("-5.5 'mg'")) == read("5.5 'mg'")
    assert written(quantity.low_boundary(read("1.587 'cm'"), 8)) == "1.58650000 'cm'"
    assert written(quantity.high_boundary(read("1.587 'm'"))) == "1.58750000 'm'"
    assert quantity.low_boundary(read("1.587 'cm'"), 99) is None


def test_hostile_numbers_have_no_answer_rather_than_no_end() -> None:
    huge, one = Quantity(D("1E999999"), "km"), Quantity(D(1), "m")
    assert quantity.compare(huge, one) is None
    assert quantity.equal(one, huge) is None
    assert quantity.equivalent(huge, one) is False
    assert [quantity.add(huge, one), quantity.subtract(one, huge), quantity.multiply(huge, one)] == [
        None,
        None,
        None,
    ]
    assert [quantity.divide(huge, one), quantity.divide(one, huge), quantity.convert(huge, "m")] == [
        None,
        None,
        None,
    ]
    assert quantity.compare(huge, huge) == 0
