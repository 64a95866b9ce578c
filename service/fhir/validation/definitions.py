"""One extension against its definition: where it may stand, what it may hold, how often.

Definitions are looked for in HL7's R4, Structured Data Capture 4.0, HL7's extension pack, and then through
the caller's ``resolve``. Source: FHIR R4 defining extensions page; extensibility page §2.4.1 (modifiers).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from service.fhir.validation import bindings, contexts, extension_facts, profiles, references
from service.fhir.validation.invariants import Invariant
from service.fhir.validation.places import below
from service.fhir.validation.run import quoted
from service.fhir.validation.tables import EXTENSIONS, PACK_EXTENSIONS, SDC_EXTENSIONS
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run

_HL7 = "http://hl7.org/fhir/StructureDefinition/"
_CROSS = "/StructureDefinition/extension-"


def check_extension(value: dict[str, Any], place: Place, run: Run, *, modifier: bool) -> None:
    """Reports where an extension is unknown or breaks its definition."""
    url = value.get("url")
    if type(url) is not str or ":" not in url:
        return  # a part of another extension: its definition looks after it
    facts = _published(url)
    structure = None
    if facts is None:
        structure = run.structure(url)
        facts = extension_facts.read(structure) if structure else None
    if facts is None:
        _unknown(url, place, run, modifier=modifier)
        return
    if bool(facts.get("modifier")) is not modifier:
        name, other = ("modifierExtension", "extension") if modifier else ("extension", "modifierExtension")
        message = f"{url} may not stand in {name}; put it in {other}"
        run.error("structure", message, place, "extension")
    _check_context(url, facts, place, run)
    if structure is None:
        _check_content(facts, value, place, run)
        for rule in _invariants(url):
            rule.check(value, place, run)
    else:
        profiles.check_profile(value, "Extension", structure, place, run)


@cache
def _published(url: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = EXTENSIONS.get(url) or SDC_EXTENSIONS.get(url) or PACK_EXTENSIONS.get(url)
    return found


@cache
def _invariants(url: str) -> tuple[Invariant, ...]:
    facts = _published(url) or {}
    return tuple(
        Invariant(key, severity, expression, sentence, "Extension")
        for key, severity, expression, sentence in facts.get("invariants", ())
    )


def _unknown(url: str, place: Place, run: Run, *, modifier: bool) -> None:
    at = below(place, "url")
    if modifier:
        message = f"the modifier extension {url[:120]} is not known here, and it may change what this means"
        run.error("extension", f"{message}; leave it out, or bring its definition", at, "extension")
    elif url.startswith(_HL7):
        message = f"HL7 defines no extension {url[:120]}; correct the url, or use one of your own"
        run.error("extension", message, at, "extension")
    elif url.startswith("http://hl7.org/fhir/") and _CROSS in url:
        message = f"{url[:120]} stands for an element of another FHIR version and was not checked"
        run.note("informational", message, at, "extension")
    else:
        message = f"the extension {url[:120]} is not known here and was not checked"
        run.note("informational", message, at, "extension")


def check_repeats(entries: Iterable[Any], place: Place, name: str, run: Run) -> None:
    """Reports an extension that stands on one element more often than its definition lets it."""
    counts: dict[str, int] = {}
    for entry in entries:
        url = entry.get("url") if type(entry) is dict else None
        if type(url) is str and ":" in url:
            counts[url] = counts.get(url, 0) + 1
    for url, count in counts.items():
        if count > 1:
            facts = _published(url)
            if facts is None and (structure := run.structure(url)) is not None:
                facts = extension_facts.read(structure)
            most = facts.get("max") if facts else None
            if most is not None and count > most:
                message = f"{url} stands {count} times here; it may stand at most {most} time(s)"
                run.error("structure", message, below(place, name), "extension")


def _check_context(url: str, facts: dict[str, Any], place: Place, run: Run) -> None:
    owner = place[0]
    names = contexts.names_of(owner, run)
    allowed = facts["context"]
    if allowed and names and not any(_fits(kind, wanted, names, owner, run) for kind, wanted in allowed):
        listed = ", ".join(wanted for _, wanted in allowed[:12])
        message = f"{url} may not stand here; it may stand on {listed}"
        run.error("structure", message, place, "extension-context")
        return
    for expression in facts.get("contextInvariant", ()):
        type_name, element = contexts.type_at(owner, run), contexts.value_at(owner, run)
        if type_name is None or not isinstance(element, dict) or R4.type(type_name) is None:
            continue
        _context_rule(url, expression, type_name).check(element, owner, run)


@lru_cache(maxsize=500)
def _context_rule(url: str, expression: str, type_name: str) -> Invariant:
    sentence = f"{url} may stand here only where: {expression}"
    return Invariant("extension-context", "error", expression, sentence, type_name)


def _fits(kind: str, wanted: str, names: frozenset[str], owner: Place, run: Run) -> bool:
    if kind == "extension":
        parent = contexts.value_at(owner, run)
        return isinstance(parent, dict) and parent.get("url") in (wanted, wanted.partition("#")[2])
    if kind == "fhirpath" or wanted in ("*", "Element"):
        return True
    if wanted == "ElementDefinition.type.code" and "ElementDefinition.type" in names:
        return True  # HL7's own definitions carry structuredefinition-fhir-type on the type itself
    if wanted in ("CanonicalResource", "MetadataResource"):  # R5's names for resources that have a url
        info = R4.type(run.resource.get("resourceType", ""))
        return info is not None and "url" in info.elements and owner is run.place
    return wanted in names


def _check_content(facts: dict[str, Any], value: dict[str, Any], place: Place, run: Run) -> None:
    _check_value(facts.get("value"), value, place, run)
    _check_parts(facts.get("parts", {}), value, place, run)


def _check_value(wanted: dict[str, Any] | None, value: dict[str, Any], place: Place, run: Run) -> None:
    name = next(
        (field for field in value if isinstance(field, str) and field.startswith(("value", "_value"))), None
    )
    if name is None:
        if wanted is not None and wanted.get("min") and "extension" not in value:
            listed = ", ".join(wanted["types"][:12])
            run.error("required", f"this extension needs a value of type {listed}", place, "extension-value")
        return
    if wanted is None:
        message = "this extension takes no value of its own, only nested extensions"
        run.error("structure", message, below(place, name), "extension-value")
        return
    info = R4.type("Extension")
    field = info.fields.get(name.removeprefix("_")) if info else None
    if field is None:
        return
    type_name, at, types = field[1], below(place, name), wanted["types"]
    if types and type_name not in types and not (type_name == "Quantity" and "SimpleQuantity" in types):
        message = f"this extension takes a value of type {', '.join(types[:12])}, not {type_name}"
        run.error("structure", message, at, "extension-value")
        return
    given = value.get(name)
    if "binding" in wanted and not name.startswith("_"):
        rule = _binding(type_name, *wanted["binding"])
        if rule and isinstance(given, str if type_name in ("code", "string", "uri") else dict):
            rule(given, at, run)
    if type_name == "Reference" and "targets" in wanted and isinstance(given, dict):
        references.targets(tuple(wanted["targets"]))(given, at, run)


_binding = cache(bindings.rule)


def _check_parts(parts: dict[str, Any], value: dict[str, Any], place: Place, run: Run) -> None:
    nested = value.get("extension")
    counts = dict.fromkeys(parts, 0)
    for index, entry in enumerate(nested if type(nested) is list else ()):
        url = entry.get("url") if type(entry) is dict else None
        if type(url) is not str:
            continue
        at = below(place, "extension", index)
        if url in parts:
            counts[url] += 1
            _check_content(parts[url], entry, at, run)
        elif ":" not in url:
            listed = ", ".join(parts) or "none"
            message = f"{quoted(url)} is no part of this extension; its parts: {listed}"
            run.error("extension", message, at, "extension-part")
    for url, part in parts.items():
        if counts[url] < part.get("min", 0):
            message = f"the part '{url}' is missing; it must stand at least {part['min']} time(s)"
            run.error("required", message, place, "extension-part")
        most = part.get("max")
        if most is not None and counts[url] > most:
            message = f"the part '{url}' stands {counts[url]} times; it may stand at most {most} time(s)"
            run.error("structure", message, place, "extension-part")
