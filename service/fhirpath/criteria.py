"""Criteria of where() and exists() judged on JSON as it stands: comparisons and logic over plain paths.

For each type a criterion is compiled to one judge, a function from a JSON value to true, false or None. It
raises Strange, or the error that the ordinary code would raise with its place, where that code should answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import syntax
from .code import single, truth, values_of
from .comparison import ORDERS
from .functions import FUNCTIONS
from .judges import LOGIC, Table, all_of, any_of, of_table, of_texts, opposite
from .operands import (
    among,
    converted,
    field,
    itself,
    literal_texts,
    literal_value,
    one_of,
    ordered,
    same_as,
    same_item,
    same_items,
    same_value,
)
from .plain import compile_walk
from .plain_parts import UNREAD, Criterion, Op, checked, fields_of, read
from .presence import presence
from .specifiers import resolve, selects
from .steady import is_steady, once
from .values import SCALARS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .code import Code
    from .frame import Frame
    from .judges import Texts
    from .model import Model
    from .operands import Value
    from .plain_parts import Judge, Walk
    from .shapes import Shape
    from .syntax import Expression

_CONVERSIONS = frozenset(
    {"toDate", "toDateTime", "toTime", "toDecimal", "toInteger", "toString", "toQuantity"}
)
_JOINED = frozenset({"and", "or", "xor", "implies"})


class Judging:
    """Makes judges for the criteria of one expression. `code_of` makes the code of a part that no iteration
    changes; None where the expression defines variables, and there may be no telling."""

    __slots__ = ("code_of", "model")

    def __init__(self, model: Model, code_of: Callable[[Expression], Code] | None) -> None:
        self.model = model
        self.code_of = code_of

    def judgeable(self, criterion: Expression) -> bool:
        """Whether a criterion is of a kind that can have a judge."""
        if isinstance(criterion, syntax.Binary):
            if criterion.operator in _JOINED:
                return self.judgeable(criterion.left) and self.judgeable(criterion.right)
            return criterion.operator in ORDERS or criterion.operator in ("=", "!=", "in")
        if isinstance(criterion, syntax.Call):
            return criterion.name in ("exists", "empty", "not")
        return isinstance(criterion, syntax.Member)

    def _steady(self, node: Expression) -> bool:
        return self.code_of is not None and is_steady(node)

    def criterion(self, node: Expression) -> Criterion:
        """The criterion of where() or exists() as walks need it."""
        first, right = node, None
        if isinstance(node, syntax.Binary) and node.operator == "and":
            first, right = node.left, node.right
        name, text = _text_asked(first) if isinstance(first, syntax.Binary) else ("", "")
        return Criterion(
            lambda shape: self.judge(node, shape),
            lambda shape: self.table(node, shape),
            "" if self.model.type(name) is not None else name,
            text,
            None if right is None else lambda shape: self.judge(right, shape),
        )

    def judge(self, node: Expression, shape: Shape) -> Judge | None:
        """The judge of a criterion for a type; None where it has parts that judges do not deal with."""
        if self.code_of is not None and is_steady(node):
            return once(truth(self.code_of(node), "a criterion"))
        if isinstance(node, syntax.Binary):
            return self._joined(node, shape) if node.operator in _JOINED else self._compared(node, shape)
        if isinstance(node, syntax.Call):
            return self._called(node, shape)
        return self._truth(node, shape) if isinstance(node, syntax.Member) else None

    def table(self, node: Expression, shape: Shape) -> Table | None:
        """The table of a criterion that the text of one property decides; None for any other."""
        known = ""
        judges: list[Judge] = []
        rests: dict[str, list[Judge | None]] = {}
        for arm in _merged(_arms(node, "or")):
            first, *others = _arms(arm, "and")
            tests = text_tests(first, shape)
            more = self._judges(others, shape)
            if len(tests) != 1 or more is None or known not in ("", tests[0][0]):
                return None
            known, _, texts = tests[0]
            judges.append(all_of((of_texts(tests), *more)))
            for text in texts:
                rests.setdefault(text, []).append(all_of(more) if more else None)
        return Table(known, {text: _either(arms) for text, arms in rests.items()}, any_of(tuple(judges)))

    def _judges(self, nodes: list[Expression], shape: Shape) -> tuple[Judge, ...] | None:
        """The judges of parts joined by `and` or `or`; None where one of them has none."""
        made = [self.judge(node, shape) for node in nodes]
        judges = tuple([judge for judge in made if judge is not None])
        return judges if len(judges) == len(nodes) else None

    def _joined(self, node: syntax.Binary, shape: Shape) -> Judge | None:
        tests = text_tests(node, shape)
        if tests:
            return of_texts(tests)
        if node.operator == "and":
            judges = self._judges(_arms(node, "and"), shape)
            return None if judges is None else all_of(judges)
        if node.operator == "or":
            table = self.table(node, shape)
            if table is not None:
                return of_table(table)
            judges = self._judges(_merged(_arms(node, "or")), shape)
            return None if judges is None else any_of(judges)
        judges = self._judges([node.left, node.right], shape)
        return None if judges is None else LOGIC[node.operator](*judges)

    def _compared(self, node: syntax.Binary, shape: Shape) -> Judge | None:
        tests = text_tests(node, shape)
        if tests:
            return of_texts(tests)
        if node.operator in ORDERS:
            one, two = self._value(node.left, shape), self._value(node.right, shape)
            return None if one is None or two is None else ordered(node.operator, one, two)
        if node.operator in ("=", "!="):
            judge = self._equal(node, shape)
            return opposite(judge) if judge is not None and node.operator == "!=" else judge
        texts, walk = literal_texts(node.right), self._walk(node.left, shape)
        if node.operator != "in" or texts is None or walk is None:
            return None
        return among(one_of(walk), texts)

    def _equal(self, node: syntax.Binary, shape: Shape) -> Judge | None:
        wanted, path = literal_value(node.right), node.left
        if wanted is None:
            wanted, path = literal_value(node.left), node.right
        if wanted is not None:
            element, walk = self._single(path, shape), self._walk(path, shape)
            if element is not None:
                return same_value(element, wanted)
            return None if walk is None else same_item(walk, wanted)
        one, two = self._walk(node.left, shape), self._walk(node.right, shape)
        if one is None or two is None:
            return None
        element = self._single(node.left, shape) if self._steady(node.right) else None
        return same_items(one, two) if element is None else same_as(element, two)

    def _called(self, node: syntax.Call, shape: Shape) -> Judge | None:
        if node.source is None:
            return None
        if node.name == "not":
            inner = self.judge(node.source, shape)
            return None if inner is None else opposite(inner)
        ops = self.path_ops(node.source) if node.name in ("exists", "empty") else None
        if ops is not None and node.arguments:
            ops = (*ops, Op("where", self.criterion(node.arguments[0])))
        return None if ops is None else presence(ops, shape, wanted=node.name == "exists")

    def _truth(self, node: Expression, shape: Shape) -> Judge | None:
        one = self._value(node, shape)
        if one is None:
            return None

        def judge(value: Any, frame: Frame) -> bool | None:
            found = one(value, frame)
            return found if found is None or found.__class__ is bool else True

        return judge

    # -- what is compared -----------------------------------------------------------------------------------

    def _value(self, node: Expression, shape: Shape) -> Value | None:
        """What takes the one value of an operand."""
        constant = literal_value(node)
        if constant is not None:
            return lambda _value, _frame: constant
        if self.code_of is not None and is_steady(node):
            return once(single(self.code_of(node), "a comparison"))
        if isinstance(node, syntax.Call) and node.name == "count" and node.source is not None:
            ops = self.path_ops(node.source)
            items = compile_walk(ops, 0, shape, checked) if ops else None
            return None if items is None else lambda value, frame: len(items([value], frame))
        if isinstance(node, syntax.Call) and node.name in _CONVERSIONS and node.source is not None:
            walk = self._walk(node.source, shape)
            if walk is None:
                return None
            found = one_of(walk)
            found = itself(SCALARS.get(shape.read), found) if _is_this(node.source) else found
            return converted(FUNCTIONS[node.name].build, found)
        element = self._single(node, shape)
        if element is not None:
            return element
        walk = self._walk(node, shape)
        if walk is None:
            return None
        return itself(SCALARS.get(shape.read), one_of(walk)) if _is_this(node) else one_of(walk)

    def _single(self, node: Expression, shape: Shape) -> Value | None:
        """What takes the value of an element that does not repeat, of any type or of one; None for any other
        path."""
        ops = self.path_ops(node) or ()
        if [op.kind for op in ops] not in (["step"], ["step", "type"]):
            return None
        fields, walk = fields_of(shape, ops[0].what), compile_walk(ops, 0, shape, read)
        if not fields or walk is None or shape.info is None:
            return None
        for type_, name in shape.info.elements[ops[0].what].variants.items():
            if len(ops) == 2 and not selects(ops[1].what, shape.shapes.shape(type_)):
                fields[name] = UNREAD
        return field(fields, one_of(walk))

    def _walk(self, node: Expression, shape: Shape) -> Walk | None:
        if self.code_of is not None and is_steady(node):
            return once(values_of(self.code_of(node)))
        ops = self.path_ops(node)
        return None if ops is None else compile_walk(ops, 0, shape, read)

    def path_ops(self, node: Expression | None) -> tuple[Op, ...] | None:
        """The parts of a path from `$this`; None for what is no plain path from there."""
        if isinstance(node, syntax.Special):
            return () if node.name == "this" else None
        if isinstance(node, syntax.Member):
            if node.source is None:
                info = self.model.type(node.name) if node.name[:1].isupper() else None
                return (Op("step", node.name),) if info is None or info.kind == "backbone" else None
            ops = self.path_ops(node.source)
            return None if ops is None else (*ops, Op("step", node.name))
        if isinstance(node, syntax.Binary) and node.operator == "|":
            left, right = self.path_ops(node.left), self.path_ops(node.right)
            return (Op("union", (left, right)),) if left and right else None
        if isinstance(node, syntax.Call) and node.source is not None:
            op = self.filter_op(node)
            ops = self.path_ops(node.source) if op is not None else None
            return None if op is None or ops is None else (*ops, op)
        return None

    def filter_op(self, node: syntax.Call) -> Op | None:
        """The part of a path that a call of where() or ofType() is; None for any other function."""
        argument = node.arguments[0] if len(node.arguments) == 1 else None
        if node.name == "where" and argument is not None:
            return Op("where", self.criterion(argument))
        if node.name == "ofType" and isinstance(argument, syntax.TypeName):
            match = resolve(argument, self.model)
            return None if match is None else Op("type", match)
        return None


# -- parts of a criterion -----------------------------------------------------------------------------------


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
    name = shape.plain.get(path.name)
    return () if name is None else ((name, f"_{name}", known),)


def _text_asked(node: syntax.Binary) -> tuple[str, str]:
    """The name and the text of `name = 'text'`; of anything else, nothing."""
    name, text = node.left, node.right
    if node.operator != "=" or not isinstance(name, syntax.Member) or name.source is not None:
        return "", ""
    return (name.name, text.text) if isinstance(text, syntax.Literal) and text.kind == "String" else ("", "")


def _is_this(node: Expression) -> bool:
    return isinstance(node, syntax.Special) and node.name == "this"


def _arms(node: Expression, operator: str) -> list[Expression]:
    """The parts that an operator joins, in order."""
    if isinstance(node, syntax.Binary) and node.operator == operator:
        return [*_arms(node.left, operator), *_arms(node.right, operator)]
    return [node]


def _merged(arms: list[Expression]) -> list[Expression]:
    """The parts of an `or`; those beside one another that ask whether something of one path exists, as one:
    `p.where(a).exists() or p.where(b).exists()` is `p.where(a or b).exists()`, and the path is gone once."""
    out = arms[:1]
    for arm in arms[1:]:
        one, two = _sought(out[-1]), _sought(arm)
        if one is not None and two is not None and one[0] == two[0]:
            out.pop()
            arm = syntax.Call(one[0], "exists", (syntax.Binary("or", one[1], two[1]),))
        out.append(arm)
    return out


def _sought(node: Expression) -> tuple[Expression, Expression] | None:
    """The path and the criterion of `path.where(criterion).exists()`; None for anything else."""
    if not isinstance(node, syntax.Call) or node.name != "exists":
        return None
    if not node.arguments and isinstance(node.source, syntax.Call) and node.source.name == "where":
        node = node.source
    if node.source is None or not node.arguments:
        return None
    return node.source, node.arguments[0]


def _either(arms: list[Judge | None]) -> Judge | None:
    """The judge of the parts that one text leaves to be asked; None where the first asks nothing more."""
    if arms[0] is None:
        return None
    return any_of(tuple([_always if arm is None else arm for arm in arms]))


def _always(_value: Any, _frame: Frame) -> bool:
    return True
