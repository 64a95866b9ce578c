"""Text to tree and back; and what is refused, with the place and the remedy."""

from __future__ import annotations

import pytest

from service import fhirpath
from service.fhirpath import ExpressionError, parse, to_text
from service.fhirpath.syntax import (
    Binary,
    Call,
    Literal,
    Member,
    SortKey,
    TypeName,
    TypeTest,
    Unary,
    Variable,
)

ROUND_TRIPS = [
    "Patient.name.where(use = 'official').given.first()",
    "a + b * c - d",
    "(a + b) * c",
    "a - (b - c)",
    "-a.b",
    "(-a).b",
    "--1",
    "- -1 - -2",
    "a is Quantity",
    "(a as FHIR.Period).start",
    "a | b is System.Integer | c",
    "a implies b implies c",
    "a implies (b implies c)",
    "(a or b) and c",
    "%pain > 6",
    "%`ext-a b` & %'x'",
    "name.`given`",
    "`div`.`a b`.`it\\`s`.`back\\\\slash`",
    "'it\\'s a \\\\ \\n \\u00e9 `quote`'",
    "4 days + 4 'mg' + 1.50",
    "@2015-02-04T14:34:28.123+10:00 > @2015T",
    "@T14:34 = @T14",
    "{} ~ {}",
    "$this[$index + 1].iif($total > 1, 'a')",
    "sort(a, -b, c desc, (-d) desc, (-e))",
    "value.ofType(string).contains('x') and x contains y and y in z",
    "expansion.contains.contains",
    "true xor false",
]


@pytest.mark.parametrize("text", ROUND_TRIPS)
def test_the_text_of_a_tree_parses_to_the_same_tree(text: str) -> None:
    tree = parse(text)
    assert parse(to_text(tree)) == tree


def test_operators_bind_as_the_specification_says() -> None:
    assert parse("a or b and c = d | e + f * -g.h") == Binary(
        "or",
        Member(None, "a"),
        Binary(
            "and",
            Member(None, "b"),
            Binary(
                "=",
                Member(None, "c"),
                Binary(
                    "|",
                    Member(None, "d"),
                    Binary(
                        "+",
                        Member(None, "e"),
                        Binary("*", Member(None, "f"), Unary("-", Member(Member(None, "g"), "h"))),
                    ),
                ),
            ),
        ),
    )
    assert parse("1 > 2 is Boolean") == Binary(
        ">", Literal("Integer", "1"), TypeTest("is", Literal("Integer", "2"), TypeName(None, "Boolean"))
    )


def test_a_minus_before_a_sort_key_means_from_the_greatest_down() -> None:
    assert parse("%a.sort(-b, (-c), d desc, -e desc)") == Call(
        Variable("a"),
        "sort",
        (
            SortKey(Member(None, "b"), True),
            SortKey(Unary("-", Member(None, "c")), False),
            SortKey(Member(None, "d"), True),
            SortKey(Member(None, "e"), False),
        ),
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "found", "expected"),
    [
        ("", 1, 1, "the end of the text", "an expression"),
        ("%pain > > 6", 1, 9, "'>'", "an expression"),
        ("a b", 1, 3, "'b'", "an operator or the end of the text"),
        ("item..answer", 1, 6, "'.'", "the name of an element or function"),
        ("item.where(linkId='a'", 1, 22, "the end of the text", "',' or ')'"),
        ("%pain = 8 8", 1, 11, "'8'", "an operator or the end of the text"),
        ("1 + /* never\nclosed", 1, 5, "/*", "*/"),
        ("a and\n  'never closed", 2, 3, "'", "a closing '"),
        ("a = `x", 1, 5, "`", "a closing `"),
        ("a == b", 1, 4, "'='", "an expression"),
        ("a.", 1, 3, "the end of the text", "the name of an element or function"),
        ("a.and", 1, 3, "'and'", "the name of an element or function"),
        ("(a", 1, 3, "the end of the text", "')'"),
        ("a[1", 1, 4, "the end of the text", "']'"),
        ("a)", 1, 2, "')'", "an operator or the end of the text"),
        ("{a}", 1, 2, "'a'", "'}'"),
        ("%", 1, 2, "the end of the text", "the name of a variable"),
        ("f(,a)", 1, 3, "','", "an expression"),
        ("f(a,)", 1, 5, "')'", "an expression"),
        ("a is", 1, 5, "the end of the text", "the name of a type"),
        ("$that", 1, 1, "$that", "$this, $index or $total"),
        ("@2015-02-30", 1, 1, "@2015-02-30", "one of the calendar"),
        ("@", 1, 1, "@", "@YYYY-MM-DD, @YYYY-MM-DDThh:mm:ss or @Thh:mm:ss"),
        ("2147483648", 1, 1, "2147483648", "at most 2147483647"),
        (r"'\q'", 1, 2, "\\q", "one of \\' \\\" \\` \\\\ \\/ \\f \\n \\r \\t \\uXXXX"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(
    text: str, line: int, column: int, found: str, expected: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        fhirpath.compile(text, variables=["pain"])
    error = caught.value
    assert (error.line, error.column, error.found, error.expected) == (line, column, found, expected)


@pytest.mark.parametrize(
    "text", ['a = "x"', "a # b", "a ! b", "a ? b", "a; b", "a\x00", "a = ‘x’", "1.", ".a", "a.1"]
)
def test_characters_that_start_nothing_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_double_quotes_and_double_equals_get_a_hint() -> None:
    with pytest.raises(ExpressionError, match="strings stand in single quotes"):
        parse('a = "x"')
    with pytest.raises(ExpressionError, match="equality is written with one ="):
        parse("a == b")


def test_half_a_character_is_refused_and_two_halves_are_one() -> None:
    assert parse(r"'\uD83D\uDD25'") == Literal("String", "🔥")
    with pytest.raises(ExpressionError, match="surrogate"):
        parse(r"'\uD83D'")


def test_the_least_integer_is_one() -> None:
    assert fhirpath.evaluate({}, "-2147483648 < 0") == [True]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 101 + "1" + ")" * 101,
        "-" * 101 + "1",
        ".".join(["a"] * 102),
        " + ".join(["1"] * 102),
        "a" + "[0]" * 101,
        "iif(" * 101 + "true" + ",1)" * 101,
        "(" * 100_000,
        "not()." * 90_000,
    ],
)
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"levels deep|longer than"):
        fhirpath.compile(text)


def test_a_tree_as_deep_as_allowed_compiles_and_runs() -> None:
    assert fhirpath.compile(" + ".join(["1"] * 100))({}) == [100]
    assert fhirpath.compile("(" * 99 + "1" + ")" * 99)({}) == [1]
    assert fhirpath.compile("iif(true, " * 98 + "1" + ")" * 98)({}) == [1]
