"""The worker of the outbox: claims what is due and delivers it, several messages at once, until stopped.

Any number of workers may run, in the service's processes and beside them. A channel whose recipient fails
again and again rests for a while, so that an outage does not use up every message's tries.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

import structlog

from service.domain.errors import ServiceError
from service.operations.deliver import Attempt, deliver
from service.operations.outbox import Fate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from service.operations.deliver import Chance, Line
    from service.operations.outbox import Claim, Outbox
    from service.operations.ports import Clock

LEASE = timedelta(minutes=10)
"""How long a worker's claim holds. Couriers give up long before."""

_IDLE_SECONDS = 1.0
_BUSY_SECONDS = 0.05
_FAILURES = 3
_LONGEST_REST = timedelta(minutes=1)
_NEVER = datetime.min.replace(tzinfo=UTC)

_log = structlog.get_logger()


@dataclass(slots=True)
class _Course:
    """How a channel has been going: failures since the last success, and until when it rests."""

    failures: int = 0
    until: datetime = _NEVER


class Deliveries:
    """One worker, of several threads. ``run`` it in a thread of its own, or in the foreground."""

    def __init__(
        self,
        outbox: Outbox,
        lines: Mapping[str, Line],
        clock: Clock,
        chance: Chance,
        *,
        seen: Callable[[Attempt], None] = lambda _attempt: None,
        lease: timedelta = LEASE,
    ) -> None:
        """Takes the lines by the channel's name, and what is told of every attempt."""
        self._outbox = outbox
        self._lines = lines
        self._clock = clock
        self._chance = chance
        self._seen = seen
        self._lease = lease
        self._courses = {channel: _Course() for channel in lines}
        self._busy: dict[Future[Attempt], Claim] = {}

    def run(self, stop: Event, *, until_empty: bool = False) -> int:
        """How many attempts were made, once stopped (or nothing is due); what was begun is finished first."""
        made = 0
        width = sum(line.width for line in self._lines.values())
        with ThreadPoolExecutor(max(width, 1), thread_name_prefix="deliver") as threads:
            eager = True
            while not stop.is_set():
                self._start(threads, eager=eager)
                if self._busy:
                    eager = not wait(self._busy, _BUSY_SECONDS, FIRST_COMPLETED).done
                elif until_empty:
                    break
                else:
                    self._outbox.wait(_IDLE_SECONDS)
                made += self._finish()
        return made + self._finish()

    def _start(self, threads: ThreadPoolExecutor, *, eager: bool) -> None:
        """Claims what is due. A claim costs a transaction: while much is done, a few are taken at a time."""
        busy = Counter(claim.message.channel for claim in self._busy.values())
        now = self._clock()
        for channel, line in self._lines.items():
            course, free = self._courses[channel], line.width - busy[channel]
            if course.until > now or free < (
                1 if eager else (line.width + 1) // 2
            ):  # a few at a time: claims cost a transaction
                continue
            limit = 1 if course.failures >= _FAILURES else free
            try:
                claims = self._outbox.claim((channel,), now, self._lease, limit)
            except ServiceError as fault:
                _log.error("outbox_unavailable", reason=str(fault))
                return
            for claim in claims:
                task = threads.submit(deliver, claim, line, self._outbox, self._clock, self._chance)
                self._busy[task] = claim

    def _finish(self) -> int:
        """How many deliveries had come to their end and were told of."""
        done = [task for task in self._busy if task.done()]
        for task in done:
            claim = self._busy.pop(task)
            fault = task.exception()
            if fault is None:
                self._tell(task.result())
            else:  # the claim runs out, and the message is delivered again
                reason = str(fault) if isinstance(fault, ServiceError) else type(fault).__name__
                _log.error("delivery_unsettled", channel=claim.message.channel, message=claim.message.id,
                           reason=reason)  # fmt: skip
        return len(done)

    def _tell(self, attempt: Attempt) -> None:
        self._seen(attempt)
        stuck = attempt.fate in (Fate.DEAD, Fate.REFUSED) or attempt.unsettled is not None
        (_log.error if stuck else _log.info)(
            "delivery_stuck" if stuck else "delivery", channel=attempt.channel, message=attempt.message,
            fate=attempt.fate or "overtaken", tries=attempt.tries, reason=attempt.reason,
        )  # fmt: skip
        course = self._courses[attempt.channel]
        if attempt.fate in (Fate.WAITING, Fate.DEAD):
            course.failures += 1
        elif attempt.fate is not None:
            course.failures = 0
        if course.failures >= _FAILURES:
            rest = self._lines[attempt.channel].patience.first * (1 << min(course.failures - _FAILURES, 10))
            course.until = self._clock() + min(rest, _LONGEST_REST)


@contextmanager
def running(*works: Callable[[Event], object]) -> Iterator[None]:
    """Each of the works in a thread of its own, told to stop and waited for at the end."""
    stop = Event()
    threads = [Thread(target=work, args=(stop,), name=f"background-{at}") for at, work in enumerate(works)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def persist(work: Callable[[Event], object], stop: Event, pause: float = 5.0) -> None:
    """Runs the work until it ends by itself. What a mistake of ours breaks is told of, and begun anew."""
    while True:
        with ThreadPoolExecutor(1) as thread:
            fault = thread.submit(work, stop).exception()
        if fault is None:
            return
        _log.error("background_broken", kind=type(fault).__name__)
        if stop.wait(pause):
            return
