"""What long texts cost: one takes the time and room of many items, and is counted as many steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .code import One
    from .frame import Frame

_CHARACTERS = 128
"""Characters to a step: a million steps make 128 million characters and no more."""


def pay(text: str, frame: Frame) -> None:
    """Spends the steps of a text; LimitError where there are none left."""
    if len(text) > _CHARACTERS:
        frame.spend(len(text) // _CHARACTERS)


def paid(one: One) -> One:
    """The same value; where it is a long text, its steps are spent (LimitError where there are none left)."""

    def value(frame: Frame) -> Any:
        found = one(frame)
        if found.__class__ is str and len(found) > _CHARACTERS:
            frame.spend(len(found) // _CHARACTERS)
        return found

    return value
