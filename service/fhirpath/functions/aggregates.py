"""Aggregates (§7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhirpath.code import Code

from .registry import special

if TYPE_CHECKING:
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
