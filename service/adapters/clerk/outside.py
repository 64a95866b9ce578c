"""The clerk in a process of its own, as the worker sees it: what is asked, and what it says.

The process lives as long as the worker wants it. Should it end before, or be killed because it hangs, whoever
waits for it is told Unavailable, and another one is started: nothing was promised that it had not written.
While there is none that is ready, threads of the worker do its work.
"""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import structlog

from service.adapters.clerk import line
from service.adapters.clerk.command import command
from service.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection, Sequence
    from datetime import datetime

    from service.adapters.clerk import Clerk
    from service.operations.ports import Once, Write

_READY, _END = 30.0, 5.0
"""How many seconds the process may take to have the records open, and to end what it was asked."""
_OPENING = 0
"""The number of a process's first request, for which nobody waits but at the start."""
_PATIENCE = 15.0
"""So many seconds, and at most twice as many, a process may owe an answer before it is taken to hang. Who
waits for SQLite's one writer gives up after ten."""
_PAUSE, _LONGEST = 1.0, 64.0
"""Not sooner than so many seconds after one process another is started; each that never gets ready doubles
them, up to so many."""
_log = structlog.get_logger()


class Outside:
    """The clerk of the records of a database URL. One event loop uses it."""

    def __init__(self, url: str, meanwhile: Clerk, command: Sequence[str] | None = None) -> None:
        """Nothing runs yet. ``meanwhile`` does what is asked until it is open, and while it is not ready."""
        self._url = url
        self._meanwhile = meanwhile
        self._command = command
        self._owed: int | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._asked: dict[int, asyncio.Future[list[str]]] = {}
        self._number = 0
        self._started = float("-inf")
        self._pause = _PAUSE
        self._starting: asyncio.Task[None] | None = None
        self._process: _Process | None = None
        self._lost: _Process | None = None
        self._ready = False
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process's number, while it runs."""
        return self._process.pid if self._process is not None else None

    @property
    def ready(self) -> bool:
        """Whether it is the process that does what is asked now."""
        return self._ready

    async def open(self) -> None:
        """Nothing, once the process has the records open, or it is logged why that is not so."""
        self._start()
        answer = asyncio.get_running_loop().create_future()
        self._asked[_OPENING] = answer
        try:
            await asyncio.wait_for(answer, _READY)
        except (TimeoutError, Unavailable) as fault:
            _log.error("the records' process is not ready", fault=type(fault).__name__)

    async def close(self, seconds: float = _END) -> None:
        """Nothing, once the process has done what it was asked and is gone; it is killed after so long."""
        self._closed, self._ready = True, False
        if self._watch is not None:
            self._watch.cancel()
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait((self._starting,))
        for process in (self._process, self._lost):
            if process is not None:
                await process.end(seconds)
        self._fail("the records' process is closed")
        await self._meanwhile.close()

    def commit(self, writes: Sequence[Write], now: datetime, once: Sequence[Once]) -> Awaitable[object]:
        """Nothing, once all of it is on disk."""
        if not self._ready:
            return self._meanwhile.commit(writes, now, once)
        return self._ask(line.commit(self._next(), writes, now, once))

    async def stored(self, type_: str, id_: str) -> bool:
        """Whether there is, or ever was, such a record."""
        if not self._ready:
            return await self._meanwhile.stored(type_, id_)
        return bool(await self._ask(line.Stored(self._next(), type_, id_)))

    def subjects(self, types: Sequence[str], names: Collection[str]) -> Awaitable[Collection[str]]:
        """Those of the names that a record is kept of."""
        if not self._ready:
            return self._meanwhile.subjects(types, names)
        return self._ask(line.Subjects(self._next(), list(types), list(names)))

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _ask(self, request: line.Request) -> asyncio.Future[list[str]]:
        frame = line.frame(request)
        answer: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._asked[request.number] = answer
        if self._process is not None:
            self._process.send(frame)
        return answer

    def _start(self) -> None:
        """Nothing; a process is on its way."""
        if not self._closed and (self._starting is None or self._starting.done()):
            self._starting = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self._process is None:
            await self._try()

    async def _try(self) -> None:
        """Nothing; a process was started, when it was time, and if all is well it is ``_process``."""
        loop = asyncio.get_running_loop()
        if self._lost is not None:
            await self._lost.end(_END)
        await asyncio.sleep(self._started + self._pause - loop.time())
        self._started = loop.time()
        self._pause = min(2 * self._pause, _LONGEST)
        try:
            _, process = await loop.subprocess_exec(
                lambda: _Process(self),
                *(self._command or command()),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None,
                start_new_session=True,  # what a terminal sends to the worker is not meant for it
            )
        except OSError as fault:
            _log.error("the records' process cannot be started", fault=type(fault).__name__)
            self._fail("the records' process cannot be started")
            return
        if process.gone:
            self._fail("the records' process ended as soon as it was started")
            return
        self._process, self._owed = process, None
        process.send(line.frame(line.Opening(_OPENING, self._url)))
        if self._watch is not None:
            self._watch.cancel()
        self._watch = loop.call_later(_PATIENCE, self._look)

    def _look(self) -> None:
        """Nothing; a process that still owes what it owed at the last look hangs, and is killed.

        Whatever it had begun is made or not made as a whole, as with any death.
        """
        if self._process is None:
            return
        owes = next(iter(self._asked), None) if self._ready else _OPENING
        if owes is not None and owes == self._owed:
            _log.error("the records' process hangs; it is killed", waiting=len(self._asked))
            self._process.kill()
        self._owed = owes
        self._watch = asyncio.get_running_loop().call_later(_PATIENCE, self._look)

    def hear(self, answer: line.Answer) -> None:
        """Nothing; whoever waits for the answer has it."""
        if answer.number == _OPENING and not self._closed:
            self._ready, self._pause = True, _PAUSE
        waiting = self._asked.pop(answer.number, None)
        if waiting is None or waiting.done():
            return
        if fault := answer.error():
            waiting.set_exception(fault)
        else:
            waiting.set_result(answer.found)

    def lose(self, process: _Process) -> None:
        """Nothing; the process is as good as gone, and unless it is no longer wanted another is started."""
        self._lost, self._process, self._ready = process, None, False
        if not self._closed:
            _log.error("the records' process has ended; it is started again", waiting=len(self._asked))
            self._fail("the records' process has ended")
            self._start()

    def _fail(self, sentence: str) -> None:
        asked, self._asked = self._asked, {}
        for waiting in asked.values():
            if not waiting.done():
                waiting.set_exception(Unavailable(f"{sentence}; try again shortly"))


class _Process(asyncio.SubprocessProtocol):
    """The process, its two pipes, and its end."""

    def __init__(self, owner: Outside) -> None:
        self._owner = owner
        self._answers = line.Answers()
        self._exited = asyncio.Event()
        self._lost = False
        self._transport: asyncio.SubprocessTransport | None = None
        self._requests: asyncio.WriteTransport | None = None

    @property
    def pid(self) -> int | None:
        """Its number."""
        return self._transport.get_pid() if self._transport is not None else None

    @property
    def gone(self) -> bool:
        """Whether it says no more."""
        return self._lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing; the process runs."""
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._requests = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - there is but one that is read
        """Nothing; the answers are told."""
        for answer in self._answers.take(data):
            self._owner.hear(answer)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002
        """Nothing; a process that says no more is gone, or as good as gone."""
        if fd == 1:
            self._lost = True
            self._owner.lose(self)

    def process_exited(self) -> None:
        """Nothing; the process has ended. What it said last may still be to come."""
        self._exited.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Nothing; it is over."""
        if self._transport is not None:
            self._transport.close()

    def send(self, frames: bytes) -> None:
        """Nothing; they are on their way, or lost with the process, which is noticed when its output ends."""
        if self._requests is not None and not self._requests.is_closing():
            with suppress(RuntimeError):  # uvloop's word for a pipe that has closed at this moment
                self._requests.write(frames)

    def kill(self) -> None:
        """Nothing; it ends now."""
        if self._transport is not None:
            with suppress(ProcessLookupError):  # it has just ended by itself
                self._transport.kill()

    async def end(self, seconds: float) -> None:
        """Nothing, once the process, told that nothing more comes, has ended; killed after so long."""
        if self._transport is None or self._requests is None:
            return
        self._requests.close()
        try:
            await asyncio.wait_for(self._exited.wait(), seconds)
        except TimeoutError:
            self.kill()
            await self._exited.wait()
        self._transport.close()
