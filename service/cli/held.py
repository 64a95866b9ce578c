"""What ``--with`` brings: resources by canonical, out of files, folders, Bundles and FHIR packages (.tgz)."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import msgspec

from service.domain.errors import Malformed
from service.fhir.json_text import Limits, decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Resource = dict[str, Any]

LIMITS = Limits(size=50_000_000, depth=200)
_PACKAGE = 1_000_000_000
"""The bytes of one package, unpacked. HL7's largest have a tenth of it."""


class NotBrought(Exception):
    """Something named with ``--with`` could not be read; the message says what and why."""


class Held:
    """Resources that can be resolved by canonical, ``url`` or ``url|version``; the first one brought stands.

    Packages are read into memory and parsed a resource at a time, when it is asked for. What is held nowhere
    is looked for in this release's own content.
    """

    def __init__(self) -> None:
        """Holds nothing yet."""
        self._held: dict[str, Resource | bytes] = {}
        self._packaged: Any = None

    def bring(self, path: Path) -> None:
        """Takes up a file, a folder (all JSON and XML below it) or a package; NotBrought says why not."""
        if path.is_dir():
            for inner in sorted(path.rglob("*")):
                if inner.suffix in (".json", ".xml") and inner.is_file():
                    self._file(inner)
        elif path.suffix in (".tgz", ".gz"):
            self._package(path)
        else:
            self._file(path)

    def resolve(self, canonical: str) -> Resource | None:
        """The resource of a canonical, or None."""
        name = canonical.partition("#")[0]
        found = self._held.get(name)
        if isinstance(found, bytes):
            found = self._held[name] = _read(found, name)
        return found if found is not None else self._own(name)

    def _own(self, canonical: str) -> Resource | None:
        if self._packaged is None:
            from service.adapters.content import load

            self._packaged = load()
        found: Resource | None = self._packaged.resolve(canonical)
        return found

    def _file(self, path: Path) -> None:
        try:
            body = path.read_bytes()
        except OSError as fault:
            raise NotBrought(f"{path}: {fault.strerror or fault}") from None
        resource = read_xml(body, str(path)) if path.suffix == ".xml" else _read(body, str(path))
        for one in _resources(resource):
            url, version = one.get("url"), one.get("version")
            if isinstance(url, str):
                self._hold(url, version, one)

    def _package(self, path: Path) -> None:
        try:
            for body in _members(path):
                index = _canonical(body)
                if index is not None:
                    self._hold(*index, body)
        except (OSError, tarfile.TarError, EOFError) as fault:
            raise NotBrought(f"{path}: this is no FHIR package: {fault}") from None

    def _hold(self, url: str, version: object, resource: Resource | bytes) -> None:
        self._held.setdefault(url, resource)
        if isinstance(version, str):
            self._held.setdefault(f"{url}|{version}", resource)


def read_xml(body: bytes, name: str) -> Resource:
    """The resource in XML; NotBrought says what is wrong with the text."""
    from service.fhir.xml_text import decode_xml

    try:
        return decode_xml(body, LIMITS).resource
    except Malformed as fault:
        raise NotBrought(f"{name}: {fault}") from None


def _read(body: bytes, name: str) -> Resource:
    try:
        return decode(body, LIMITS).resource
    except Malformed as fault:
        raise NotBrought(f"{name}: {fault}") from None


def _resources(resource: Resource) -> Iterator[Resource]:
    """The resource itself, or those in it when it is a Bundle."""
    if resource.get("resourceType") != "Bundle":
        yield resource
        return
    entries = resource.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        inner = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(inner, dict):
            yield from _resources(inner)


def _members(path: Path) -> Iterator[bytes]:
    """The JSON files in a package. Nothing is written to disk."""
    left = _PACKAGE
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes()), mode="r:gz") as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if not member.isfile() or not name.endswith(".json") or name in ("package.json", ".index.json"):
                continue
            left -= member.size
            if left < 0:
                raise NotBrought(f"{path}: the package unpacks to more than {_PACKAGE} bytes")
            opened = archive.extractfile(member)
            if opened is not None:
                yield opened.read()


class _Heading(msgspec.Struct):
    """What a canonical resource is known by."""

    url: str | None = None
    version: str | None = None


_HEADING = msgspec.json.Decoder(_Heading)


def _canonical(body: bytes) -> tuple[str, str | None] | None:
    """Url and version of a canonical resource, read without building the rest of it."""
    try:
        heading = _HEADING.decode(body)
    except msgspec.MsgspecError:
        return None
    return (heading.url, heading.version) if heading.url else None
