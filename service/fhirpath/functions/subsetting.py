"""Subsetting (§5.3): some of the items, by place or by what another collection has."""

from __future__ import annotations

from typing import Any

from service.fhirpath.equality import ItemSet
from service.fhirpath.errors import EvaluationError

from .registry import collection


@collection("single", "5.3.2")
def single(items: list[Any]) -> list[Any]:
    """single() : collection. The one item; an error for more than one."""
    if len(items) > 1:
        raise EvaluationError(f"single() takes one item, found {len(items)}")
    return items


@collection("first", "5.3.3", ordered=True)
def first(items: list[Any]) -> list[Any]:
    """first() : collection. The first item."""
    return items[:1]


@collection("last", "5.3.4", ordered=True)
def last(items: list[Any]) -> list[Any]:
    """last() : collection. The last item."""
    return items[-1:]


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
