"""Codes against the value sets that elements are bound to, and against the code systems that are held here.

A required binding is broken by an error, an extensible one by a warning (FHIR R4 terminologies page §4.1.5).
What cannot be decided here (SNOMED CT, LOINC) is let through; ``undecided`` is never taken for ``yes``.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from service.fhir.validation import units
from service.fhir.validation.currencies import CURRENCIES
from service.fhir.validation.places import below
from service.fhir.validation.run import Run, quoted
from service.fhir.validation.tables import CODE_SYSTEMS, VALUE_SETS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container

    from service.fhir.validation.places import Place

_HL7 = "http://hl7.org/fhir/ValueSet/"
_LANGUAGES = _HL7 + "all-languages"
_SYSTEM_TYPES = "http://hl7.org/fhirpath/System."  # HL7's definitions type ids and urls with these
_MIME = re.compile(
    r"xml|json|ttl|[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:\s*;\s*[A-Za-z0-9_.-]+=\S+)*"
).fullmatch
_TAG = re.compile(
    r"[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*"
    r"(?:-x(?:-[A-Za-z0-9]{1,8})+)?|x(?:-[A-Za-z0-9]{1,8})+"
).fullmatch
_SHAPED: dict[str, tuple[Callable[[str], Any], str]] = {
    _HL7 + "mimetypes": (_MIME, "a MIME type such as text/plain (BCP 13), or xml, json or ttl"),
    _LANGUAGES: (_TAG, "a language tag such as en-GB (BCP 47)"),
    _HL7 + "currencies": (
        CURRENCIES.__contains__,
        "a currency's three capital letters such as GBP (ISO 4217)",
    ),
}


class ValueSet:
    """A value set of HL7's as far as it can be enumerated: the codes of each system, and what is open."""

    __slots__ = ("open", "systems", "url")

    def __init__(self, url: str, facts: dict[str, Any]) -> None:
        self.url = url
        self.systems: dict[str, Container[str]] = {
            system: held_codes(system) if codes == "*" else frozenset(codes)
            for system, codes in facts["systems"].items()
        }
        self.open = frozenset(facts.get("open", ()))

    def contains(self, system: str, code: str) -> bool | None:
        """Whether it holds the code; None where that cannot be decided here."""
        codes = self.systems.get(system)
        if codes is not None and code in codes:
            return True
        return None if system in self.open or "*" in self.open else False

    @property
    def plain_codes(self) -> frozenset[str] | None:
        """Every code of it, whatever the system; None where it cannot be enumerated."""
        if self.open:
            return None
        found: set[str] = set()
        for codes in self.systems.values():
            found.update(codes)  # type: ignore[arg-type]
        return frozenset(found)

    def options(self) -> str:
        """Its codes for a message, the first twelve."""
        codes = sorted(self.plain_codes or ())
        return ", ".join(codes[:12]) + (", …" if len(codes) > 12 else "")


@cache
def hl7_value_set(url: str) -> ValueSet | None:
    """The value set that HL7 publishes with R4 under a url without version, or None."""
    facts = VALUE_SETS.get(url)
    return ValueSet(url, facts) if facts else None


@cache
def held_codes(system: str) -> dict[str, str]:
    """Code to display of a complete code system of HL7's; empty where none is held."""
    facts = CODE_SYSTEMS.get(system)
    codes: dict[str, str] = facts["codes"] if facts else {}
    return codes


def codes(binding: list[str] | None) -> frozenset[str] | None:
    """The codes that satisfy a required binding of a bare code; None where they cannot be listed."""
    if not binding or binding[0] != "required":
        return None
    found = hl7_value_set(binding[1])
    return found.plain_codes if found else None


def rule(type_name: str, strength: str, url: str) -> Callable[[Any, Place, Run], None] | None:
    """The check of a value of that type against a bound value set; None where there is none to make."""
    url = url.partition("|")[0]
    if url in _SHAPED:
        if type_name in ("CodeableConcept", "Coding"):
            return _shaped_codings(*_SHAPED[url]) if url == _LANGUAGES else None
        return _shaped(*_SHAPED[url]) if type_name in ("code", "string") else None
    value_set = hl7_value_set(url)
    if value_set is None:
        return None
    if type_name in ("code", "string", "uri"):
        return _plain(value_set, strength)
    if type_name == "Coding":
        return lambda value, place, run: _coding(value_set, strength, value, place, run)
    if type_name == "CodeableConcept":
        return lambda value, place, run: _concept(value_set, strength, value, place, run)
    if type_name in ("Quantity", "Age", "Count", "Distance", "Duration"):
        return lambda value, place, run: _quantity(value_set, strength, value, place, run)
    return None


def _report(run: Run, strength: str, message: str, place: Place) -> None:
    if strength == "required":
        run.error("code-invalid", message, place, "binding")
    else:
        run.warn("code-invalid", message, place, "binding")


def _shaped(matches: Callable[[str], Any], allowed: str) -> Callable[[Any, Place, Run], None]:
    def check(value: Any, place: Place, run: Run) -> None:
        if not matches(value):
            run.error(
                "code-invalid", f"{quoted(value)} is not allowed here; write {allowed}", place, "binding"
            )

    return check


def _shaped_codings(matches: Callable[[str], Any], allowed: str) -> Callable[[Any, Place, Run], None]:
    check = _shaped(matches, allowed)

    def check_codings(value: Any, place: Place, run: Run) -> None:
        codings = value.get("coding", [value])
        for index, coding in enumerate(codings if isinstance(codings, list) else ()):
            code = coding.get("code") if isinstance(coding, dict) else None
            if isinstance(code, str) and coding.get("system") == "urn:ietf:bcp:47":
                check(code, below(place, "coding", index) if "coding" in value else place, run)

    return check_codings


def _plain(value_set: ValueSet, strength: str) -> Callable[[Any, Place, Run], None]:
    allowed = value_set.plain_codes

    def check(value: Any, place: Place, run: Run) -> None:
        if allowed is not None and value not in allowed and not value.startswith(_SYSTEM_TYPES):
            message = (
                f"{quoted(value)} is not in the value set {value_set.url}; allowed: {value_set.options()}"
            )
            _report(run, strength, message, place)

    return check


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _coding(value_set: ValueSet, strength: str, value: dict[str, Any], place: Place, run: Run) -> None:
    code, system = _text(value, "code"), _text(value, "system")
    if not code:
        if strength == "required" and "extension" not in value:
            _report(run, strength, f"a code of the value set {value_set.url} is needed here", place)
        return
    if value_set.contains(system, code) is False:
        message = f"{quoted(f'{system}#{code}')} is not in the value set {value_set.url}"
        _report(run, strength, message + _allowed(value_set, strength), place)


def _allowed(value_set: ValueSet, strength: str) -> str:
    options = value_set.options()
    listed = f"; allowed: {options}" if options else ""
    return listed if strength == "required" else f"{listed} (another code only where none of them fits)"


def _concept(value_set: ValueSet, strength: str, value: dict[str, Any], place: Place, run: Run) -> None:
    codings = value.get("coding")
    given = [
        (_text(coding, "system"), _text(coding, "code"))
        for coding in (codings if isinstance(codings, list) else ())
        if isinstance(coding, dict) and coding.get("code")
    ]
    if not given:
        if "extension" not in value:
            message = (
                f"a coding of the value set {value_set.url} is asked for here{_allowed(value_set, strength)}"
            )
            _report(run, strength, message, place)
        return
    if all(value_set.contains(system, code) is False for system, code in given):
        said = ", ".join(f"{system}#{code}"[:60] for system, code in given[:3])
        message = f"no coding ({said}) is in the value set {value_set.url}{_allowed(value_set, strength)}"
        _report(run, strength, message, place)


def _quantity(value_set: ValueSet, strength: str, value: dict[str, Any], place: Place, run: Run) -> None:
    code, system = _text(value, "code"), _text(value, "system")
    if code and value_set.contains(system, code) is False:
        message = f"the unit {quoted(f'{system}#{code}')} is not in the value set {value_set.url}"
        _report(run, strength, message + _allowed(value_set, strength), place)


def check_coding(value: Any, place: Place, run: Run) -> None:
    """A Coding against the code system it names, where that is one of HL7's that are held here."""
    code, system = value.get("code"), value.get("system")
    if type(code) is not str:
        return
    if type(system) is not str:
        if "system" not in value and "_system" not in value:
            run.warn(
                "code-invalid", "a code without its system means nothing; give the system", place, "coding"
            )
        return
    if system == units.UCUM:
        units.check_code(code, below(place, "code"), run)
        return
    held = held_codes(system)
    if not held:
        if ":" not in system:
            message = f"{quoted(system)} is not absolute; a code system is named by its own URL or urn:"
            run.error("code-invalid", message, below(place, "system"), "coding")
        _check_brought(value, code, system, place, run)
        return
    display = held.get(code)
    if display is None:
        facts = CODE_SYSTEMS.get(system) or {}
        if code in facts.get("later", ()):
            return
        if facts.get("anyCase"):
            display = next((held[known] for known in held if known.lower() == code.lower()), None)
        if display is None:
            _unknown(system, code, held, place, run)
            return
    if display:
        _check_display(value.get("display"), code, display, place, run)


def _check_brought(value: dict[str, Any], code: str, system: str, place: Place, run: Run) -> None:
    """A Coding whose system is not HL7's: against the code system that the caller brings, if any."""
    if "/ValueSet/" in system:
        message = f"{quoted(system)} names a value set; give the code system that the code is of"
        run.error("code-invalid", message, below(place, "system"), "coding")
        return
    if run.resolve is None:
        return
    brought = run.code_system(system)
    if brought is None:
        return
    concept = brought.find(code)
    if concept is None:
        _unknown(system, code, brought.concepts, place, run)
    elif concept.display:
        _check_display(value.get("display"), code, concept.display, place, run)


def _check_display(given: Any, code: str, display: str, place: Place, run: Run) -> None:
    if type(given) is str and given != display and not _alike(given, display):
        message = f"{quoted(given)} is not the display of {quoted(code)}; write '{display}' or leave it out"
        run.warn("code-invalid", message, below(place, "display"), "display")


def _alike(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _unknown(system: str, code: str, held: Collection[str], place: Place, run: Run) -> None:
    listed = ", ".join(list(held)[:12]) + (", …" if len(held) > 12 else "")
    message = f"{quoted(code)} is no code of {system}; its codes: {listed}"
    run.error("code-invalid", message, below(place, "code"), "coding")


def check_quantity(value: Any, place: Place, run: Run) -> None:
    """A quantity's unit code, where its system is UCUM."""
    if value.get("system") == units.UCUM and type(value.get("code")) is str:
        units.check_code(value["code"], below(place, "code"), run)
