"""Existence (§5.1): whether a collection has items, how many, and of what truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhirpath.code import Code, counted, truth, valued, values_of
from service.fhirpath.equality import ItemSet
from service.fhirpath.errors import EvaluationError
from service.fhirpath.values import system, type_name

from .registry import collection, special

if TYPE_CHECKING:
    from service.fhirpath.frame import Frame

_STRINGS = frozenset({str})


@special("empty", "5.1.1", gives="Boolean")
def empty(source: Code) -> Code:
    """empty() : Boolean. True if the input has no items."""
    if source.one is not None:
        one = source.one
        return valued(lambda frame: one(frame) is None, boolean=True)
    run = counted(source)
    return valued(lambda frame: not run(frame), boolean=True)


@special("exists", "5.1.2", "criteria?: Expression", gives="Boolean")
def exists(source: Code, criteria: Code | None = None) -> Code:
    """exists([criteria]) : Boolean. True if the input has items (that meet the criteria)."""
    if criteria is None:
        if source.one is not None:
            one = source.one
            return valued(lambda frame: one(frame) is not None, boolean=True)
        run = counted(source)
        return valued(lambda frame: bool(run(frame)), boolean=True)
    return valued(_quantified(source, truth(criteria, "the criterion of exists()"), True), boolean=True)


@special("all", "5.1.3", "criteria: Expression", gives="Boolean")
def all_(source: Code, criteria: Code) -> Code:
    """all(criteria) : Boolean. True if every item meets the criteria; true for no items."""
    return valued(_quantified(source, truth(criteria, "the criterion of all()"), False), boolean=True)


def _quantified(source: Code, test: Any, wanted: bool) -> Any:
    """Stops at the first item whose test is true (for some) or is not (for all)."""
    run = source.run

    def one(frame: Frame) -> bool:
        items = run(frame)
        this, index = frame.this, frame.index
        answer = not wanted
        frame.spend(len(items))
        for frame.index, item in enumerate(items):
            frame.this = [item]
            if (test(frame) is True) is wanted:
                answer = wanted
                break
        frame.this, frame.index = this, index
        return answer

    return one


def _booleans(items: list[Any], name: str) -> list[bool]:
    found: list[bool] = []
    for item in items:
        value = system(item)
        if value.__class__ is not bool:
            raise EvaluationError(f"{name}() takes Booleans, found {type_name(item)}")
        found.append(value)
    return found


@collection("allTrue", "5.1.4", gives="Boolean")
def all_true(items: list[Any]) -> bool:
    """allTrue() : Boolean. True if all items are true; true for no items."""
    return all(_booleans(items, "allTrue"))


@collection("anyTrue", "5.1.5", gives="Boolean")
def any_true(items: list[Any]) -> bool:
    """anyTrue() : Boolean. True if any item is true."""
    return any(_booleans(items, "anyTrue"))


@collection("allFalse", "5.1.6", gives="Boolean")
def all_false(items: list[Any]) -> bool:
    """allFalse() : Boolean. True if all items are false; true for no items."""
    return not any(_booleans(items, "allFalse"))


@collection("anyFalse", "5.1.7", gives="Boolean")
def any_false(items: list[Any]) -> bool:
    """anyFalse() : Boolean. True if any item is false."""
    return not all(_booleans(items, "anyFalse"))


@collection("subsetOf", "5.1.8", "other: Collection", gives="Boolean")
def subset_of(items: list[Any], other: list[Any]) -> bool:
    """subsetOf(other) : Boolean. True if every item is in the other collection."""
    others = ItemSet(other)
    return all(item in others for item in items)


@collection("supersetOf", "5.1.9", "other: Collection", gives="Boolean")
def superset_of(items: list[Any], other: list[Any]) -> bool:
    """supersetOf(other) : Boolean. True if every item of the other collection is in the input."""
    known = ItemSet(items)
    return all(item in known for item in other)


@special("count", "5.1.10", gives="Integer")
def count(source: Code) -> Code:
    """count() : Integer. The number of items; 0 for none."""
    run = counted(source)
    return valued(lambda frame: len(run(frame)))


@special("distinct", "5.1.11", gives="input")
def distinct(source: Code) -> Code:
    """distinct() : collection. The items without those equal to an earlier one."""
    run = source.run
    code = Code(lambda frame: _distinct(run(frame)))
    code.through = source, _distinct
    return code


@special("isDistinct", "5.1.12", gives="Boolean")
def is_distinct(source: Code) -> Code:
    """isDistinct() : Boolean. True if no item is equal to another."""
    run = values_of(source)

    def one(frame: Frame) -> bool:
        items = run(frame)
        return len(_distinct(items)) == len(items)

    return valued(one, boolean=True)


def _distinct(items: list[Any]) -> list[Any]:
    if len(items) < 2:
        return items
    if _STRINGS.issuperset(map(type, items)):
        return list(dict.fromkeys(items))
    seen = ItemSet()
    return [item for item in items if seen.add(item)]
