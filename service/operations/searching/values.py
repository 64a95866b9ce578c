"""What a resource says to its search parameters: the values that an index holds. R4 ``search.html``."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.operations.searching.dates import EARLIEST, LATEST, span
from service.operations.searching.parameters import Kind, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.operations.searching.parameters import Parameter

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of one parameter.

    token: ``system`` and ``value`` (the code); reference: ``system`` (the type) and ``value`` (the id, or
    the whole URL); string: ``system`` (as written) and ``value`` (folded); uri: ``value``; date: ``low``
    and ``high`` in microseconds since 1970.
    """

    parameter: str
    system: str = ""
    value: str = ""
    low: int = 0
    high: int = 0


def entries(resource: Resource) -> tuple[Entry, ...]:
    """Every value of every parameter of the resource's type, but ``_id`` and ``_lastUpdated``."""
    found: dict[Entry, None] = {}
    for parameter in parameters(resource["resourceType"]).values():
        if parameter.name in ("_id", "_lastUpdated"):
            continue
        for path in parameter.paths:
            if path and path[0] not in resource and path[0][-1] not in "]*":
                continue  # most of a type's parameters have nothing to find
            for value in _walk(resource, path):
                for entry in _entries(parameter, value):
                    found[entry] = None
    return tuple(found)


def fold(text: str) -> str:
    """The text without accents, case and surplus white space, as string search compares it."""
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())


def reference_parts(reference: str) -> tuple[str, str]:
    """Type and id of a relative reference, type and whole text of any other that names a type."""
    path = reference.split("/_history/", 1)[0]
    pieces = path.split("/")
    type_ = pieces[-2] if len(pieces) > 1 and pieces[-2][:1].isupper() else ""
    return (type_, pieces[1]) if type_ and len(pieces) == 2 else (type_, path)


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(node, list):
        for part in node:
            yield from _walk(part, path)
    elif not path:
        yield node
    elif isinstance(node, dict):
        name, rest = path[0], path[1:]
        if name.endswith("[x]"):
            plain = name[:-3]
            for key, value in node.items():
                if key.startswith(plain) and key[len(plain) : len(plain) + 1].isupper():
                    yield from _walk(value, rest)
        elif name.endswith("**"):
            for value in node.get(name[:-2], ()):
                yield from _walk(value, rest)
                yield from _walk(value, path)
        elif name in node:
            yield from _walk(node[name], rest)


def _entries(parameter: Parameter, value: Any) -> Iterator[Entry]:
    match parameter.kind:
        case Kind.TOKEN:
            yield from _tokens(parameter.name, value)
        case Kind.REFERENCE:
            yield from _references(parameter, value)
        case Kind.DATE:
            yield from _dates(parameter.name, value)
        case Kind.STRING:
            if isinstance(value, str):
                yield Entry(parameter.name, value[:500], fold(value)[:500])
        case Kind.URI:
            if isinstance(value, str):
                yield Entry(parameter.name, "", value)


def _tokens(name: str, value: Any) -> Iterator[Entry]:
    if isinstance(value, bool):
        yield Entry(name, "", "true" if value else "false")
    elif isinstance(value, str):
        yield Entry(name, "", value)
    elif isinstance(value, dict):
        if "coding" in value:
            for coding in value["coding"]:
                yield from _tokens(name, coding)
        elif isinstance(code := value.get("code", value.get("value")), str):
            yield Entry(name, str(value.get("system", "")), code)


def _references(parameter: Parameter, value: Any) -> Iterator[Entry]:
    name = parameter.name
    if isinstance(value, str):  # a canonical
        url, _, version = value.partition("|")
        yield Entry(name, reference_parts(url)[0], url)
        yield Entry(name, reference_parts(url)[0], url.rsplit("/", 1)[-1])
        if version:
            yield Entry(name, reference_parts(url)[0], value)
    elif isinstance(value, dict):
        identifier = value.get("identifier")
        if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
            yield Entry(f"{name}:identifier", str(identifier.get("system", "")), identifier["value"])
        reference = value.get("reference")
        if isinstance(reference, str) and not reference.startswith("#"):
            type_, id_ = reference_parts(reference)
            type_ = type_ or str(value.get("type", ""))
            if parameter.target in (None, type_):
                yield Entry(name, type_, id_)


def _dates(name: str, value: Any) -> Iterator[Entry]:
    if isinstance(value, str):
        found = span(value)
        if found:
            yield Entry(name, low=found[0], high=found[1])
    elif isinstance(value, dict) and ("start" in value or "end" in value):
        start, end = span(str(value.get("start", ""))), span(str(value.get("end", "")))
        yield Entry(name, low=start[0] if start else EARLIEST, high=end[1] if end else LATEST)
    elif isinstance(value, dict):
        for moment in value.get("event", ()):
            yield from _dates(name, moment)
