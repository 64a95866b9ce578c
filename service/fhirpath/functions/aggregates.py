"""Aggregates (§7), and sum, min, max and avg of 3.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhirpath import arithmetic
from service.fhirpath.code import Code
from service.fhirpath.comparison import compare
from service.fhirpath.errors import EvaluationError
from service.fhirpath.nodes import Node
from service.fhirpath.values import system, type_name

from .registry import collection, special

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhirpath.frame import Frame


@special("aggregate", "7.1", "aggregator: Expression", "init?: Collection", gives="any", ordered=True)
def aggregate(source: Code, aggregator: Code, init: Code | None = None) -> Code:
    """aggregate(aggregator [, init]) : collection. The aggregator for each item, its last result in
    `$total`.
    """
    run, step, start = source.run, aggregator.run, init.run if init is not None else None

    def total(frame: Frame) -> list[Any]:
        items = run(frame)
        this, index, before = frame.this, frame.index, frame.total
        result = start(frame) if start is not None else []
        for frame.index, item in enumerate(items):
            frame.this = [item]
            frame.total = result
            result = step(frame)
            frame.spend(1 + len(result))
        frame.this, frame.index, frame.total = this, index, before
        return result

    return Code(total)


def _folded(name: str, items: list[Any], combine: Callable[[Any, Any], Any]) -> Any:
    """The items made one by an operator; None for no items, or where the operator gives nothing."""
    result: Any = None
    for index, item in enumerate(items):
        value = system(item)
        if value is None or value.__class__ is Node:
            raise EvaluationError(f"{name}() takes System values, found {type_name(item)}")
        result = value if index == 0 else combine(result, value)
        if result is None:
            return None
    return result


@collection("sum", "sum of 3.0", gives="value")
def sum_(items: list[Any]) -> Any:
    """sum() : Integer | Decimal | Quantity | String. The items added up; empty for no items."""
    return _folded("sum", items, arithmetic.add)


@collection("avg", "avg of 3.0", gives="value")
def average(items: list[Any]) -> Any:
    """avg() : Decimal | Quantity. The sum divided by the count; empty for no items."""
    total = _folded("avg", items, arithmetic.add)
    return None if total is None else arithmetic.divide(total, len(items))


@collection("min", "min of 3.0", gives="value")
def least(items: list[Any]) -> Any:
    """min() : any ordered type. The least item; empty for no items, or where two cannot be told apart."""
    return _folded("min", items, lambda a, b: _chosen(a, b, -1))


@collection("max", "max of 3.0", gives="value")
def greatest(items: list[Any]) -> Any:
    """max() : any ordered type. The greatest item; empty as min() is."""
    return _folded("max", items, lambda a, b: _chosen(a, b, 1))


def _chosen(a: Any, b: Any, sign: int) -> Any:
    order = compare(a, b)
    return None if order is None else b if order * sign < 0 else a
