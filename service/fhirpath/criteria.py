"""Criteria of where() and exists() judged on JSON as it stands: comparisons and logic over plain paths.

For each type a criterion is compiled to one judge, a function from a JSON value to true, false or None. It
raises Strange, or the error that the ordinary code would raise with its place, where that code should answer.
"""

from __future__ import annotations

from decimal import Decimal
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from . import syntax
from .comparison import compare
from .equality import equal, equal_collections
from .judges import LOGIC, of_texts, opposite
from .plain import compile_walk
from .plain_parts import Criterion, Op, Strange, checked, fields_of, read, variant_of
from .quantity import Quantity, calendar_unit
from .specifiers import resolve
from .temporal import parse_date, parse_datetime, parse_time
from .values import SCALARS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frame import Frame
    from .judges import Texts
    from .model import Model
    from .plain_parts import Judge, Scalar, Walk
    from .shapes import Shape
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
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


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


def judgeable(criterion: Expression) -> bool:
    """Whether a criterion is of a kind that can have a judge."""
    if isinstance(criterion, syntax.Binary):
        if criterion.operator in LOGIC:
            return judgeable(criterion.left) and judgeable(criterion.right)
        return criterion.operator in _ORDERS or criterion.operator in ("=", "!=", "in")
    if isinstance(criterion, syntax.Call):
        return criterion.name in ("exists", "empty", "not")
    return isinstance(criterion, syntax.Member)


def judging(criterion: Expression, model: Model) -> Callable[[Shape], Judge | None]:
    """What makes the judge of a criterion for a type, or None where it has parts of other kinds."""
    return lambda shape: _judge(criterion, shape, model)


def asked(criterion: Expression, model: Model) -> Criterion:
    """The criterion of where() or exists() as walks need it."""
    judge_of = judging(criterion, model)
    first, rest = criterion, None
    if isinstance(criterion, syntax.Binary) and criterion.operator == "and":
        first, rest = criterion.left, judging(criterion.right, model)
    if not isinstance(first, syntax.Binary) or first.operator != "=":
        return Criterion(judge_of)
    name, text = first.left, first.right
    if not isinstance(name, syntax.Member) or not isinstance(text, syntax.Literal) or text.kind != "String":
        return Criterion(judge_of)
    plain = name.source is None and model.type(name.name) is None
    return Criterion(judge_of, name.name, text.text, rest) if plain else Criterion(judge_of)


def _judge(node: Expression, shape: Shape, model: Model) -> Judge | None:
    if isinstance(node, syntax.Binary):
        tests = text_tests(node, shape)
        if tests:
            return of_texts(tests)
        if node.operator in LOGIC:
            left, right = _judge(node.left, shape, model), _judge(node.right, shape, model)
            return None if left is None or right is None else LOGIC[node.operator](left, right)
        if node.operator in _ORDERS:
            return _ordered(node, shape, model)
        if node.operator in ("=", "!="):
            return _equality(node, shape, model)
        return _among(node, shape, model) if node.operator == "in" else None
    if isinstance(node, syntax.Call):
        return _called(node, shape, model)
    if isinstance(node, syntax.Member):
        return _truth(node, shape, model)
    return None


def text_tests(node: Expression, shape: Shape) -> tuple[Texts, ...]:
    """The JSON properties and texts of `a = 'x' and b in ('y' | 'z')`, in order; none for anything else."""
    if not isinstance(node, syntax.Binary):
        return ()
    if node.operator == "and":
        left = text_tests(node.left, shape)
        right = text_tests(node.right, shape) if left else ()
        return (*left, *right) if right else ()
    path, texts = node.left, node.right
    if node.operator == "=" and isinstance(path, syntax.Literal):
        path, texts = texts, path
    known = literal_texts(texts) if node.operator in ("=", "in") else None
    if known is None or not isinstance(path, syntax.Member) or path.source is not None:
        return ()
    if node.operator == "=" and not isinstance(texts, syntax.Literal):
        return ()
    field = shape.plain.get(path.name)
    return () if field is None else ((field, f"_{field}", known),)


def _called(node: syntax.Call, shape: Shape, model: Model) -> Judge | None:
    if node.name == "not" and node.source is not None:
        inner = _judge(node.source, shape, model)
        return None if inner is None else opposite(inner)
    if node.name not in ("exists", "empty") or node.source is None:
        return None
    ops = path_ops(node.source, model)
    if ops is None:
        return None
    if node.arguments:
        ops = (*ops, Op("where", asked(node.arguments[0], model)))
    walk = compile_walk(ops, 0, shape, checked) if ops else None
    if walk is None:
        return None
    count, wanted = walk, node.name == "exists"
    return lambda value, frame: bool(count([value], frame)) is wanted


def path_ops(node: Expression | None, model: Model) -> tuple[Op, ...] | None:
    """The parts of a path from `$this`; None for what is no plain path from there."""
    if isinstance(node, syntax.Special):
        return () if node.name == "this" else None
    if isinstance(node, syntax.Member):
        if node.source is None:
            info = model.type(node.name) if node.name[:1].isupper() else None
            return (Op("step", node.name),) if info is None or info.kind == "backbone" else None
        ops = path_ops(node.source, model)
        return None if ops is None else (*ops, Op("step", node.name))
    if isinstance(node, syntax.Call) and node.source is not None:
        op = filter_op(node, model)
        ops = path_ops(node.source, model) if op is not None else None
        return None if op is None or ops is None else (*ops, op)
    return None


def filter_op(node: syntax.Call, model: Model) -> Op | None:
    """The part of a path that a call of where() or ofType() is; None for any other function."""
    argument = node.arguments[0] if len(node.arguments) == 1 else None
    if node.name == "where" and argument is not None:
        return Op("where", asked(argument, model))
    if node.name == "ofType" and isinstance(argument, syntax.TypeName):
        match = resolve(argument, model)
        return None if match is None else Op("type", match)
    return None


# -- the values that are compared ---------------------------------------------------------------------------


def _value(node: Expression, shape: Shape, model: Model) -> Value | None:
    """What takes the one value of an operand."""
    constant = literal_value(node)
    if constant is not None:
        return lambda _value, _frame: constant
    if isinstance(node, syntax.Call) and node.name == "count" and node.source is not None:
        ops = path_ops(node.source, model)
        counted = compile_walk(ops, 0, shape, checked) if ops else None
        if counted is None:
            return None
        items = counted
        return lambda value, frame: len(items([value], frame))
    walk = _walk(node, shape, model)
    if walk is None:
        return None
    found = _one(walk)
    if isinstance(node, syntax.Special):
        return _itself(SCALARS.get(shape.read), found)
    if isinstance(node, syntax.Member) and node.source is None:
        return _field(fields_of(shape, node.name), found)
    return found


def _walk(node: Expression, shape: Shape, model: Model) -> Walk | None:
    ops = path_ops(node, model)
    return None if ops is None else compile_walk(ops, 0, shape, read)


def _one(walk: Walk) -> Value:
    def one(value: Any, frame: Frame) -> Any:
        found = walk([value], frame)
        if not found:
            return None
        if len(found) > 1:
            raise Strange
        return found[0]

    return one


def _itself(scalar: Scalar | None, other: Value) -> Value:
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


def _field(fields: dict[str, Scalar] | None, other: Value) -> Value:
    """The value of one element without a list, where it is of the class it should be."""
    if not fields:
        return other
    if len(fields) > 1:
        return _variant(fields, other)
    ((field, (kind, parse)),) = fields.items()

    def one(value: Any, frame: Frame) -> Any:
        found = value.get(field)
        if found.__class__ is kind:
            found = found if parse is None else parse(found)
            if found is not None:
                return found
        return other(value, frame)

    return one


def _variant(fields: dict[str, Scalar], other: Value) -> Value:
    def one(value: Any, frame: Frame) -> Any:
        field = variant_of(value, fields)
        if field is None:
            return None
        kind, parse = fields[field]
        found = value[field]
        if found.__class__ is kind:
            found = found if parse is None else parse(found)
            if found is not None:
                return found
        return other(value, frame)

    return one


def _truth(node: Expression, shape: Shape, model: Model) -> Judge | None:
    value_of = _value(node, shape, model)
    if value_of is None:
        return None
    one = value_of

    def judge(value: Any, frame: Frame) -> bool | None:
        found = one(value, frame)
        return found if found is None or found.__class__ is bool else True

    return judge


def _ordered(node: syntax.Binary, shape: Shape, model: Model) -> Judge | None:
    left, right = _value(node.left, shape, model), _value(node.right, shape, model)
    if left is None or right is None:
        return None
    one, two, holds = left, right, _ORDERS[node.operator]

    def judge(value: Any, frame: Frame) -> bool | None:
        a, b = one(value, frame), two(value, frame)
        kind, other = a.__class__, b.__class__
        if (kind is int or kind is Decimal) and (other is int or other is Decimal):
            return holds(a, b)
        if a is None or b is None:
            return None
        order = compare(a, b)
        return None if order is None else holds(order, 0)

    return judge


def _equality(node: syntax.Binary, shape: Shape, model: Model) -> Judge | None:
    wanted = literal_value(node.right)
    path = node.left
    if wanted is None:
        wanted, path = literal_value(node.left), node.right
    if wanted is None:
        judge = _same_items(_walk(node.left, shape, model), _walk(node.right, shape, model))
    else:
        judge = _same_item(_walk(path, shape, model), wanted)
    if judge is None:
        return None
    return judge if node.operator == "=" else opposite(judge)


def _same_item(walk: Walk | None, wanted: Any) -> Judge | None:
    if walk is None:
        return None
    items = walk

    def judge(value: Any, frame: Frame) -> bool | None:
        found = items([value], frame)
        if not found:
            return None
        return equal(found[0], wanted) if len(found) == 1 else False

    return judge


def _same_items(left: Walk | None, right: Walk | None) -> Judge | None:
    if left is None or right is None:
        return None
    one, two = left, right
    return lambda value, frame: equal_collections(one([value], frame), two([value], frame))


def _among(node: syntax.Binary, shape: Shape, model: Model) -> Judge | None:
    texts, found = literal_texts(node.right), _walk(node.left, shape, model)
    if texts is None or found is None:
        return None
    one, known = _one(found), texts

    def judge(value: Any, frame: Frame) -> bool | None:
        sought = one(value, frame)
        if sought is None:
            return None
        if sought.__class__ is not str:
            raise Strange
        return sought in known

    return judge
