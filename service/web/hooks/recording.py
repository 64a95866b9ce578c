"""How far a call has come, and its record, committed before the answer goes out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.domain.errors import Conflict
from service.operations.journal import Event, write
from service.operations.representation import instant
from service.web.hooks.admission import log_refusal, used_before
from service.web.services import services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from service.cds.model import Call, Resource, Service
    from service.operations.ports import Write
    from service.web.hooks.admission import Admitted
    from service.web.hooks.desk import Desk

_LEAST = 0.02
"""So many seconds the record has at least, however long the rest took."""
_UNKNOWN = "(unknown)"
"""What stands in records for a service that is not one of ours: the address may hold anything."""


@dataclass(slots=True)
class Progress:
    """A request as far as it has come. ``end`` is when it must be over, by the event loop's clock."""

    action: str
    admitted: Admitted
    end: float
    service: Service | None = None
    call: Call | None = None
    status: int = 500
    cards: Sequence[Resource] = ()
    faults: Sequence[str] = ()


async def record(request: Request, own: Desk, progress: Progress) -> None:
    """Nothing, once the call is on record or the store has had its time.

    Unauthenticated where the call's token turns out to have been used before, on whatever worker.
    """
    held = services(request)
    event = Event(
        progress.service.id if progress.service else _UNKNOWN,
        progress.service.plan if progress.service else "",
        instant(held.clock()),
        progress.status,
        progress.action,
        progress.call,
        progress.admitted.caller,
        progress.cards,
        progress.faults,
        _trace(request),
    )
    writes = write(event, f"htg117 {held.version}", (held.new_id(), held.new_id()))
    left = max(progress.end - asyncio.get_running_loop().time(), _LEAST)
    await _commit(own, writes, progress.admitted, left)


async def spend(own: Desk, admitted: Admitted) -> None:
    """Nothing, and the call's token is used; Unauthenticated where it had been, on whatever worker."""
    if admitted.once:
        await _commit(own, (), admitted, own.seconds)


async def _commit(own: Desk, writes: Sequence[Write], admitted: Admitted, seconds: float) -> None:
    try:
        await own.journal.record(writes, admitted.once, seconds)
    except Conflict:
        fault = used_before(admitted.caller)
        log_refusal(fault)
        raise fault from None


def _trace(request: Request) -> dict[str, str]:
    """What tells this request from others: the id that answer and log line carry, and whence it came."""
    scope = request.scope
    found = {"request": str(scope.get("state", {}).get("request_id", ""))}
    if client := scope.get("client"):
        found["address"] = client[0]
    return found
