"""Extensions: their form, and what their definitions ask where these are held here.

Source: FHIR R4 extensibility page; invariant ext-1, run natively; HL7's R4 definitions
(``r4/extensions.tsv``) and those of Structured Data Capture 4.0 (``r4/sdc.tsv``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.validation import definitions, types
from service.fhir.validation.places import below
from service.fhir.validation.run import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run


def one(*, modifier: bool) -> Callable[[Any, Place, str, int, Run], None]:
    """The check of one extension in an ``extension`` or ``modifierExtension`` array."""
    check = types.checker("Extension").check

    def check_one(value: Any, place: Place, name: str, index: int, run: Run) -> None:
        at = (place, name, index, place[3] + 1)
        if type(value) is not dict:
            run.error("structure", f"{name} must hold objects of type Extension, not {quoted(value)}", at)
            return
        check(value, at, run)
        definitions.check_extension(value, at, run, modifier=modifier)

    return check_one


def check_value(value: Any, place: Place, run: Run) -> None:
    """Invariant ext-1: an extension has a value or extensions, never both, never neither."""
    nested = "extension" in value
    valued = any(name.startswith(("value", "_value")) for name in value if type(name) is str)
    if nested == valued:
        if nested:
            message = "an extension has a value or nested extensions, not both; keep one of them"
        else:
            message = "an extension needs a value or nested extensions"
        run.error("invariant", message, place, "ext-1")
    url = value.get("url")
    nested_in = place[0][1] if place[0] is not None else ""
    if type(url) is str and ":" not in url and nested_in not in ("extension", "modifierExtension"):
        message = f"{quoted(url)} is no absolute URL; an extension's url names its definition"
        run.error("value", message, below(place, "url"), "extension-url")
