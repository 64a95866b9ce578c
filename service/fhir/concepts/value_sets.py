"""Which codes a ValueSet holds: three-valued membership, and expansion. R4 ``valueset.html#compose``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.fhir.concepts.code_systems import CodeSystem

Resource = dict[str, Any]
Truth = bool | None
_DEEPEST = 20


class Source(Protocol):
    """Where code systems and value sets are found."""

    def code_system(self, url: str) -> CodeSystem | None:
        """The code system of that canonical, or None."""

    def value_set(self, canonical: str) -> Resource | None:
        """The value set of that canonical, or None."""


class NotEnumerable(Exception):
    """The value set rests on codes that are not held here; ``str()`` says which."""


@dataclass(frozen=True, slots=True)
class Member:
    """One code of an expansion."""

    system: str
    code: str
    display: str | None
    version: str | None
    inactive: bool
    designations: tuple[Resource, ...]


def any_true(truths: Iterable[Truth]) -> Truth:
    """Kleene's or: true if one is, false if all are, else unknown."""
    unknown = False
    for truth in truths:
        if truth:
            return True
        unknown = unknown or truth is None
    return None if unknown else False


def all_true(truths: Iterable[Truth]) -> Truth:
    """Kleene's and: false if one is, true if all are, else unknown."""
    unknown = False
    for truth in truths:
        if truth is False:
            return False
        unknown = unknown or truth is None
    return None if unknown else True


def is_sound(value_set: Resource) -> bool:
    """Whether compose and expansion have the shape that R4 gives them, so that they can be read.

    A value set contained in a form comes in with it, and may be anything.
    """
    compose = value_set.get("compose", {})
    if not isinstance(compose, dict) or not _entries(compose.get("include", []), compose.get("exclude", [])):
        return False
    parts = [*compose.get("include", ()), *compose.get("exclude", ())]
    expansion = value_set.get("expansion", {})
    return (
        isinstance(expansion, dict)
        and all(_is_sound_part(part) for part in parts)
        and _are_coded(expansion.get("contains", []), 0)
    )


def _is_sound_part(part: Resource) -> bool:
    named = part.get("valueSet", [])
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        return False
    texts = (part.get("system", ""), part.get("version", ""))
    return (
        all(isinstance(text, str) for text in texts)
        and _entries(part.get("filter", []))
        and _are_coded(part.get("concept", []), 0)
        and all(isinstance(entry.get("code"), str) for entry in part.get("concept", ()))
    )


def _are_coded(entries: Any, depth: int) -> bool:
    if not _entries(entries) or depth > _DEEPEST:
        return False
    return all(
        isinstance(entry.get("code", ""), str)
        and isinstance(entry.get("system", ""), str)
        and _entries(entry.get("designation", []))
        and _are_coded(entry.get("contains", []), depth + 1)
        for entry in entries
    )


def _entries(*found: Any) -> bool:
    """Whether each is an array of objects."""
    return all(isinstance(one, list) and all(isinstance(entry, dict) for entry in one) for one in found)


def contains(source: Source, value_set: Resource, system: str | None, code: str, depth: int = 0) -> Truth:
    """Whether the value set holds the code; None where that cannot be decided with what is held here.

    ``system`` None asks for a bare ``code``: any system of the value set counts.
    """
    if depth > _DEEPEST:
        return None
    compose = value_set.get("compose")
    if not compose:
        expansion = value_set.get("expansion")
        if not expansion:
            return None
        return any(
            entry.get("code") == code and system in (None, entry.get("system"))
            for entry in _flat(expansion.get("contains", ()))
        )
    included = any_true(
        _part_contains(source, part, system, code, depth) for part in compose.get("include", ())
    )
    if not included:
        return included
    excluded = any_true(
        _part_contains(source, part, system, code, depth) for part in compose.get("exclude", ())
    )
    return all_true((included, None if excluded is None else not excluded))


def _part_contains(source: Source, part: Resource, system: str | None, code: str, depth: int) -> Truth:
    truths = []
    if "system" in part:
        if system is not None and system != part["system"]:
            return False
        truths.append(_system_contains(source, part, code))
    for canonical in part.get("valueSet", ()):
        inner = source.value_set(canonical)
        truths.append(None if inner is None else contains(source, inner, system, code, depth + 1))
    return all_true(truths) if truths else None


def _system_contains(source: Source, part: Resource, code: str) -> Truth:
    if part.get("concept"):
        return any(entry.get("code") == code for entry in part["concept"])
    held = source.code_system(_versioned(part))
    if held is None:
        return None
    concept = held.find(code)
    if concept is None:
        return False if held.complete else None
    return all_true(held.matches(concept, condition) for condition in part.get("filter", ()))


def expand(source: Source, value_set: Resource, depth: int = 0) -> dict[tuple[str, str], Member]:
    """The codes of a value set in order, by system and code; NotEnumerable where they are not all here."""
    if depth > _DEEPEST:
        raise NotEnumerable("value sets include each other in a circle")
    compose = value_set.get("compose")
    if not compose:
        if "expansion" not in value_set:
            raise NotEnumerable(f"{value_set.get('url', 'the value set')} has neither compose nor expansion")
        return {(member.system, member.code): member for member in _expanded(value_set["expansion"])}
    found: dict[tuple[str, str], Member] = {}
    for part in compose.get("include", ()):
        for member in _members(source, part, depth):
            found.setdefault((member.system, member.code), member)
    for part in compose.get("exclude", ()):
        for member in _members(source, part, depth):
            found.pop((member.system, member.code), None)
    if compose.get("inactive") is False:
        found = {key: member for key, member in found.items() if not member.inactive}
    return found


def _members(source: Source, part: Resource, depth: int) -> list[Member]:
    members = list(_system_members(source, part)) if "system" in part else None
    for canonical in part.get("valueSet", ()):
        inner = source.value_set(canonical)
        if inner is None:
            raise NotEnumerable(f"the value set {canonical} is not held here")
        expanded = expand(source, inner, depth + 1)
        if members is None:
            members = list(expanded.values())
        else:
            members = [member for member in members if (member.system, member.code) in expanded]
    return members or []


def _system_members(source: Source, part: Resource) -> Iterator[Member]:
    system, version = part["system"], part.get("version")
    held = source.code_system(_versioned(part))
    if part.get("concept"):
        for entry in part["concept"]:
            concept = held.find(entry["code"]) if held else None
            yield Member(
                system,
                entry["code"],
                entry.get("display") or (concept.display if concept else None),
                version or (held.version if held else None),
                concept.inactive if concept else False,
                tuple(entry.get("designation", concept.designations if concept else ())),
            )
        return
    if held is None or not held.complete:
        raise NotEnumerable(f"the codes of {system} are not all held here")
    for concept in held.concepts.values():
        met = all_true(held.matches(concept, condition) for condition in part.get("filter", ()))
        if met is None:
            raise NotEnumerable(f"a filter on {system} cannot be evaluated here")
        if met:
            yield Member(
                system, concept.code, concept.display, held.version, concept.inactive, concept.designations
            )


def _expanded(expansion: Resource) -> Iterator[Member]:
    for entry in _flat(expansion.get("contains", ())):
        if "code" in entry and not entry.get("abstract"):
            yield Member(
                entry.get("system", ""),
                entry["code"],
                entry.get("display"),
                entry.get("version"),
                entry.get("inactive", False),
                tuple(entry.get("designation", ())),
            )


def _flat(entries: Iterable[Resource]) -> Iterator[Resource]:
    for entry in entries:
        yield entry
        yield from _flat(entry.get("contains", ()))


def _versioned(part: Resource) -> str:
    version = part.get("version")
    return f"{part['system']}|{version}" if version else str(part["system"])
