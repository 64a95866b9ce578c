"""UCUM: the grammar, every unit of the table, conversion, and texts that are no units."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhirpath import ucum, ucum_table
from service.fhirpath.ucum import Unit, UnitError


def convert(value: str, source: str, target: str) -> Fraction | None:
    return ucum.convert(Fraction(Decimal(value)), ucum.parse(source), ucum.parse(target))


def codes(table: str) -> list[str]:
    lines = [line for line in table.split("\n") if line and not line.startswith("# ")]
    entries = [entry.split(" ")[0] for line in lines for entry in line.split(", ")]
    return [code.lstrip("*") for code in entries]


RATIOS, SPECIAL = codes(ucum_table.RATIOS), codes(ucum_table.SPECIAL)
ARBITRARY = [code.lstrip("*") for code in ucum_table.ARBITRARY.split()]
EVERY = [*ucum_table.BASES, *RATIOS, *SPECIAL, *ARBITRARY]


@pytest.mark.parametrize("code", EVERY)
def test_every_unit_of_the_table_is_read(code: str) -> None:
    unit = ucum.parse(code)
    assert unit.factor > 0
    assert ucum.write(unit.terms) == code
    assert ucum.convert(Fraction(3, 2), unit, unit) is not None


def test_no_code_stands_twice() -> None:
    assert len(set(EVERY)) == len(EVERY) == 312


@pytest.mark.parametrize(
    ("text", "factor", "dimension"),
    [
        ("1", 1, ()),
        ("m", 1, (("m", 1),)),
        ("kg", 1000, (("g", 1),)),
        ("dam", 10, (("m", 1),)),
        ("cd", 1, (("cd", 1),)),
        ("KiBy", 8192, ()),
        ("m2", 1, (("m", 2),)),
        ("cm-1", 100, (("m", -1),)),
        ("m+3", 1, (("m", 3),)),
        ("kg.m/s2", 1000, (("g", 1), ("m", 1), ("s", -2))),
        ("/min", Fraction(1, 60), (("s", -1),)),
        ("m/s/s", 1, (("m", 1), ("s", -2))),
        ("m/s.s", 1, (("m", 1),)),
        ("m/(s.s)", 1, (("m", 1), ("s", -2))),
        ("J/(kg.(K.s))", 1, (("K", -1), ("m", 2), ("s", -3))),
        ("{beats}/min", Fraction(1, 60), (("s", -1),)),
        ("mg{total}/dL{serum}", 10, (("g", 1), ("m", -3))),
        ("10*3/uL", 10**12, (("m", -3),)),
        ("10^3", 1000, ()),
        ("10*-2", Fraction(1, 100), ()),
        ("24.h", 86400, (("s", 1),)),
        ("10.L/(min.m2)", Fraction(1, 6000), (("m", 1), ("s", -1))),
        ("%", Fraction(1, 100), ()),
        ("[in_i'H2O]", Fraction("249088.91"), (("g", 1), ("m", -1), ("s", -2))),
        ("m[H2O]", 9806650, (("g", 1), ("m", -1), ("s", -2))),
        ("[iU]/L", 1000, (("[iU]", 1), ("m", -3))),
        ("[IU]", 1, (("[iU]", 1),)),
    ],
)
def test_grammar(text: str, factor: Fraction, dimension: tuple[tuple[str, int], ...]) -> None:
    unit = ucum.parse(text)
    assert (unit.factor, unit.dimension) == (factor, dimension)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks a unit at character 1"),
        ("m//s", "lacks a unit at character 3"),
        ("m.", "lacks a unit at character 3"),
        ("(m", "lacks a closing parenthesis at character 3"),
        ("m)", "has something left over at character 2"),
        ("m s", "has something left over at character 2"),
        ("()", "lacks a unit at character 2"),
        ("foo", "has no such unit at character 1"),
        ("mg/foo", "has no such unit at character 4"),
        ("[s]", "has no such unit"),
        ("[lb_av", "lacks a unit"),
        ("KG", "has no such unit"),
        ("m/0", "has no such unit at character 3"),
        ("k[in_i]", "has no such unit"),
        ("kmin", "has no such unit"),
        ("µg", "has no such unit"),
        ("m²", "has no such unit"),
        ("mg{", "has an annotation"),
        ("mg{é}", "has an annotation"),
        ("m1000", "has a power beyond any in use"),
        ("Cel2", "raises a unit that is not a ratio to a power"),
        ("Cel.m", "combines a unit that is not a ratio with another"),
        ("m/Cel", "not a ratio"),
        ("(" * 30 + "m" + ")" * 30, "is nested too deeply"),
        ("m" * 201, "at most 200 characters"),
        (".".join(["Ym99"] * 30), "is beyond any size in use"),
    ],
)
def test_what_is_no_unit_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        ucum.parse(text)
    assert message in str(caught.value)
    assert ucum.find(text) is None


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("1", "[in_i]", "cm", "2.54"),
        ("1", "[lb_av]", "kg", "0.45359237"),
        ("1", "[foz_br]", "mL", "28.4130625"),
        ("1", "mm[Hg]", "Pa", "133.322"),
        ("1", "a", "d", "365.25"),
        ("1", "mo", "d", "30.4375"),
        ("1", "cal", "J", "4.184"),
        ("1", "mol/L", "10*23/L", "6.02214076"),
        ("180", "deg", "[pi].rad", "1"),
        ("37", "Cel", "[degF]", "98.6"),
        ("98.6", "[degF]", "K", "310.15"),
        ("-40", "Cel", "[degF]", "-40"),
        ("100", "Cel", "[degRe]", "80"),
        ("36500", "mCel", "K", "309.65"),
        ("7", "[pH]", "nmol/L", "100"),
        ("100", "nmol/L", "[pH]", "7"),
        ("20", "dB", "1", "100"),
        ("1000", "W", "B[kW]", "0"),
        ("40", "dB[V]", "V", "100"),
        ("3", "bit_s", "1", "8"),
        ("0", "Np", "1", "1"),
        ("2", "[m/s2/Hz^(1/2)]", "m2.s-3", "4"),
    ],
)
def test_conversion(value: str, source: str, target: str, expected: str) -> None:
    assert convert(value, source, target) == Fraction(Decimal(expected))


@pytest.mark.parametrize(
    ("value", "source", "target"),
    [
        ("1", "cm", "cm2"),
        ("1", "[iU]", "[CFU]"),
        ("-1", "1", "dB"),
        ("1000000", "B", "1"),
        ("1" + "0" * 500, "%[slope]", "rad"),
    ],
)
def test_what_has_no_conversion(value: str, source: str, target: str) -> None:
    assert convert(value, source, target) is None


def test_slopes_are_close() -> None:
    slope = convert("45", "deg", "%[slope]")
    assert slope is not None
    assert abs(slope - 100) < Fraction(1, 10**10)
    assert convert("90", "deg", "%[slope]") is None


def test_commensurability() -> None:
    assert ucum.commensurable("cm", "[in_i]")
    assert ucum.commensurable("Cel", "K")
    assert not ucum.commensurable("cm", "s")
    assert not ucum.commensurable("cm", "[s]")
    assert not ucum.commensurable("foo", "foo")
    assert not ucum.commensurable("rad", "1")


def test_a_product_joins_equal_atoms_under_the_smaller_prefix() -> None:
    product = ucum.multiply(ucum.parse("cm"), ucum.parse("m"))
    assert ucum.write(product.terms) == "cm2"
    assert product.factor == Fraction(1, 100)
    assert ucum.write(ucum.multiply(ucum.parse("mg/mL"), ucum.parse("mL")).terms) == "mg"
    assert ucum.write(ucum.power(ucum.parse("g/m2"), -1).terms) == "m2/g"
    assert ucum.write(ucum.power(ucum.parse("s"), -1).terms) == "/s"
    assert ucum.write(()) == "1"


ratios = st.sampled_from([*RATIOS, *ucum_table.BASES])
metric = st.sampled_from(["m", "g", "s", "l", "mol", "Pa", "J", "K"])
simple = ratios | st.builds(lambda prefix, atom: prefix + atom, st.sampled_from(["k", "m", "u", "d"]), metric)
powers = st.builds(lambda code, power: f"{code}{power}", simple, st.sampled_from(["", "2", "-1", "3", "+2"]))
units = st.recursive(
    powers,
    lambda inner: st.builds(lambda a, sign, b: f"{a}{sign}({b})", inner, st.sampled_from("./"), inner),
    max_leaves=4,
)
values = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**6)


def dimensioned(text: str) -> Unit | None:
    return ucum.find(text)


@given(units)
def test_a_written_unit_measures_the_same(text: str) -> None:
    unit = dimensioned(text)
    if unit is None:
        return
    again = ucum.parse(ucum.write(unit.terms))
    assert again.dimension == unit.dimension


@given(values, simple, simple)
def test_conversion_leads_back(value: Fraction, source: str, target: str) -> None:
    a, b = ucum.parse(source), ucum.parse(target)
    there = ucum.convert(value, a, b)
    assert (there is None) is (a.dimension != b.dimension)
    if there is not None:
        assert ucum.convert(there, b, a) == value


@given(values)
def test_temperatures_lead_back_exactly(value: Fraction) -> None:
    scales = [ucum.parse(code) for code in ("Cel", "[degF]", "[degRe]", "[degR]", "K")]
    for a in scales:
        for b in scales:
            there = ucum.convert(value, a, b)
            assert there is not None
            assert ucum.convert(there, b, a) == value


@given(units, units)
def test_a_product_multiplies_factors(a: str, b: str) -> None:
    left, right = dimensioned(a), dimensioned(b)
    if left is None or right is None:
        return
    product = ucum.multiply(left, right)
    assert product.factor == left.factor * right.factor
    assert product.dimension == ucum.multiply(right, left).dimension
    assert ucum.multiply(product, ucum.power(right, -1)).dimension == left.dimension


@given(st.text(max_size=60) | st.text(alphabet="mgskLCel[]{}()/.*^'0123456789+-%", max_size=220))
def test_no_text_breaks_the_reader(text: str) -> None:
    unit = ucum.find(text)
    if unit is None:
        with pytest.raises(UnitError):
            ucum.parse(text)
    else:
        assert unit.factor > 0
