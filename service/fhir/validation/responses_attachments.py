"""Attachments and references against the limits of their question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.forms.elements import cut, text, whole
from service.fhir.forms.references import type_of_reference

if TYPE_CHECKING:
    from service.fhir.forms import FormItem, Occurrence
    from service.fhir.forms.elements import Json
    from service.fhir.validation.responses_checking import Checking

_BASE = "http://hl7.org/fhir/StructureDefinition/"


def check_attachment(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, content: Any
) -> None:
    """Checks the MIME type and the size of an attachment (SDC mimeType, maxSize in bytes)."""
    if not isinstance(content, dict):
        return
    limits = item.limits
    place = f"{occurrence.place}.answer[{index}].value"
    if limits.mime_types:
        given = text(content, "contentType")
        allowed = ", ".join(limits.mime_types)
        if given is None:
            checking.error(
                "required",
                f"the attachment of {item.link_id} has no contentType; give one of {cut(allowed, 120)}",
                place,
                "mime-type",
            )
        elif not any(_matches(given, pattern) for pattern in limits.mime_types):
            checking.error(
                "value",
                f"{item.link_id} takes {cut(allowed, 120)}, not {cut(given)}",
                f"{place}.contentType",
                "mime-type",
            )
    size = _size(content)
    if limits.max_size is not None and size is not None and size > limits.max_size:
        checking.error(
            "too-long",
            f"the attachment of {item.link_id} has {size} bytes; at most {limits.max_size} are taken",
            place,
            "max-size",
        )


def check_reference(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, content: Any
) -> None:
    """Checks what kind of resource is pointed at (referenceResource, and referenceProfile of a base type)."""
    limits = item.limits
    if not isinstance(content, dict) or not (limits.reference_types or limits.reference_profiles):
        return
    allowed = {*limits.reference_types}
    others = []
    for profile in limits.reference_profiles:
        if profile.startswith(_BASE) and "/" not in profile[len(_BASE) :]:
            allowed.add(profile[len(_BASE) :].partition("|")[0])
        else:
            others.append(profile)
    place = f"{occurrence.place}.answer[{index}].value"
    kind = type_of_reference(content, checking.filled.response)
    if others and (kind is None or kind not in allowed):
        checking.unchecked(
            f"whether the reference of {item.link_id} is of {cut(others[0], 120)} cannot be told here",
            place,
            "reference-unchecked",
            item.link_id,
        )
    elif allowed and kind is None:
        checking.unchecked(
            f"the reference of {item.link_id} does not tell whether it points at "
            f"{' or '.join(sorted(allowed))}",
            place,
            "reference-unchecked",
            item.link_id,
        )
    elif allowed and kind not in allowed:
        checking.error(
            "value",
            f"{item.link_id} takes a reference to {' or '.join(sorted(allowed))}, not to {cut(kind)}",
            place,
            "reference-type",
        )


def _matches(given: str, pattern: str) -> bool:
    """Whether a media type is the allowed one, parameters aside; ``image/*`` allows any image."""
    plain = given.partition(";")[0].strip().casefold()
    wanted = pattern.partition(";")[0].strip().casefold().removesuffix("*").removesuffix("/")
    return plain == wanted or ("/" not in wanted and plain.startswith(wanted + "/"))


def _size(content: Json) -> int | None:
    """The bytes of the attachment: those of the data where it is there, else what it says of itself."""
    data = text(content, "data")
    if data is None:
        return whole(content.get("size"))
    written = "".join(data.split())
    return len(written) * 3 // 4 - written[-2:].count("=")
