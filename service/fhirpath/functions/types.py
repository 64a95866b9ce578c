"""Types (§6.3) and reflection (§10.2): is, as, ofType, type; and not() of Boolean logic (§6.5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhirpath.code import Code, truth, valued
from service.fhirpath.errors import EvaluationError
from service.fhirpath.nodes import Node, TypeReflection
from service.fhirpath.values import system_name

from .registry import collection, special

if TYPE_CHECKING:
    from service.fhirpath.frame import Frame
    from service.fhirpath.specifiers import TypeMatch


@special("is", "6.3.2", "type: Type", gives="Boolean")
def is_(source: Code, match: TypeMatch) -> Code:
    """is(type) : Boolean. Whether the one item is of the type or a specialisation of it."""
    run = source.run

    def test(frame: Frame) -> bool | None:
        items = run(frame)
        if len(items) > 1:
            raise EvaluationError(f"is takes one item, found {len(items)}")
        return match.is_of(items[0]) if items else None

    return valued(test, boolean=True)


@special("as", "6.3.4", "type: Type", gives="type")
def as_(source: Code, match: TypeMatch) -> Code:
    """as(type) : collection. The one item if it is of the type, else nothing."""
    run = source.run

    def cast(frame: Frame) -> list[Any]:
        items = run(frame)
        if len(items) > 1:
            raise EvaluationError(f"as takes one item, found {len(items)}; ofType() takes many")
        return items if items and match.selects(items[0]) else []

    return Code(cast)


@special("ofType", "5.2.4", "type: Type", gives="type")
def of_type(source: Code, match: TypeMatch) -> Code:
    """ofType(type) : collection. The items of the type."""
    run, selects = source.run, match.selects
    return Code(lambda frame: [item for item in run(frame) if selects(item)])


@collection("type", "10.2", gives="any")
def type_(items: list[Any]) -> list[Any]:
    """type() : collection. For each item the namespace and name of its type."""
    return [_reflected(item) for item in items]


def _reflected(item: Any) -> TypeReflection:
    name = system_name(item)
    if name is not None:
        return TypeReflection("System", name)
    if item.__class__ is Node and item.shape.info is not None:
        info = item.shape.info
        # A backbone element's own type has no name outside its resource.
        return TypeReflection("FHIR", info.base or "Element" if info.kind == "backbone" else info.name)
    return TypeReflection("System", "Any")


@special("not", "6.5.3", gives="Boolean")
def not_(source: Code) -> Code:
    """not() : Boolean. The opposite of the one item's truth."""
    test = truth(source, "not()")

    def opposite(frame: Frame) -> bool | None:
        found = test(frame)
        return None if found is None else not found

    return valued(opposite, boolean=True)
