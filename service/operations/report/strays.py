"""Acknowledgements that could not be joined, or not wholly: each kept byte for byte.

One record of type ``StrayAcknowledgement`` a file, which ``/fhir`` does not serve. Its id is the file's
SHA-256, so that the same bytes are kept once. It names no patient: a recipient's answer knows none.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.errors import Conflict, NotFound, PreconditionFailed
from service.fhir.json_text import decode, encode
from service.operations.ports import Write
from service.operations.report.steps import require_reason
from service.operations.representation import instant
from service.operations.searching.parameters import Kind
from service.operations.searching.query import LARGEST_COUNT, Condition, Query, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.operations.ports import Records, Version
    from service.operations.report.desk import Desk

TYPE = "StrayAcknowledgement"
OPEN, SEEN = "open", "seen"


@dataclass(frozen=True, slots=True)
class Unjoined:
    """One number that the file speaks of (a report's, or the batch's), and why it was joined to nothing."""

    number: str
    why: str


@dataclass(frozen=True, slots=True)
class Stray:
    """One file. ``digest`` is its SHA-256 in hexadecimal digits and its id; ``batch`` what it answers.

    ``state``: ``open`` until a person has looked into it, then ``seen``, with who, when and why.
    """

    digest: str
    state: str
    name: str
    media_type: str
    batch: str
    unjoined: tuple[Unjoined, ...]
    received: str
    through: str
    size: int
    who: str | None = None
    when: str | None = None
    reason: str | None = None
    record: int = 0

    @property
    def says(self) -> str:
        """What is wrong with it, in a sentence."""
        named = "; ".join(f"{one.number[:100]}: {one.why}" for one in self.unjoined[:10])
        return f"it answers the batch {self.batch[:100]}, and was not joined: {named}"


def digest(body: bytes) -> str:
    """The id under which a file is kept."""
    return hashlib.sha256(body).hexdigest()


def keeping(
    desk: Desk, name: str, body: bytes, batch: str, unjoined: Sequence[Unjoined], through: str
) -> tuple[Write, ...]:
    """The change that keeps the file; none where these bytes are kept already."""
    id_ = digest(body)
    if desk.records.read(TYPE, id_) is not None:
        return ()
    resource = {
        "resourceType": TYPE,
        "id": id_,
        "state": OPEN,
        "name": name[:200],
        "mediaType": "application/xml",
        "batch": batch[:200],
        "unjoined": [{"number": one.number[:200], "why": one.why} for one in unjoined],
        "received": instant(desk.clock()),
        "through": through,
        "size": len(body),
        "data": base64.b64encode(body).decode(),
    }
    return (Write(TYPE, id_, resource, encode(resource), expected=0),)


def keep_stray(
    desk: Desk, name: str, body: bytes, batch: str, unjoined: Sequence[Unjoined], through: str
) -> Stray:
    """The file as it is kept now: the same bytes are kept once, whoever brings them and how often."""
    writes = keeping(desk, name, body, batch, unjoined, through)
    if writes:
        with suppress(PreconditionFailed):  # somebody brought the same bytes at the same moment
            desk.records.commit(list(writes), desk.clock())
    return read_stray(desk.records, digest(body))


def read_stray(records: Records, id_: str) -> Stray:
    """The file of that id; NotFound where there is none."""
    return _of(_version(records, id_))


def read_body(records: Records, id_: str) -> bytes:
    """Its bytes as they came. Conflict where they are not those any more."""
    body = base64.b64decode(decode(_version(records, id_).body).resource["data"])
    if digest(body) != id_:
        raise Conflict("the file is not what came: its SHA-256 differs")
    return body


def list_strays(records: Records, state: str | None = OPEN) -> tuple[Stray, ...]:
    """The files in that state (None: all), the oldest first."""
    wanted = (Condition("state", Kind.TOKEN, "", (Value(None, state),)),) if state else ()
    found: list[Stray] = []
    cursor = None
    while True:
        page = records.search(Query(TYPE, wanted, count=LARGEST_COUNT, cursor=cursor))
        found += [_of(one) for one in page.versions]
        cursor = page.cursor
        if cursor is None:
            return tuple(sorted(found, key=lambda one: (one.received, one.digest)))


def count_strays(records: Records) -> int:
    """How many files nobody has looked into."""
    wanted = Condition("state", Kind.TOKEN, "", (Value(None, OPEN),))
    return records.search(Query(TYPE, (wanted,), count=1)).total


def look_into(desk: Desk, id_: str, who: str, reason: str) -> Stray:
    """The file once a person has looked into it: kept for ever, and shown no more among what needs it."""
    require_reason(reason)
    held = _version(desk.records, id_)
    if _of(held).state == SEEN:
        return _of(held)
    now = desk.clock()
    seen = {"state": SEEN, "who": who, "when": instant(now), "reason": reason}
    resource: dict[str, Any] = decode(held.body).resource | seen
    with suppress(PreconditionFailed):  # somebody else did at the same moment: their word stands
        desk.records.commit([Write(TYPE, id_, resource, encode(resource), expected=held.version)], now)
    return read_stray(desk.records, id_)


def _version(records: Records, id_: str) -> Version:
    found = records.read(TYPE, id_)
    if found is None or found.deleted:
        raise NotFound(f"there is no such acknowledgement here: {id_[:70]}")
    return found


def _of(version: Version) -> Stray:
    held = decode(version.body).resource
    return Stray(
        version.id,
        held["state"],
        held["name"],
        held["mediaType"],
        held["batch"],
        tuple(Unjoined(one["number"], one["why"]) for one in held["unjoined"]),
        held["received"],
        held["through"],
        int(held["size"]),
        held.get("who"),
        held.get("when"),
        held.get("reason"),
        version.version,
    )
