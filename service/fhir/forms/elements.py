"""Small typed readers of FHIR JSON. What is missing, or of another JSON type than FHIR says, reads as absent.

The base checker reports a wrong JSON type; what stands here must only never stumble over one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

_ANSWERS = (
    *("boolean", "decimal", "integer", "date", "dateTime", "time", "string", "uri"),
    *("Attachment", "Coding", "Quantity", "Reference"),
)
ANSWER_TYPES: Mapping[str, str] = {"value" + kind[0].upper() + kind[1:]: kind for kind in _ANSWERS}
"""From the JSON property of an answer to its FHIR type (R4, QuestionnaireResponse.item.answer.value[x])."""

_LOWER = ("code", "canonical", "url", "markdown", "id", "oid", "uuid", "instant", "base64Binary")
_VALUE_TYPES: Mapping[str, str] = {
    **ANSWER_TYPES,
    **{"value" + kind[0].upper() + kind[1:]: kind for kind in (*_LOWER, "positiveInt", "unsignedInt")},
}


def text(source: Json, name: str) -> str | None:
    """The string at that name, or None."""
    found = source.get(name)
    return found if isinstance(found, str) and found else None


def whole(value: object) -> int | None:
    """The value as an integer, or None when it is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value) if value.adjusted() < 20 else None
    return None


def number(value: object) -> Decimal | None:
    """The value as an exact number, or None when it is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Decimal) and value.is_finite():
        return value
    return Decimal(str(value)) if isinstance(value, float) else None


def child(source: Json, name: str) -> Json:
    """The object at that name, or an empty one."""
    found = source.get(name)
    return found if isinstance(found, dict) else {}


def objects(source: Json, name: str) -> Iterator[tuple[int, Json]]:
    """The objects of the array at that name, each with its index."""
    found = source.get(name)
    if isinstance(found, list):
        for index, entry in enumerate(found):
            if isinstance(entry, dict):
                yield index, entry


def contained_in(resource: Json) -> dict[str, Json]:
    """The resources that a resource contains, by id."""
    return {
        name: entry for _, entry in objects(resource, "contained") if (name := text(entry, "id")) is not None
    }


def value_of(source: Json) -> tuple[str, Any] | None:
    """The FHIR type and the JSON of an element's value[x], or None. ``_value`` siblings do not count.

    A complex type that is no object, or a primitive one that is none, counts as absent too.
    """
    for name, content in source.items():
        if name.startswith("value"):
            kind = _VALUE_TYPES.get(name) or name[5:]
            if not kind or content is None or isinstance(content, list):
                return None
            return (kind, content) if kind[0].isupper() is isinstance(content, dict) else None
    return None


def extensions(source: Json, address: str) -> Iterator[tuple[int, Json]]:
    """The extensions of an element at that address, each with its index."""
    for index, entry in objects(source, "extension"):
        if entry.get("url") == address:
            yield index, entry


def extension_value(source: Json, address: str) -> Any:
    """The value of the first extension at that address, or None."""
    for _, entry in extensions(source, address):
        found = value_of(entry)
        if found is not None:
            return found[1]
    return None


def extension_values(source: Json, address: str) -> list[Any]:
    """The values of all extensions at that address."""
    found = (value_of(entry) for _, entry in extensions(source, address))
    return [value[1] for value in found if value is not None]


def cut(value: object, length: int = 40) -> str:
    """A value as a message may show it: on one line, and cut short."""
    shown = " ".join(str(value).split())
    return shown if len(shown) <= length else shown[: length - 1] + "…"
