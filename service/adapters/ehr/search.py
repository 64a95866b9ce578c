"""A question put to a FHIR server whole: asked again where it helps, every page, within bounds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.adapters.ehr import faults
from service.adapters.ehr.believing import believe_page, believe_read, next_link
from service.adapters.ehr.exchange import Ask
from service.adapters.ehr.faults import EhrFault
from service.adapters.ehr.permission import encoded, find_place, follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.adapters.ehr.exchange import Answer, Exchange
    from service.adapters.ehr.retries import Retries

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of one search is read: pages, bytes of all pages together, entries."""

    pages: int = 20
    size: int = 8_000_000
    entries: int = 5_000


class Questions:
    """Puts questions to servers over one exchange."""

    def __init__(
        self, exchange: Exchange, retries: Retries, clock: Callable[[], float], bounds: Bounds | None = None
    ) -> None:
        """``clock`` gives seconds of a monotonic clock."""
        self._exchange = exchange
        self._retries = retries
        self._clock = clock
        self._bounds = bounds or Bounds()

    async def put(self, server: str, query: str, token: str | None, correlation: str, due: float) -> Resource:
        """The resource of a read, or the searchset of a search with the entries of all its pages.

        It has a ``total`` where the server says that it found more than all its pages hold.

        ``due`` is when the answer must be there, by the clock. EhrFault says why it cannot be had.
        """
        url = f"{server}/{query}"
        place, home = find_place(url), find_place(server)
        if place is None or home is None or not place.within(home) or len(place.path) == len(home.path):
            raise EhrFault(faults.NOT_ASKED)
        ask = Ask("GET", encoded(url), token, correlation)
        if "?" not in query:
            answer = await self._again(ask, due)
            return believe_read(answer.content, query)
        return await self._pages(server, query, ask, due)

    async def _pages(self, server: str, query: str, ask: Ask, due: float) -> Resource:
        entries: list[Resource] = []
        seen: set[str] = set()
        known: set[tuple[str, str]] = set()
        size = remarks = 0
        while True:
            seen.add(ask.url)
            answer = await self._again(ask, due)
            size += answer.size
            believed = believe_page(answer.content, query)
            remarks += len(answer.content.get("entry", ())) - len(believed)
            for entry in believed:
                resource = entry["resource"]
                key = (resource["resourceType"], str(resource.get("id")))
                if "id" not in resource or key not in known:  # pages shift while they are read
                    known.add(key)
                    entries.append(entry)
            link = next_link(answer.content)
            if link is None:
                made: Resource = {"resourceType": "Bundle", "type": "searchset"}
                total = answer.content.get("total")
                if isinstance(total, int | Decimal) and total > len(entries) + remarks:
                    made["total"] = total
                return made | {"entry": entries} if entries else made
            url = follow(server, link)
            if url is None:
                raise EhrFault(faults.ASTRAY)
            bounds = self._bounds
            if (
                url in seen
                or len(seen) >= bounds.pages
                or size > bounds.size
                or len(entries) > bounds.entries
            ):
                raise EhrFault(faults.MANY_PAGES)
            ask = replace(ask, url=url)

    async def _again(self, ask: Ask, due: float) -> Answer:
        """The answer to a question that changes nothing: asked again where that may help in the time left."""
        attempt = 0
        while True:
            attempt += 1
            left = due - self._clock()
            if left <= 0:
                raise EhrFault(faults.SLOW, counts=True)
            try:
                return await self._exchange.send(ask, left)
            except EhrFault as fault:
                wait = self._retries.pause(attempt, fault.after, due - self._clock()) if fault.again else None
                if wait is None:
                    raise
            await asyncio.sleep(wait)
