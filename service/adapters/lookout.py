"""Whether anything is kept about somebody: who asks at once is answered by one query, beside the event loop.

Most patients that a hook is called for have no record here; their call then needs nothing else of the store.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from service.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Collection

    from service.adapters.clerk import Clerk

    _Asked = tuple[Collection[str], asyncio.Future[bool]]


class Lookout:
    """Asks the clerk for those who ask it. One event loop uses it."""

    def __init__(self, clerk: Clerk, types: tuple[str, ...]) -> None:
        """Takes the types of records that are looked for. Nothing runs yet."""
        self._clerk = clerk
        self._types = types
        self._waiting: list[_Asked] = []
        self._asking = False
        self.hangs = False
        """Whether a query was not answered in time, and is not yet."""

    async def holds(self, names: Collection[str], seconds: float) -> bool:
        """Whether a record may be about one who is so named (``Records.subjects``).

        TimeoutError after so many seconds. While a query hangs, or where none could be made, it is True of
        everybody: each then has to ask for himself.
        """
        if not names:
            return False
        if self.hangs:
            return True
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((names, answer))
        if not self._asking:
            self._asking = True
            loop.call_soon(self._ask)  # after the others that ask now
        late = loop.call_later(seconds, self._expire, answer)
        try:
            return await answer
        finally:
            late.cancel()

    def _ask(self) -> None:
        asked, self._waiting = self._waiting, []
        names = frozenset(name for names, _ in asked for name in names)
        asking = asyncio.get_running_loop().create_task(self._find(names))
        asking.add_done_callback(partial(self._tell, asked))

    async def _find(self, names: Collection[str]) -> Collection[str]:
        """The answer as a task's, so that whatever the clerk raises, and whenever, goes to those who ask."""
        return await self._clerk.subjects(self._types, names)

    def _tell(self, asked: list[_Asked], done: asyncio.Future[Collection[str]]) -> None:
        self.hangs = False
        fault = done.exception()
        kept = frozenset(done.result()) if fault is None else frozenset()
        for names, answer in asked:
            if answer.done():
                continue
            if fault is not None and not isinstance(fault, Unavailable):
                answer.set_exception(fault)
            else:
                answer.set_result(fault is not None or not kept.isdisjoint(names))
        self._asking = bool(self._waiting)
        if self._waiting:
            self._ask()

    def _expire(self, answer: asyncio.Future[bool]) -> None:
        if not answer.done():
            self.hangs = True
            answer.set_exception(TimeoutError())
