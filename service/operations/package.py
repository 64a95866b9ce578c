"""``package``: the published content as a FHIR NPM package, which FHIR servers and IG tools load.

HL7's NPM package specification: a gzipped tar of ``package/package.json``, ``package/.index.json`` and one
file a resource. The same content gives the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from service.domain.errors import Unprocessable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.operations.ports import Published

Resource = dict[str, Any]


def make_package(published: Sequence[Published], canonical_base: str | None = None) -> bytes:
    """The package's bytes. ``canonical_base`` takes the place of the content's own base everywhere."""
    current = sorted((one for one in published if one.current), key=lambda one: (one.type, one.id))
    guides = [one.resource for one in current if one.type == "ImplementationGuide"]
    if len(guides) != 1:
        raise Unprocessable(f"a package is of one ImplementationGuide; {len(guides)} are published")
    own = str(guides[0]["url"]).partition("/ImplementationGuide/")[0]
    base = (canonical_base or own).rstrip("/")
    files = {
        f"package/{one.type}-{one.id}.json": one.body.replace(own.encode(), base.encode()) for one in current
    }
    manifest = json.dumps(_manifest(guides[0], base), indent=2, ensure_ascii=False).encode()
    index = json.dumps(_index(files), indent=2).encode()
    return _pack({"package/package.json": manifest, "package/.index.json": index} | files)


def _manifest(guide: Resource, base: str) -> Resource:
    depends = {one["packageId"]: one["version"] for one in guide.get("dependsOn", ()) if "packageId" in one}
    return {
        "name": guide["packageId"],
        "version": guide["version"],
        "description": guide.get("description", ""),
        "title": guide.get("title", guide["name"]),
        "author": guide.get("publisher", ""),
        "license": guide.get("license", "not-open-source"),
        "canonical": base,
        "url": base,
        "type": "fhir.ig",
        "fhirVersions": guide["fhirVersion"],
        "dependencies": {"hl7.fhir.r4.core": "4.0.1"} | depends,
    }


def _index(files: Mapping[str, bytes]) -> Resource:
    entries = []
    for name, body in files.items():
        resource = json.loads(body)
        entry = {"filename": name.removeprefix("package/")}
        for key in ("resourceType", "id", "url", "version", "kind", "type", "supplements"):
            if isinstance(resource.get(key), str):
                entry[key] = resource[key]
        entries.append(entry)
    return {"index-version": 1, "files": entries}


def _pack(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    # no times in the archive: the same content gives the same bytes
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, body in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(body))
    return packed.getvalue()
