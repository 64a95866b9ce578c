"""A stored record as it is served: the received text with ``id`` and ``meta`` set, and nothing else touched.

The bytes that came in are what is stored (``docs/decisions/0004-stored-bytes.md``). Serving cuts the
top-level ``id`` and ``meta`` out of that text and puts the server's in: white space, key order, escapes and
decimals such as ``6.30`` stay as they were.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.fhir.json_text import decode, encode

if TYPE_CHECKING:
    from datetime import datetime

    from service.operations.ports import Version

_DECODER = json.JSONDecoder(parse_float=Decimal)
_SPACE = " \t\n\r"


def instant(moment: datetime) -> str:
    """The moment as a FHIR instant in UTC with milliseconds."""
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


def serve(version: Version) -> bytes:
    """The bytes of one version, with its id, ``meta.versionId`` and ``meta.lastUpdated``."""
    return stamp(version.body, version.id, _meta(version))


def resource_of(version: Version) -> dict[str, Any]:
    """What ``serve`` gives the bytes of, parsed: for what reads a record and does not pass it on."""
    resource = decode(version.body).resource
    own = resource.get("meta")
    meta = {**own, **_meta(version)} if isinstance(own, dict) else _meta(version)
    return {**resource, "id": version.id, "meta": meta}


def _meta(version: Version) -> dict[str, Any]:
    return {"versionId": str(version.version), "lastUpdated": instant(version.updated)}


def stamp(body: bytes, id_: str, meta: dict[str, Any]) -> bytes:
    """The object's text with this ``id``, and ``meta`` merged into its own; the rest as it stands."""
    text = body.decode("utf-8").removeprefix("\ufeff")
    kept: list[str] = []
    type_ = ""
    for key, value, source in members(text):
        if key == "meta" and isinstance(value, dict):
            meta = {**value, **meta}
        elif key == "resourceType":
            type_ = source
        elif key not in ("id", "meta"):
            kept.append(source)
    head = [part for part in (type_, f'"id":{json.dumps(id_)}', f'"meta":{encode(meta).decode()}') if part]
    return ("{" + ",".join([*head, *kept]) + "}").encode()


def members(text: str) -> list[tuple[str, Any, str]]:
    """The key, value and source text of each member of the one JSON object in the text."""
    found = []
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        key, after = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, after) + 1)
        value, end = _DECODER.raw_decode(text, start)
        found.append((key, value, text[at:end]))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def parameter_text(text: str, name: str) -> str | None:
    """The source text of the resource in a Parameters' parameter of that name, or None."""
    for key, value, source in members(text):
        if key != "parameter" or not isinstance(value, list):
            continue
        at = _skip(source, source.index("[", len(json.dumps(key))) + 1)
        while source[at] != "]":
            entry, end = _DECODER.raw_decode(source, at)
            if isinstance(entry, dict) and entry.get("name") == name and "resource" in entry:
                return next(
                    part[part.index("{") :]
                    for inner, _, part in members(source[at:end])
                    if inner == "resource"
                )
            at = _skip(source, end)
            if source[at] == ",":
                at = _skip(source, at + 1)
    return None
