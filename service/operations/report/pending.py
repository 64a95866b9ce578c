"""The records as they will stand once some versions are stored: what a verb reads before its transaction.

What is committed to it is gathered, for the transaction that stores it with the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.operations.ports import Version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.operations.ports import Message, Once, Page, Records, Write
    from service.operations.searching.query import Query


class Pending:
    """Records with some versions before them. Searches see what is stored alone."""

    def __init__(self, records: Records, standing: Sequence[Version]) -> None:
        """Takes what will stand, which need not be all of what is stored."""
        self._records = records
        self._standing = {(one.type, one.id): one for one in standing}
        self.writes: dict[tuple[str, str], Write] = {}

    def read(self, type_: str, id_: str) -> Version | None:
        """The version that will stand."""
        return self._standing.get((type_, id_)) or self._records.read(type_, id_)

    def version(self, type_: str, id_: str, version: int) -> Version | None:
        """One version, as it will stand or as it is stored."""
        held = self._standing.get((type_, id_))
        if held is not None and held.version == version:
            return held
        return self._records.version(type_, id_, version)

    def history(
        self, type_: str, id_: str | None, *, count: int, cursor: str | None, since: datetime | None
    ) -> Page:
        """What is stored."""
        return self._records.history(type_, id_, count=count, cursor=cursor, since=since)

    def search(self, query: Query) -> Page:
        """What is stored."""
        return self._records.search(query)

    def subjects(self, types: Sequence[str], names: frozenset[str]) -> frozenset[str]:
        """What is stored."""
        return self._records.subjects(types, names)

    def commit(
        self,
        writes: Sequence[Write],
        now: datetime,
        messages: Sequence[Message] = (),
        once: Sequence[Once] = (),
    ) -> tuple[Version, ...]:
        """The versions as they will be; nothing is stored yet."""
        if messages or once:  # a draft sends nothing
            raise AssertionError
        made = []
        for one in writes:
            first = self.writes.get((one.type, one.id))
            self.writes[one.type, one.id] = one
            number = (one.expected or 0) + 1
            version = Version(one.type, one.id, number, now, "PUT" if one.body else "DELETE", one.body)
            if first is not None:
                raise AssertionError(one.type)  # each record is written once in one transaction
            self._standing[one.type, one.id] = version
            made.append(version)
        return tuple(made)

    def ping(self) -> None:
        """Nothing, where the store answers."""
        self._records.ping()
