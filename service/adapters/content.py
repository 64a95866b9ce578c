"""The published guidance, read from disk: FHIR resources and mapping data, one a file.

They lie in ``profiles/`` and ``mappings/`` of a checkout, or in the wheel's ``service/_data``. A file below
a folder ``history`` is an older version of a resource, which stays readable. Files are read, not judged:
``content_checks.py`` says what is wrong with them, all of it at once. A file below ``examples`` is a
synthetic example: ``htg117 serve --example`` loads it, and the API's documentation shows it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.domain.errors import Malformed
from service.fhir.concepts import Terminology
from service.fhir.json_text import Limits, decode
from service.operations.ports import Published

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Resource = dict[str, Any]
_LIMITS = Limits(size=50_000_000, depth=200)
_SERVICE = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong with the content: in which file, at which element, and what."""

    file: str
    element: str
    message: str

    def __str__(self) -> str:
        """The fault as one line."""
        place = f"{self.file}: {self.element}" if self.element else self.file
        return f"{place}: {self.message}"


def packaged() -> tuple[Path, ...]:
    """The folders of this release's content: those of the wheel, else those of the checkout."""
    inside = _SERVICE / "_data"
    root = inside if inside.is_dir() else _SERVICE.parent
    return (root / "profiles", root / "mappings")


class Folder:
    """Everything in some folders. ``data`` holds the JSON files that are no resources and ``tables``
    the CSV files, by path; ``faults`` says which files could not be read or taken up."""

    def __init__(self, folders: Iterable[Path]) -> None:
        """Reads every ``*.json`` below the folders."""
        self.published: list[Published] = []
        self._examples: list[Published] = []
        self.tables: dict[str, str] = {}
        self.data: dict[str, Resource] = {}
        self.faults: list[Fault] = []
        for folder in folders:
            for path in sorted(folder.rglob("*.json")):
                self._read(folder, path)
            for path in sorted(folder.rglob("*.csv")):
                file = path.relative_to(folder.parent).as_posix()
                self.tables[file] = path.read_text(encoding="utf-8")
        self._index()

    def _read(self, folder: Path, path: Path) -> None:
        file = path.relative_to(folder.parent).as_posix()
        body = path.read_bytes()
        try:
            resource = decode(body, _LIMITS).resource
        except Malformed as fault:
            self.faults.append(Fault(file, "", str(fault)))
            return
        if "resourceType" not in resource:
            self.data[file] = resource
        elif not isinstance(resource["resourceType"], str) or not isinstance(resource.get("id"), str):
            self.faults.append(Fault(file, "id", "a published resource has a resourceType and an id"))
        elif "examples" in path.relative_to(folder).parts:
            self._examples.append(Published(file, body, resource))
        else:
            current = "history" not in path.relative_to(folder).parts
            self.published.append(Published(file, body, resource, current))

    def _index(self) -> None:
        self._versions: dict[tuple[str, str], list[Published]] = defaultdict(list)
        self._canonicals: dict[str, Published] = {}
        for one in sorted(self.published, key=lambda one: not one.current):
            held = self._versions[one.type, one.id]
            twin = next((other for other in held if other.version == one.version), None)
            if twin is None and one.current and held:
                twin = held[0]
            if twin is not None:
                self.faults.append(Fault(one.file, "id", f"{one.type}/{one.id} stands in {twin.file} too"))
                continue
            held.append(one)
            if one.url:
                self._claim(one)

    def _claim(self, one: Published) -> None:
        names = [f"{one.url}|{one.version}"] if "version" in one.resource else []
        if one.current:
            names.append(str(one.url))
        for name in names:
            if name in self._canonicals:
                other = self._canonicals[name].file
                self.faults.append(Fault(one.file, "url", f"the canonical {name} stands in {other} too"))
            self._canonicals.setdefault(name, one)

    def read(self, type_: str, id_: str, version: str | None = None) -> Published | None:
        """The current published version, or the one named, or None."""
        held = self.versions(type_, id_)
        if version is None:
            return held[0] if held and held[0].current else None
        return next((one for one in held if one.version == version), None)

    def versions(self, type_: str, id_: str) -> tuple[Published, ...]:
        """All versions of one resource, the current one first."""
        return tuple(self._versions.get((type_, id_), ()))

    def of_type(self, type_: str) -> tuple[Published, ...]:
        """The current resources of one type, by id."""
        found = [one for held in self._versions.values() for one in held if one.current and one.type == type_]
        return tuple(sorted(found, key=lambda one: one.id))

    def examples(self, type_: str) -> tuple[Published, ...]:
        """The synthetic examples of one type that come with the content; they are not published."""
        return tuple(one for one in self._examples if one.type == type_)

    def types(self) -> tuple[str, ...]:
        """The types that something is published of."""
        return tuple(sorted({type_ for type_, _ in self._versions}))

    @cached_property
    def terminology(self) -> Terminology:
        """The published code systems and value sets, indexed once."""
        return Terminology(self.resolve)

    def resolve(self, canonical: str) -> Resource | None:
        """The resource of a canonical (``url`` or ``url|version``, a fragment left aside), or None."""
        found = self._canonicals.get(canonical.split("#", 1)[0])
        return found.resource if found else None


def load(folders: Sequence[Path] = ()) -> Folder:
    """The content of the folders, or where none is named the packaged content."""
    return Folder(folders or packaged())
