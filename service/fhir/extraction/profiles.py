"""A profile's snapshot as a tree, and what it settles by itself: fixed values, patterns, required slices.

SDC 4.0, Definition-based extraction, "Handling sliced properties": values that a slice or a required element
fixes go into the extracted resource.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from service.fhir.forms.elements import objects
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
_DEPTH = 12


class Element:
    """One element definition of a snapshot, with the elements and slices below it."""

    __slots__ = ("children", "definition", "id", "slices")

    def __init__(self, id_: str, definition: Json) -> None:
        """Takes the definition; the tree is built around it."""
        self.id = id_
        self.definition = definition
        self.children: dict[str, Element] = {}
        self.slices: dict[str, Element] = {}

    @property
    def required(self) -> bool:
        """Whether it must be there."""
        minimum = self.definition.get("min")
        return isinstance(minimum, int) and minimum > 0

    @property
    def types(self) -> tuple[str, ...]:
        """The types it allows; empty where the snapshot does not say."""
        found = (entry.get("code") for _, entry in objects(self.definition, "type"))
        return tuple(code for code in found if isinstance(code, str) and R4.type(code) is not None)

    def settled(self) -> tuple[str, Any] | None:
        """The type and value of its fixed[x] or pattern[x]."""
        for name, value in self.definition.items():
            for prefix in ("fixed", "pattern"):
                if name.startswith(prefix) and name[len(prefix) :][:1].isupper():
                    kind = name[len(prefix) :]
                    plain = kind[0].lower() + kind[1:]
                    return (kind if R4.type(kind) is not None else plain), value
        return None

    def field(self, name: str) -> str:
        """The JSON property of the element of that name: a choice by the one type it is left with."""
        if not name.endswith("[x]"):
            return name
        settled = self.settled()
        kind = settled[0] if settled else (self.types[0] if len(self.types) == 1 else "")
        return name[:-3] + kind[:1].upper() + kind[1:] if kind else ""


def tree_of(definition: Json) -> Element | None:
    """The root of a StructureDefinition's snapshot; None where it has none."""
    snapshot = definition.get("snapshot")
    if not isinstance(snapshot, dict):
        return None
    known: dict[str, Element] = {}
    root: Element | None = None
    for _, entry in objects(snapshot, "element"):
        id_ = entry.get("id")
        if not isinstance(id_, str):
            continue
        made = known[id_] = Element(id_, entry)
        if root is None:
            root = made
            continue
        above, _, last = id_.rpartition(".")
        name, _, slice_ = last.partition(":")
        if not slice_:
            if above in known:
                known[above].children[name] = made
        elif f"{above}.{name}" in known:
            known[f"{above}.{name}"].slices[slice_] = made
    return root


def build(element: Element, depth: int = 0) -> Any:
    """What the element comes to by its fixed values and patterns alone; None where they say nothing."""
    settled = element.settled()
    value = deepcopy(settled[1]) if settled else None
    address = _extension(element)
    if address is not None:
        value = {"url": address, **(value or {})}
    if depth > _DEPTH or (value is not None and not isinstance(value, dict)):
        return value
    made: Json = value or {}
    for name, child in _required(element):
        field = child.field(name)
        if field and field not in made:
            found = build(child, depth + 1)
            if found is not None:
                made[field] = [found] if repeats(child) else found
    return made or None


def start_slice(sliced: Element, chosen: Element) -> Json:
    """What a new entry of a slice holds from the start: what is settled, and what tells the slice apart."""
    found = build(chosen)
    made: Json = found if isinstance(found, dict) else {}
    slicing = sliced.definition.get("slicing")
    for _, entry in objects(slicing if isinstance(slicing, dict) else {}, "discriminator"):
        path = str(entry.get("path", ""))
        child = chosen.children.get(path)
        if entry.get("type") in ("value", "pattern") and child is not None and path not in made:
            value = build(child)
            if value is not None:
                made[path] = [value] if repeats(child) else value
    return made


def complete(element: Element, value: Json, depth: int = 0) -> None:
    """Adds to a resource under construction what the profile settles and requires, where it is missing."""
    if depth > _DEPTH:
        return
    for name, child in element.children.items():
        field = child.field(name)
        if not field:
            continue
        present = value.get(field)
        if present is None and (child.required or any(one.required for one in child.slices.values())):
            found = build(child) if child.required else None
            if found is not None:
                present = value[field] = [found] if repeats(child) else found
        if isinstance(present, dict):
            _settle(child, field, present, depth)
        elif isinstance(present, list):
            for entry in present:
                if isinstance(entry, dict):
                    _settle(child, field, entry, depth)
        _complete_slices(child, field, value)


def _settle(element: Element, field: str, value: Json, depth: int) -> None:
    """Completes one entry of an element: by its own definition and that of the slice that it is of."""
    settled = element.settled()
    if settled and isinstance(settled[1], dict):
        merge(value, settled[1])
    complete(element, value, depth + 1)
    for name, chosen in element.slices.items():
        wanted = build(chosen)
        # A choice is sliced by its type: the slice has the name of the property.
        if name == field or (isinstance(wanted, dict) and covers(value, wanted)):
            complete(chosen, value, depth + 1)


def _complete_slices(element: Element, field: str, value: Json) -> None:
    for chosen in element.slices.values():
        if not chosen.required or chosen.id.partition(":")[0].endswith("[x]"):
            continue
        made = build(chosen)
        present = value.get(field)
        entries = present if isinstance(present, list) else []
        if made is None or any(covers(entry, made) for entry in entries):
            continue
        value[field] = [*entries, made]


def _required(element: Element) -> Iterator[tuple[str, Element]]:
    for name, child in element.children.items():
        if child.required:
            yield name, child


def _extension(element: Element) -> str | None:
    """The url of the extension that a slice is for."""
    if ":" not in element.id.rpartition(".")[2]:
        return None
    for _, entry in objects(element.definition, "type"):
        profiles = entry.get("profile")
        if entry.get("code") == "Extension" and isinstance(profiles, list) and profiles:
            return str(profiles[0])
    return None


def repeats(element: Element) -> bool:
    """Whether JSON carries the element as an array: by its base definition."""
    base = element.definition.get("base")
    maximum = base.get("max") if isinstance(base, dict) else element.definition.get("max")
    return maximum not in ("0", "1")


def merge(value: Json, pattern: Json) -> None:
    """Adds to a value what a pattern asks for and the value does not say yet."""
    for name, wanted in pattern.items():
        present = value.get(name)
        if present is None:
            value[name] = deepcopy(wanted)
        elif isinstance(wanted, dict) and isinstance(present, dict):
            merge(present, wanted)
        elif isinstance(wanted, list) and isinstance(present, list):
            missing = [one for one in wanted if not any(covers(entry, one) for entry in present)]
            value[name] = [*present, *deepcopy(missing)]


def covers(value: Any, pattern: Any) -> bool:
    """Whether a value has all that a pattern asks for (R4, ElementDefinition.pattern[x])."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and covers(value[name], wanted) for name, wanted in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(covers(one, want) for one in value) for want in pattern)
    return bool(value == pattern)
