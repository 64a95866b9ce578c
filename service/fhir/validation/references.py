"""References: their form, whether local ones lead anywhere, and whether they lead to a type that is allowed.

Source: FHIR R4 references page (§2.3.0.1 literal references, §2.3.0.5 contained resources), invariant ref-1.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from service.fhir.validation.places import below
from service.fhir.validation.run import quoted
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run

_RESTFUL = re.compile(
    r"(?:(https?://[^\s?#]+?)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/([A-Za-z0-9\-.]{1,64}))?(?:#[A-Za-z0-9\-.]{1,64})?"
).fullmatch
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?\S+").fullmatch
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+").fullmatch


class Literal(NamedTuple):
    """A literal reference that names a type and an id; ``base`` is empty where it is relative."""

    base: str
    type: str
    id: str
    version: str


@lru_cache(maxsize=4096)
def read_literal(reference: str) -> Literal | None:
    """The type and id in a RESTful reference, or None where it is of another form."""
    match = _RESTFUL(reference)
    if match is None or match.group(2) not in R4.resources:
        return None
    return Literal(match.group(1) or "", match.group(2), match.group(3), match.group(4) or "")


def check_reference(value: Any, place: Place, run: Run) -> None:
    """A Reference by itself: its form, and where a local one leads."""
    reference = value.get("reference")
    if "type" in value:
        _check_type(value["type"], below(place, "type"), run)
    if type(reference) is str and reference:
        if reference[0] == "#":
            run.local.add(reference)
            if len(reference) > 1 and reference[1:] not in run.contained:
                message = (
                    f"{quoted(reference)} leads to no contained resource; contained here: "
                    f"{', '.join('#' + name for name in sorted(run.contained)[:12]) or 'none'}"
                )
                run.error("invariant", message, below(place, "reference"), "ref-1")
        elif (literal := read_literal(reference)) is not None:
            stated = value.get("type")
            if type(stated) is str and stated in R4.resources and stated != literal.type:
                message = f"type says {stated} but the reference leads to {literal.type}; make them agree"
                run.error("value", message, below(place, "type"), "reference")
        elif not _SCHEME(reference) and not (run.bundle and _CONDITIONAL(reference)):
            _malformed(reference, below(place, "reference"), run)
    elif value.keys().isdisjoint(("identifier", "display", "extension", "reference", "_reference")):
        message = "a reference without reference, identifier or display says nothing; give one of them"
        run.warn("incomplete", message, place, "reference")


def _check_type(stated: Any, place: Place, run: Run) -> None:
    if type(stated) is str and stated not in R4.resources and ":" not in stated:
        message = f"{quoted(stated)} is no R4 resource type; write one such as Patient, or an absolute URL"
        run.error("code-invalid", message, place, "reference")


def _malformed(reference: str, place: Place, run: Run) -> None:
    kind = reference.partition("/")[0]
    if "/" in reference and kind.isalpha() and kind not in R4.resources:
        message = f"{quoted(kind)} is no R4 resource type"
    else:
        message = f"{quoted(reference)} is no reference"
    message += "; write Type/id, an absolute URL, urn:uuid:… or #id"
    if any(map(str.isspace, reference)):
        run.error("value", message, place, "reference")
    else:  # R4 lets a reference be relative to any base: what it then means cannot be told
        run.warn("value", message, place, "reference")


def check_identifier(value: Any, place: Place, run: Run) -> None:
    """An Identifier whose system says that its value is a URI (FHIR R4 data types, Identifier)."""
    given, system = value.get("value"), value.get("system")
    if type(system) is str and ":" not in system:
        message = f"{quoted(system)} is not absolute; a system is named by a URL or urn: of its own"
        run.error("value", message, below(place, "system"), "identifier")
    if value.get("system") == "urn:ietf:rfc:3986" and type(given) is str and ":" not in given:
        message = (
            f"{quoted(given)} is no full URI, as the system urn:ietf:rfc:3986 asks; start it with a scheme"
        )
        run.error("value", message, below(place, "value"), "identifier")


def target(value: dict[str, Any], run: Run) -> dict[str, Any] | None:
    """The resource that a Reference leads to inside this document, or None."""
    reference = value.get("reference")
    return run.follow(reference) if type(reference) is str else None


def target_type(value: dict[str, Any], run: Run) -> str | None:
    """The type that a Reference leads to, as far as this document tells."""
    reference = value.get("reference")
    if type(reference) is str and reference:
        found = target(value, run)
        if found is not None:
            kind = found.get("resourceType")
            return kind if isinstance(kind, str) else None
        if (literal := read_literal(reference)) is not None:
            return literal.type
        if (conditional := _CONDITIONAL(reference)) is not None:
            return conditional.group(1) if conditional.group(1) in R4.resources else None
    stated = value.get("type")
    return stated if isinstance(stated, str) and stated in R4.resources else None


def targets(allowed: tuple[str, ...]) -> Callable[[Any, Place, Run], None]:
    """The check that a Reference leads to one of the types."""
    types = frozenset(allowed)

    def check(value: Any, place: Place, run: Run) -> None:
        found = target_type(value, run)
        if found is not None and found not in types:
            message = f"this refers to a {found}; it may refer to {', '.join(allowed[:12])}"
            run.error("value", message, place, "reference-target")

    return check
