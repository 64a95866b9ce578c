"""Writes ``sdc.tsv`` and ``pack.tsv`` in ``service/fhir/validation/r4/``: extensions beside R4's own.

They are those that HL7 publishes for R4 in Structured Data Capture 4.0 and in its extension pack.

The two packages are fetched once with ``npm pack``; nothing here names where npm fetches from.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.fhir.validation import extension_facts
from tools.generate_rules import TARGET, write_table

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = {
    "sdc.tsv": "hl7.fhir.uv.sdc@4.0.0-ballot",
    "pack.tsv": "hl7.fhir.uv.extensions.r4@5.3.0-ballot-tc1",
}
_KEPT = Path(__file__).parent / "conformance/target/packages"


def package(name: str) -> Path:
    """The package's file, fetched if it is not there yet."""
    file = _KEPT / f"{name.replace('@', '-')}.tgz"
    if not file.exists():
        _KEPT.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", name], cwd=_KEPT, check=True, capture_output=True)
    return file


def definitions(name: str) -> Iterator[dict[str, Any]]:
    """The extension definitions of a package."""
    with tarfile.open(package(name)) as archive:
        for member in archive:
            if "/StructureDefinition-" not in member.name or not member.name.endswith(".json"):
                continue
            file = archive.extractfile(member)
            structure = json.load(file) if file else {}
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
        for file, name in PACKAGES.items()
    }


def main() -> None:
    """Writes the files."""
    for name, content in build().items():
        (TARGET / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
