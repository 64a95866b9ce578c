"""Fixed and pattern values: whether a value is the same as, or holds all of, what a profile states.

Source: FHIR R4 ElementDefinition, ``fixed[x]`` (exactly the same) and ``pattern[x]`` (at least this).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def is_same(value: Any, wanted: Any) -> bool:
    """Whether a value is exactly the wanted one. Decimals are the same with the same digits' worth."""
    if isinstance(wanted, dict):
        return (
            isinstance(value, dict)
            and value.keys() == wanted.keys()
            and all(is_same(value[name], inner) for name, inner in wanted.items())
        )
    if isinstance(wanted, list):
        return (
            isinstance(value, list)
            and len(value) == len(wanted)
            and all(is_same(one, other) for one, other in zip(value, wanted, strict=True))
        )
    return _same_scalar(value, wanted)


def holds(value: Any, wanted: Any) -> bool:
    """Whether a value has at least what the pattern states; array entries may stand in any order."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            name in value and holds(value[name], inner) for name, inner in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(holds(one, inner) for one in value) for inner in wanted)
    return _same_scalar(value, wanted)


def fits(kind: str, value: Any, wanted: Any) -> bool:
    """Whether a value satisfies a ``fixed`` or a ``pattern``."""
    return is_same(value, wanted) if kind == "fixed" else holds(value, wanted)


def _same_scalar(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, (int, float, Decimal)) and isinstance(wanted, (int, float, Decimal)):
        return Decimal(str(value)) == Decimal(str(wanted))
    return type(value) is type(wanted) and bool(value == wanted)
