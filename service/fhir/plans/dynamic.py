"""Sets what a ``dynamicValue`` computes on a request under construction (R4 PlanDefinition.action).

A path is dotted element names, each with at most one constant indexer (``restriction.period.start``,
``payload[0].content``). A choice takes the property of the value's own type.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from service.fhir.plans.templates import fresh
from service.fhirpath.model import R4, ElementInfo, TypeInfo

Resource = dict[str, Any]
_STEP = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:\[(\d{1,3})\])?")
_GUESSES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (bool, ("boolean",)),
    (int, ("integer", "decimal")),
    (Decimal, ("decimal",)),
    (str, ("dateTime", "date", "string", "code", "uri", "canonical", "markdown")),
)
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}(T.*)?)?)?")


class PathFault(ValueError):
    """A dynamicValue's path does not lead to an element of the resource that is built."""


def set_value(resource: Resource, path: str, values: list[Any]) -> None:
    """Sets the values at a path of a resource under construction; PathFault where no element is meant.

    No values set nothing. More values than the element takes are a fault, not a choice of the first. The
    resource is changed as it stands, so every part of it must be its own; what is set is a copy, for a value
    may be a part of the form.
    """
    if not values:
        return
    way, name, step, index = _way(str(resource["resourceType"]), path)
    element, field, _ = _resolve(name, step, path, values[0])
    if len(values) > 1 and not element.repeats:
        raise PathFault(f"'{path}' takes one value and the expression gives {len(values)}")
    target: Resource = resource
    for element_above, field_above, at in way:
        target = _descend(target, element_above, field_above, at)
    if not element.repeats:
        target[field] = fresh(values[0])
    elif index is None:
        target[field] = [*target.get(field, ()), *map(fresh, values)]
    else:
        entries = target.get(field, [])
        if index > len(entries) or len(values) > 1:
            raise PathFault(f"'{path}' does not name one entry that is there or comes next")
        target[field] = [*entries[:index], fresh(values[0]), *entries[index + 1 :]]


@lru_cache(maxsize=512)
def _way(
    name: str, path: str
) -> tuple[tuple[tuple[ElementInfo, str, int | None], ...], str, str, int | None]:
    """From a type of resource: the elements above the one that is set, the type that has it, and its step."""
    steps = _steps(path)
    way = []
    for step, index in steps[:-1]:
        element, field, name = _resolve(name, step, path, None)
        way.append((element, field, index))
    return tuple(way), name, *steps[-1]


def _steps(path: str) -> list[tuple[str, int | None]]:
    steps = []
    for part in path.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise PathFault(f"'{path}' is not a path of element names")
        steps.append((match[1], None if match[2] is None else int(match[2])))
    return steps


def _resolve(name: str, step: str, path: str, value: Any) -> tuple[ElementInfo, str, str]:
    """The element, its JSON property and its type for one step from a type."""
    known = R4.type(name)
    if known is None:
        raise PathFault(f"'{path}': {name} is not a type of R4")
    if step in known.fields:
        element, type_name = known.fields[step]
        return element, step, type_name
    element_or_none = known.elements.get(step)
    if element_or_none is None:
        raise PathFault(f"'{path}': {name} has no element '{step}'")
    type_name = _choose(element_or_none, value, path, known)
    return element_or_none, element_or_none.variants[type_name], type_name


def _choose(element: ElementInfo, value: Any, path: str, owner: TypeInfo) -> str:
    for kind, guesses in _GUESSES:
        if isinstance(value, kind):
            if isinstance(value, str) and not _DATE.fullmatch(value):
                guesses = guesses[2:]
            for guess in guesses:
                if guess in element.variants:
                    return guess
            break
    if isinstance(value, dict):
        fitting = [
            type_name
            for type_name in element.types
            if (known := R4.type(type_name)) is not None and value.keys() <= known.fields.keys()
        ]
        if len(fitting) == 1:
            return fitting[0]
    raise PathFault(f"'{path}': say which type of {owner.name}.{element.name}[x] is meant, as in valueString")


def _descend(target: Resource, element: ElementInfo, field: str, index: int | None) -> Resource:
    if not element.repeats:
        inner: Resource = target.setdefault(field, {})
        return inner
    at = index or 0
    entries: list[Resource] = target.get(field, [])
    if at > len(entries):
        raise PathFault(f"'{field}[{at}]' is neither there nor the next entry")
    if at == len(entries):
        entries.append({})
        target[field] = entries
    return entries[at]
