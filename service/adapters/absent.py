"""The records of a command that has none at hand: every question is answered with Unavailable."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from service.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.operations.ports import Message, Once, Write
    from service.operations.searching.query import Query


class NoRecords:
    """Fulfils the port ``Records`` by saying that there are none."""

    def read(self, type_: str, id_: str) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{type_}/{id_}")

    def version(self, type_: str, id_: str, version: int) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{type_}/{id_}/_history/{version}")

    def history(
        self, type_: str, id_: str | None, *, count: int, cursor: str | None, since: datetime | None
    ) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{count} of {type_}/{id_ or ''} after {cursor} since {since}")

    def search(self, query: Query) -> NoReturn:
        """Unavailable."""
        self._refuse(query.type)

    def commit(
        self,
        writes: Sequence[Write],
        now: datetime,
        messages: Sequence[Message] = (),
        once: Sequence[Once] = (),
    ) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{len(writes)} changes, {len(messages)} messages and {len(once)} marks of {now}")

    def ping(self) -> NoReturn:
        """Unavailable."""
        self._refuse("anything")

    @staticmethod
    def _refuse(asked: str) -> NoReturn:
        raise Unavailable(f"this command works without records, and {asked[:100]} was asked of them")
