"""Whether codes are in a value set that a profile or extension is bound to, whoever publishes it.

HL7's own value sets are looked up in the tables; others through the caller's ``resolve``. None means that it
cannot be decided with what is held here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.validation import bindings, held
from service.fhir.validation.run import quoted

if TYPE_CHECKING:
    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run


def contains(canonical: str, system: str | None, code: str, run: Run) -> bool | None:
    """Whether the value set holds the code; ``system`` None asks about a bare code."""
    url = canonical.partition("|")[0]
    own = bindings.hl7_value_set(url)
    if own is not None:
        if system is None:
            listed = own.plain_codes
            return None if listed is None else code in listed
        return own.contains(system, code)
    if run.resolve is None:
        return None
    return held.concepts(run).contains(canonical, system, code)


def codes_of(value: Any) -> list[tuple[str | None, str]] | None:
    """System and code of each code in a value of a coded type; None where the value is of no such type."""
    if isinstance(value, str):
        return [(None, value)]
    if not isinstance(value, dict):
        return None
    if "coding" in value or ("text" in value and "code" not in value):
        codings = value.get("coding")
        return [
            pair
            for coding in (codings if isinstance(codings, list) else ())
            for pair in codes_of(coding) or ()
        ]
    code, system = value.get("code"), value.get("system")
    return [(system if isinstance(system, str) else "", code)] if isinstance(code, str) else []


def check(value: Any, strength: str, canonical: str, place: Place, run: Run) -> None:
    """Reports a value outside the value set; says so where that cannot be decided."""
    given = codes_of(value)
    if given is None:
        return
    if not given:
        if strength == "required" and not (isinstance(value, dict) and "extension" in value):
            message = f"a code of the value set {canonical} is needed here"
            run.error("code-invalid", message, place, "binding")
        return
    verdicts = [contains(canonical, system, code, run) for system, code in given]
    if any(verdicts):
        return
    said = ", ".join(f"{system}#{code}"[:60] if system else code[:60] for system, code in given[:3])
    if None in verdicts:
        if bindings.hl7_value_set(canonical.partition("|")[0]) is None:
            message = (
                f"whether {quoted(said)} is in the value set {canonical} was not checked: it is not held here"
            )
            run.note("informational", message, place, "binding-unchecked")
        return
    message = f"{said} is not in the value set {canonical}"
    if strength == "required":
        run.error("code-invalid", f"{message}; use a code of it", place, "binding")
    else:
        run.warn("code-invalid", f"{message}; another code only where none of it fits", place, "binding")
