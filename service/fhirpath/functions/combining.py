"""Combining (§5.4): two collections made one."""

from __future__ import annotations

from typing import Any

from service.fhirpath.equality import ItemSet

from .registry import collection


@collection("union", "5.4.1", "other: Collection", gives="any")
def union(items: list[Any], other: list[Any]) -> list[Any]:
    """union(other) : collection. The items of both, without duplicates. Also written `|`."""
    seen = ItemSet()
    return [item for item in (*items, *other) if seen.add(item)]


@collection("combine", "5.4.2", "other: Collection", gives="any")
def combine(items: list[Any], other: list[Any]) -> list[Any]:
    """combine(other) : collection. The items of both, duplicates kept."""
    return items + other
