"""Writes the tables of ``service/fhir/validation/r4/``: what HL7's R4 4.0.1 definitions ask beyond types.

A table is a text file of one line a thing: its key, a tab, its facts as JSON. A reader can find one line
without parsing the others, and a change can be read in a diff.

- ``elements.tsv``: for each type the bindings, reference targets, invariants and modifiers of its elements
- ``invariants.tsv``: for each key the severity, the FHIRPath expression and HL7's sentence
- ``codesystems.tsv`` and ``valuesets.tsv``: HL7's own terminology, as far as it can be enumerated
- ``extensions.tsv``: the extensions that HL7 defines with R4
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.definitions import FHIR, children, resources, text
from tools.generate_tables import type_code
from tools.rule_extensions import read_extension
from tools.rule_terminology import add_later_codes, code_systems, value_sets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

TARGET = Path(__file__).parent.parent / "service/fhir/validation/r4"
NATIVE = frozenset({"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6"})
_TYPES = ("profile/profiles-types.xml", "profile/profiles-resources.xml")
_MAX_VALUE_SET = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"
_BASE = "http://hl7.org/fhir/StructureDefinition/"


def structures() -> Iterator[Element]:
    """HL7's definitions of the types and resources themselves, without logical models and profiles."""
    for member in _TYPES:
        for structure in resources(member, "StructureDefinition"):
            if text(structure, "kind") != "logical" and text(structure, "derivation") != "constraint":
                yield structure


def binding(definition: Element) -> list[str] | None:
    """The binding as ``[strength, value set]``; a preferred one with a maximum gives its maximum."""
    found = definition.find(f"{FHIR}binding")
    if found is None:
        return None
    for extension in children(found, "extension"):
        if extension.get("url") == _MAX_VALUE_SET and text(found, "strength") != "required":
            canonical = text(extension, "valueCanonical") or text(extension, "valueUri") or ""
            if text(found, "strength") == "preferred":
                return ["required", canonical.split("|")[0]]
    strength, value_set = text(found, "strength"), text(found, "valueSet")
    if strength not in ("required", "extensible") or not value_set:
        return None
    return [strength, value_set.split("|")[0]]


def targets(definition: Element) -> list[str]:
    """The resource types that a Reference may lead to; empty where any may."""
    found = [
        (profile.get("value") or "").removeprefix(_BASE)
        for entry in children(definition, "type")
        if type_code(entry) == "Reference"
        for profile in children(entry, "targetProfile")
    ]
    return [] if "Resource" in found else found


def _constraints(definition: Element, path: str) -> Iterator[tuple[str, list[Any]]]:
    for constraint in children(definition, "constraint"):
        key, expression = text(constraint, "key") or "", text(constraint, "expression")
        if key in NATIVE or expression is None:
            continue
        if key == "inv-1":  # HL7 uses this key for three different rules
            key = f"inv-1@{path}"
        yield key, [text(constraint, "severity"), expression, text(constraint, "human")]


def read_structure(
    structure: Element, elements: dict[str, dict[str, Any]], invariants: dict[str, list[Any]]
) -> None:
    """Adds one type's rules to the tables."""
    name = text(structure, "type") or ""
    snapshot = structure.find(f"{FHIR}snapshot")
    if snapshot is None or text(structure, "kind") == "primitive-type":
        return
    inherited = set(
        elements.get((text(structure, "baseDefinition") or "").removeprefix(_BASE), {}).get("", ())
    )
    for definition in children(snapshot, "element"):
        path = text(definition, "path") or ""
        owner, _, element = path.rpartition(".")
        found: dict[str, Any] = {}
        keys = []
        for key, rule in _constraints(definition, path):
            invariants[key] = rule
            keys.append(key)
        if not owner:
            if own := [key for key in keys if key not in inherited]:
                elements[name]["invariants"] = own
            continue
        if (text(definition, "base/path") or path).rpartition(".")[0] not in (name, owner):
            continue
        types = [type_code(entry) for entry in children(definition, "type")]
        if keys and types in (["BackboneElement"], ["Element"]):
            elements[path]["invariants"] = keys
        elif keys:
            found["invariants"] = keys
        if bound := binding(definition):
            found["binding"] = bound
        if target := targets(definition):
            found["targets"] = target
        if text(definition, "isModifier") == "true":
            found["modifier"] = True
        profiles = [text(entry, "profile") for entry in children(definition, "type")]
        if f"{_BASE}SimpleQuantity" in profiles:
            found["simple"] = True
        if found:
            elements[owner].setdefault("elements", {})[element] = found


def write_table(table: dict[str, Any]) -> str:
    """A table file's text."""
    lines = (
        f"{key}\t{json.dumps(facts, separators=(',', ':'), ensure_ascii=False)}\n"
        for key, facts in sorted(table.items())
    )
    return "".join(lines)


def build() -> dict[str, str]:
    """Each table file's name with its text."""
    elements: dict[str, dict[str, Any]] = defaultdict(dict)
    invariants: dict[str, list[Any]] = {}
    for structure in structures():
        read_structure(structure, elements, invariants)
    extensions = {
        text(structure, "url") or "": read_extension(structure, binding, targets)
        for structure in resources("extension/extension-definitions.xml", "StructureDefinition")
        if text(structure, "type") == "Extension"
    }
    systems = code_systems()
    bound = value_sets(systems)
    add_later_codes(systems)
    return {
        "elements.tsv": write_table(elements),
        "invariants.tsv": write_table(invariants),
        "extensions.tsv": write_table(extensions),
        "codesystems.tsv": write_table(systems),
        "valuesets.tsv": write_table(bound),
    }


def main() -> None:
    """Writes the files."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in build().items():
        (TARGET / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
