"""The laws of the specification, on values of every kind; those of resources are in test_laws_resources."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service import fhirpath
from service.fhirpath import ExpressionError, parse, to_text
from tests.fhirpath import strategies

if TYPE_CHECKING:
    from decimal import Decimal

    from service.fhirpath.syntax import Expression

LAWS = settings(deadline=None, max_examples=150)

TRUTHS: dict[str, int] = {"false": 0, "{}": 1, "true": 2}
ANSWERS: list[list[bool]] = [[False], [], [True]]


def ask(text: str, **variables: Any) -> list[Any]:
    return fhirpath.evaluate(None, text, variables=variables)


# -- three-valued logic (§6.5) ------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "right"), list(itertools.product(TRUTHS, TRUTHS)))
def test_logic_is_kleenes(left: str, right: str) -> None:
    a, b = TRUTHS[left], TRUTHS[right]
    assert ask(f"{left} and {right}") == ANSWERS[min(a, b)]
    assert ask(f"{left} or {right}") == ANSWERS[max(a, b)]
    assert ask(f"{left} implies {right}") == ANSWERS[max(2 - a, b)]
    assert ask(f"{left} xor {right}") == ([] if 1 in (a, b) else [a != b])
    assert ask(f"({left}).not()") == ANSWERS[2 - a]


_BOOLEANS = st.recursive(
    st.sampled_from(list(TRUTHS)),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or", "xor", "implies"]), inner),
        inner.map("({}).not()".format),
    ),
    max_leaves=8,
)


@LAWS
@given(_BOOLEANS, _BOOLEANS)
def test_de_morgan(a: str, b: str) -> None:
    assert ask(f"({a} and {b}).not()") == ask(f"({a}).not() or ({b}).not()")
    assert ask(f"{a} implies {b}") == ask(f"({a}).not() or {b}")
    assert ask(f"{a} xor {b}") == ask(f"{b} xor {a}")


# -- empty propagates (§4.3, §6) ----------------------------------------------------------------------------

_OPERANDS = ["1", "1.5", "'a'", "true", "@2020", "@T10", "4 'mg'", "2 days"]
_STRICT = ["=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/"]
_EMPTIED = [
    *(
        "substring(0)",
        "indexOf('a')",
        "startsWith('a')",
        "endsWith('a')",
        "contains('a')",
        "upper()",
        "lower()",
    ),
    *("replace('a', 'b')", "matches('a')", "replaceMatches('a', 'b')", "length()", "toChars()", "trim()"),
    *(
        "abs()",
        "ceiling()",
        "exp()",
        "floor()",
        "ln()",
        "log(2)",
        "power(2)",
        "round()",
        "sqrt()",
        "truncate()",
    ),
    *("toInteger()", "toDecimal()", "toString()", "toDate()", "toDateTime()", "toTime()", "toQuantity()"),
    *("toBoolean()", "convertsToInteger()", "convertsToDate()", "first()", "last()", "tail()", "skip(1)"),
    *("take(1)", "single()", "distinct()", "where(true)", "select(1)", "repeat($this)", "ofType(Integer)"),
    *("children()", "descendants()", "not()", "lowBoundary()", "highBoundary()", "precision()", "split(',')"),
    *("encode('hex')", "escape('json')", "type()", "yearOf()", "min()", "max()", "avg()", "sort()"),
]


@pytest.mark.parametrize("operand", [*_OPERANDS, "{}"])
def test_an_operator_beside_nothing_gives_nothing(operand: str) -> None:
    numeric = operand in ("1", "1.5", "{}")
    for operator in [*_STRICT, "div", "mod"] if numeric else _STRICT:
        assert ask(f"%a {operator} {operand}", a=[]) == []
        assert ask(f"{operand} {operator} %a", a=[]) == []


@pytest.mark.parametrize("function", _EMPTIED)
def test_a_function_of_nothing_gives_nothing(function: str) -> None:
    assert ask(f"%a.{function}", a=[]) == []


@pytest.mark.parametrize(
    "text",
    [
        *("'abc'.substring(%a)", "'abc'.startsWith(%a)", "'abc'.replace('a', %a)", "'abc'.matches(%a)"),
        *("2.power(%a)", "2.log(%a)", "'abc'.indexOf(%a)", "'abc'.contains(%a)", "%a in (1 | 2) and %a"),
    ],
)
def test_an_argument_that_is_nothing_gives_nothing(text: str) -> None:
    assert ask(text, a=[]) == []


def test_what_is_said_of_nothing() -> None:
    assert ask("%a.empty() and %a.allTrue() and %a.count() = 0 and %a.isDistinct()", a=[]) == [True]
    assert ask("%a ~ {} and (%a & 'x') = 'x' and %a.subsetOf({}) and %a.all(false)", a=[]) == [True]


# -- sets (§5.1, §5.3, §5.4) --------------------------------------------------------------------------------


@LAWS
@given(strategies.COLLECTIONS, strategies.COLLECTIONS)
def test_union_is_that_of_sets(a: list[Any], b: list[Any]) -> None:
    both = {"a": a, "b": b}
    assert ask("%a.union(%b).subsetOf(%b.union(%a)) and %b.union(%a).subsetOf(%a.union(%b))", **both) == [
        True
    ]
    assert ask("%a.union(%b).count() = %b.union(%a).count()", **both) == [True]
    assert ask("%a.union(%b).isDistinct() and %a.subsetOf(%a | %b) and %b.subsetOf(%a | %b)", **both) == [
        True
    ]
    assert ask("%a.union(%b)", **both) == ask("%a.combine(%b).distinct()", **both)
    assert ask("%a | %a", **both) == ask("%a.distinct()", **both)


@LAWS
@given(strategies.COLLECTIONS, strategies.COLLECTIONS)
def test_intersection_and_difference_part_a_set(a: list[Any], b: list[Any]) -> None:
    both = {"a": a, "b": b}
    assert ask("%a.intersect(%b).subsetOf(%a) and %a.intersect(%b).subsetOf(%b)", **both) == [True]
    assert ask("%a.exclude(%b).intersect(%b)", **both) == []
    assert ask(
        "%a.exclude(%b).distinct().count() + %a.intersect(%b).count() = %a.distinct().count()", **both
    ) == [True]
    assert ask("%a.subsetOf(%b) = %b.supersetOf(%a)", **both) == [True]
    assert ask("%a.subsetOf(%b) = %a.all($this in %b)", **both) == [True]
    assert ask("%a.subsetOf(%b) = %a.exclude(%b).empty()", **both) == [True]


@LAWS
@given(strategies.COLLECTIONS)
def test_distinct_items(a: list[Any]) -> None:
    assert ask(
        "%a.distinct().isDistinct() and %a.distinct().subsetOf(%a) and %a.subsetOf(%a.distinct())", a=a
    ) == [True]
    assert ask("%a.isDistinct() = (%a.distinct().count() = %a.count())", a=a) == [True]
    assert ask("%a.distinct().distinct()", a=a) == ask("%a.distinct()", a=a)


@LAWS
@given(strategies.COLLECTIONS, st.integers(-3, 9))
def test_take_and_skip_part_a_collection(a: list[Any], number: int) -> None:
    text = f"%a.take({number}).combine(%a.skip({number}))"
    assert ask(text, a=a) == ask("%a", a=a) == a
    assert ask("%a.first().combine(%a.tail())", a=a) == a
    assert ask("%a.where($index < %n) ~ %a.take(%n)", a=a, n=number) == [True]


@LAWS
@given(st.lists(strategies.INTEGERS, max_size=8))
def test_sorted_items(a: list[int]) -> None:
    assert ask("%a.sort()", a=a) == sorted(a)
    assert ask("%a.sort($this desc)", a=a) == sorted(a, reverse=True)


# -- numbers (§6.6) -----------------------------------------------------------------------------------------


@LAWS
@given(strategies.DECIMALS, strategies.DECIMALS)
def test_decimals_are_exact(a: Decimal, b: Decimal) -> None:
    both: dict[str, Any] = {"a": a, "b": b}
    for operator, wanted in (
        ("+", Fraction(a) + Fraction(b)),
        ("-", Fraction(a) - Fraction(b)),
        ("*", Fraction(a) * Fraction(b)),
    ):
        assert [Fraction(one) for one in ask(f"%a {operator} %b", **both)] == [wanted]
    assert ask("%a < %b", **both) == [a < b]
    assert ask("%a = %b", **both) == [a == b]
    assert ask("%a.toString().toDecimal()", **both)[0].as_tuple() == a.as_tuple()
    if b:
        assert ask("%a = (%a div %b) * %b + %a mod %b", **both) in ([True], [])


@LAWS
@given(strategies.INTEGERS, strategies.INTEGERS.filter(bool))
def test_whole_division(a: int, b: int) -> None:
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    if -(2**31) <= quotient < 2**31:
        assert ask("%a div %b", a=a, b=b) == [quotient]
    assert ask("%a mod %b", a=a, b=b) == [a - quotient * b]


# -- quantities (§5.5, §6) ----------------------------------------------------------------------------------

_AMOUNTS = st.decimals(-(10**6), 10**6, places=3)


@LAWS
@given(_AMOUNTS, _AMOUNTS)
def test_quantities_follow_their_numbers(a: Decimal, b: Decimal) -> None:
    grams, more = f"({a:f} 'g')", f"({b:f} 'g')"
    milligrams = f"({b * 1000:f} 'mg')"
    assert ask(f"{more} = {milligrams} and {more} ~ {milligrams}") == [True]
    for operator, wanted in (("<", a < b), (">=", a >= b), ("=", a == b), ("!=", a != b)):
        assert ask(f"{grams} {operator} {milligrams}") == [wanted]
    assert ask(f"{grams} + {milligrams} = ({a + b:f} 'g')") == [True]
    assert ask(f"{grams} - {milligrams} = ({a - b:f} 'g')") == [True]
    assert ask(f"({a:f} 'cm') * ({b:f} 'cm') = ({a * b:f} 'cm2')") == [True]
    assert ask(f"{grams}.toString().toQuantity() = {grams} and -(-{grams}) = {grams}") == [True]
    assert ask(f"{grams} = ({b:f} 'cm')") in ([], [False])
    if b:
        assert ask(f"({a * b:f} 'g') / {more} = ({a:f} '1')") == [True]


# -- dates and times (§6.6.3, §6.6.4, §6.2) -----------------------------------------------------------------

_UNITS = ["years", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds"]


@LAWS
@given(strategies.DATETIMES, st.integers(-400, 400), st.sampled_from(_UNITS))
def test_moving_a_date_there_and_back(text: str, number: int, unit: str) -> None:
    away, home = ("+", "-") if number >= 0 else ("-", "+")
    there = ask(f"%a.toDateTime() {away} {abs(number)} {unit}", a=text)
    # Years and months from the 29th on may end at a month's last day, and not come back.
    assume(there and (unit not in ("years", "months") or text[8:10] <= "28"))
    back = ask(f"%b.toDateTime() {home} {abs(number)} {unit} = %a.toDateTime()", a=text, b=there)
    assert back == [True]


@LAWS
@given(strategies.DATES, st.integers(-5000, 5000))
def test_days_are_the_calendars(day: date, number: int) -> None:
    try:
        wanted = [(day + timedelta(days=number)).isoformat()]
    except OverflowError:
        wanted = []
    sign = "-" if number < 0 else "+"
    assert ask(f"%a.toDate() {sign} {abs(number)} days", a=day.isoformat()) == wanted


@LAWS
@given(strategies.DATES, st.integers(0, 5000))
def test_months_keep_the_day_or_end_at_the_last(day: date, number: int) -> None:
    found = ask(f"%a.toDate() + {number} months", a=day.isoformat())
    month = day.year * 12 + day.month - 1 + number
    if month // 12 > 9999:
        assert found == []
        return
    first = date(month // 12, month % 12 + 1, 1)
    last = 31 if first.month == 12 else (date(first.year, first.month + 1, 1) - timedelta(days=1)).day
    assert found == [first.replace(day=min(day.day, last)).isoformat()]


@LAWS
@given(strategies.TIMES, st.integers(0, 10_000), st.sampled_from(_UNITS[4:]))
def test_a_time_goes_round_the_clock(text: str, number: int, unit: str) -> None:
    assert ask(f"(%a.toTime() + {number} {unit}) - {number} {unit} = %a.toTime()", a=text) == [True]
    assert ask("%a.toTime() + 24 hours = %a.toTime()", a=text) == [True]


@LAWS
@given(strategies.MOMENTS, strategies.MOMENTS)
def test_dates_compare_as_far_as_both_tell(a: str, b: str) -> None:
    left, right = a.split("-"), b.split("-")
    shared = min(len(left), len(right))
    known = left[:shared] != right[:shared] or len(left) == len(right)
    both = {"a": a, "b": b}
    assert ask("%a.toDate() < %b.toDate()", **both) == ([a < b] if known else [])
    assert ask("%a.toDate() <= %b.toDate()", **both) == ([a <= b] if known else [])
    assert ask("%a.toDate() = %b.toDate()", **both) == ([a == b] if known else [])
    assert ask("%a.toDate() ~ %b.toDate()", **both) == [a == b]


@LAWS
@given(strategies.DATETIMES, strategies.DATETIMES)
def test_one_of_before_same_and_after(a: str, b: str) -> None:
    both = {"a": a, "b": b}
    found = [ask(f"%a.toDateTime() {operator} %b.toDateTime()", **both) for operator in ("<", "=", ">")]
    assert found in ([[], [], []], [[False], [], [False]]) or sum(one == [True] for one in found) == 1
    turned = [ask(f"%b.toDateTime() {operator} %a.toDateTime()", **both) for operator in (">", "=", "<")]
    assert turned == found
    assert ask("%a.toDateTime() <= %b.toDateTime()", **both) == ask(
        "(%a.toDateTime() > %b.toDateTime()).not()", **both
    )


@LAWS
@given(strategies.DATETIMES)
def test_a_date_lies_within_its_boundaries(text: str) -> None:
    assert ask("%a.toDateTime().lowBoundary() <= %a.toDateTime().highBoundary()", a=text) == [True]


# -- texts --------------------------------------------------------------------------------------------------


@settings(LAWS, max_examples=400)
@given(strategies.TREES)
def test_the_text_of_a_tree_parses_to_the_tree(tree: Expression) -> None:
    assert parse(to_text(tree)) == tree


@settings(LAWS, max_examples=400)
@given(st.one_of(st.text(), strategies.TOKEN_TEXTS))
def test_a_text_is_an_expression_or_an_expression_error(text: str) -> None:
    try:
        tree = fhirpath.compile(text).tree
    except ExpressionError as error:
        assert error.line >= 1
        assert error.column >= 1
        return
    assert parse(to_text(tree)) == tree


@settings(LAWS, max_examples=300)
@given(strategies.TREES, st.data())
def test_a_text_with_a_part_lost_is_refused_or_read_whole(tree: Expression, data: st.DataObject) -> None:
    text = to_text(tree)
    start = data.draw(st.integers(0, len(text)))
    cut = text[:start] + text[data.draw(st.integers(start, len(text))) :]
    try:
        read = parse(cut)
    except ExpressionError as error:
        assert error.text == cut
        return
    assert parse(to_text(read)) == read
