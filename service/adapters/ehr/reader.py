"""The record of one patient read from an EHR while a clinician waits: the port ``Ehr`` fulfilled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from service.adapters.ehr import faults
from service.adapters.ehr.believing import kind_of
from service.adapters.ehr.faults import EhrFault
from service.adapters.ehr.scopes import reaches
from service.cds.model import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.adapters.ehr.breaker import Breaker
    from service.adapters.ehr.permission import Origin, Permission
    from service.adapters.ehr.search import Questions
    from service.cds.model import Access

Resource = dict[str, Any]

_MOST = 40
_log = structlog.get_logger()


class Reader:
    """Reads what one client's calls ask for, within what the client's entry permits."""

    def __init__(
        self,
        name: str,
        permission: Permission,
        questions: Questions,
        breakers: Callable[[Origin], Breaker],
        slots: Callable[[Origin], asyncio.Semaphore],
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """``name`` is the client's, for logs. ``slots`` bound how much of a host's is under way at once.

        ``clock`` gives seconds of a monotonic clock.
        """
        self._name = name
        self._permission = permission
        self._questions = questions
        self._breakers = breakers
        self._slots = slots
        self._clock = clock
        self._new_id = new_id

    async def read(
        self, access: Access, queries: Mapping[str, str], deadline: float
    ) -> Mapping[str, Resource | Unread]:
        """What the server answers to each query, by its key; an Unread where it cannot be had."""
        place = self._permission.server(access.server)
        if place is None or len(queries) > _MOST:
            _log.warning("ehr-not-permitted", client=self._name)
            reason = faults.NOT_PERMITTED if place is None else faults.NOT_ASKED
            return {key: _unread(key, query, EhrFault(reason, denied=True)) for key, query in queries.items()}
        breaker = self._breakers(place.origin)
        if queries and not breaker.admits(self._clock()):
            return {key: _unread(key, query, EhrFault(faults.RESTING)) for key, query in queries.items()}
        found = await self._all(access, queries, deadline, self._slots(place.origin))
        failed = [one for one in found.values() if isinstance(one, EhrFault)]
        if queries and len(failed) == len(queries) and any(one.counts for one in failed):
            breaker.fail(self._clock())
        else:
            breaker.succeed()
        if failed:
            reasons = sorted({fault.reason for fault in failed})
            _log.warning("ehr-unread", client=self._name, queries=len(failed), reasons=reasons)
        return {
            key: _unread(key, queries[key], one) if isinstance(one, EhrFault) else one
            for key, one in found.items()
        }

    async def _all(
        self, access: Access, queries: Mapping[str, str], deadline: float, slots: asyncio.Semaphore
    ) -> dict[str, Resource | EhrFault]:
        """Every query at once; what is not there in time is given up, and not waited for to end."""
        due = self._clock() + deadline
        correlation = self._new_id()
        tasks = {
            key: asyncio.create_task(self._one(access, query, correlation, due, slots))
            for key, query in queries.items()
        }
        try:
            if tasks:
                await asyncio.wait(tasks.values(), timeout=deadline)
        finally:
            for task in tasks.values():
                task.cancel()
        return {
            key: task.result() if task.done() else EhrFault(faults.SLOW, counts=True)
            for key, task in tasks.items()
        }

    async def _one(
        self, access: Access, query: str, correlation: str, due: float, slots: asyncio.Semaphore
    ) -> Resource | EhrFault:
        if not reaches(access.scopes, kind_of(query), searching="?" in query):
            return EhrFault(faults.DENIED, denied=True)
        try:
            server = access.server.rstrip("/")
            async with slots:
                return await self._questions.put(server, query, access.token, correlation, due)
        except EhrFault as fault:
            return fault


def _unread(key: str, query: str, fault: EhrFault) -> Unread:
    return Unread(key, kind_of(query), fault.reason, fault.denied)
