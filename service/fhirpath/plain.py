"""Paths walked over JSON as it stands, without a node for each element on the way.

Most paths end in a value to compare, a count or a plain answer, and nothing asks where their items stood.
Such a path is compiled once for each type it starts at: to the JSON properties to go through, all items at
once, and to what is wanted of the items at its end. Wherever the JSON is not plainly what its type says (a
sibling, a null, two variants of a choice, an unreadable value), the walk gives up, and the ordinary code
answers or says what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import EvaluationError
from .nodes import Node
from .plain_parts import UNREAD, Strange, checked, fields_of, variant_of
from .specifiers import selects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .frame import Frame
    from .model import ElementInfo
    from .plain_parts import Criterion, Ending, Judge, Op, Path, Run, Scalar, Walk
    from .shapes import Shape


def walker(path: Path, ending: Ending) -> Run:
    """The code of a path with an ending; the ordinary code takes over where a walk gives up, and gives its
    nodes."""
    start, ops = path.start, path.ops
    chain = taking_over(lambda: chained(given, ops))
    walks: dict[Shape, Walk | None] = {}

    def walk_of(shape: Shape) -> Walk | None:
        made = walks[shape] = compile_walk(ops, 0, shape, ending)
        return made

    def run(frame: Frame) -> list[Any]:
        items = start(frame)
        kept = frame.steps
        try:
            if len(items) == 1:
                item = items[0]
                if item.__class__ is Node:
                    shape = item.shape
                    walk = walks[shape] if shape in walks else walk_of(shape)
                    if walk is not None and item.value is not None and item.sibling is None:
                        found = walk([item.value], frame)
                        if frame.steps >= 0:
                            return found
            else:
                found = []
                for shape, values in _groups(items):
                    walk = walks[shape] if shape in walks else walk_of(shape)
                    if walk is None:
                        break
                    found += walk(values, frame)
                else:
                    if frame.steps >= 0:
                        return found
        except (Strange, AttributeError, EvaluationError):
            pass
        frame.steps = kept
        return chain(items, frame)

    return run


def taking_over(make: Callable[[], Run]) -> Callable[[list[Any], Frame], list[Any]]:
    """Code over the items that it is handed (`given`), made when first asked for."""
    chain: Run | None = None

    def run(items: list[Any], frame: Frame) -> list[Any]:
        nonlocal chain
        if chain is None:
            chain = make()
        frame.given = items
        return chain(frame)

    return run


def chained(code: Run, ops: Iterable[Op]) -> Run:
    """The ordinary code of parts of a path, from the code before them."""
    for op in ops:
        if op.ordinary is not None:
            code = op.ordinary(code)
    return code


def given(frame: Frame) -> list[Any]:
    """The items that code which takes over starts at: the first thing it asks for."""
    return frame.given


def field_value(op: Op, other: Callable[[Frame], Any]) -> Callable[[Frame], Any]:
    """The one value of `$this` at a step, where it is a plain value of one property; else what the other code
    says."""
    known: dict[Shape, tuple[str, Scalar]] = {}

    def field_of(shape: Shape) -> tuple[str, Scalar]:
        fields = fields_of(shape, op.what) if op.kind == "step" else None
        made = known[shape] = next(iter(fields.items())) if fields and len(fields) == 1 else ("", UNREAD)
        return made

    def one(frame: Frame) -> Any:
        items = frame.this
        if len(items) == 1 and items[0].__class__ is Node:
            node = items[0]
            shape = node.shape
            field, (kind, parse) = known[shape] if shape in known else field_of(shape)
            if field:
                found = node.value.get(field)
                if found.__class__ is kind:
                    found = found if parse is None else parse(found)
                    if found is not None:
                        return found
        return other(frame)

    return one


def _groups(items: list[Any]) -> list[tuple[Shape, list[Any]]]:
    """The JSON of nodes, those beside one another that are of one type together."""
    out: list[tuple[Shape, list[Any]]] = []
    known: Shape | None = None
    values: list[Any] = []
    for item in items:
        if item.__class__ is not Node or item.value is None or item.sibling is not None:
            raise Strange
        if item.shape is not known:
            values = []
            known = item.shape
            out.append((item.shape, values))
        values.append(item.value)
    return out


# -- the parts of a path ------------------------------------------------------------------------------------


def compile_walk(ops: tuple[Op, ...], at: int, shape: Shape, ending: Ending) -> Walk | None:
    """The walk of the parts from the one at a place, over values of one type; None where there is none."""
    if at == len(ops):
        return ending(shape)
    op = ops[at]
    if op.kind == "step":
        return _step(ops, at, shape, ending)
    if op.kind == "union":
        return None
    following = compile_walk(ops, at + 1, shape, ending)
    if op.kind == "type":
        return following if selects(op.what, shape) else _none(shape)
    judge = op.what.judge_of(shape)
    return None if judge is None or following is None else _where(shape, judge, following)


def _step(ops: tuple[Op, ...], at: int, shape: Shape, ending: Ending) -> Walk | None:
    if shape.info is None or shape.primitive:
        return None
    element = shape.info.elements.get(ops[at].what)
    if element is None:
        return _none(shape)
    if len(element.variants) > 1:
        return _choice(ops, at + 1, shape, ending, element)
    type_, field = next(iter(element.variants.items()))
    info = shape.shapes.model.type(type_)
    if info is None:
        return None
    if info.kind == "resource":
        return _into(field, _resources(ops, at + 1, shape, ending))
    child = shape.shapes.shape(type_)
    following = compile_walk(ops, at + 1, child, ending)
    if following is None:
        return None
    if len(ops) > at + 1 and ops[at + 1].kind == "where" and ops[at + 1].what.name in child.plain:
        return _indexed(field, child, ops[at + 1].what, following, compile_walk(ops, at + 2, child, ending))
    return _values(field, following) if info.kind == "primitive" else _into(field, following)


def _into(field: str, following: Walk) -> Walk:
    """To the complex elements of one property. What is no object there is met by what follows."""

    def walk(values: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        for value in values:
            found = value.get(field)
            if found.__class__ is list:
                out += found
            elif found is not None:
                out.append(found)
        frame.steps -= len(out) + 1
        return following(out, frame) if out else out

    return walk


def _values(field: str, following: Walk) -> Walk:
    """To the primitive elements of one property."""
    beside = f"_{field}"

    def walk(values: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        for value in values:
            found = value.get(field)
            if beside in value:
                raise Strange
            if found.__class__ is list:
                out += found
            elif found is not None:
                out.append(found)
        frame.steps -= len(out) + 1
        return following(out, frame) if out else out

    return walk


def _choice(ops: tuple[Op, ...], at: int, shape: Shape, ending: Ending, element: ElementInfo) -> Walk:
    """To the one variant of a choice that each value has, those of one type together."""
    types = {field: type_ for type_, field in element.variants.items()}
    fields = frozenset(types) | {f"_{field}" for field in types}
    walks: dict[str, Walk | None] = {}

    def follow(field: str, group: list[Any], frame: Frame) -> list[Any]:
        if field not in walks:
            type_ = types.get(field)
            made = None if type_ is None else compile_walk(ops, at, shape.shapes.shape(type_), ending)
            walks[field] = made
        following = walks[field]
        if following is None:
            raise Strange
        return following(group, frame)

    def walk(values: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        group: list[Any] = []
        known = ""
        for value in values:
            field = variant_of(value, fields)
            found = None if field is None else value[field]
            if field is None or found is None:
                continue
            if field != known:
                if group:
                    out += follow(known, group, frame)
                    group = []
                known = field
            if found.__class__ is list:
                group += found
            else:
                group.append(found)
        frame.steps -= len(values)
        if not out:
            return follow(known, group, frame) if group else group
        return out + follow(known, group, frame)

    return walk


def _resources(ops: tuple[Op, ...], at: int, shape: Shape, ending: Ending) -> Walk:
    """On from resources, each by its own type, those of one type together."""
    walks: dict[str, Walk | None] = {}

    def follow(name: str, group: list[Any], frame: Frame) -> list[Any]:
        if name not in walks:
            walks[name] = compile_walk(ops, at, shape.shapes.of_resource(group[0]), ending)
        following = walks[name]
        if following is None:
            raise Strange
        return following(group, frame)

    def walk(values: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        group: list[Any] = []
        known = ""
        for value in values:
            name = value.get("resourceType")
            if name != known:
                if group:
                    out += follow(known, group, frame)
                    group = []
                if name.__class__ is not str:
                    raise Strange
                known = name
            group.append(value)
        if not out:
            return follow(known, group, frame) if group else group
        return out + follow(known, group, frame)

    return walk


def _where(shape: Shape, judge: Judge, following: Walk) -> Walk:
    check = checked(shape)

    def walk(values: list[Any], frame: Frame) -> list[Any]:
        check(values, frame)
        frame.steps -= len(values)
        kept = [value for value in values if judge(value, frame) is True]
        return following(kept, frame) if kept else kept

    return walk


def _indexed(field: str, child: Shape, asked: Criterion, otherwise: Walk, following: Walk | None) -> Walk:
    """To the elements of one property that have a text: out of an index where one value is gone on from."""
    judge = None if asked.rest is None else asked.rest(child)
    if following is None or (asked.rest is not None and judge is None):
        return _into(field, otherwise)
    key, text, onwards = child.plain[asked.name], asked.text, following
    into = _into(field, otherwise)

    def walk(values: list[Any], frame: Frame) -> list[Any]:
        found = values[0].get(field) if len(values) == 1 else None
        if found.__class__ is not list:
            return into(values, frame)
        index = frame.by_text(found, key)
        if index is None or (judge is not None and None in index):
            return into(values, frame)
        kept = index.get(text)
        if kept is None:
            return []
        if judge is not None:
            kept = [value for value in kept if judge(value, frame) is True]
        frame.steps -= len(kept) + 1
        return onwards(kept, frame) if kept else kept

    return walk


def _none(shape: Shape) -> Walk:
    check = checked(shape)

    def walk(values: list[Any], frame: Frame) -> list[Any]:
        check(values, frame)
        return []

    return walk
