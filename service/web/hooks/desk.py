"""What the routes of CDS Hooks work with, put together once in ``app.py``."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request

    from service.cds.model import Call, Resource, Service, Showing
    from service.operations.advise import Advice
    from service.operations.clients import CdsGuard, Client, Ehrs
    from service.operations.journal import Recorder
    from service.web.hooks.limits import Buckets, Used


@dataclass(frozen=True, slots=True)
class Question:
    """A call to be answered: of which service, who calls, what cards need, how many seconds the EHR has."""

    service: Service
    call: Call
    client: Client | None
    showing: Showing
    seconds: float


async def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts of CDS Hooks in the running service.

    ``discovery`` is the answer of discovery. ``guard`` judges tokens; None asks nobody (development mode).
    ``opening`` makes ready what needs the event loop, ``ending`` closes it. ``ehr_seconds`` and ``seconds``:
    how long the EHR, and a whole call, may take.
    """

    services: Sequence[Service]
    discovery: Resource
    advise: Callable[[Question], Awaitable[Advice]]
    ehrs: Ehrs
    journal: Recorder
    used: Used
    buckets: Buckets
    guard: CdsGuard | None = None
    opening: Callable[[], Awaitable[None]] = _nothing
    ending: Callable[[], Awaitable[None]] = _nothing
    ehr_seconds: float = 0.4
    seconds: float = 0.5

    def named(self, id_: str) -> dict[str, Service]:
        """The services of an id, by hook: one id may stand for several hooks."""
        return {one.hook: one for one in self.services if one.id == id_}

    async def close(self) -> None:
        """Nothing, once what waits is on record and the connections closed; each, though another fails."""
        async with AsyncExitStack() as parts:  # the last first
            if self.guard is not None:
                parts.push_async_callback(self.guard.close)
            parts.push_async_callback(self.ending)
            parts.push_async_callback(self.ehrs.close)
            parts.push_async_callback(self.journal.close)


def desk(request: Request) -> Desk:
    """The desk that the application was made with."""
    found: Desk = request.app.state.desk
    return found
