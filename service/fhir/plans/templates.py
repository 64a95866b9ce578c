"""Copies of published JSON. Whoever gets one may change it; what is published stays as it is.

A plan's actions carry the same documentation, codes and conditions at every call: how to copy them is found
out once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    _Part = tuple[int, Any, Callable[[], Any]]


class Copies:
    """What gives a copy of a JSON object or array each time it is called, with every part of it new.

    The first is made by hand: what is copied once is not worth being taken apart.
    """

    __slots__ = ("_asked", "_parts", "_value")

    def __init__(self, value: Any) -> None:
        """Takes what is to be copied, which may not change from then on."""
        self._value = value
        self._asked = False
        self._parts: tuple[list[_Part], list[_Part]] | None = None

    def __call__(self) -> Any:
        """Another copy."""
        if self._parts is None:
            if not self._asked:
                self._asked = True
                return fresh(self._value)
            self._parts = _take_apart(self._value)
        branches, leaves = self._parts
        whole = self._value.copy()
        made = [whole]
        for above, key, copy in branches:
            made[above][key] = branch = copy()
            made.append(branch)
        for above, key, copy in leaves:
            made[above][key] = copy()
        return whole


def fresh(value: Any) -> Any:
    """A copy of a JSON value, with every part of it new."""
    if isinstance(value, dict):
        return {name: fresh(entry) for name, entry in value.items()}
    return [fresh(entry) for entry in value] if isinstance(value, list) else value


def _take_apart(value: Any) -> tuple[list[_Part], list[_Part]]:
    """The objects and arrays within, those that hold others first and in the order in which they are found.

    Each is told by the number of the one that it is in (0 is the whole), its key there, and its ``copy``.
    """
    branches: list[_Part] = []
    leaves: list[_Part] = []
    waiting = [value]
    for number, part in enumerate(waiting):
        for key, entry in part.items() if isinstance(part, dict) else enumerate(part):
            if not isinstance(entry, dict | list):
                continue
            inner = entry.values() if isinstance(entry, dict) else entry
            if any(isinstance(one, dict | list) for one in inner):
                waiting.append(entry)
                branches.append((number, key, entry.copy))
            else:
                leaves.append((number, key, entry.copy))
    return branches, leaves
