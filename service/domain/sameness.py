"""Whether parsed JSON was seen before: found by a hash, however much of it there is to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable


def frozen(value: Any) -> Hashable:
    """The value in a shape that can be hashed; two are equal where, and only where, their values are."""
    # loops and no comprehensions: JSON may be deep, and each of those takes a frame of the stack's
    if isinstance(value, dict):
        members = []
        for name, inner in value.items():
            members.append((name, frozen(inner)))
        return frozenset(members)
    if isinstance(value, list):
        parts = []
        for inner in value:
            parts.append(frozen(inner))  # noqa: PERF401
        return tuple(parts)
    found: Hashable = value
    return found
