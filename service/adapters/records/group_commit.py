"""SQLite's one writer, shared: what waits is committed together, so that one fsync serves many requests.

Each request keeps its own savepoint inside the shared transaction: one that fails undoes only itself. A
request is answered after the COMMIT that holds it, never before.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from service.domain.errors import ServiceError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

_LARGEST = 64
_T = TypeVar("_T")


@dataclass(slots=True)
class Job(Generic[_T]):
    """One request's work inside a transaction, at its time, and where its answer goes."""

    work: Callable[[Connection, int], _T]
    now: int
    answer: Future[_T] = field(default_factory=Future)


class GroupCommit:
    """Requests line up; whoever comes first to the writing connection writes for all that wait."""

    def __init__(self, engine: Engine) -> None:
        """Takes an engine whose transactions begin IMMEDIATE."""
        self._engine = engine
        self._waiting: deque[Job[object]] = deque()
        self._turn = Lock()
        self._last = 0

    def run(self, work: Callable[[Connection, int], _T], now: int) -> _T:
        """What the work returned, once what it wrote is on disk. ``now`` never runs backwards in it."""
        job = Job(work, now)
        self._waiting.append(job)  # type: ignore[arg-type]
        with self._turn:
            while not job.answer.done():
                self._write([self._waiting.popleft() for _ in range(min(len(self._waiting), _LARGEST))])
        return job.answer.result()

    def _write(self, jobs: list[Job[object]]) -> None:
        lost = Unavailable("the records could not be written; nothing of this request is stored")
        try:
            with self._engine.connect() as connection, connection.begin():
                outcomes = [self._make(connection, job) for job in jobs]
            for job, outcome in zip(jobs, outcomes, strict=True):
                if isinstance(outcome, ServiceError):
                    job.answer.set_exception(outcome)
                else:
                    job.answer.set_result(outcome)
        except SQLAlchemyError as fault:
            lost = unavailable(fault)
        finally:
            for job in jobs:
                if not job.answer.done():
                    job.answer.set_exception(lost)

    def _make(self, connection: Connection, job: Job[object]) -> object:
        self._last = max(self._last, job.now)
        connection.exec_driver_sql("SAVEPOINT job")
        try:
            made = job.work(connection, self._last)
        except ServiceError as fault:
            connection.exec_driver_sql("ROLLBACK TO job")
            return fault
        finally:
            connection.exec_driver_sql("RELEASE job")
        return made


def unavailable(fault: Exception) -> Unavailable:
    """The error of a store that does not answer, without what was in the statement."""
    kind = type(getattr(fault, "orig", fault)).__name__
    return Unavailable(f"the records cannot be reached at the moment ({kind}); try again shortly")
