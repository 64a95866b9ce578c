"""Judges of exists() and empty() over a plain path: whether one JSON value has anything at its end.

Each judge goes down its path value by value, without a list for each step. It looks at all that it passes,
also where the answer is already known: what the ordinary code would find fault with must not be missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .judges import opposite
from .plain import compile_walk
from .plain_parts import NO_VALUES, Strange, checked, variant_of
from .specifiers import selects

if TYPE_CHECKING:
    from .frame import Frame
    from .judges import Table
    from .model import ElementInfo
    from .plain_parts import Judge, Op
    from .shapes import Shape


def presence(ops: tuple[Op, ...], shape: Shape, *, wanted: bool) -> Judge | None:
    """The judge of exists() over a path from values of a type, or of empty() where nothing is wanted; None
    where it has none."""
    judge = present(ops, 0, shape)
    if judge is None:
        return None
    fields: list[str] = []
    child: Shape | None = shape
    for op in ops:
        link = _link(child, op.what) if child is not None and op.kind == "step" else None
        if link is None:
            break
        fields.append(link[0])
        child = link[1]
    if len(ops) == len(fields) == 1 and child is not None:
        return _property(fields[0], child, wanted=wanted)
    if ops and ops[-1].kind == "where" and len(ops) == len(fields) + 1 and child is not None:
        table = ops[-1].what.table_of(child)
        if table is not None and not child.primitive:
            return _asked_below(tuple(fields[:-1]), fields[-1], table, judge, wanted=wanted)
    return judge if wanted else opposite(judge)


def _link(shape: Shape, name: str) -> tuple[str, Shape] | None:
    """The JSON property and type of an element of one type; None for a choice, a resource or no element."""
    element = shape.info.elements.get(name) if shape.info is not None and not shape.primitive else None
    if element is None or len(element.variants) > 1:
        return None
    type_, field = next(iter(element.variants.items()))
    info = shape.shapes.model.type(type_)
    return None if info is None or info.kind == "resource" else (field, shape.shapes.shape(type_))


def present(ops: tuple[Op, ...], at: int, shape: Shape) -> Judge | None:
    """The judge of whether values of a type have anything at the end of a path; None where it has none."""
    if at == len(ops):
        return _scalar if shape.primitive else _object
    op = ops[at]
    if op.kind == "step":
        return _step(ops, at, shape)
    if op.kind == "union":
        left, right = op.what
        return _union(left, right, ops[at + 1 :], shape)
    following = present(ops, at + 1, shape)
    if op.kind == "type":
        return following if selects(op.what, shape) else _absent(shape)
    judge = op.what.judge_of(shape)
    if judge is None or following is None:
        return None
    return _where(judge, following)


def _step(ops: tuple[Op, ...], at: int, shape: Shape) -> Judge | None:
    if shape.info is None or shape.primitive:
        return None
    element = shape.info.elements.get(ops[at].what)
    if element is None:
        return _absent(shape)
    if len(element.variants) > 1:
        return _choice(ops, at + 1, shape, element)
    link = _link(shape, ops[at].what)
    if link is None:
        return None
    field, child = link
    if len(ops) == at + 1:
        return _property(field, child)
    following = present(ops, at + 1, child)
    if following is None:
        return None
    return _values(field, following) if child.primitive else _objects(field, following)


def _object(value: Any, _frame: Frame) -> bool:
    if value.__class__ is not dict:
        raise Strange
    return True


def _scalar(value: Any, _frame: Frame) -> bool:
    if value.__class__ in NO_VALUES:
        raise Strange
    return True


def _absent(shape: Shape) -> Judge:
    check = _scalar if shape.primitive else _object
    return lambda value, frame: not check(value, frame)


def _property(field: str, child: Shape, *, wanted: bool = True) -> Judge:
    """Whether there is anything of one property, or nothing."""
    check = _scalar if child.primitive else _object
    beside = f"_{field}" if child.primitive else ""

    def judge(value: Any, frame: Frame) -> bool:
        found = value.get(field)
        if beside and beside in value:
            raise Strange
        if found is None:
            return not wanted
        if found.__class__ is list:
            for one in found:
                check(one, frame)
            frame.steps -= len(found)
            return bool(found) is wanted
        check(found, frame)
        return wanted

    return judge


def _objects(field: str, following: Judge) -> Judge:
    """Whether any of the complex elements of one property has what follows."""

    def judge(value: Any, frame: Frame) -> bool:
        found = value.get(field)
        if found.__class__ is dict:
            return following(found, frame) is True
        if found is None:
            return False
        if found.__class__ is not list:
            raise Strange
        met = False
        for one in found:
            if one.__class__ is not dict:
                raise Strange
            if following(one, frame) is True:
                met = True
        frame.steps -= len(found)
        return met

    return judge


def _values(field: str, following: Judge) -> Judge:
    """Whether any of the primitive elements of one property has what follows."""
    beside = f"_{field}"

    def judge(value: Any, frame: Frame) -> bool:
        found = value.get(field)
        if beside in value:
            raise Strange
        met = False
        values = found if found.__class__ is list else [] if found is None else [found]
        for one in values:
            if following(one, frame) is True:
                met = True
        frame.steps -= len(values)
        return met

    return judge


def _asked_below(
    above: tuple[str, ...], field: str, table: Table, otherwise: Judge, *, wanted: bool
) -> Judge:
    """Whether any of the complex elements of one property is asked for by its text, or none. Where one of
    the properties above it has more elements than one, the judge that deals with those is asked instead."""
    key, rests, unlike = table

    def judge(value: Any, frame: Frame) -> bool:
        found = value
        for name in above:
            found = found.get(name)
            if found.__class__ is not dict:
                return (found is not None and otherwise(value, frame) is True) is wanted
        found = found.get(field)
        if found.__class__ is not list:
            if found is None:
                return not wanted
            found = [found]
        met = False
        for one in found:
            if one.__class__ is not dict:
                raise Strange
            text = one.get(key)
            if text.__class__ is not str:
                if unlike(one, frame) is True:
                    met = True
            elif text in rests:
                rest = rests[text]
                if rest is None or rest(one, frame) is True:
                    met = True
        frame.steps -= len(found)
        return met is wanted

    return judge


def _where(judge: Judge, following: Judge) -> Judge:
    if following is _object or following is _scalar:

        def last(value: Any, frame: Frame) -> bool:
            following(value, frame)
            return judge(value, frame) is True

        return last
    return lambda value, frame: judge(value, frame) is True and following(value, frame) is True


def _union(left: tuple[Op, ...], right: tuple[Op, ...], rest: tuple[Op, ...], shape: Shape) -> Judge | None:
    """Whether what either side leads to has what follows; only where that is one item, which cannot be there
    twice."""
    one, two = compile_walk(left, 0, shape, checked), compile_walk(right, 0, shape, checked)
    from_one, from_two = present((*left, *rest), 0, shape), present((*right, *rest), 0, shape)
    if one is None or two is None or from_one is None or from_two is None:
        return None
    first, second, after_first, after_second = one, two, from_one, from_two

    def judge(value: Any, frame: Frame) -> bool:
        before, beside = first([value], frame), second([value], frame)
        if len(before) + len(beside) > 1:
            raise Strange
        following = after_first if before else after_second
        return following(value, frame) is True

    return judge


def _choice(ops: tuple[Op, ...], at: int, shape: Shape, element: ElementInfo) -> Judge:
    """Whether the one variant of a choice that there is has what follows."""
    types = {field: type_ for type_, field in element.variants.items()}
    fields = frozenset(types) | {f"_{field}" for field in types}
    judges: dict[str, Judge | None] = {}

    def judge_of(field: str) -> Judge | None:
        type_ = types.get(field)
        made = judges[field] = None if type_ is None else present(ops, at, shape.shapes.shape(type_))
        return made

    def judge(value: Any, frame: Frame) -> bool:
        field = variant_of(value, fields)
        found = None if field is None else value[field]
        if field is None or found is None:
            return False
        following = judges[field] if field in judges else judge_of(field)
        if following is None or found.__class__ is list:
            raise Strange
        return following(found, frame) is True

    return judge
