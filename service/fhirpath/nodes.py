"""A node: one element of a resource as an expression walks over it.

A collection is a list whose items are nodes, or System values: bool, int, Decimal, str, Date, DateTime, Time,
Quantity. A node keeps the JSON it stands for untouched beside its type and where it was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from .shapes import Shape


class Node(NamedTuple):
    """One element: its JSON value, its type, a primitive's `_name` sibling, its parent, name and place there.

    `value` is a dict for a complex element, a JSON scalar for a primitive one (None where it has only the
    sibling). `place` is None where JSON carries the element without an array. Two nodes are never compared as
    tuples: `equality` says when elements are equal.
    """

    value: Any
    shape: Shape
    sibling: dict[str, Any] | None
    parent: Node | None
    name: str
    place: int | None

    @property
    def location(self) -> str:
        """The FHIRPath of the node from its root: `QuestionnaireResponse.item[2].answer[0]`."""
        parts: list[str] = []
        node: Node | None = self
        while node is not None:
            parts.append(node.name if node.place is None else f"{node.name}[{node.place}]")
            node = node.parent
        return ".".join(reversed(parts))

    def __repr__(self) -> str:
        return f"Node({self.location}: {self.shape.name})"


make: Final = tuple.__new__
"""`make(Node, (value, shape, sibling, parent, name, place))` makes a node in half the time of `Node(...)`,
and most of the time of a long path goes into making nodes."""


class TypeReflection(NamedTuple):
    """What `type()` returns: the namespace and name of an item's type (Types and Reflection)."""

    namespace: str
    name: str
