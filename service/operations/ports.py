"""What the operations ask of the world: published content, records, a clock. Shapes and protocols only.

Adapters fulfil them, ``app.py`` hands them in, tests give their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.cds.model import Access, Unread
    from service.fhir.concepts import Terminology
    from service.operations.searching.query import Query

Resource = dict[str, Any]

Clock = Callable[[], datetime]
"""Gives the present as an aware datetime."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a sound token speaks for: its issuer, client or subject, and scopes."""

    issuer: str
    name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Version:
    """One stored version of a record.

    ``body`` holds the bytes as they were received or made; id and meta are set when it is served
    (``representation.py``). ``updated`` is aware. A deleted version has an empty body. ``method`` is the
    FHIR verb that made it: ``POST``, ``PUT`` or ``DELETE``.
    """

    type: str
    id: str
    version: int
    updated: datetime
    method: str
    body: bytes

    @property
    def deleted(self) -> bool:
        """Whether this version says that the resource is gone."""
        return self.method == "DELETE"

    @property
    def reference(self) -> str:
        """``Type/id``, as a Reference carries it."""
        return f"{self.type}/{self.id}"


@dataclass(frozen=True, slots=True)
class Write:
    """One change to make. ``expected`` is the version that must stand now: 0 for none, None for any.

    ``resource`` is the parsed body, from which the search values are taken; None deletes.
    """

    type: str
    id: str
    resource: Resource | None
    body: bytes = b""
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a search or history. ``total`` counts all matches; ``cursor`` leads to the next page."""

    versions: tuple[Version, ...]
    total: int
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to be delivered, at least once, under one id at every attempt.

    ``channel`` names the courier (``ehr:<client>``, ``gateway``); ``subject`` the record that it is about
    (``Type/id``); ``details`` hold what the courier needs beside the body (a file name, a case id).
    """

    id: str
    channel: str
    subject: str
    media_type: str
    body: bytes = field(repr=False)
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the recipient answered to a delivery: its own reference for it, and the answer's bytes."""

    reference: str | None = None
    media_type: str | None = None
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Once:
    """Something that may happen once until it expires, on whatever worker: the use of a token's id."""

    scope: str
    key: str
    expires: datetime


class Courier(Protocol):
    """Delivers the messages of one channel. Safe from several threads at once."""

    def deliver(self, message: Message) -> Receipt:
        """What the recipient said. Unavailable: try again later. Refused: it never will be taken.

        The errors' sentences are kept and shown: they hold nothing of the message or of the answer's body.
        """


class Ehr(Protocol):
    """The FHIR server of an EHR, as the access that a call carries opens it."""

    async def read(
        self, access: Access, queries: Mapping[str, str], deadline: float
    ) -> Mapping[str, Resource | Unread]:
        """What the server answers to each query, by the query's key; every key asked for is there.

        A query is relative to the server, its tokens filled: ``Patient/1`` gives the resource,
        ``Condition?patient=1`` one searchset Bundle with the entries of all its pages and no next link. All
        of it takes ``deadline`` seconds at most. What could not be had is an Unread with its reason, which
        holds no patient data (``title``: the type that was asked for; ``denied``: the server refuses the
        token, or its scopes do not reach that far); the rest is given all the same. Nothing is raised.
        """


class Records(Protocol):
    """Where records are kept. Every method may raise Unavailable. Safe from any thread."""

    def read(self, type_: str, id_: str) -> Version | None:
        """The current version (perhaps a deletion), or None if there never was one."""

    def version(self, type_: str, id_: str, version: int) -> Version | None:
        """One version, or None."""

    def history(
        self, type_: str, id_: str | None, *, count: int, cursor: str | None, since: datetime | None
    ) -> Page:
        """Versions of one record, or of all of a type, newest first."""

    def search(self, query: Query) -> Page:
        """The current records that match."""

    def subjects(self, types: Sequence[str], names: frozenset[str]) -> frozenset[str]:
        """Those of the names that the subject of some current record of the types goes by.

        A name is the id of a relative reference, the whole address of any other, or an identifier's value.
        """

    def commit(
        self,
        writes: Sequence[Write],
        now: datetime,
        messages: Sequence[Message] = (),
        once: Sequence[Once] = (),
    ) -> tuple[Version, ...]:
        """The versions made, in order: all of them or, if an ``expected`` does not hold, none.

        The messages are put into the outbox in the same transaction. They take the place of those about the
        same record that were refused or given up. One whose id is there already is left; but if it came to
        nothing (refused, given up, dropped) and has the same content, it is tried again under its old id.
        Raises Repeated where one of ``once`` has happened before.

        Raises PreconditionFailed naming the first record whose version is another.
        """

    def ping(self) -> None:
        """Nothing, where the store answers and its tables are those of this release."""


@dataclass(frozen=True, slots=True)
class Published:
    """One published resource: the bytes as they lie on disk, and what they say. Never changed."""

    file: str
    body: bytes
    resource: Resource
    current: bool = True

    @property
    def type(self) -> str:
        """The resource type."""
        return str(self.resource["resourceType"])

    @property
    def id(self) -> str:
        """The logical id."""
        return str(self.resource["id"])

    @property
    def version(self) -> str:
        """The business version; ``1`` where the type has none."""
        return str(self.resource.get("version", "1"))

    @property
    def url(self) -> str | None:
        """The canonical, without version."""
        return self.resource.get("url")


class Content(Protocol):
    """The published guidance."""

    def read(self, type_: str, id_: str, version: str | None = None) -> Published | None:
        """The current published version, or the one named, or None."""

    def versions(self, type_: str, id_: str) -> tuple[Published, ...]:
        """All versions of one resource, the current one first."""

    def of_type(self, type_: str) -> tuple[Published, ...]:
        """The current resources of one type, by id."""

    def examples(self, type_: str) -> tuple[Published, ...]:
        """The synthetic examples of one type that come with the content; they are not published."""

    def types(self) -> tuple[str, ...]:
        """The types that something is published of."""

    @property
    def data(self) -> Mapping[str, Resource]:
        """The JSON files of the content that are no resources, by path."""

    @property
    def terminology(self) -> Terminology:
        """The published code systems and value sets, indexed once."""

    def resolve(self, canonical: str) -> Resource | None:
        """The resource of a canonical (``url`` or ``url|version``), or None where it is not held here."""
