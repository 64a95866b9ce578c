"""The clerk: who reads and writes the records for an event loop that must not wait for them.

``inside.py`` is threads of the same process. ``outside.py`` is a process of its own, so that answering a call
does not share its interpreter with the writing of the records of those before: at every statement the
database's driver lets go of the interpreter and then waits to have it back from the event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection, Sequence
    from datetime import datetime

    from service.operations.ports import Once, Write


class Clerk(Protocol):
    """Records asked from one event loop. Whatever is asked may raise Unavailable."""

    async def open(self) -> None:
        """Nothing, once the clerk is ready, or has logged why it is not. It may be asked before, too."""

    async def close(self) -> None:
        """Nothing, once what was asked is done, or has had its time."""

    def commit(self, writes: Sequence[Write], now: datetime, once: Sequence[Once]) -> Awaitable[object]:
        """Nothing, once all of it is on disk (``Records.commit``); Conflict where none of it is."""

    def stored(self, type_: str, id_: str) -> Awaitable[bool]:
        """Whether there is, or ever was, such a record."""

    def subjects(self, types: Sequence[str], names: Collection[str]) -> Awaitable[Collection[str]]:
        """Those of the names that the subject of some current record goes by (``Records.subjects``)."""
