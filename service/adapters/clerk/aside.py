"""A thread beside the event loop: what is handed to it is done in turn, what came of it is handed back.

The standard library's executor does the same at three times the price: each of its ways there and back takes
locks and futures of its own, and every answer of CDS Hooks waits for two of them.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


class _Errand(Generic[_T]):
    """Something to be done, and who waits for it."""

    __slots__ = ("answer", "fault", "loop", "made", "work")

    def __init__(self, work: Callable[[], _T], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.answer: asyncio.Future[_T] = loop.create_future()
        self.made: _T | None = None
        self.fault: BaseException | None = None

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, _type: object, fault: BaseException | None, _trace: object) -> Literal[True]:
        """True: whatever was raised goes to the one who waits, and the thread goes on."""
        self.fault = fault
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self.tell)
        return True

    def do(self) -> None:
        """Nothing, once the work is done; in the thread."""
        with self:
            self.made = self.work()

    def tell(self) -> None:
        """Nothing, and who waits is told; in the event loop."""
        if self.answer.done():
            return
        if self.fault is not None:
            self.answer.set_exception(self.fault)
        else:
            self.answer.set_result(self.made)  # type: ignore[arg-type]


class Aside:
    """The thread. It starts with the first errand; one event loop uses it."""

    def __init__(self, name: str) -> None:
        """Nothing runs yet."""
        self._name = name
        self._errands: SimpleQueue[_Errand[object] | None] = SimpleQueue()
        self._started = False

    def run(self, work: Callable[[], _T]) -> asyncio.Future[_T]:
        """What the work returned or raised, once its turn has come."""
        if not self._started:
            self._started = True
            Thread(target=self._run, name=self._name, daemon=True).start()
        errand = _Errand(work, asyncio.get_running_loop())
        self._errands.put(errand)  # type: ignore[arg-type]
        return errand.answer

    def close(self) -> None:
        """Nothing; the thread ends when what was handed to it is done."""
        self._errands.put(None)

    def _run(self) -> None:
        while (errand := self._errands.get()) is not None:
            errand.do()
