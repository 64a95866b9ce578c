"""What a part of an expression rests on: which variables, and whether on anything beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import syntax
from .functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .syntax import Expression

THIS: Final = "$this"
"""Stands among the names for the focus of what lies around a part."""
AROUND: Final = "$"
"""Stands among the names for `$index` and `$total`, which may be those of what lies around a part."""
OUTSIDE: Final = "()"
"""Stands among the names for the clock, the caller's services and sink, and variables that are defined."""


def rests_on(node: Expression) -> frozenset[str]:
    """The names of the variables that a part rests on, and of the marks above for what else it rests on."""
    match node:
        case syntax.Special():
            return frozenset({THIS if node.name == "this" else AROUND})
        case syntax.Variable():
            return frozenset({node.name})
        case syntax.Member():
            return rests_on(node.source) if node.source is not None else frozenset({THIS})
        case syntax.Call():
            return _of_call(node)
    return frozenset[str]().union(*map(rests_on, parts_of(node)))


def _of_call(node: syntax.Call) -> frozenset[str]:
    function = FUNCTIONS[node.name]
    found = rests_on(node.source) if node.source is not None else frozenset({THIS})
    if function.outward:
        found |= {OUTSIDE}
    for place, argument in enumerate(node.arguments):
        below = rests_on(argument)
        # What is evaluated for each item has that item as its focus; a value has the focus of the call.
        each = function.parameters[min(place, len(function.parameters) - 1)].kind == "Expression"
        found |= below - {THIS} if each else below
    return found


def parts_of(node: Expression) -> Iterator[Expression]:
    """The parts right below a part."""
    for name in node.__slots__:
        below = getattr(node, name)
        if isinstance(below, syntax.Part):
            yield below  # type: ignore[misc]  # the fields that are parts are expressions
        elif isinstance(below, tuple):
            yield from below


def resting_on(node: Expression, names: frozenset[str]) -> Iterator[Expression]:
    """The widest parts that rest on some of these variables and nothing else, and are more than a name."""
    found = rests_on(node)
    if found and found <= names:
        if not isinstance(node, syntax.Variable):
            yield node
    elif not found.isdisjoint(names):
        for part in parts_of(node):
            yield from resting_on(part, names)


def called(node: Expression) -> frozenset[str]:
    """The names of the functions that are called in a part."""
    own = {node.name} if isinstance(node, syntax.Call) else set()
    return frozenset(own).union(*map(called, parts_of(node)))
