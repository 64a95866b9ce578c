"""A StructureDefinition as a tree of constraints: elements by name, slices under the element they slice.

Source: FHIR R4 profiling page §5.1 (differential, slicing) and ElementDefinition (ids, paths, choice types).
The differential is laid over the tree of the profile it builds on, as far as that is held; else the snapshot
is read. Either way the base type itself is checked elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIXED = re.compile(r"(fixed|pattern)([A-Z][A-Za-z0-9]*)").fullmatch
_DEPTH = 40


@dataclass(slots=True, eq=False)
class Node:
    """One element (or slice of it) and what the profile asks of it. ``name`` has ``[x]`` for a choice."""

    name: str
    slice_name: str = ""
    definition: dict[str, Any] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)

    @property
    def minimum(self) -> int:
        """How often it must stand; 0 where the profile does not say."""
        found = self.definition.get("min", 0)
        return found if isinstance(found, int) else 0

    @property
    def maximum(self) -> int | None:
        """How often it may stand; None where the profile does not bound it."""
        found = self.definition.get("max")
        return int(found) if isinstance(found, str) and found.isdigit() else None

    @property
    def slicing(self) -> dict[str, Any]:
        """The slicing, as far as this profile says it."""
        found = self.definition.get("slicing")
        return found if isinstance(found, dict) else {}

    @property
    def types(self) -> list[dict[str, Any]]:
        """The types that the profile lets stand; empty where it does not say."""
        found = self.definition.get("type")
        return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []

    @property
    def value(self) -> tuple[str, Any] | None:
        """``fixed`` or ``pattern`` with the value, or None."""
        for key, found in self.definition.items():
            if (match := _FIXED(key)) is not None:
                return match.group(1), found
        return None

    def all_slices(self) -> Iterator[Node]:
        """The slices, and the slices of slices."""
        for inner in self.slices.values():
            yield inner
            yield from inner.all_slices()

    def copy(self) -> Node:
        """The same tree, free to be changed."""
        return Node(
            self.name,
            self.slice_name,
            dict(self.definition),
            {name: child.copy() for name, child in self.children.items()},
            {name: inner.copy() for name, inner in self.slices.items()},
        )


def build(structure: dict[str, Any], base: Node | None, *, whole: bool) -> Node:
    """The tree of a definition: of its snapshot where ``whole``, else its differential laid over ``base``."""
    name = structure.get("type")
    root = base.copy() if base is not None else Node(name if isinstance(name, str) else "")
    view = structure.get("snapshot" if whole else "differential")
    listed = view.get("element") if isinstance(view, dict) else None
    path_slices: dict[str, str] = {}
    for definition in listed if isinstance(listed, list) else ():
        if isinstance(definition, dict):
            node = _find(root, _identifier(definition, path_slices))
            if node is not None:
                node.definition = _laid_over(node.definition, definition)
    return root


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """The upper definition over the lower one; constraints add up, and a new value replaces the old one."""
    merged = {**below, **above}
    if any(map(_FIXED, above)):
        merged = {key: found for key, found in merged.items() if key in above or not _FIXED(key)}
    rules = [
        rule for side in (below, above) for rule in side.get("constraint") or () if isinstance(rule, dict)
    ]
    if rules:
        merged["constraint"] = list({str(rule.get("key")): rule for rule in rules}.values())
    return merged


def _identifier(definition: dict[str, Any], path_slices: dict[str, str]) -> str:
    """The element's id, or one made from path and sliceName where the author gave none."""
    path, name = definition.get("path"), definition.get("sliceName")
    given = definition.get("id")
    if isinstance(given, str) and "." in given:
        return given
    if not isinstance(path, str):
        return given if isinstance(given, str) else ""
    found = path
    parent = path.rpartition(".")[0]
    while parent:
        if parent in path_slices:
            found = path_slices[parent] + path[len(parent) :]
            break
        parent = parent.rpartition(".")[0]
    if isinstance(name, str):
        found = f"{found}:{name}"
        path_slices[path] = found
    else:
        path_slices.pop(path, None)
    return found


def _find(root: Node, identifier: str) -> Node | None:
    node = root
    for step in identifier.split(".")[1:_DEPTH]:
        name, _, slices = step.partition(":")
        node = node.children.setdefault(name, Node(name))
        for slice_name in filter(None, slices.split("/")):
            node = node.slices.setdefault(slice_name, Node(name, slice_name))
    return node


def children_of(value: Any, type_info: Any, name: str) -> list[tuple[Any, Any, str, str, int]]:
    """The values of one element of an object: value, its ``_`` sibling, type, JSON property, index.

    ``name`` may be a choice (``value[x]``), one form of it (``valueQuantity``), or a plain element.
    """
    if type(value) is not dict or type_info is None:
        return []
    plain = name.removesuffix("[x]")
    element = type_info.elements.get(plain)
    if element is None:
        found = type_info.fields.get(plain)
        variants = {found[1]: plain} if found else {}
    else:
        variants = element.variants
    values: list[tuple[Any, Any, str, str, int]] = []
    for type_name, property_ in variants.items():
        given, sibling = value.get(property_), value.get("_" + property_)
        if type(given) is list or type(sibling) is list:
            first = given if type(given) is list else []
            second = sibling if type(sibling) is list else []
            values += (
                (one, other, type_name, property_, index)
                for index, (one, other) in enumerate(zip_longest(first, second))
            )
        elif given is not None or sibling is not None:
            values.append((given, sibling, type_name, property_, -1))
    return values
