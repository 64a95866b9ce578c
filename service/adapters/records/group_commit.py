"""SQLite's one writer, shared: what waits is committed together, so that one fsync serves many requests.

Each request keeps its own savepoint inside the shared transaction: one that fails undoes only itself. A
request is answered after the COMMIT that holds it, never before.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from sqlalchemy.exc import SQLAlchemyError

from service.domain.errors import ServiceError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

_LARGEST = 64
_T = TypeVar("_T")


@dataclass(slots=True)
class Job(Generic[_T]):
    """One request's work inside a transaction, at its time, and what came of it once it is ``done``."""

    work: Callable[[Connection, int], _T]
    now: int
    done: bool = False
    made: _T | None = None
    fault: ServiceError | None = None

    def end(self, made: _T | None, fault: ServiceError | None = None) -> None:
        """Nothing; the outcome is there."""
        self.made, self.fault, self.done = made, fault, True


class GroupCommit:
    """Requests line up; whoever comes first to the writing connection writes for all that wait."""

    def __init__(self, engine: Engine) -> None:
        """Takes an engine whose transactions begin IMMEDIATE. One connection of it is kept open."""
        self._engine = engine
        self._connection: Connection | None = None
        self._waiting: deque[Job[object]] = deque()
        self._turn = Lock()
        self._last = 0

    def run(self, work: Callable[[Connection, int], _T], now: int) -> _T:
        """What the work returned, once what it wrote is on disk. ``now`` never runs backwards in it."""
        job = Job(work, now)
        self._waiting.append(job)  # type: ignore[arg-type]
        with self._turn:
            while not job.done:
                self._write([self._waiting.popleft() for _ in range(min(len(self._waiting), _LARGEST))])
        if job.fault is not None:
            raise job.fault
        return cast("_T", job.made)

    def close(self) -> None:
        """Nothing, once what is being written is, and the connection is closed."""
        with self._turn:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _write(self, jobs: list[Job[object]]) -> None:
        lost = Unavailable("the records could not be written; nothing of this request is stored")
        kept = False
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            outcomes = self._make(self._connection, jobs)
            for job, (made, fault) in zip(jobs, outcomes, strict=True):
                job.end(made, fault)
            kept = True
        except SQLAlchemyError as fault:
            lost = unavailable(fault)
        finally:
            if not kept:
                for job in jobs:
                    job.end(None, lost)
                self._close()

    def _make(self, connection: Connection, jobs: list[Job[object]]) -> list[_Outcome]:
        """What came of each, committed."""
        self._last = max(self._last, *(job.now for job in jobs))
        if len(jobs) == 1:  # the transaction is its savepoint
            try:
                with connection.begin():
                    return [(jobs[0].work(connection, self._last), None)]
            except ServiceError as fault:
                return [(None, fault)]
        with connection.begin():
            return [self._make_one(connection, job) for job in jobs]

    def _make_one(self, connection: Connection, job: Job[object]) -> _Outcome:
        connection.exec_driver_sql("SAVEPOINT job")
        try:
            made = job.work(connection, self._last)
        except ServiceError as fault:
            connection.exec_driver_sql("ROLLBACK TO job")
            return None, fault
        finally:
            connection.exec_driver_sql("RELEASE job")
        return made, None


_Outcome = tuple[object, ServiceError | None]


def unavailable(fault: Exception) -> Unavailable:
    """The error of a store that does not answer, without what was in the statement."""
    kind = type(getattr(fault, "orig", fault)).__name__
    return Unavailable(f"the records cannot be reached at the moment ({kind}); try again shortly")
