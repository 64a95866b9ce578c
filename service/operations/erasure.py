"""Which records are a patient's: all that name the patient, and what leads to or from those.

Erasure itself is the store's (``adapters/records/archive.py``); this finds what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.fhir.json_text import decode
from service.operations.searching.parameters import INTERNAL_TYPES, RECORD_TYPES, Kind, parameters
from service.operations.searching.query import LARGEST_COUNT, Condition, Query, Value
from service.operations.searching.values import reference_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from service.operations.ports import Records, Version


@dataclass(frozen=True, slots=True)
class Found:
    """A patient's records: those to erase, and those younger than the retention asks for, which stay."""

    erased: tuple[Version, ...]
    kept: tuple[Version, ...]


def find_records(
    records: Records, *, reference: str = "", identifier: str = "", unchanged_since: datetime | None = None
) -> Found:
    """The patient's records. ``reference`` is as the forms carry it; ``identifier`` is ``system|value``."""
    found: dict[str, Version] = {}
    for type_ in (*RECORD_TYPES, *INTERNAL_TYPES):
        for condition in _conditions(type_, reference, identifier):
            found |= {one.reference: one for one in _all(records, type_, condition)}
    for about in list(found):
        type_, id_ = reference_parts(about)
        target = Condition("target", Kind.REFERENCE, "", (Value(type_, id_),))
        found |= {one.reference: one for one in _all(records, "Provenance", target)}
    found |= {one.reference: one for one in _withdrawn(records, list(found.values()))}
    found |= {one.reference: one for one in _files(records, list(found.values()))}
    old = [one for one in found.values() if unchanged_since is None or one.updated < unchanged_since]
    young = [one for one in found.values() if one not in old]
    return Found(tuple(old), tuple(young))


def _withdrawn(records: Records, found: Sequence[Version]) -> Iterator[Version]:
    """What the forms once came to and was deleted since: no search finds it, its history holds it all."""
    for one in found:
        if one.type != "Provenance" or one.deleted:
            continue
        for target in decode(one.body).resource.get("target", ()):
            there = records.read(*reference_parts(target["reference"]))
            if there is not None and there.deleted:
                yield there


def _files(records: Records, found: Sequence[Version]) -> Iterator[Version]:
    """The files that the documents lead to: a Binary does not name its patient."""
    for one in found:
        if one.type != "DocumentReference" or one.deleted:
            continue
        for content in decode(one.body).resource.get("content", ()):
            type_, id_ = reference_parts(str(content.get("attachment", {}).get("url", "")))
            there = records.read(type_, id_) if type_ == "Binary" else None
            if there is not None:
                yield there


def _conditions(type_: str, reference: str, identifier: str) -> Iterator[Condition]:
    for name in ("subject", "patient"):
        if name not in parameters(type_):
            continue
        if reference:
            kind, id_ = reference_parts(reference)
            yield Condition(name, Kind.REFERENCE, "", (Value(kind or None, id_),))
        if identifier:
            system, bar, value = identifier.rpartition("|")
            yield Condition(name, Kind.REFERENCE, "identifier", (Value(system if bar else None, value),))


def _all(records: Records, type_: str, condition: Condition) -> Iterator[Version]:
    cursor = None
    while True:
        page = records.search(Query(type_, (condition,), count=LARGEST_COUNT, cursor=cursor))
        yield from page.versions
        cursor = page.cursor
        if cursor is None:
            return
