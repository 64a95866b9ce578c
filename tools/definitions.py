"""HL7's own FHIR R4 4.0.1 definitions, read from the Maven artefact that carries them unchanged.

The artefact is fetched once through Maven (``mvn dependency:get``) into the local Maven repository;
nothing here names where Maven fetches from.
"""

from __future__ import annotations

import subprocess
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP, ARTEFACT, VERSION = "ca.uhn.hapi.fhir", "hapi-fhir-validation-resources-r4", "7.6.1"
_INSIDE = "org/hl7/fhir/r4/model/"
FHIR = "{http://hl7.org/fhir}"


def jar_path() -> Path:
    """Where the definitions' jar lies in the local Maven repository, once it has been fetched."""
    local = Path.home() / ".m2/repository" / GROUP.replace(".", "/") / ARTEFACT / VERSION
    return local / f"{ARTEFACT}-{VERSION}.jar"


@cache
def artefact() -> Path:
    """The definitions' jar, fetched if it is not there yet."""
    jar = jar_path()
    if not jar.exists():
        coordinates = f"{GROUP}:{ARTEFACT}:{VERSION}"
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:get", f"-Dartifact={coordinates}", "-Dtransitive=false"],
            check=True,
        )
    return jar


def read(member: str) -> bytes:
    """One file of the definitions, such as ``profile/profiles-types.xml``."""
    with zipfile.ZipFile(artefact()) as jar:
        return jar.read(_INSIDE + member)


def resources(member: str, resource_type: str) -> Iterator[ElementTree.Element]:
    """Each resource of one type in a definitions Bundle, as its XML element."""
    for entry in ElementTree.fromstring(read(member)).iter(f"{FHIR}entry"):
        holder = entry.find(f"{FHIR}resource")
        if holder is not None and (found := holder.find(FHIR + resource_type)) is not None:
            yield found


def text(element: ElementTree.Element, path: str) -> str | None:
    """The ``value`` of the first child at a path of FHIR names (``base/path``), or None."""
    found = element.find("/".join(FHIR + name for name in path.split("/")))
    return None if found is None else found.get("value")


def children(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """The children of one FHIR name, in order."""
    return element.findall(FHIR + name)
