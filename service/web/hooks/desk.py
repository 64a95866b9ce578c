"""What the routes of CDS Hooks work with, put together once in ``app.py``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request

    from service.cds.model import Call, Resource, Service
    from service.operations.clients import CdsCaller, CdsGuard
    from service.operations.journal import Recorder
    from service.web.hooks.limits import Buckets, Used


@dataclass(frozen=True, slots=True)
class Question:
    """A call to be answered: who calls, how many seconds the EHR may take, and this service's address."""

    service: Service
    call: Call
    caller: CdsCaller
    seconds: float
    base: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call is answered: cards, and actions for a client that asks for them."""

    cards: Sequence[Resource] = ()
    system_actions: Sequence[Resource] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts of CDS Hooks in the running service.

    ``discovery`` is the answer of discovery. ``guard`` judges tokens; None asks nobody (development mode).
    ``ehr_seconds`` and ``seconds``: how long the EHR, and a whole call, may take.
    """

    services: Sequence[Service]
    discovery: Resource
    advise: Callable[[Question], Awaitable[Answer]]
    journal: Recorder
    used: Used
    buckets: Buckets
    guard: CdsGuard | None = None
    ehr_seconds: float = 0.4
    seconds: float = 0.5

    def named(self, id_: str) -> dict[str, Service]:
        """The services of an id, by hook: one id may stand for several hooks."""
        return {one.hook: one for one in self.services if one.id == id_}


def desk(request: Request) -> Desk:
    """The desk that the application was made with."""
    found: Desk = request.app.state.desk
    return found
