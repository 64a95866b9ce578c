"""HL7's own code systems and value sets of R4, as far as they can be enumerated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools import packages
from tools.definitions import FHIR, children, resources, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

_FILES = ("valueset/valuesets.xml", "valueset/v3-codesystems.xml", "valueset/v2-tables.xml")


def _concepts(holder: Element, parent: str | None = None) -> Iterator[tuple[str, str | None, Element]]:
    for concept in children(holder, "concept"):
        code = text(concept, "code") or ""
        yield code, parent, concept
        yield from _concepts(concept, code)


def _parents(concept: Element, parent: str | None) -> set[str]:
    found = {parent} if parent else set()
    for entry in children(concept, "property"):
        if text(entry, "code") in ("subsumedBy", "parent") and (code := text(entry, "valueCode")):
            found.add(code)
    return found


def code_systems() -> dict[str, dict[str, Any]]:
    """Each complete code system by its url: ``codes`` (code to display), ``parents`` (code to codes)."""
    systems: dict[str, dict[str, Any]] = {}
    for file in _FILES:
        for system in resources(file, "CodeSystem"):
            url = text(system, "url")
            if text(system, "content") != "complete" or not url:
                continue
            facts: dict[str, Any] = {"codes": {}}
            if text(system, "caseSensitive") == "false":
                facts["anyCase"] = True
            parents = {}
            for code, parent, concept in _concepts(system):
                facts["codes"][code] = text(concept, "display") or ""
                if above := _parents(concept, parent):
                    parents[code] = sorted(above)
            if parents:
                facts["parents"] = parents
            if facts["codes"]:
                systems[url] = facts
    return systems


def add_later_codes(systems: dict[str, dict[str, Any]]) -> None:
    """Adds, as ``later``, the codes that HL7 has added to its code systems since R4."""
    for package in (packages.TERMINOLOGY, packages.EXTENSIONS):
        for system in packages.resources(package, "CodeSystem"):
            facts = systems.get(system.get("url", ""))
            if facts is not None and system.get("content") == "complete":
                known = {*facts["codes"], *facts.get("later", ())}
                later = [code for code in _codes(system) if code not in known]
                if later:
                    facts["later"] = [*facts.get("later", ()), *later]


def _codes(holder: dict[str, Any]) -> Iterator[str]:
    for concept in holder.get("concept", ()):
        yield concept["code"]
        yield from _codes(concept)


def value_sets(systems: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Each value set by its url: ``systems`` (all codes, or a list) and ``open`` (not enumerable here)."""
    definitions: dict[str, Element] = {}
    for file in _FILES:
        for value_set in resources(file, "ValueSet"):
            if url := text(value_set, "url"):
                definitions[url] = value_set
    return {url: _expand(definition, definitions, systems, ()) for url, definition in definitions.items()}


def _expand(
    definition: Element,
    definitions: dict[str, Element],
    systems: dict[str, dict[str, Any]],
    inside: tuple[str, ...],
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    unknown: set[str] = set()
    compose = definition.find(f"{FHIR}compose")
    for include in children(compose, "include") if compose is not None else []:
        _include(include, found, unknown, definitions, systems, inside)
    for exclude in children(compose, "exclude") if compose is not None else []:
        system = text(exclude, "system") or ""
        gone: dict[str, Any] = {}
        _include(exclude, gone, unknown, definitions, systems, inside)
        if system in found and system in gone:
            codes = systems[system]["codes"] if found[system] == "*" else found[system]
            found[system] = [code for code in codes if gone[system] != "*" and code not in gone[system]]
    facts: dict[str, Any] = {"systems": found}
    if compose is None or unknown:
        facts["open"] = sorted(unknown) or ["*"]
    return facts


def _include(
    include: Element,
    found: dict[str, Any],
    unknown: set[str],
    definitions: dict[str, Element],
    systems: dict[str, dict[str, Any]],
    inside: tuple[str, ...],
) -> None:
    system = text(include, "system") or ""
    imports = [(entry.get("value") or "").split("|")[0] for entry in children(include, "valueSet")]
    if imports and (system or len(imports) > 1):
        unknown.add(system or "*")
        return
    for url in imports:
        if url not in definitions or url in inside:
            unknown.add("*")
            continue
        other = _expand(definitions[url], definitions, systems, (*inside, url))
        for name, codes in other["systems"].items():
            _merge(found, name, codes)
        unknown.update(other.get("open", ()))
    if not system:
        return
    listed = [text(concept, "code") or "" for concept in children(include, "concept")]
    filters = children(include, "filter")
    if listed:
        _merge(found, system, listed)
    elif filters:
        codes = _filtered(filters, systems.get(system))
        if codes is None:
            unknown.add(system)
        else:
            _merge(found, system, codes)
    elif system in systems:
        _merge(found, system, "*")
    else:
        unknown.add(system)


def _merge(found: dict[str, Any], system: str, codes: Any) -> None:
    before = found.get(system)
    if before is None or codes == "*":
        found[system] = codes if codes == "*" else list(codes)
    elif before != "*":
        found[system] = [*before, *(code for code in codes if code not in before)]


def _filtered(filters: list[Element], system: dict[str, Any] | None) -> list[str] | None:
    """The codes that satisfy every filter, or None where a filter is of a kind that is not read here."""
    if system is None:
        return None
    codes = list(system["codes"])
    for entry in filters:
        operator, value = text(entry, "op"), text(entry, "value") or ""
        if text(entry, "property") != "concept" or operator not in ("is-a", "descendent-of", "is-not-a"):
            return None
        below = _below(value, system.get("parents", {}))
        if operator == "is-a":
            codes = [code for code in codes if code in below or code == value]
        elif operator == "descendent-of":
            codes = [code for code in codes if code in below]
        else:
            codes = [code for code in codes if code not in below and code != value]
    return codes


def _below(code: str, parents: dict[str, list[str]]) -> set[str]:
    below: set[str] = set()
    edge = {code}
    while edge:
        edge = {child for child, above in parents.items() if edge.intersection(above)} - below
        below |= edge
    return below
