"""Writes ``service/web/summary.json``: the summary elements of the types served, from HL7's definitions."""

from __future__ import annotations

import json
from pathlib import Path

from service.operations.searching.parameters import RECORD_TYPES
from tools.definitions import FHIR, children, resources, text

TARGET = Path(__file__).parent.parent / "service/web/summary.json"
PUBLISHED_TYPES = (
    "ActivityDefinition", "CapabilityStatement", "CodeSystem", "ConceptMap", "Evidence", "EvidenceVariable",
    "ImplementationGuide", "Library", "Measure", "OperationDefinition", "PlanDefinition", "Questionnaire",
    "StructureDefinition", "ValueSet",
)  # fmt: skip


def build() -> str:
    """The file's text: each type's summary paths, below the resource and without ``[x]``."""
    wanted = {*RECORD_TYPES, *PUBLISHED_TYPES}
    found: dict[str, list[str]] = {}
    for structure in resources("profile/profiles-resources.xml", "StructureDefinition"):
        name = text(structure, "type") or ""
        snapshot = structure.find(f"{FHIR}snapshot")
        if name in wanted and snapshot is not None and text(structure, "derivation") != "constraint":
            paths = [
                (text(element, "path") or "").removeprefix(f"{name}.").removesuffix("[x]")
                for element in children(snapshot, "element")
                if text(element, "isSummary") == "true"
            ]
            found[name] = [path for path in paths if path != name]
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(paths)}" for name, paths in sorted(found.items()))
    return f"{{\n{lines}\n}}\n"


def main() -> None:
    """Writes the file."""
    TARGET.write_text(build(), encoding="utf-8")


if __name__ == "__main__":
    main()
