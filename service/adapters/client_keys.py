"""One CDS client's public keys: as its file gives them, or fetched from its ``jku`` and kept.

Fetched keys are renewed every ten minutes beside the calls; a key not seen before is looked for at once, at
most once a minute. Where its server does not answer, the keys that are known serve for a day.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import structlog

from service.adapters.ehr.faults import WIRE
from service.adapters.keys import read_keys
from service.adapters.trust import trusted
from service.domain.errors import ServiceError
from service.fhir.json_text import Limits, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.adapters.keys import Key
    from service.operations.clients import Client

PAUSE, RETRY, FRESH, STALE, DEAD = 60.0, 5.0, 600.0, 3600.0, 86_400.0
"""Seconds: between two fetches, and after one that failed; then how old keys may be until they are renewed
beside a call, before it, and until they serve no more."""
_PATIENCE = 0.2
"""So many seconds a call waits for keys to be renewed where others are known."""
_TIMEOUT = httpx.Timeout(3.0)
_WHOLE = 5.0
"""So many seconds a fetch may take."""
_FAULTS = (*WIRE, OSError, ExceptionGroup)
"""What httpx raises, and what it lets through from the streams and tasks beneath; a timeout is an OSError."""
_LARGEST = 256_000

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}

_log = structlog.get_logger()


class ClientKeys:
    """Finds a client's keys. For use on one event loop."""

    def __init__(
        self,
        client: Client,
        clock: Callable[[], float],
        http: httpx.AsyncClient | None = None,
        patience: float = _WHOLE,
    ) -> None:
        """Fetches nothing yet. ``clock`` gives seconds since 1970.

        ``patience``: so many seconds a call waits for keys that are not known; the fetch goes on without it.
        """
        self._client = client
        self._clock = clock
        self._http = http
        self._patience = patience
        self._given: Mapping[tuple[str, str], Key] | None = (
            read_keys(client.jwks) if client.jwks is not None else None
        )
        self._keys: Mapping[tuple[str, str], Key] = {}
        self._fetched = -DEAD
        self._tried = -PAUSE
        self._failed = False
        self._task: asyncio.Task[None] | None = None

    async def find(self, kid: str, kind: str) -> Key | None:
        """The key with this ``kid`` and ``kty``, or None where the client has none."""
        if self._given is not None:
            return self._given.get((kid, kind))
        began = asyncio.get_running_loop().time()
        end = began + self._patience
        age = self._clock() - self._fetched
        if age >= FRESH and (age < STALE or (self._failed and self._current())):
            self._start()
        elif age >= STALE:
            await self._renew(min(end, began + _PATIENCE) if self._current() else end)
        key = self._current().get((kid, kind))
        if key is None:
            await self._renew(end)
            key = self._current().get((kid, kind))
        return key

    async def close(self) -> None:
        """Nothing, once a fetch under way has ended and the connections are closed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    def _current(self) -> Mapping[tuple[str, str], Key]:
        return self._keys if self._clock() - self._fetched < DEAD else {}

    async def _renew(self, end: float) -> None:
        """Nothing, once the fetch under way, or the one that is due, has ended, or the time has come.

        A call that is given up, or waits no longer, does not end the fetch for the others.
        """
        task = self._start()
        if task is not None:
            left = end - asyncio.get_running_loop().time()
            done, _ = await asyncio.wait((task,), timeout=max(left, 0))
            for one in done:
                one.result()

    def _start(self) -> asyncio.Task[None] | None:
        """The fetch under way, begun now if one is due."""
        if self._task is None or self._task.done():
            if self._clock() - self._tried < (RETRY if self._failed else PAUSE):
                return None
            self._tried = self._clock()
            self._task = asyncio.create_task(self._fetch())
        return self._task

    async def _fetch(self) -> None:
        self._failed = True
        try:
            async with asyncio.timeout(_WHOLE):
                keys = read_keys(decode(await self._get(), Limits(_LARGEST, 20)).resource)
        except (*_FAULTS, ValueError, ServiceError) as fault:
            _log.error("client-keys", client=self._client.name, kind=type(fault).__name__)
            return
        self._keys, self._fetched, self._failed = keys, self._clock(), False

    async def _get(self) -> bytes:
        if self._http is None:
            self._http = httpx.AsyncClient(timeout=_TIMEOUT, verify=trusted(), trust_env=False)
        async with self._http.stream("GET", str(self._client.jku), headers=_HEADERS) as answer:
            if answer.status_code != httpx.codes.OK or "content-encoding" in answer.headers:
                raise ValueError(f"status {answer.status_code}")
            body = b""
            async for part in answer.aiter_raw():
                body += part
                if len(body) > _LARGEST:
                    raise ValueError("too large")
        return body
