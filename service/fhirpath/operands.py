"""The values that a criterion compares, taken from JSON as it stands, and what compares them.

A value is taken by a function from a JSON value to a System value, or to None where there is none. It raises
Strange where the ordinary code should answer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import syntax
from .code import single, valued
from .comparison import ORDERS, in_order
from .equality import equal, equal_collections
from .plain_parts import Strange, variant_of
from .quantity import Quantity, calendar_unit
from .temporal import parse_date, parse_datetime, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from .code import Code
    from .frame import Frame
    from .plain_parts import Judge, Scalar, Walk
    from .syntax import Expression

    Value = Callable[[Any, Frame], Any]

LITERALS: dict[str, Callable[[str], Any]] = {
    "Boolean": lambda text: text == "true",
    "String": str,
    "Integer": int,
    "Decimal": Decimal,
    "Date": parse_date,
    "DateTime": parse_datetime,
    "Time": parse_time,
}


def literal_value(node: Expression) -> Any:
    """The value of a literal; None for any other part."""
    if isinstance(node, syntax.Literal):
        return LITERALS[node.kind](node.text)
    if isinstance(node, syntax.QuantityLiteral):
        unit = calendar_unit(node.unit) if node.calendar else None
        return Quantity(Decimal(node.number), unit or node.unit)
    return None


def literal_texts(node: Expression) -> frozenset[str] | None:
    """The texts of `'a' | 'b' | ...`; None for any other part."""
    if isinstance(node, syntax.Literal):
        return frozenset({node.text}) if node.kind == "String" else None
    if isinstance(node, syntax.Binary) and node.operator == "|":
        left, right = literal_texts(node.left), literal_texts(node.right)
        return None if left is None or right is None else left | right
    return None


# -- taking one value ---------------------------------------------------------------------------------------


def one_of(walk: Walk) -> Value:
    """The one item that a walk ends at."""

    def one(value: Any, frame: Frame) -> Any:
        found = walk([value], frame)
        if not found:
            return None
        if len(found) > 1:
            raise Strange
        return found[0]

    return one


def itself(scalar: Scalar | None, other: Value) -> Value:
    """The value of `$this`."""
    if scalar is None:
        return other
    kind, parse = scalar

    def one(value: Any, frame: Frame) -> Any:
        if value.__class__ is kind:
            found = value if parse is None else parse(value)
            if found is not None:
                return found
        return other(value, frame)

    return one


def field(fields: dict[str, Scalar] | None, other: Value) -> Value:
    """The value of one element without a list, where it is of the class it should be."""
    if not fields:
        return other
    if len(fields) > 1:
        return _variant(fields, other)
    ((name, (kind, parse)),) = fields.items()

    def one(value: Any, frame: Frame) -> Any:
        found = value.get(name)
        if found.__class__ is kind:
            found = found if parse is None else parse(found)
            if found is not None:
                return found
        elif found.__class__ is int and kind is Decimal:
            return found  # it compares with anything as the Decimal would
        return other(value, frame)

    return one


def _variant(fields: dict[str, Scalar], other: Value) -> Value:
    def one(value: Any, frame: Frame) -> Any:
        name = variant_of(value, fields)
        if name is None:
            return None
        kind, parse = fields[name]
        found = value[name]
        if found.__class__ is kind:
            found = found if parse is None else parse(found)
            if found is not None:
                return found
        return other(value, frame)

    return one


def converted(build: Callable[[Code], Code], one: Value) -> Value:
    """The value that a conversion makes of another (§5.5)."""
    code = build(valued(lambda frame: frame.given[0]))
    convert = single(code, "a comparison")

    def value_of(value: Any, frame: Frame) -> Any:
        found = one(value, frame)
        if found is None:
            return None
        frame.given = [found]
        return convert(frame)

    return value_of


# -- comparing ----------------------------------------------------------------------------------------------


def ordered(operator: str, one: Value, two: Value) -> Judge:
    """The judge of `<`, `<=`, `>` or `>=` (§6.2)."""
    holds = ORDERS[operator]
    return lambda value, frame: in_order(holds, one(value, frame), two(value, frame))


def same_item(items: Walk, wanted: Any) -> Judge:
    """The judge of `path = literal` (§6.1.1)."""

    def judge(value: Any, frame: Frame) -> bool | None:
        found = items([value], frame)
        if not found:
            return None
        return equal(found[0], wanted) if len(found) == 1 else False

    return judge


def same_value(one: Value, wanted: Any) -> Judge:
    """The judge of `element = literal`, of an element that does not repeat."""

    def judge(value: Any, frame: Frame) -> bool | None:
        found = one(value, frame)
        return None if found is None else equal(found, wanted)

    return judge


def same_as(one: Value, other: Walk) -> Judge:
    """The judge of `element = items`, of one that does not repeat and items that are always the same."""

    def judge(value: Any, frame: Frame) -> bool | None:
        found, items = one(value, frame), other([], frame)
        if found is None or not items:
            return None
        return equal(found, items[0]) if len(items) == 1 else False

    return judge


def same_items(one: Walk, two: Walk) -> Judge:
    """The judge of `path = path` (§6.1.1)."""
    return lambda value, frame: equal_collections(one([value], frame), two([value], frame))


def among(one: Value, texts: frozenset[str]) -> Judge:
    """The judge of `path in ('a' | 'b')` (§6.4.2)."""

    def judge(value: Any, frame: Frame) -> bool | None:
        sought = one(value, frame)
        if sought is None:
            return None
        if sought.__class__ is not str:
            raise Strange
        return sought in texts

    return judge
