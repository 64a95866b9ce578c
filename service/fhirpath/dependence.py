"""What a part of an expression rests on: which variables, and whether on anything beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import syntax
from .functions import FUNCTIONS
from .functions.conversion import CONVERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .functions.registry import Parameter
    from .syntax import Expression

THIS: Final = "$this"
"""Stands among the names for the focus of what lies around a part."""
AROUND: Final = "$"
"""Stands among the names for `$index` and `$total`, which may be those of what lies around a part."""
OUTSIDE: Final = "()"
"""Stands among the names for the clock, the caller's services and sink, and variables that are defined."""
_FOCUS: Final = syntax.Special("this")


def rests_on(node: Expression) -> frozenset[str]:
    """The names of the variables that a part rests on, and of the marks above for what else it rests on."""
    return resting(node, rests_on)


def resting(node: Expression, below: Callable[[Expression], frozenset[str]]) -> frozenset[str]:
    """The same, where it is known what the parts right below a part rest on."""
    match node:
        case syntax.Special():
            return frozenset({THIS if node.name == "this" else AROUND})
        case syntax.Variable():
            return frozenset({node.name})
        case syntax.Member():
            return below(node.source) if node.source is not None else frozenset({THIS})
        case syntax.Call():
            return _of_call(node, below)
    return frozenset[str]().union(*map(below, parts_of(node)))


def _of_call(node: syntax.Call, names_of: Callable[[Expression], frozenset[str]]) -> frozenset[str]:
    function = FUNCTIONS[node.name]
    found = names_of(node.source) if node.source is not None else frozenset({THIS})
    if function.outward:
        found |= {OUTSIDE}
    for argument, parameter in zip(node.arguments, parameters_of(node), strict=True):
        below = names_of(argument)
        # What is evaluated for each item has that item as its focus; a value has the focus of the call.
        found |= below - {THIS} if parameter.kind == "Expression" else below
    return found


def parameters_of(node: syntax.Call) -> list[Parameter]:
    """The parameters that a call's arguments are for: the last one for all that come after."""
    known = FUNCTIONS[node.name].parameters
    return [known[min(place, len(known) - 1)] for place in range(len(node.arguments))]


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


def reads_values(node: Expression) -> bool:
    """Whether a part asks nothing of its focus but its value: it gives the same for a primitive element or a
    Quantity as for the System value that either is read as."""
    match node:
        case syntax.Special():
            return node.name != "this"
        case syntax.Member():
            return node.source is not None and reads_values(node.source)
        case syntax.Unary():
            return _is_read(node.operand)
        case syntax.Binary() if node.operator != "|":
            return _is_read(node.left) and _is_read(node.right)
        case syntax.Indexer():
            return reads_values(node.source) and _is_read(node.index)
        case syntax.Call():
            return _call_reads_values(node)
    return all(map(reads_values, parts_of(node)))


def _is_read(operand: Expression) -> bool:
    return operand == _FOCUS or reads_values(operand)


def _call_reads_values(node: syntax.Call) -> bool:
    source = node.source or _FOCUS
    if node.name == "iif" and source == _FOCUS:
        criterion, *results = node.arguments
        return _is_read(criterion) and all(map(reads_values, results))
    function = FUNCTIONS[node.name]
    reading = function.takes != "Any" or node.name in CONVERSIONS
    if not (reads_values(source) or (reading and source == _FOCUS)):
        return False
    for argument, parameter in zip(node.arguments, parameters_of(node), strict=True):
        # What is evaluated for each item has that for its focus.
        if parameter.kind != "Expression" and not (
            reads_values(argument) or (parameter.kind != "Collection" and argument == _FOCUS)
        ):
            return False
    return True
