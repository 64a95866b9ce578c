"""Writes ``service/fhirpath/r4/types.json``: the types of FHIR R4 4.0.1, from HL7's definitions.

One line a type, so that a change can be read in a diff. An element is ``[types, min, max]``; a choice
has ``[x]`` in its name; a content reference is given as the path that it refers to.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.definitions import ARTEFACT, FHIR, GROUP, VERSION, children, resources, text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TARGET = Path(__file__).parent.parent / "service/fhirpath/r4/types.json"
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
_SYSTEM = "http://hl7.org/fhirpath/System."


def type_code(entry: Element) -> str:
    """The FHIR type that a type entry means: HL7 writes ``id`` and ``url`` attributes as System types."""
    code = text(entry, "code") or ""
    if code.startswith(_SYSTEM):
        for extension in children(entry, "extension"):
            if extension.get("url") == _FHIR_TYPE:
                return text(extension, "valueUrl") or text(extension, "valueUri") or ""
    return code


def _element(definition: Element, path: str) -> list[Any]:
    reference = text(definition, "contentReference")
    if reference:
        types = [reference.removeprefix("#")]
    else:
        types = [type_code(entry) for entry in children(definition, "type")]
    if types in (["BackboneElement"], ["Element"]):
        types = [path]
    if path == "Resource.id":
        types = ["id"]  # the snapshot says string, the page and the regular expression say id
    maximum = text(definition, "max") or "1"
    return [types, int(text(definition, "min") or 0), maximum]


def read_types(structure: Element) -> dict[str, dict[str, Any]]:
    """The tables of one StructureDefinition: the type itself and each backbone element in it."""
    name = text(structure, "type") or ""
    base = (text(structure, "baseDefinition") or "").rsplit("/", 1)[-1]
    kind = {"primitive-type": "primitive", "complex-type": "complex", "resource": "resource"}[
        text(structure, "kind") or ""
    ]
    tables: dict[str, dict[str, Any]] = {name: {"base": base or None, "kind": kind, "elements": {}}}
    if text(structure, "abstract") == "true":
        tables[name]["abstract"] = True
    snapshot = structure.find(f"{FHIR}snapshot")
    if kind == "primitive" or snapshot is None:
        return tables
    for definition in children(snapshot, "element"):
        path = text(definition, "path") or ""
        parent, _, element = path.rpartition(".")
        if not parent:
            continue
        owner = (text(definition, "base/path") or path).rpartition(".")[0]
        if owner not in (name, parent):
            continue  # inherited: it stands in the base type's table
        entry = _element(definition, path)
        tables[parent]["elements"][element] = entry
        if entry[0] == [path]:
            backbone = children(definition, "type")[0]
            tables[path] = {"base": type_code(backbone), "kind": "backbone", "elements": {}}
    return tables


def build() -> str:
    """The table file's text."""
    tables: dict[str, dict[str, Any]] = {}
    for member in ("profile/profiles-types.xml", "profile/profiles-resources.xml"):
        for structure in resources(member, "StructureDefinition"):
            if text(structure, "kind") != "logical" and text(structure, "derivation") != "constraint":
                tables |= read_types(structure)
    head = json.dumps({"fhirVersion": "4.0.1", "source": f"{GROUP}:{ARTEFACT}:{VERSION}"})[:-1]
    lines = ",\n".join(
        f"{json.dumps(name)}:{json.dumps(table, separators=(',', ':'))}"
        for name, table in sorted(tables.items())
    )
    return f'{head}, "types": {{\n{lines}\n}}}}\n'


def main() -> None:
    """Writes the file."""
    TARGET.write_text(build(), encoding="utf-8")


if __name__ == "__main__":
    main()
