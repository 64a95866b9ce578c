"""FHIR packages that HL7 publishes for R4 beside R4 itself, fetched once with ``npm pack``.

Nothing here names where npm fetches from.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SDC = "hl7.fhir.uv.sdc@4.0.0-ballot"
EXTENSIONS = "hl7.fhir.uv.extensions.r4@5.3.0-ballot-tc1"
TERMINOLOGY = "hl7.terminology.r4@7.0.1"
_KEPT = Path(__file__).parent / "conformance/target/packages"


def _file(name: str) -> Path:
    return _KEPT / f"{name.replace('@', '-')}.tgz"


def is_held(name: str) -> bool:
    """Whether the package has been fetched already."""
    return _file(name).exists()


def package(name: str) -> Path:
    """The package's file, fetched if it is not there yet."""
    file = _file(name)
    if not file.exists():
        _KEPT.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", name], cwd=_KEPT, check=True, capture_output=True)
    return file


def resources(name: str, resource_type: str) -> Iterator[dict[str, Any]]:
    """Each resource of one type in a package."""
    with tarfile.open(package(name)) as archive:
        for member in archive:
            if f"/{resource_type}-" in member.name and member.name.endswith(".json"):
                file = archive.extractfile(member)
                if file is not None:
                    yield json.load(file)
