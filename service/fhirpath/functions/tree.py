"""Tree navigation (§5.8): children and descendants, in no order an expression may rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhirpath.code import Code
from service.fhirpath.nodes import Node

from .registry import special

if TYPE_CHECKING:
    from service.fhirpath.frame import Frame


@special("children", "5.8.1")
def children(source: Code) -> Code:
    """children() : collection. The elements right below each item."""
    run = source.run

    def below(frame: Frame) -> list[Any]:
        out: list[Any] = []
        for item in run(frame):
            if item.__class__ is Node:
                out += item.shape.children(item)
        frame.spend(len(out))
        return out

    return Code(below)


@special("descendants", "5.8.2")
def descendants(source: Code) -> Code:
    """descendants() : collection. All elements below each item, however deep, level by level."""
    run = source.run

    def all_below(frame: Frame) -> list[Any]:
        out: list[Any] = []
        level = run(frame)
        while level:
            found: list[Any] = []
            for item in level:
                if item.__class__ is Node:
                    found += item.shape.children(item)
            frame.spend(len(found))
            out += found
            level = found
        return out

    return Code(all_below)
