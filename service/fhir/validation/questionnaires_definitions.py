"""Definitions that items and extraction name: ``canonical#Element.path`` of a type or profile that exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.fhir.forms.elements import cut, text
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.fhir.forms import FormItem
    from service.fhir.forms.elements import Json
    from service.fhir.validation.questionnaires_checking import Checking

_BASE = "http://hl7.org/fhir/StructureDefinition/"
_WRITTEN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s#]+(#[^\s#]+)?")


def check_item_definition(checking: Checking, item: FormItem, *, followed: bool) -> None:
    """Checks the ``definition`` of an item; ``followed`` tells whether extraction goes by it.

    Where nothing does, R4 lets it be any address: a doubtful one is a warning then.
    """
    written = text(item.source, "definition")
    if written is not None:
        check_definition(checking, written, f"{item.place}.definition", followed=followed)


def check_definition(
    checking: Checking, written: str, place: str, *, element: bool = False, followed: bool = True
) -> None:
    """Checks a definition; ``element`` asks for one with ``#`` and the id of an element."""
    note = checking.error if followed else checking.warning
    if not _WRITTEN.fullmatch(written) or (element and "#" not in written):
        wanted = (
            "an address, # and the id of an element"
            if element
            else "an address, or one with # and an element"
        )
        note("value", f"'{cut(written, 80)}' is no definition; write {wanted}", place, "definition")
        return
    canonical, _, path = written.partition("#")
    url = canonical.partition("|")[0]
    kind = _type_of(checking, url, canonical)
    if kind is None:
        if element or path:
            checking.warning(
                "not-found",
                f"{cut(canonical, 120)} is not held here, so the element that it names is not checked",
                place,
                "definition",
            )
    elif path and not _exists(kind, path):
        note("not-found", f"{kind} has no element {cut(path, 80)}", place, "definition")


def _type_of(checking: Checking, url: str, canonical: str) -> str | None:
    """The type that a canonical defines, a base type's or a profile's; None where it is not known here."""
    if url.startswith(_BASE) and url[len(_BASE) :] in R4.names:
        return url[len(_BASE) :]
    found: Json | None = checking.resolve(canonical)
    if isinstance(found, dict) and found.get("resourceType") == "StructureDefinition":
        kind = text(found, "type")
        return kind if kind in R4.names else None
    return None


def _exists(kind: str, path: str) -> bool:
    """Whether the type has the element. What an extension or a contained resource holds is let through."""
    steps = path.split(".")
    if steps[0].partition(":")[0] != kind:
        return False
    types: tuple[str, ...] = (kind,)
    for step in steps[1:]:
        name, _, _ = step.partition(":")
        name = name.removesuffix("[x]")
        if name in ("extension", "modifierExtension", "contained", "id"):
            return True
        found: list[str] = []
        for owner in types:
            info = R4.type(owner)
            if info is None:
                continue
            if name in info.elements:
                found += info.elements[name].types
            elif name in info.fields:
                found.append(info.fields[name][1])
        if not found:
            return False
        types = tuple(found)
    return True
