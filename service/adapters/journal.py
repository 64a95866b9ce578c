"""Calls recorded off the event loop, in groups: what waits is committed in one transaction, then answered.

A group is one commit of all that waits, done by the clerk; where it fails for a reason of one call (a
token's id that was used before), each call is committed alone, so that the others do not suffer. What the
store cannot take is kept in memory, up to a bound, and tried again, by ones first, each behind the others
once it has failed; each such call is counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from service.domain.errors import Conflict, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.adapters.clerk import Clerk
    from service.operations.ports import Clock, Once, Write

_LARGEST = 64
_PAUSE = 1.0
_LEAST = 0.05
"""A store that takes longer than this many seconds is slow; with less time to wait nothing is known of it."""
_log = structlog.get_logger()


@dataclass(slots=True)
class _Job:
    writes: Sequence[Write]
    once: tuple[Once, ...]
    answer: asyncio.Future[bool] = field(repr=False)
    counted: bool = False
    tried: bool = False


class Journal:
    """Where calls are recorded. One event loop uses it; ``close`` when the last request is answered.

    ``failed`` is called for each call whose record was not on disk when its answer had to go; ``lost`` for
    each whose record could never be stored.
    """

    def __init__(
        self,
        clerk: Clerk,
        clock: Clock,
        *,
        failed: Callable[[], None],
        lost: Callable[[], None],
        kept: int = 10_000,
        pause: float = _PAUSE,
    ) -> None:
        """Nothing runs yet."""
        self._clerk = clerk
        self._clock = clock
        self._failed = failed
        self._lost = lost
        self._kept = kept
        self._pause = pause
        self._waiting: deque[_Job] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._down = False
        self._flying = 0

    @property
    def waiting(self) -> int:
        """How many calls' records are not yet on disk."""
        return len(self._waiting) + self._flying

    async def record(self, writes: Sequence[Write], once: tuple[Once, ...], seconds: float) -> bool:
        """Whether the writes are on disk. False after so many seconds, or while the store is down.

        Repeated where one of ``once`` had happened before: then nothing of it is stored.
        """
        loop = asyncio.get_running_loop()
        job = _Job(writes, once, loop.create_future())
        self._keep(job)
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write())
        if self._down and not job.answer.done():
            self._count(job)
            return False
        late = loop.call_later(max(seconds, 0), self._expire, job, seconds)
        try:
            return await job.answer
        finally:
            late.cancel()

    async def close(self, seconds: float = 5.0) -> None:
        """Nothing, once what waits is on disk or the seconds are over; the rest is lost, and counted."""
        if self._writing is not None and not self._writing.done():
            await asyncio.wait((self._writing,), timeout=seconds)
            self._writing.cancel()
            await asyncio.wait((self._writing,))
        for _ in range(len(self._waiting)):
            self._lose(self._waiting.popleft())

    def _keep(self, job: _Job) -> None:
        self._waiting.append(job)
        if len(self._waiting) > self._kept:
            self._lose(self._waiting.popleft())

    def _expire(self, job: _Job, seconds: float) -> None:
        """The call goes on without its record."""
        if not job.answer.done():
            self._down = self._down or seconds > _LEAST  # so that the next calls need not wait for it too
            self._count(job)
            _answer(job, stored=False)

    def _count(self, job: _Job) -> None:
        if not job.counted:
            job.counted = True
            self._failed()
            _log.error("a call's record is not stored yet; it is kept in memory", waiting=self.waiting)

    def _lose(self, job: _Job) -> None:
        self._count(job)
        self._lost()
        _log.error("a call's record is lost: the store cannot be written and memory for it is used up")
        _answer(job, stored=False)

    async def _write(self) -> None:
        size, failed = _LARGEST, False
        while self._waiting:
            jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), size))]
            reached, self._flying = None, len(jobs)
            try:
                reached = await self._commit(jobs)
            finally:
                self._flying = 0
                if reached is None:
                    for job in jobs:
                        self._lose(job)
            if reached:
                size, failed, self._down = min(2 * size, _LARGEST), False, False
                continue
            if failed and len(jobs) == 1:  # behind the others: perhaps it alone is what cannot be taken
                self._waiting.append(jobs[0])
            else:
                self._waiting.extendleft(reversed(jobs))
            if failed:
                self._down = True
                await asyncio.sleep(self._pause)
            size, failed = 1, True  # at once for the first time: a clerk that has died has a deputy

    async def _commit(self, jobs: list[_Job]) -> bool:
        """Whether the store could be reached. A call that the store refuses is told so."""
        try:
            await self._run(jobs)
        except Conflict as fault:
            if len(jobs) == 1:
                return await self._refuse(jobs[0], fault)
            for at, job in enumerate(jobs):
                if not await self._commit([job]):
                    self._waiting.extendleft(reversed(jobs[at + 1 :]))
                    del jobs[at + 1 :]
                    del jobs[:at]
                    return False
            return True
        except ServiceError:
            return False
        for job in jobs:
            _answer(job, stored=True)
        return True

    async def _refuse(self, job: _Job, fault: ServiceError) -> bool:
        """Tells the call that it is refused, unless an attempt before had stored it after all."""
        if job.tried:
            try:
                stored = job.writes and await self._clerk.stored(job.writes[-1].type, job.writes[-1].id)
            except ServiceError:
                return False
            if stored:
                _answer(job, stored=True)
                return True
        if job.counted:  # it has been answered: nobody can be told any more
            self._lost()
            _log.error("a call answered while the store was down used a token that had been used before")
        elif not job.answer.done():
            job.answer.set_exception(fault)
        return True

    async def _run(self, jobs: list[_Job]) -> None:
        writes = [write for job in jobs for write in job.writes]
        once = tuple(one for job in jobs for one in job.once)
        try:
            await self._clerk.commit(writes, self._clock(), once)
        except Conflict:
            raise
        except ServiceError:
            for job in jobs:
                job.tried = True
            raise


def _answer(job: _Job, *, stored: bool) -> None:
    if not job.answer.done():
        job.answer.set_result(stored)
