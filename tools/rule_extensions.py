"""One HL7 extension definition as the facts that validation needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.definitions import FHIR, children, text
from tools.generate_tables import type_code

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

_UNIVERSAL = frozenset({"ele-1", "ext-1"})


def read_extension(
    structure: Element,
    binding: Callable[[Element], list[str] | None],
    targets: Callable[[Element], list[str]],
) -> dict[str, Any]:
    """The extension's contexts, cardinality, value and parts.

    ``value`` is absent where none may stand, and ``parts`` where it has no nested extensions.
    """
    snapshot = structure.find(f"{FHIR}snapshot")
    definitions = children(snapshot, "element") if snapshot is not None else []
    facts: dict[str, Any] = {
        "context": [
            [text(context, "type"), text(context, "expression")] for context in children(structure, "context")
        ]
    }
    if conditions := [entry.get("value") for entry in children(structure, "contextInvariant")]:
        facts["contextInvariant"] = conditions
    by_id: dict[str, dict[str, Any]] = {"Extension": facts}
    for definition in definitions:
        identifier = definition.get("id") or ""
        _place(identifier, definition, by_id, binding, targets)
    return facts


def _place(
    identifier: str,
    definition: Element,
    by_id: dict[str, dict[str, Any]],
    binding: Callable[[Element], list[str] | None],
    targets: Callable[[Element], list[str]],
) -> None:
    minimum, maximum = int(text(definition, "min") or 0), text(definition, "max") or "*"
    if identifier == "Extension":
        if maximum != "*":
            by_id["Extension"]["max"] = int(maximum)
        if text(definition, "isModifier") == "true":
            by_id["Extension"]["modifier"] = True
        rules = [
            [text(entry, name) for name in ("key", "severity", "expression", "human")]
            for entry in children(definition, "constraint")
            if text(entry, "key") not in _UNIVERSAL and text(entry, "expression")
        ]
        if rules:
            by_id["Extension"]["invariants"] = rules
        return
    owner, _, element = identifier.rpartition(".")
    if owner not in by_id:
        return
    if element.startswith("extension:"):
        part: dict[str, Any] = {"min": minimum}
        if maximum != "*":
            part["max"] = int(maximum)
        by_id[identifier] = part
        by_id[owner].setdefault("parts", {})[element.removeprefix("extension:")] = part
    elif element == "url":
        name = text(definition, "fixedUri")
        if name and owner != "Extension":
            _rename(by_id, owner, name)
    elif element.startswith("value") and ":" not in element and maximum != "0":
        value: dict[str, Any] = {"types": [type_code(entry) for entry in children(definition, "type")]}
        if minimum:
            value["min"] = minimum
        if bound := binding(definition):
            value["binding"] = bound
        if target := targets(definition):
            value["targets"] = target
        by_id[owner]["value"] = value


def _rename(by_id: dict[str, dict[str, Any]], identifier: str, name: str) -> None:
    """Keys a part by its url, where the slice's name differs from it."""
    owner, _, element = identifier.rpartition(".")
    slice_name = element.removeprefix("extension:")
    parts = by_id[owner]["parts"]
    if slice_name != name:
        parts[name] = parts.pop(slice_name)
