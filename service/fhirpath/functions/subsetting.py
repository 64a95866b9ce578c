"""Subsetting (§5.3): some of the items, by place or by what another collection has."""

from __future__ import annotations

from typing import Any

from service.fhirpath.code import Code
from service.fhirpath.equality import ItemSet
from service.fhirpath.errors import EvaluationError

from .registry import collection, special


@collection("single", "5.3.2")
def single(items: list[Any]) -> list[Any]:
    """single() : collection. The one item; an error for more than one."""
    if len(items) > 1:
        raise EvaluationError(f"single() takes one item, found {len(items)}")
    return items


@special("first", "5.3.3", gives="input", ordered=True)
def first(source: Code) -> Code:
    """first() : collection. The first item."""
    return _sliced(source, slice(1))


@special("last", "5.3.4", gives="input", ordered=True)
def last(source: Code) -> Code:
    """last() : collection. The last item."""
    return _sliced(source, slice(-1, None))


def _sliced(source: Code, part: slice) -> Code:
    run = source.run
    code = Code(lambda frame: run(frame)[part])
    code.through = source, lambda items: items[part]
    return code


@collection("tail", "5.3.5", ordered=True)
def tail(items: list[Any]) -> list[Any]:
    """tail() : collection. All items but the first."""
    return items[1:]


@collection("skip", "5.3.6", "num: Integer", ordered=True)
def skip(items: list[Any], number: int | None) -> list[Any]:
    """skip(num) : collection. All but the first `num` items."""
    return [] if number is None else items[max(number, 0) :]


@collection("take", "5.3.7", "num: Integer", ordered=True)
def take(items: list[Any], number: int | None) -> list[Any]:
    """take(num) : collection. The first `num` items."""
    return [] if number is None else items[: max(number, 0)]


@collection("intersect", "5.3.8", "other: Collection")
def intersect(items: list[Any], other: list[Any]) -> list[Any]:
    """intersect(other) : collection. The items in both collections, without duplicates."""
    others, seen = ItemSet(other), ItemSet()
    return [item for item in items if item in others and seen.add(item)]


@collection("exclude", "5.3.9", "other: Collection")
def exclude(items: list[Any], other: list[Any]) -> list[Any]:
    """exclude(other) : collection. The items that are not in the other one, duplicates and order kept."""
    others = ItemSet(other)
    return [item for item in items if item not in others]
