"""What all readers of EHRs share in the process: connections, and each host's circuit breaker."""

from __future__ import annotations

import asyncio
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx

from service.adapters.ehr.breaker import Breaker
from service.adapters.ehr.exchange import Exchange
from service.adapters.ehr.network import CheckedTransport
from service.adapters.ehr.permission import permission_of
from service.adapters.ehr.reader import Reader
from service.adapters.ehr.search import Bounds, Questions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.adapters.ehr.permission import Origin
    from service.adapters.ehr.retries import Retries
    from service.operations.clients import Client

_MOST_HOSTS = 1_000
_PER_HOST = 48
"""Questions under way to one host at once: one that does not answer leaves connections to the others."""
SOFTWARE = "htg117"


def http_client(*, private: bool, connections: int = 1_000) -> httpx.AsyncClient:
    """A client of httpx over checked connections. It follows no redirect and keeps no cookie.

    A cookie that one clinician's call was given would else travel with another's.
    """
    return httpx.AsyncClient(
        transport=CheckedTransport(private=private, connections=connections),
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"User-Agent": SOFTWARE},
    )


class Ehrs:
    """The EHRs of the clients. For use on one event loop; ``close`` when done."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        new_id: Callable[[], str],
        retries: Retries,
        bounds: Bounds | None = None,
        largest: int = 2_000_000,
    ) -> None:
        """Connects to nothing yet. ``largest``: the bytes of one answer that are read."""
        self._clock = clock
        self._monotonic = monotonic
        self._new_id = new_id
        self._retries = retries
        self._bounds = bounds or Bounds()
        self._largest = largest
        self._http: dict[bool, httpx.AsyncClient] = {}
        self._readers: dict[str, Reader] = {}
        self._breakers: dict[Origin, Breaker] = {}
        self._slots: dict[Origin, asyncio.Semaphore] = {}

    def of(self, client: Client | None) -> Reader:
        """The reader of that client's FHIR servers; with None (development mode), of this machine's."""
        name = client.name if client else ""
        if name not in self._readers:
            permission = permission_of(client)
            questions = Questions(
                self.exchange(permission.private), self._retries, self._monotonic, self._bounds
            )
            self._readers[name] = Reader(
                name, permission, questions, self.breaker, self.slots, self._monotonic, self._new_id
            )
        return self._readers[name]

    def exchange(self, private: bool) -> Exchange:
        """Exchanges over the connections that may, or may not, lead to private addresses."""
        if private not in self._http:
            self._http[private] = http_client(private=private)
        return Exchange(self._http[private], self._new_id, self._clock, self._largest)

    def breaker(self, origin: Origin) -> Breaker:
        """The breaker of a host."""
        if len(self._breakers) > _MOST_HOSTS:  # only in development mode, where no list bounds them
            self._breakers.clear()
        return self._breakers.setdefault(origin, Breaker())

    def slots(self, origin: Origin) -> asyncio.Semaphore:
        """What bounds the questions under way to a host."""
        if len(self._slots) > _MOST_HOSTS:
            self._slots.clear()
        return self._slots.setdefault(origin, asyncio.Semaphore(_PER_HOST))

    async def close(self) -> None:
        """Nothing, once the connections are closed."""
        for http in self._http.values():
            await http.aclose()
