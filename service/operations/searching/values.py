"""What a resource says to its search parameters: the values that an index holds. R4 ``search.html``."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from service.domain.addresses import normal
from service.operations.searching.dates import EARLIEST, LATEST, span
from service.operations.searching.parameters import Kind, parameters

if TYPE_CHECKING:
    from service.operations.searching.parameters import Parameter

Resource = dict[str, Any]


class Entry(NamedTuple):
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


_Found = dict[Entry, None]
"""The values found so far, each once and in order."""


class _Reading(NamedTuple):
    """How one parameter reads one element: where it stands, and what puts its values to those found."""

    first: str
    """The resource's element to start at; empty where several may be meant."""
    path: tuple[_Step, ...]
    parameter: Parameter
    take: Callable[[Parameter, Any, _Found], None]


_Step = tuple[str, Callable[[dict[str, Any], str, list[Any]], None] | None]
"""A name of a path, and what puts the values below it into a list, where the name is not the element's."""


def entries(resource: Resource) -> tuple[Entry, ...]:
    """Every value of every parameter of the resource's type, but ``_id`` and ``_lastUpdated``."""
    found: _Found = {}
    for first, path, parameter, take in _readings(resource["resourceType"]):
        if first and first not in resource:
            continue  # most of a type's parameters have nothing to find
        for value in _values(resource, path):
            take(parameter, value, found)
    return tuple(found)


def fold(text: str) -> str:
    """The text without accents, case and surplus white space, as string search compares it."""
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())


def reference_parts(reference: str) -> tuple[str, str]:
    """Type and id of a relative reference, type and whole address of any other that names a type.

    An address is written as all that lead to the same place are (``normal``).
    """
    path = reference.partition("/_history/")[0]
    before, slash, id_ = path.rpartition("/")
    if not slash:
        return "", path
    written = normal(path) if "://" in path else path
    type_ = before.rpartition("/")[2]
    if not type_[:1].isupper():
        return "", written
    return (type_, id_) if before == type_ else (type_, written)


@cache
def _readings(type_: str) -> tuple[_Reading, ...]:
    """How the type's parameters are read. Their paths are taken apart once: every record comes by here."""
    return tuple(
        _Reading(
            "" if path[0][-1] in "]*" else path[0],
            tuple(_step(name) for name in path),
            parameter,
            _TAKERS[parameter.kind],
        )
        for parameter in parameters(type_).values()
        if parameter.name not in ("_id", "_lastUpdated")
        for path in parameter.paths
    )


def _values(resource: Resource, path: tuple[_Step, ...]) -> list[Any]:
    """What stands at the path, in the resource's order; lists on the way are gone through."""
    values: list[Any] = [resource]
    for name, put_below in path:
        below: list[Any] = []
        for node in values:
            if not isinstance(node, dict):
                continue
            if put_below is not None:
                put_below(node, name, below)
            elif (value := node.get(name)) is not None:
                if isinstance(value, list):
                    _spread(value, below)
                else:
                    below.append(value)
        values = below
    return values


def _step(name: str) -> _Step:
    if name.endswith("[x]"):
        return name[:-3], _put_choices
    return (name[:-2], _put_nested) if name.endswith("**") else (name, None)


def _put_choices(node: dict[str, Any], name: str, below: list[Any]) -> None:
    for key, value in node.items():
        if key.startswith(name) and key[len(name) : len(name) + 1].isupper():
            _spread([value], below)


def _put_nested(node: dict[str, Any], name: str, below: list[Any]) -> None:
    """The element at any depth below itself, each before what it holds."""
    own: list[Any] = []
    _spread([node.get(name)], own)
    for value in own:
        below.append(value)
        if isinstance(value, dict):
            _put_nested(value, name, below)


def _spread(values: list[Any], below: list[Any]) -> None:
    for value in values:
        if isinstance(value, list):
            _spread(value, below)
        else:
            below.append(value)


def _take_tokens(parameter: Parameter, value: Any, found: _Found) -> None:
    if isinstance(value, str):
        found[Entry(parameter.name, "", value)] = None
    elif isinstance(value, bool):
        found[Entry(parameter.name, "", "true" if value else "false")] = None
    elif isinstance(value, dict):
        if "coding" in value:
            codings = value["coding"]
            for coding in codings if isinstance(codings, list) else ():
                _take_tokens(parameter, coding, found)
        elif isinstance(code := value.get("code", value.get("value")), str):
            found[Entry(parameter.name, _text(value, "system"), code)] = None


def _take_references(parameter: Parameter, value: Any, found: _Found) -> None:
    name = parameter.name
    if isinstance(value, dict):
        identifier = value.get("identifier")
        if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
            found[Entry(f"{name}:identifier", _text(identifier, "system"), identifier["value"])] = None
        reference = value.get("reference")
        if isinstance(reference, str) and not reference.startswith("#"):
            type_, id_ = reference_parts(reference)
            type_ = type_ or _text(value, "type")
            if parameter.target is None or parameter.target == type_:
                found[Entry(name, type_, id_)] = None
    elif isinstance(value, str):  # a canonical
        value = normal(value)
        url, _, version = value.partition("|")
        type_ = reference_parts(url)[0]
        found[Entry(name, type_, url)] = None
        found[Entry(name, type_, url.rsplit("/", 1)[-1])] = None
        if version:
            found[Entry(name, type_, value)] = None


def _take_dates(parameter: Parameter, value: Any, found: _Found) -> None:
    if isinstance(value, str):
        limits = span(value)
        if limits:
            found[Entry(parameter.name, "", "", *limits)] = None
    elif isinstance(value, dict) and ("start" in value or "end" in value):
        start, end = span(_text(value, "start")), span(_text(value, "end"))
        low, high = start[0] if start else EARLIEST, end[1] if end else LATEST
        found[Entry(parameter.name, "", "", low, high)] = None
    elif isinstance(value, dict) and isinstance(value.get("event"), list):
        for moment in value["event"]:
            _take_dates(parameter, moment, found)


def _take_strings(parameter: Parameter, value: Any, found: _Found) -> None:
    if isinstance(value, str):
        found[Entry(parameter.name, value[:500], fold(value)[:500])] = None


def _take_uris(parameter: Parameter, value: Any, found: _Found) -> None:
    if isinstance(value, str):
        found[Entry(parameter.name, "", value)] = None


def _text(node: dict[str, Any], name: str) -> str:
    value = node.get(name)
    return value if isinstance(value, str) else ""


_TAKERS = {
    Kind.TOKEN: _take_tokens,
    Kind.REFERENCE: _take_references,
    Kind.DATE: _take_dates,
    Kind.STRING: _take_strings,
    Kind.URI: _take_uris,
}
