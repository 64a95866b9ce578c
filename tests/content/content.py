"""The published content as the tests of this folder read it: from disk, the way the service does."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
BASE = "https://htg117.example/fhir"
FOLDERS = ("profiles/shared", "profiles/htg117", "mappings/shared", "mappings/htg117")

Resource = dict[str, Any]


@cache
def files() -> dict[Path, Resource]:
    """Every published FHIR resource by its file."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("*.json")):
            content = json.loads(path.read_bytes(), parse_float=Decimal)
            if isinstance(content, dict) and "resourceType" in content:
                found[path] = content
    return found


def resources(resource_type: str | None = None) -> list[Resource]:
    """The published resources, of one type if it is named."""
    return [each for each in files().values() if resource_type in (None, each["resourceType"])]


def resource(resource_type: str, resource_id: str) -> Resource:
    """One published resource; a test that asks for one that is not there fails."""
    return next(each for each in resources(resource_type) if each["id"] == resource_id)


def nodes(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside a resource with its path, parents first."""
    yield place, value
    if isinstance(value, dict):
        for name, child in value.items():
            yield from nodes(child, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from nodes(child, f"{place}[{index}]")


def actions(plan: Resource) -> Iterator[Resource]:
    """Every action of a plan, parents first."""
    waiting = list(plan.get("action", ()))
    while waiting:
        action = waiting.pop(0)
        yield action
        waiting[:0] = action.get("action", ())


def expressions(found: Resource) -> Iterator[tuple[str, str]]:
    """Every FHIRPath of a resource that is an Expression, with its path."""
    for place, value in nodes(found):
        if isinstance(value, dict) and value.get("language") == "text/fhirpath":
            yield place, value["expression"]


def link_ids(questionnaire: Resource) -> set[str]:
    """Every linkId of a form."""
    return {
        value["linkId"]
        for place, value in nodes(questionnaire)
        if isinstance(value, dict) and "linkId" in value and ".item[" in f".{place}"
    }
