"""Units of measure in UCUM: what a unit text means, and numbers carried from one unit to another.

The Unified Code for Units of Measure, case sensitive form (unitsofmeasure.org/ucum). The grammar, read in one
pass:

    unit        = "/" term | term term        = component { ("." | "/") component }        read from the left:
    a/b.c is (a/b).c component   = simple [exponent] [annotation] | digits [annotation] | annotation | "("
    term ")" [annotation] simple      = atom | prefix metric-atom                   an atom may hold anything
    between "[" and "]" exponent    = ["+" | "-"] digits annotation  = "{" printable ASCII without braces "}"
    counts as 1

A unit becomes an exact ratio (Fraction) to the base units m, s, g, rad, K, C, cd and a vector of their
powers. Two units are commensurable when the vectors are the same. A mole is a number, as UCUM has it.
"""

from fractions import Fraction
from functools import cache, lru_cache
from typing import Final, TypeAlias

from .lazy import pattern
from .records import record
from .ucum_special import SCALES, Scale
from .ucum_table import ARBITRARY, BASES, PREFIXES, RATIOS, SPECIAL

Dimension: TypeAlias = tuple[tuple[str, int], ...]
Terms: TypeAlias = tuple[tuple[str, str, int], ...]

# Hostile text must stay cheap: no unit in use comes near these.
_LONGEST = 200
_DEEPEST = 20
_BITS = 4096
_POWER = 3

_EXPONENT: Final = pattern(r"[+-]?[0-9]+\Z")
_COMPONENT: Final = pattern(r"(?:\[[^\[\]]*\]|[^\[\]./(){}\s])+")
_ANNOTATION: Final = pattern(r"\{[!-z|~]*\}")
_DIGITS: Final = pattern(r"[1-9][0-9]{0,19}")


class UnitError(ValueError):
    """A text that is not a UCUM unit; the message says which part and why."""


@record
class Unit:
    """What a unit text means.

    factor: base units in one of it. dimension: base (or arbitrary) units and their powers, in order. scale:
    for a unit that is not a ratio, the scale, whose starting unit `factor` and `dimension` then describe, and
    `step`, the prefix. terms: prefix, atom and power as written, equal atoms joined. number: the plain
    numbers.
    """

    factor: Fraction
    dimension: Dimension
    terms: Terms
    number: Fraction = Fraction(1)
    scale: Scale | None = None
    step: Fraction = Fraction(1)


@record
class _Atom:
    value: str
    unit: str
    metric: bool
    scale: Scale | None = None


@cache
def _atoms() -> dict[str, _Atom]:
    """The table, read once at first use."""
    atoms = {base: _Atom("1", "", metric=True) for base in BASES}
    atoms.update((code.lstrip("*"), _Atom("1", "", code[0] == "*")) for code in ARBITRARY.split())
    for entry in _entries(RATIOS):
        code, value, unit = entry.split(" ")
        atoms[code.lstrip("*") if len(code) > 1 else code] = _Atom(value, unit, code[0] == "*")
    for entry in _entries(SPECIAL):
        code, scale, value, unit = entry.split(" ")
        atoms[code.lstrip("*")] = _Atom(value, unit, code[0] == "*", SCALES[scale])
    return atoms


def _entries(table: str) -> list[str]:
    lines = [line for line in table.split("\n") if line and not line.startswith("# ")]
    return [entry for line in lines for entry in line.split(", ")]


def find(text: str) -> Unit | None:
    """The unit the text writes; None when it is not UCUM. Remembered, so asking again costs little."""
    return _found(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=2048)
def _found(text: str) -> Unit | None:
    try:
        return parse(text)
    except UnitError:
        return None


def parse(text: str) -> Unit:
    """The unit the text writes. Raises UnitError saying what is wrong with it and where."""
    if len(text) > _LONGEST:
        raise UnitError(f"a unit has at most {_LONGEST} characters, this one {len(text)}")
    return _Reader(text).unit()


def commensurable(a: str, b: str) -> bool:
    """Whether both texts are units and measure the same kind of thing."""
    left, right = find(a), find(b)
    return left is not None and right is not None and left.dimension == right.dimension


def convert(value: Fraction, source: Unit, target: Unit) -> Fraction | None:
    """The value in the target unit; None when the units are not commensurable or there is no such number."""
    if source.dimension != target.dimension:
        return None
    start = value if source.scale is None else source.scale.to_ratio(value * source.step)
    if start is None:
        return None
    ratio = start * source.factor / target.factor
    if target.scale is None:
        return ratio
    number = target.scale.from_ratio(ratio)
    return None if number is None else number / target.step


def write(terms: Terms) -> str:
    """The UCUM text of the terms: `g/m`, `cm2`, `/min`, and `1` for none."""
    above = [f"{prefix}{atom}{power if power > 1 else ''}" for prefix, atom, power in terms if power > 0]
    below = [f"/{prefix}{atom}{-power if power < -1 else ''}" for prefix, atom, power in terms if power < 0]
    return (".".join(above) + "".join(below)) or "1"


def prefix_value(prefix: str) -> Fraction:
    """What a prefix multiplies by; 1 for none."""
    return Fraction(PREFIXES[prefix]) if prefix else Fraction(1)


class _Reader:
    """One reading of one text."""

    __slots__ = ("at", "depth", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def unit(self) -> Unit:
        if self._take("/"):
            unit = power(self._component(), -1)
            unit = self._rest(unit)
        else:
            unit = self._term()
        if self.at < len(self.text):
            raise self._error("has something left over")
        return unit

    def _term(self) -> Unit:
        return self._rest(self._component())

    def _rest(self, unit: Unit) -> Unit:
        while True:
            if self._take("."):
                unit = self._product(unit, self._component())
            elif self._take("/"):
                unit = self._product(unit, power(self._component(), -1))
            else:
                return unit

    def _component(self) -> Unit:
        if self._take("("):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise self._error("is nested too deeply")
            unit = self._term()
            if not self._take(")"):
                raise self._error("lacks a closing parenthesis")
            self.depth -= 1
            self._annotation()
            return unit
        if self._annotation():
            return _ONE
        found = _COMPONENT().match(self.text, self.at)
        if found is None:
            raise self._error("lacks a unit")
        word = found[0]
        unit = (
            Unit(Fraction(word), (), (), Fraction(word)) if _DIGITS().fullmatch(word) else self._simple(word)
        )
        self.at = found.end()
        self._annotation()
        return unit

    def _simple(self, word: str) -> Unit:
        found = _EXPONENT().search(word)
        unit = _prefixed(word if found is None else word[: found.start()])
        if unit is None:
            raise self._error("has no such unit")
        if found is None:
            return unit
        if len(found[0]) > _POWER:
            raise self._error("has a power beyond any in use")
        if unit.scale is not None:
            raise self._error("raises a unit that is not a ratio to a power")
        return power(unit, int(found[0]))

    def _product(self, a: Unit, b: Unit) -> Unit:
        if a.scale is not None or b.scale is not None:
            raise self._error("combines a unit that is not a ratio with another")
        unit = multiply(a, b)
        if max(unit.factor.numerator.bit_length(), unit.factor.denominator.bit_length()) > _BITS:
            raise self._error("is beyond any size in use")
        return unit

    def _annotation(self) -> bool:
        if not self.text.startswith("{", self.at):
            return False
        found = _ANNOTATION().match(self.text, self.at)
        if found is None:
            raise self._error("has an annotation that is not closed or not plain ASCII")
        self.at = found.end()
        return True

    def _take(self, sign: str) -> bool:
        if self.text.startswith(sign, self.at):
            self.at += 1
            return True
        return False

    def _error(self, what: str) -> UnitError:
        return UnitError(f"the unit {self.text!r} {what} at character {self.at + 1}")


@lru_cache(maxsize=2048)
def _prefixed(code: str) -> Unit | None:
    """The unit of an atom, or of a prefix and a metric atom; None when there is none."""
    atoms = _atoms()
    if code in atoms:
        return _atom(code, "")
    for length in (1, 2):
        prefix, rest = code[:length], code[length:]
        if prefix in PREFIXES and rest in atoms and atoms[rest].metric:
            return _atom(rest, prefix)
    return None


def _atom(code: str, prefix: str) -> Unit:
    atom = _atoms()[code]
    step = prefix_value(prefix)
    terms = ((prefix, code, 1),)
    if not atom.unit:
        return Unit(step, ((code, 1),), terms)
    defining = parse(atom.unit)
    factor = Fraction(atom.value) * defining.factor
    if atom.scale is not None:
        return Unit(factor, defining.dimension, terms, scale=atom.scale, step=step)
    return Unit(step * factor, defining.dimension, terms)


def multiply(a: Unit, b: Unit) -> Unit:
    """The product of two units that are ratios. An atom under two prefixes is counted in the smaller one."""
    powers = dict(a.dimension)
    for base, power in b.dimension:
        powers[base] = powers.get(base, 0) + power
    dimension = tuple(sorted((base, power) for base, power in powers.items() if power))
    return Unit(a.factor * b.factor, dimension, _joined(a.terms + b.terms), a.number * b.number)


def _joined(terms: Terms) -> Terms:
    joined: dict[str, tuple[str, int]] = {}
    for prefix, atom, power in terms:
        known, before = joined.get(atom, (prefix, 0))
        smaller = min(known, prefix, key=prefix_value)
        joined[atom] = (smaller, before + power)
    return tuple((prefix, atom, power) for atom, (prefix, power) in joined.items() if power)


def power(unit: Unit, exponent: int) -> Unit:
    """The unit to a power. Raises UnitError for a unit that is not a ratio, unless the power is 1."""
    if unit.scale is not None and exponent != 1:
        raise UnitError("a unit that is not a ratio has no power")
    return Unit(
        unit.factor**exponent,
        tuple((base, count * exponent) for base, count in unit.dimension if exponent),
        tuple((prefix, atom, count * exponent) for prefix, atom, count in unit.terms if exponent),
        unit.number**exponent,
    )


_ONE: Final = Unit(Fraction(1), (), ())
