"""What walks over plain JSON are made of: the parts of a path, its endings, and how one value is read."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .values import BATCHES, SCALARS

if TYPE_CHECKING:
    from .frame import Frame
    from .judges import Table
    from .shapes import Shape

Run = Callable[["Frame"], "list[Any]"]
Walk = Callable[["list[Any]", "Frame"], "list[Any]"]
Ending = Callable[["Shape"], "Walk | None"]
Scalar = tuple[type, "Callable[[Any], Any] | None"]
Judge = Callable[[Any, "Frame"], "bool | None"]


class Strange(Exception):
    """The JSON is not plainly what its type says, or more than a walk deals with."""


class Op(NamedTuple):
    """One part of a path after its start: `step` (to the children of a name), `type` (a TypeMatch), `where`
    (a Criterion) or, in criteria alone, `union` (of two paths' parts). `ordinary` makes its code over nodes,
    from the code before."""

    kind: str
    what: Any
    ordinary: Callable[[Run], Run] | None = None


def focus(frame: Frame) -> list[Any]:
    """Where a path from `$this` starts."""
    return frame.this


class Criterion(NamedTuple):
    """What where() asks. `judge_of` makes the judge of a type's values, `table_of` the table of what
    a text decides.

    Where the criterion is `name = 'text'`, or that and something else, `name` and `text` say so, and `rest`
    makes the judge of the something else.
    """

    judge_of: Callable[[Shape], Judge | None]
    table_of: Callable[[Shape], Table | None]
    name: str = ""
    text: str = ""
    rest: Callable[[Shape], Judge | None] | None = None


class Path(NamedTuple):
    """Where a path starts, and its parts."""

    start: Run
    ops: tuple[Op, ...]

    def then(self, op: Op) -> Path:
        """The path with one part more."""
        return Path(self.start, (*self.ops, op))


# -- the endings --------------------------------------------------------------------------------------------

_OBJECT: Final = frozenset({dict})
UNREAD: Final[Scalar] = (object, None)
NO_VALUES: Final = frozenset({dict, list, type(None)})


def checked(shape: Shape) -> Walk:
    """The ending of a count: the JSON values, of which only the number counts."""
    if shape.primitive:

        def scalars(values: list[Any], _frame: Frame) -> list[Any]:
            if NO_VALUES.isdisjoint(map(type, values)):
                return values
            raise Strange

        return scalars

    def objects(values: list[Any], _frame: Frame) -> list[Any]:
        if _OBJECT.issuperset(map(type, values)):
            return values
        raise Strange

    return objects


def read(shape: Shape) -> Walk | None:
    """The ending of a path whose items are taken as System values; none for a complex type that has none."""
    batch = BATCHES.get(shape.read) if shape.read is not None else None
    if batch is None:
        return None
    convert = batch

    def walk(values: list[Any], _frame: Frame) -> list[Any]:
        found = convert(values)
        if found is None:
            raise Strange
        return found

    return walk


def read_texts(shape: Shape) -> Walk | None:
    """The ending of a path whose items are taken as texts; none for types that are none."""
    return read(shape) if SCALARS.get(shape.read) == (str, None) else None


def given_out(shape: Shape) -> Walk | None:
    """The ending of a path whose items leave the engine: as JSON has them, decimals as Decimal."""
    return read(shape) if shape.name == "decimal" else checked(shape)


def fields_of(shape: Shape, name: str) -> dict[str, Scalar] | None:
    """By the JSON properties that can carry an element: the class of their values, and what reads one.

    None for an element that repeats, or has none. Properties that have to be looked at as nodes lead to the
    class of nothing in JSON.
    """
    element = shape.info.elements.get(name) if shape.info is not None and not shape.primitive else None
    if element is None or element.repeats:
        return None
    out: dict[str, Scalar] = {}
    for type_, field in element.variants.items():
        info = shape.shapes.model.type(type_)
        read_by = shape.shapes.shape(type_).read if info is not None and info.kind != "resource" else None
        out[field] = SCALARS.get(read_by, UNREAD)
        if element.choice:
            out[f"_{field}"] = UNREAD
    return out


def variant_of(value: Any, fields: Container[str]) -> str | None:
    """The one property of those a choice could have that a JSON object has; None where it has none of them.

    Strange where it has two, or is no object.
    """
    if value.__class__ is not dict:
        raise Strange
    field: str | None = None
    for key in value:
        if key in fields:
            if field is not None:
                raise Strange
            field = key
    return field
