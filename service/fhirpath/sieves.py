"""How a path is gone down over plain JSON while each value is held as its node would be: value, type, parent,
name and place. Only what is left at the end becomes a node, with the nodes above it.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from .nodes import Node, make
from .plain_parts import NO_VALUES, Strange, variant_of
from .specifiers import selects

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frame import Frame
    from .judges import Table
    from .plain_parts import Judge, Op
    from .shapes import Shape, Shapes

    Sieve = Callable[[list[Any], Frame], list[Any]]


class Level(NamedTuple):
    """A step, and the parts after it that keep some of what it leads to. The first level may have no step."""

    name: str
    filters: tuple[Op, ...]


class Asked(NamedTuple):
    """What is asked of values of one type, if anything is: `table`, where it is a table, says the same."""

    shape: Shape
    judge: Judge | None
    table: Table | None = None


def _node(held: Any) -> Node:
    """The node that was only held so far."""
    if held.__class__ is Node:
        return held
    value, shape, _, above, name, place = held
    return make(Node, (value, shape, None, _node(above), name, place))


def _nodes(held: list[Any], _frame: Frame) -> list[Any]:
    """What is left at the end."""
    return [_node(one) for one in held]


def asked_of(level: Level, shape: Shape) -> Asked | None:
    """What a level asks of values of a type; None where judges cannot tell."""
    judges: list[Judge] = []
    table: Table | None = None
    for op in level.filters:
        if op.kind == "type":
            if not selects(op.what, shape):
                return Asked(shape, _never)
            continue
        judge = op.what.judge_of(shape)
        if judge is None:
            return None
        judges.append(judge)
        table = op.what.table_of(shape) if len(judges) == 1 else None
    return Asked(shape, _in_turn(tuple(judges)) if judges else None, table)


def _in_turn(judges: tuple[Judge, ...]) -> Judge:
    """The judge of several where(), one after the other: the next is not asked where one is not true."""
    if len(judges) == 1:
        return judges[0]

    def judge(value: Any, frame: Frame) -> bool:
        for one in judges:  # noqa: SIM110 - no generator: this is asked of each value
            if one(value, frame) is not True:
                return False
        return True

    return judge


def _never(_value: Any, _frame: Frame) -> bool:
    return False


# -- the levels ---------------------------------------------------------------------------------------------


def compile_sieve(levels: tuple[Level, ...], at: int, shape: Shape) -> Sieve | None:
    """What goes down the levels from the one at a place, over what is held of one type; None where it
    cannot."""
    if at == len(levels):
        return _nodes
    level = levels[at]
    if not level.name:
        asked, following = asked_of(level, shape), compile_sieve(levels, at + 1, shape)
        return None if asked is None or following is None else _here(asked, following)
    if shape.info is None or shape.primitive:
        return None
    element = shape.info.elements.get(level.name)
    if element is None:
        return lambda _held, _frame: []
    fields = {field: type_ for type_, field in element.variants.items()}
    if len(fields) > 1:
        return _choice(levels, at, shape, fields)
    ((field, type_),) = fields.items()
    info = shape.shapes.model.type(type_)
    if info is None:
        return None
    if info.kind == "resource":
        return _resources(levels, at, shape, field)
    child = shape.shapes.shape(type_)
    if not level.filters:
        inner = _resource_field(levels, at + 1, child)
        if inner:
            return _entries(levels, at, field, child, inner)
    asked, following = asked_of(level, child), compile_sieve(levels, at + 1, child)
    if asked is None or following is None:
        return None
    if child.primitive:
        return _values(field, level.name, asked, following)
    if asked.table is not None:
        return _by_text(field, level.name, child, asked.table, following)
    return _objects(field, level.name, asked, following)


def _here(asked: Asked, following: Sieve) -> Sieve:
    """What is left of what a path starts at."""
    judge, primitive = asked.judge, asked.shape.primitive

    def sieve(held: list[Any], frame: Frame) -> list[Any]:
        frame.steps -= len(held)
        out: list[Any] = []
        for one in held:
            if not primitive and one[0].__class__ is not dict:
                raise Strange
            if judge is None or judge(one[0], frame) is True:
                out.append(one)
        return following(out, frame)

    return sieve


def _objects(field: str, name: str, asked: Asked, following: Sieve) -> Sieve:
    """To the complex elements of one property."""
    child, judge = asked.shape, asked.judge

    def sieve(held: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        for above in held:
            found = above[0].get(field)
            if found.__class__ is list:
                frame.steps -= len(found)
                for place, value in enumerate(found):
                    if value.__class__ is not dict:
                        raise Strange
                    if judge is None or judge(value, frame) is True:
                        out.append((value, child, None, above, name, place))
            elif found.__class__ is dict:
                if judge is None or judge(found, frame) is True:
                    out.append((found, child, None, above, name, None))
            elif found is not None:
                raise Strange
        frame.steps -= len(held)
        return following(out, frame) if out else out

    return sieve


def _values(field: str, name: str, asked: Asked, following: Sieve) -> Sieve:
    """To the primitive elements of one property."""
    child, judge, _ = asked
    beside = f"_{field}"

    def sieve(held: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        for above in held:
            found = above[0].get(field)
            if beside in above[0]:
                raise Strange
            if found is None:
                continue
            one = found.__class__ is not list
            for place, value in enumerate([found] if one else found):
                if value.__class__ in NO_VALUES:
                    raise Strange
                if judge is None or judge(value, frame) is True:
                    out.append((value, child, None, above, name, None if one else place))
        frame.steps -= len(held) + len(out)
        return following(out, frame) if out else out

    return sieve


def _by_text(field: str, name: str, child: Shape, table: Table, following: Sieve) -> Sieve:
    """To the complex elements of one property that a table asks for."""
    key, rests, otherwise = table

    def sieve(held: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        for above in held:
            found = above[0].get(field)
            if found.__class__ is not list:
                if found is None:
                    continue
                raise Strange
            frame.steps -= len(found)
            for place, value in enumerate(found):
                if value.__class__ is not dict:
                    raise Strange
                text = value.get(key)
                if text.__class__ is str:
                    if text not in rests:
                        continue
                    judge = rests[text]
                    if judge is not None and judge(value, frame) is not True:
                        continue
                elif otherwise(value, frame) is not True:
                    continue
                out.append((value, child, None, above, name, place))
        frame.steps -= len(held)
        return following(out, frame) if out else out

    return sieve


def _asking(level: Level, shapes: Shapes) -> Callable[[Any], Asked]:
    """What a level asks of a resource, found out once for each type; Strange where judges cannot tell."""
    known: dict[str, Asked | None] = {}

    def ask(resource: Any) -> Asked:
        type_ = resource.get("resourceType")
        if type_.__class__ is not str:
            raise Strange
        if type_ not in known:
            known[type_] = asked_of(level, shapes.of_resource(resource))
        asked = known[type_]
        if asked is None:
            raise Strange
        return asked

    return ask


def _resources(levels: tuple[Level, ...], at: int, shape: Shape, field: str) -> Sieve:
    """To the resources of one property, each by its own type."""
    level, onwards = levels[at], onwards_of(levels, at + 1)
    ask = _asking(level, shape.shapes)

    def sieve(held: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        for above in held:
            found = above[0].get(field)
            if found is None:
                continue
            one = found.__class__ is dict
            if not one and found.__class__ is not list:
                raise Strange
            for place, value in enumerate([found] if one else found):
                asked = ask(value)
                judge = asked.judge
                if judge is None or judge(value, frame) is True:
                    out.append((value, asked.shape, None, above, level.name, None if one else place))
        frame.steps -= 2 * len(held)
        return onwards(out, frame) if out else out

    return sieve


def _resource_field(levels: tuple[Level, ...], at: int, shape: Shape) -> str:
    """The JSON property that a level leads to resources by; empty where it leads to something else."""
    element = (
        shape.info.elements.get(levels[at].name) if at < len(levels) and shape.info is not None else None
    )
    return element.variants.get("Resource", "") if element is not None else ""


def _entries(levels: tuple[Level, ...], at: int, outer: str, entry_shape: Shape, inner: str) -> Sieve:
    """To the resources in the elements of one property, as those of a Bundle, in one go."""
    (entry_name, _), level = levels[at], levels[at + 1]
    ask, onwards = _asking(level, entry_shape.shapes), onwards_of(levels, at + 2)
    name, last = level.name, onwards is _nodes

    def sieve(held: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        for above in held:
            entries = above[0].get(outer)
            if entries.__class__ is not list:
                if entries is None:
                    continue
                raise Strange
            frame.steps -= 2 * len(entries) + 1
            for place, entry in enumerate(entries):
                value = entry.get(inner)
                if value is None:
                    continue
                shape, judge, _ = ask(value)
                if judge is None or judge(value, frame) is True:
                    between: Any = (entry, entry_shape, None, above, entry_name, place)
                    if last:
                        between = make(Node, between) if above.__class__ is Node else _node(between)
                        out.append(make(Node, (value, shape, None, between, name, None)))
                    else:
                        out.append((value, shape, None, between, name, None))
        return out if last or not out else onwards(out, frame)

    return sieve


def _choice(levels: tuple[Level, ...], at: int, shape: Shape, types: dict[str, str]) -> Sieve:
    """To the one variant of a choice that each value has."""
    level, shapes, onwards = levels[at], shape.shapes, onwards_of(levels, at + 1)
    fields = frozenset(types) | {f"_{field}" for field in types}
    known: dict[str, Asked | None] = {}

    def sieve(held: list[Any], frame: Frame) -> list[Any]:
        out: list[Any] = []
        for above in held:
            field = variant_of(above[0], fields)
            value = None if field is None else above[0][field]
            if field is None or value is None:
                continue
            if field not in known:
                known[field] = asked_of(level, shapes.shape(types[field])) if field in types else None
            asked = known[field]
            if asked is None or value.__class__ is list or (value.__class__ is dict) is asked.shape.primitive:
                raise Strange
            judge = asked.judge
            if judge is None or judge(value, frame) is True:
                out.append((value, asked.shape, None, above, level.name, None))
        frame.steps -= 2 * len(held)
        return onwards(out, frame) if out else out

    return sieve


def onwards_of(levels: tuple[Level, ...], at: int) -> Sieve:
    """The levels from the one at a place over what may be of several types, those of one type together."""
    if at == len(levels):
        return _nodes
    sieves: dict[Shape, Sieve | None] = {}

    def sieve_of(shape: Shape) -> Sieve:
        made = sieves[shape] if shape in sieves else compile_sieve(levels, at, shape)
        sieves[shape] = made
        if made is None:
            raise Strange
        return made

    def sieve(held: list[Any], frame: Frame) -> list[Any]:
        shape = held[0][1]
        for one in held:
            if one[1] is not shape:
                break
        else:
            return (sieves.get(shape) or sieve_of(shape))(held, frame)
        out: list[Any] = []
        for each, group in groupby(held, itemgetter(1)):
            out += sieve_of(each)(list(group), frame)
        return out

    return sieve
