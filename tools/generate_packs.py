"""Writes ``sdc.tsv`` and ``pack.tsv`` in ``service/fhir/validation/r4/``: extensions beside R4's own.

They are those that HL7 publishes for R4 in Structured Data Capture 4.0 and in its extension pack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.validation import extension_facts
from tools.generate_rules import TARGET, write_table
from tools.packages import EXTENSIONS, SDC, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = {"sdc.tsv": SDC, "pack.tsv": EXTENSIONS}


def definitions(name: str) -> Iterator[dict[str, Any]]:
    """The extension definitions of a package."""
    for structure in resources(name, "StructureDefinition"):
        if structure.get("type") == "Extension" and structure.get("derivation") == "constraint":
            yield structure


def build() -> dict[str, str]:
    """Each table file's name with its text; what R4 defines itself is left to R4's own table."""
    own = {line.partition("\t")[0] for line in (TARGET / "extensions.tsv").read_text("utf-8").splitlines()}
    return {
        file: write_table(
            {
                structure["url"]: extension_facts.read(structure)
                for structure in definitions(name)
                if structure["url"] not in own
            }
        )
        for file, name in FILES.items()
    }


def main() -> None:
    """Writes the files."""
    for name, content in build().items():
        (TARGET / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
