"""An event loop in a thread of its own, for what runs beside requests: couriers are called from threads."""

from __future__ import annotations

import asyncio
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

_T = TypeVar("_T")


class Background:
    """Runs coroutines from any thread on one loop. The thread begins with the first of them."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._turn = Lock()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """What the coroutine returns."""
        return asyncio.run_coroutine_threadsafe(work, self._begun()).result()

    def close(self) -> None:
        """Nothing, once the loop has stopped."""
        with self._turn:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _begun(self) -> asyncio.AbstractEventLoop:
        with self._turn:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = Thread(target=self._loop.run_forever, name="ehr", daemon=True)
                self._thread.start()
            return self._loop
