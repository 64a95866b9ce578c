"""The facts of one extension definition (a StructureDefinition as JSON) that checking an extension needs.

The same shape stands in ``r4/extensions.tsv``, ``r4/sdc.tsv`` and ``r4/pack.tsv``:

- ``context``: ``[type, expression]`` pairs, and ``contextInvariant`` expressions
- ``max``: how often it may stand on one element, absent for any number; ``modifier``
- ``value``: ``types``, ``min``, ``binding`` ``[strength, value set]``, ``targets``; absent where none may be
- ``parts``: nested extensions by url, each with ``min``, ``max``, ``value``, ``parts``
- ``invariants``: ``[key, severity, expression, sentence]``
"""

from __future__ import annotations

from typing import Any

_UNIVERSAL = frozenset({"ele-1", "ext-1"})
_BASE = "http://hl7.org/fhir/StructureDefinition/"


def read(structure: dict[str, Any]) -> dict[str, Any]:
    """The facts of a definition, from its snapshot or else its differential."""
    view = structure.get("snapshot") or structure.get("differential") or {}
    facts: dict[str, Any] = {
        "context": [
            [context.get("type", "element"), context.get("expression", "")]
            for context in structure.get("context", ())
        ]
    }
    if structure.get("contextInvariant"):
        facts["contextInvariant"] = list(structure["contextInvariant"])
    by_id: dict[str, dict[str, Any]] = {"Extension": facts}
    closed: set[str] = set()
    for definition in view.get("element", ()):
        identifier = definition.get("id") or definition.get("path") or ""
        if identifier == "Extension":
            _root(facts, definition)
        else:
            _place(identifier, definition, by_id, closed)
    for identifier, part in by_id.items():
        if "value" not in part and "parts" not in part and identifier not in closed:
            part["value"] = {"types": []}
    return facts


def _root(facts: dict[str, Any], definition: dict[str, Any]) -> None:
    if definition.get("max", "*") != "*":
        facts["max"] = int(definition["max"])
    if definition.get("isModifier"):
        facts["modifier"] = True
    rules = [
        [rule.get("key", ""), rule.get("severity", "error"), rule["expression"], rule.get("human", "")]
        for rule in definition.get("constraint", ())
        if rule.get("expression") and rule.get("key") not in _UNIVERSAL
    ]
    if rules:
        facts["invariants"] = rules


def _place(
    identifier: str, definition: dict[str, Any], by_id: dict[str, dict[str, Any]], closed: set[str]
) -> None:
    owner, _, element = identifier.rpartition(".")
    if owner not in by_id:
        return
    maximum = definition.get("max")
    if element.startswith("extension:"):
        part: dict[str, Any] = {"min": definition.get("min", 0)}
        if maximum not in (None, "*"):
            part["max"] = int(maximum)
        by_id[identifier] = part
        by_id[owner].setdefault("parts", {})[element.removeprefix("extension:")] = part
    elif element == "url" and owner != "Extension" and definition.get("fixedUri"):
        parent, _, name = owner.rpartition(".")
        parts, slice_name = by_id[parent]["parts"], name.removeprefix("extension:")
        if slice_name != definition["fixedUri"]:
            parts[definition["fixedUri"]] = parts.pop(slice_name)
    elif element.startswith("value") and ":" not in element:
        if maximum == "0":
            closed.add(owner)
            by_id[owner].pop("value", None)
        else:
            by_id[owner]["value"] = _value(definition)


def _value(definition: dict[str, Any]) -> dict[str, Any]:
    types = definition.get("type", ())
    value: dict[str, Any] = {"types": [entry.get("code", "") for entry in types]}
    if definition.get("min"):
        value["min"] = definition["min"]
    binding = definition.get("binding") or {}
    if binding.get("strength") in ("required", "extensible") and binding.get("valueSet"):
        value["binding"] = [binding["strength"], binding["valueSet"].partition("|")[0]]
    targets = [
        profile.removeprefix(_BASE)
        for entry in types
        if entry.get("code") == "Reference"
        for profile in entry.get("targetProfile", ())
    ]
    if targets and "Resource" not in targets:
        value["targets"] = targets
    return value
