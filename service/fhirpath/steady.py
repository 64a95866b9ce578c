"""Parts of an expression that no iteration changes: they rest on variables alone, or on the day.

Where a criterion mentions such a part (`%names.count() = 1`), it is evaluated once for an evaluation, when
it is first asked for, and not once for each item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import syntax
from .dependence import AROUND, OUTSIDE, THIS, rests_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frame import Frame
    from .syntax import Expression

_ELSE = frozenset({THIS, AROUND, OUTSIDE})
_CLOCK = frozenset({"today", "now", "timeOfDay"})


def is_steady(node: Expression) -> bool:
    """Whether a part gives the same for each item of the iteration around it, and is no mere literal."""
    if isinstance(node, syntax.Call) and node.source is None and node.name in _CLOCK:
        return True
    names = rests_on(node)
    return bool(names) and names.isdisjoint(_ELSE)


def once(part: Callable[[Frame], Any]) -> Callable[[Any, Frame], Any]:
    """The code of a steady part, whatever value is judged: evaluated when it is first asked for, and as often
    as it is if it fails."""

    def told(_value: Any, frame: Frame) -> Any:
        known = frame.told
        if told in known:
            return known[told]
        this, index, total = frame.this, frame.index, frame.total
        try:
            found = known[told] = part(frame)
        finally:
            frame.this, frame.index, frame.total = this, index, total
        return found

    return told
