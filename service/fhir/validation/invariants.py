"""HL7's invariants."""

from __future__ import annotations
from typing import Any


class Invariant:
    def check(self, value: Any, place: Any, run: Any) -> None: ...


def that_may_fail(type_name: str, present: frozenset[str]) -> tuple[Invariant, ...]:
    return ()


def of_element(type_name: str, keys: tuple[str, ...]) -> tuple[Invariant, ...]:
    return ()
