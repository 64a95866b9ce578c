"""Filtering and projection (§5.2), and sort()."""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from service.fhirpath.code import Code, One, single, truth, valued
from service.fhirpath.comparison import compare
from service.fhirpath.equality import ItemSet
from service.fhirpath.errors import EvaluationError

from .registry import special

if TYPE_CHECKING:
    from service.fhirpath.frame import Frame


@special("where", "5.2.1", "criteria: Expression", gives="input")
def where(source: Code, criteria: Code) -> Code:
    """where(criteria) : collection. The items for which the criterion is true."""
    run, test = source.run, truth(criteria, "the criterion of where()")

    def filtered(frame: Frame) -> list[Any]:
        items = run(frame)
        if not items:
            return items
        this, index = frame.this, frame.index
        frame.spend(len(items))
        out: list[Any] = []
        for frame.index, item in enumerate(items):
            frame.this = [item]
            if test(frame) is True:
                out.append(item)
        frame.this, frame.index = this, index
        return out

    return Code(filtered)


@special("select", "5.2.2", "projection: Expression", gives="argument")
def select(source: Code, projection: Code) -> Code:
    """select(projection) : collection. What the projection gives for each item, one after the other."""
    if source.one is not None and projection.one is not None:
        return valued(_selected(source.one, projection.one), boolean=projection.boolean)
    run, project = source.run, projection.run

    def projected(frame: Frame) -> list[Any]:
        items = run(frame)
        if not items:
            return items
        this, index = frame.this, frame.index
        if len(items) == 1:
            frame.this, frame.index = items, 0
            out = project(frame)
        else:
            out = []
            for frame.index, item in enumerate(items):
                frame.this = [item]
                out += project(frame)
        frame.this, frame.index = this, index
        frame.steps -= len(items) + len(out)
        if frame.steps < 0:
            frame.spend(0)
        return out

    return Code(projected)


def _selected(one: One, value: One) -> One:
    """The one value that a projection gives for one value."""

    def selected(frame: Frame) -> Any:
        item = one(frame)
        if item is None:
            return None
        this, index = frame.this, frame.index
        frame.this, frame.index = [item], 0
        found = value(frame)
        frame.this, frame.index = this, index
        frame.steps -= 1 if found is None else 2
        if frame.steps < 0:
            frame.spend(0)
        return found

    return selected


@special("repeat", "5.2.3", "projection: Expression", gives="argument")
def repeat(source: Code, projection: Code) -> Code:
    """repeat(projection) : collection. The projection of the items, of those, and so on until none is new."""
    run, project = source.run, projection.run

    def repeated(frame: Frame) -> list[Any]:
        this, index = frame.this, frame.index
        out: list[Any] = []
        seen = ItemSet()
        wave = run(frame)
        while wave:
            found: list[Any] = []
            for frame.index, item in enumerate(wave):
                frame.this = [item]
                new = [candidate for candidate in project(frame) if seen.add(candidate)]
                found += new
            frame.spend(len(wave) + seen.comparisons)
            seen.comparisons = 0
            out += found
            wave = found
        frame.this, frame.index = this, index
        return out

    return Code(repeated)


@special("sort", "sort() of 3.0", "key?: Expression", gives="input", variadic=True)
def sort(source: Code, *keys: Code) -> Code:
    """sort([key, ...]) : collection. The items in order of the keys, each ascending or descending.

    Items without a key stand first in either direction. Equal ones keep their order.
    """
    run = source.run
    used = keys or (Code(lambda frame: frame.this),)
    values = [(single(key, "a key of sort()"), key.descending) for key in used]

    def ordered(frame: Frame) -> list[Any]:
        items = run(frame)
        this, index = frame.this, frame.index
        rows: list[tuple[list[Any], Any]] = []
        for frame.index, item in enumerate(items):
            frame.this = [item]
            rows.append(([value(frame) for value, _ in values], item))
        frame.this, frame.index = this, index
        frame.spend(len(items) * max(len(items).bit_length(), 1))

        def order(a: tuple[list[Any], Any], b: tuple[list[Any], Any]) -> int:
            for (_, descending), left, right in zip(values, a[0], b[0], strict=True):
                if left is None or right is None:
                    found = (left is not None) - (right is not None)
                else:
                    found = _ranked(left, right) * (-1 if descending else 1)
                if found:
                    return found
            return 0

        return [item for _, item in sorted(rows, key=cmp_to_key(order))]

    return Code(ordered)


def _ranked(left: Any, right: Any) -> int:
    found = compare(left, right)
    if found is None:
        raise EvaluationError("sort() cannot order values of different precision or units")
    return found
