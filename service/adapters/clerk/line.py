"""What goes over the line between a worker and its clerk's process: MessagePack, each message in a frame.

A frame is the message's length in four bytes, the most significant first, and the message.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads it
from typing import TYPE_CHECKING

import msgspec

from service.domain.errors import Conflict, PreconditionFailed, Repeated, Unavailable
from service.fhir.json_text import STORED, decode
from service.operations.ports import Once, Write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

_HEAD = 4
_FAULTS = {kind.__name__: kind for kind in (Repeated, PreconditionFailed, Conflict, Unavailable)}
"""The errors that a clerk's records raise, by name."""


class _Request(msgspec.Struct, frozen=True, array_like=True, tag_field="asks"):
    """What is asked; the answer has the same number."""

    number: int


class Opening(_Request, frozen=True, tag="Opening"):
    """The first message: the database to open. Its answer says whether that could be done."""

    url: str


class Commit(_Request, frozen=True, tag="Commit"):
    """What is to be written: type, id, body (None deletes) and expected version; scope, key and expiry."""

    writes: list[tuple[str, str, bytes | None, int | None]]
    now: datetime
    once: list[tuple[str, str, datetime]]

    def changes(self) -> list[Write]:
        """The writes, their bodies read."""
        return [
            Write(type_, id_, None, expected=expected)
            if body is None
            else Write(type_, id_, decode(body, STORED).resource, body, expected)
            for type_, id_, body, expected in self.writes
        ]

    def marks(self) -> list[Once]:
        """What may happen once."""
        return [Once(*one) for one in self.once]


class Stored(_Request, frozen=True, tag="Stored"):
    """Asks whether there is such a record."""

    type: str
    id: str


class Subjects(_Request, frozen=True, tag="Subjects"):
    """Asks which of the names records of the types are kept of."""

    types: list[str]
    names: list[str]


Request = Opening | Commit | Stored | Subjects


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What came of the request of that number: names, or an error by its name with its sentence."""

    number: int
    found: list[str] = []
    fault: tuple[str, str] | None = None

    def error(self) -> Exception | None:
        """The error, as the records raised it; one that they do not raise is told by its name alone."""
        if self.fault is None:
            return None
        name, sentence = self.fault
        if name in _FAULTS:
            return _FAULTS[name](sentence)
        return RuntimeError(f"the clerk failed: {name}")


_ENCODER = msgspec.msgpack.Encoder()
_REQUESTS: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_ANSWERS = msgspec.msgpack.Decoder(Answer)


def commit(number: int, writes: Sequence[Write], now: datetime, once: Sequence[Once]) -> Commit:
    """The message of a commit."""
    rows = [
        (one.type, one.id, one.body if one.resource is not None else None, one.expected) for one in writes
    ]
    return Commit(number, rows, now, [(one.scope, one.key, one.expires) for one in once])


def failed(number: int, fault: BaseException) -> Answer:
    """The answer that tells of an error. The sentence of one that records do not raise stays behind."""
    name = type(fault).__name__
    return Answer(number, [], (name, str(fault) if name in _FAULTS else ""))


def frame(message: Request | Answer) -> bytes:
    """The message as it goes over the line."""
    body = _ENCODER.encode(message)
    return len(body).to_bytes(_HEAD, "big") + body


def requests(stream: BinaryIO) -> Iterator[Request]:
    """The requests that come in, until the other end is gone. What it had not sent whole is left out."""
    while len(head := stream.read(_HEAD)) == _HEAD:
        size = int.from_bytes(head, "big")
        if len(body := stream.read(size)) < size:
            return
        yield _REQUESTS.decode(body)


class Answers:
    """Puts together what comes in, in whatever pieces."""

    def __init__(self) -> None:
        """Nothing has come."""
        self._held = b""

    def take(self, data: bytes) -> list[Answer]:
        """The answers that are now whole."""
        held, at, found = self._held + data, 0, []
        while (start := at + _HEAD) <= len(held):
            end = start + int.from_bytes(held[at:start], "big")
            if end > len(held):
                break
            found.append(_ANSWERS.decode(held[start:end]))
            at = end
        self._held = held[at:]
        return found
