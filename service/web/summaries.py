"""``_summary`` and ``_elements``: parts of a resource, tagged as such. R4 ``search.html#summary``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.fhir.json_text import decode, encode
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.operations.searching.query import Query

Resource = dict[str, Any]
_SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_ALWAYS = ("resourceType", "id", "meta", "implicitRules")


@cache
def _summary_elements() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(Path(__file__).with_name("summary.json").read_bytes())
    return found


def shown(body: bytes, query: Query) -> bytes:
    """The resource's bytes as the query wants them: as they are, or cut down and tagged SUBSETTED."""
    if query.summary == "false" and not query.elements:
        return body
    resource = decode(body).resource
    kept = _keep(resource, query)
    meta = dict(kept.get("meta", {}))
    meta["tag"] = [*meta.get("tag", ()), _SUBSETTED]
    ordered = {"resourceType": kept["resourceType"], "id": kept.get("id"), "meta": meta}
    return encode(
        {key: value for key, value in (ordered | kept | {"meta": meta}).items() if value is not None}
    )


def _keep(resource: Resource, query: Query) -> Resource:
    type_ = resource["resourceType"]
    if query.summary == "data":
        return {key: value for key, value in resource.items() if key != "text"}
    if query.summary == "text":
        wanted = {*_ALWAYS, "text", *_mandatory(type_)}
    elif query.summary == "true":
        return _pruned(resource, type_, frozenset(_summary_elements().get(type_, ())), "")
    else:
        wanted = {*_ALWAYS, *query.elements, *_mandatory(type_)}
    return {key: value for key, value in resource.items() if _plain(key, type_) in wanted or key in wanted}


def _plain(key: str, type_: str) -> str:
    """The element's name of a JSON property: ``value`` of ``valueQuantity``, ``status`` of ``_status``."""
    info = R4.type(type_)
    field = info.fields.get(key.lstrip("_")) if info else None
    return field[0].name if field else key.lstrip("_")


def _mandatory(type_: str) -> set[str]:
    info = R4.type(type_)
    return {element.name for element in info.elements.values() if element.minimum} if info else set()


def _pruned(node: Resource, type_: str, kept: frozenset[str], path: str) -> Resource:
    """The node with its summary elements, and inside those that hold backbone elements again only these."""
    made: Resource = {}
    for key, value in node.items():
        name = key if not path and key in _ALWAYS else _plain(key, f"{type_}.{path}" if path else type_)
        place = f"{path}.{name}" if path else name
        if not path and key in _ALWAYS:
            made[key] = value
        elif place in kept:
            inner = any(other.startswith(f"{place}.") for other in kept)
            if inner and isinstance(value, list):
                made[key] = [
                    _pruned(part, type_, kept, place) if isinstance(part, dict) else part for part in value
                ]
            elif inner and isinstance(value, dict):
                made[key] = _pruned(value, type_, kept, place)
            else:
                made[key] = value
    return made
