"""Compiled code: what each part of an expression becomes, and the ways to take one value from it.

A part is a closure from the frame to a collection. A part that never has more than one item, and that a
System value, is also a closure from the frame to that value or None, so that most operators and functions
make no list.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .errors import EvaluationError
from .frame import Frame
from .nodes import Node
from .plain import field_value, walker
from .plain_parts import Ending, Path, checked, focus, given_out, read, read_texts
from .quantity import Quantity
from .temporal import Date, DateTime, Time
from .texts import pay
from .values import type_name

Run = Callable[[Frame], "list[Any]"]
One = Callable[[Frame], Any]
Branch = tuple[str, str, One]


class Code:
    """A compiled part. `boolean` is true where `one` gives nothing but True, False and None; `descending`
    where it is a key of sort() to be taken from the greatest down. `path` is the plain path that the part is,
    if it is one; `value`, the value of a literal; `texts`, the texts it always gives, if they are all it
    gives; `through`, what the part makes of the items of the path before it, nodes or not; `branches`, for
    each part of an `or` (one, where it is none) the name and the text whose equality it begins with, and its
    code, if all have one name."""

    __slots__ = ("boolean", "branches", "descending", "one", "path", "run", "texts", "through", "value")

    def __init__(self, run: Run, one: One | None = None, *, boolean: bool = False) -> None:
        self.run = run
        self.one = one
        self.boolean = boolean
        self.branches: tuple[Branch, ...] = ()
        self.descending = False
        self.path: Path | None = None
        self.texts: frozenset[str] | None = None
        self.through: tuple[Code, Callable[[list[Any]], list[Any]]] | None = None
        self.value: Any = None

    def like(self, other: Code) -> Code:
        """The part itself, known to give what another part gives."""
        self.path, self.texts, self.through = other.path, other.texts, other.through
        return self


def values_of(code: Code) -> Run:
    """The code of a part, whose items need not be nodes: primitive elements and quantities can be System
    values. For whatever takes them as such anyway."""
    return _ended(code, read)


def counted(code: Code) -> Run:
    """The code of a part of which only the number of items is wanted."""
    return _ended(code, checked if code.through is None else read)


def outputs(code: Code) -> Run:
    """The code of a part whose items leave the engine: nodes, or what would leave in their stead."""
    return _ended(code, given_out if code.through is None else read_texts)


def _ended(code: Code, ending: Ending) -> Run:
    if code.through is not None:
        source, function = code.through
        items = _ended(source, ending)
        return lambda frame: function(items(frame))
    return walker(code.path, ending) if code.path is not None and code.path.ops else code.run


def valued(one: One, *, boolean: bool = False) -> Code:
    """The code of a part that is one System value or nothing."""

    def run(frame: Frame) -> list[Any]:
        value = one(frame)
        return [] if value is None else [value]

    return Code(run, one, boolean=boolean)


def constant(value: Any) -> Code:
    """The code of a literal."""
    code = Code(lambda _frame: [value], lambda _frame: value, boolean=value.__class__ is bool)
    code.value = value
    return code


def single(code: Code, what: str) -> One:
    """The one item of a part as its System value, None where there is none (§4.5 Singleton Evaluation).

    A complex element stays a node. EvaluationError, naming `what` wanted one item, where there are more.
    """
    if code.one is not None:
        return code.one
    run = values_of(code)

    def any_one(frame: Frame) -> Any:
        items = run(frame)
        if not items:
            return None
        if len(items) > 1:
            raise EvaluationError(f"{what} takes one item, found {len(items)}")
        item = items[0]
        if item.__class__ is Node:
            read = item.shape.read
            return item if read is None else read(item)
        return item

    if code.path is not None and code.path.start is focus and not code.path.ops:
        return _this(what)
    if code.path is not None and code.path.start is focus and len(code.path.ops) == 1:
        return field_value(code.path.ops[0], any_one)
    return any_one


def _this(what: str) -> One:
    """The one item of `$this`."""

    def this_one(frame: Frame) -> Any:
        items = frame.this
        if len(items) != 1:
            if items:
                raise EvaluationError(f"{what} takes one item, found {len(items)}")
            return None
        item = items[0]
        if item.__class__ is Node:
            read = item.shape.read
            return item if read is None else read(item)
        return item

    return this_one


def truth(code: Code, what: str) -> One:
    """The truth of a part, None where it is empty. One item that is no Boolean counts as true (§4.5)."""
    if code.boolean and code.one is not None:
        return code.one
    value = single(code, what)

    def test(frame: Frame) -> Any:
        found = value(frame)
        return found if found is None or found.__class__ is bool else True

    return test


def typed(code: Code, kind: str, what: str) -> One:
    """The one item of a part as a value of a System type; EvaluationError for one of another type.

    `kind` is a System type's name, `Number` (Integer or Decimal), `Moment` (dates and times), `Value` (any
    System value) or `Any`.
    """
    value = single(code, what)
    if kind == "Any":
        return value
    classes = KINDS[kind]

    def one(frame: Frame) -> Any:
        found = value(frame)
        if found is None or found.__class__ in classes:
            return found
        if kind == "Decimal" and found.__class__ is int:
            return Decimal(found)
        raise EvaluationError(f"{what} takes {_ARTICLES.get(kind, kind)}, found {type_name(found)}")

    return one


def text_of(code: Code, what: str) -> One:
    """The one item of a part as a text, whose steps are spent; EvaluationError for another value."""
    value = single(code, what)

    def one(frame: Frame) -> Any:
        found = value(frame)
        if found.__class__ is str:
            pay(found, frame)
        elif found is not None:
            raise EvaluationError(f"{what} takes a String, found {type_name(found)}")
        return found

    return one


KINDS: dict[str, frozenset[type]] = {
    "Boolean": frozenset({bool}),
    "Integer": frozenset({int}),
    "Decimal": frozenset({Decimal}),
    "Number": frozenset({int, Decimal}),
    "String": frozenset({str}),
    "Quantity": frozenset({Quantity}),
    "Date": frozenset({Date}),
    "DateTime": frozenset({DateTime}),
    "Time": frozenset({Time}),
    "Moment": frozenset({Date, DateTime, Time}),
    "Measured": frozenset({int, Decimal, Quantity}),
    "Bounded": frozenset({int, Decimal, Quantity, Date, DateTime, Time}),
}
_ARTICLES = {
    "Integer": "an Integer",
    "Number": "an Integer or a Decimal",
    "Moment": "a Date, DateTime or Time",
    "Measured": "a number or a Quantity",
    "Bounded": "a number, a Quantity, a Date, a DateTime or a Time",
    **{
        kind: f"a {kind}" for kind in ("Boolean", "Decimal", "String", "Quantity", "Date", "DateTime", "Time")
    },
}
