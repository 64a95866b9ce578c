"""The clerk in threads of this process: one that writes, one that reads."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from service.adapters.clerk.aside import Aside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection, Sequence
    from datetime import datetime

    from service.operations.ports import Once, Records, Write


class Inside:
    """The clerk of records that are open here."""

    def __init__(self, records: Records) -> None:
        """Nothing runs yet."""
        self._records = records
        self._writer = Aside("clerk-writes")
        self._reader = Aside("clerk-reads")

    async def open(self) -> None:
        """Nothing: the threads start when they are first needed."""

    async def close(self) -> None:
        """Nothing; the threads end when what was asked is done."""
        self._writer.close()
        self._reader.close()

    def commit(self, writes: Sequence[Write], now: datetime, once: Sequence[Once]) -> Awaitable[object]:
        """Nothing, once all of it is on disk."""
        return self._writer.run(partial(self._records.commit, writes, now, (), once))

    def stored(self, type_: str, id_: str) -> Awaitable[bool]:
        """Whether there is, or ever was, such a record."""
        return self._writer.run(lambda: self._records.read(type_, id_) is not None)

    def subjects(self, types: Sequence[str], names: Collection[str]) -> Awaitable[Collection[str]]:
        """Those of the names that a record is kept of."""
        return self._reader.run(partial(self._records.subjects, types, frozenset(names)))
