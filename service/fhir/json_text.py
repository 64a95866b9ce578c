"""JSON text to plain dicts and back, strictly: what cannot be read for certain is refused with its place.

Refused: duplicate keys, NaN and infinities, lone surrogates, bytes that are not UTF-8, nesting past the
limit, more bytes than the limit, a top level that is not an object. Decimals become ``Decimal``, so that
``6.30`` stays ``6.30``. Source: RFC 8259; FHIR R4 JSON page.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from service.domain.errors import Malformed, TooLarge
from service.domain.issues import Issue, Severity
from service.fhir.json_places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator

Resource = dict[str, Any]

_CONTAINERS = frozenset({dict, list})
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_RARELY_WRITTEN = re.compile(rb"\\[u/]")
_PLACES = 500
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read. ``size`` in bytes, ``depth`` in levels of objects and arrays."""

    size: int = 5_000_000
    depth: int = 200


STORED = Limits(size=1_000_000_000, depth=500)
"""How much of what the service itself has stored or made is read: as much as any setting lets in."""


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document: the resource, and the text it came from. Neither is ever changed."""

    resource: Resource
    text: str

    def position(self, expression: str) -> tuple[int, int]:
        """Line and column (from 1) of the element at a FHIRPath place, or of its nearest ancestor."""
        return Places(self.text).find(expression)

    def placed(self, issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
        """The issues with line and column filled in from their expressions."""
        if not issues:
            return issues
        places = Places(self.text)
        return tuple(
            issue if issue.line is not None else issue.at(*places.find(issue.expression)) for issue in issues
        )


class _DuplicateKey(ValueError):
    """One object carries the same key twice."""


def decode(body: bytes, limits: Limits | None = None) -> Document:
    """The document in a body of UTF-8 JSON; Malformed or TooLarge says what, where and what to do."""
    limits = limits or Limits()
    if len(body) > limits.size:
        raise TooLarge(f"the body has {len(body)} bytes; the limit is {limits.size}: send less at a time")
    body = body.removeprefix(_BOM)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as fault:
        before = body[: fault.start].decode("utf-8")
        _refuse("the text is not UTF-8 here; send the body as UTF-8", before, len(before))
    resource = _read_plain(body)
    plain = resource is not None
    if not plain:
        resource = _parse(text)
    if not isinstance(resource, dict):
        raise Malformed("the body is not a JSON object; send one FHIR resource")
    if _may_nest_deeper(body, limits.depth) and nests_deeper(resource, limits.depth):
        raise TooLarge(f"the body nests more than {limits.depth} levels; no FHIR resource needs so many")
    if not plain and _ESCAPED_SURROGATE.search(body):
        _refuse_lone_surrogates(resource, text)
    return Document(resource, text)


def encode(resource: Resource) -> bytes:
    """The resource as compact UTF-8 JSON, decimals as they were written."""
    return _ENCODER.encode(resource)


def _read_plain(body: bytes) -> Any:
    """What the body holds, where that, written again, is the body itself but for white space; else None.

    The quick reader keeps the last of two equal keys and does not say what it passes over. Where what it read
    is written as it came, it passed over nothing. Text with other spellings (escapes that are not needed,
    ``1e5``, ``-0``) and text that is wrong is for the strict reader, which names the place.
    """
    if b"\\" in body and _RARELY_WRITTEN.search(body):
        return None
    try:
        found = _DECODER.decode(body)
        written = _ENCODER.encode(found)
        same = written == body or written == msgspec.json.format(body, indent=-1)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found if same else None


def _parse(text: str) -> Any:
    try:
        return json.loads(
            text,
            parse_float=_decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as fault:
        _refuse(f"this is not JSON: {fault.msg}", text, fault.pos)
    except _DuplicateKey as fault:
        key = json.dumps(str(fault), ensure_ascii=False)[1:-1]
        line, column = Places(text).duplicate()
        raise _malformed(
            f"the key '{key[:60]}' stands twice in one object; keep one of the two", line, column
        ) from None
    except RecursionError:
        raise TooLarge(
            "the body nests too deeply to be read; no FHIR resource needs so many levels"
        ) from None
    except ValueError as fault:
        raise Malformed(f"a number in the body cannot be read: {_said(fault)}") from None


def _said(fault: ValueError) -> str:
    return str(fault).split(";", maxsplit=1)[0][:120]


def _decimal(text: str) -> Decimal:
    """The number exactly; past 500 places before or after the point it is no measurement but an attack."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("its exponent is out of range") from None
    if number and abs(number.adjusted()) > _PLACES:
        raise ValueError(f"it has more than {_PLACES} places")
    return number


_DECODER = msgspec.json.Decoder(float_hook=_decimal)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; leave the element out, or give a data-absent-reason")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKey(key)
            seen.add(key)
    return made


def _may_nest_deeper(body: bytes, limit: int) -> bool:
    """Whether the text has the brackets for it: each level that a place lies in begins before and ends after.

    What lies in the first half is in no more levels than begin there, what lies in the second in no more than
    end there. Brackets in strings only make it likelier that the structure itself is looked at.
    """
    half = len(body) // 2
    begun = body.count(b"{", 0, half) + body.count(b"[", 0, half)
    return begun > limit or body.count(b"}", half) + body.count(b"]", half) > limit


def nests_deeper(resource: Any, limit: int) -> bool:
    """Whether the structure nests deeper than the limit. Level by level, so that depth costs no stack."""
    level: list[Any] = [resource]
    for _ in range(limit):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return False
    return True


def _strings(resource: Any) -> Iterator[str]:
    stack = [resource]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            stack.extend(node)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


def _refuse_lone_surrogates(resource: Resource, text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for string in _strings(resource) for character in string):
        found = re.search(r"\\u[dD][89a-fA-F]", text)
        _refuse(
            "a \\u escape is half of a surrogate pair; write both halves or the character itself",
            text,
            found.start() if found else 0,
        )


def _malformed(message: str, line: int, column: int) -> Malformed:
    place = f"line {line}, column {column}: {message}"
    return Malformed(place, issues=[Issue(Severity.ERROR, "structure", place, line=line, column=column)])


def _refuse(message: str, text: str, offset: int) -> NoReturn:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    raise _malformed(message, line, column) from None
