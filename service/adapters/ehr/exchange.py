"""One exchange with an EHR's FHIR server: a request sent, its answer read within limits and judged.

No redirect is followed. Every request carries X-Request-ID and X-Correlation-ID (UUIDs), by which the two
sides find each other's logs. The token travels in its header and nowhere else.
"""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.adapters.ehr import faults
from service.adapters.ehr.faults import WIRE, EhrFault, of_group, of_httpx, of_status
from service.adapters.retry_after import read_retry_after
from service.domain.errors import ServiceError
from service.fhir.json_text import Limits, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import httpx

Resource = dict[str, Any]

FHIR_JSON = "application/fhir+json"
_JSON = frozenset({FHIR_JSON, "application/json", "application/json+fhir"})
_AT_ONCE = 64_000
"""Answers up to so many bytes are parsed where they are; larger ones in a thread, beside other calls."""
_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. ``token`` is kept out of ``repr``; ``correlation`` joins what belongs together."""

    method: str
    url: str
    token: str | None = field(default=None, repr=False)
    correlation: str = ""
    body: bytes | None = field(default=None, repr=False)
    media_type: str = FHIR_JSON
    accept: str = FHIR_JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the resource or object in it, how many bytes, and its Retry-After."""

    status: int
    content: Resource
    size: int
    after: float | None = None


class Exchange:
    """Sends requests over one client of httpx."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        new_id: Callable[[], str],
        clock: Callable[[], datetime],
        largest: int = 2_000_000,
    ) -> None:
        """``clock`` gives the present. ``largest``: the bytes of an answer that are read, packed or not."""
        self._http = http
        self._new_id = new_id
        self._largest = largest
        self._clock = clock

    async def send(self, ask: Ask, seconds: float, *, failing: bool = False) -> Answer:
        """The answer to a request; EhrFault if it cannot be had, read or believed.

        ``failing``: an answer with an error's status is given back too, empty where it cannot be read.
        """
        headers = {
            "Accept": ask.accept,
            "Accept-Encoding": "gzip, identity",
            "X-Request-ID": self._new_id(),
            "X-Correlation-ID": ask.correlation or self._new_id(),
            **ask.headers,
        }
        if ask.body is not None:
            headers["Content-Type"] = ask.media_type
        if ask.token:
            headers["Authorization"] = f"Bearer {ask.token}"
        try:
            request = self._http.build_request(
                ask.method, ask.url, content=ask.body, headers=headers, timeout=seconds
            )
            async with asyncio.timeout(seconds):
                answer = await self._http.send(request, stream=True, follow_redirects=False)
                try:
                    return await self._read(answer, failing=failing)
                finally:
                    await answer.aclose()
        except WIRE as fault:
            raise of_httpx(fault) from None  # its text may hold the address, and so the patient's id
        except ExceptionGroup as group:
            found = of_group(group)
            if found is None:
                raise
            raise found from None
        except TimeoutError:
            raise EhrFault(faults.SLOW, counts=True) from None
        except UnicodeEncodeError:
            raise EhrFault(faults.NOT_ASKED) from None

    async def _read(self, answer: httpx.Response, *, failing: bool) -> Answer:
        status, after = answer.status_code, None
        readable = is_fhir(answer.headers.get("content-type", ""))
        if not 200 <= status < 300:
            after = read_retry_after(answer.headers.get("retry-after"), self._clock())
            if not failing:
                raise of_status(status, after)
            if not readable:
                return Answer(status, {}, 0, after)
        elif not readable:
            raise EhrFault(faults.NOT_FHIR)
        body = await self._body(answer)
        limits = Limits(self._largest, _DEPTH)
        try:
            if len(body) <= _AT_ONCE:
                content = decode(body, limits).resource
            else:
                content = (await asyncio.to_thread(decode, body, limits)).resource
        except ServiceError:
            if status >= 300:
                return Answer(status, {}, len(body), after)
            raise EhrFault(faults.BROKEN) from None
        return Answer(status, content, len(body), after)

    async def _body(self, answer: httpx.Response) -> bytes:
        """The body, unpacked as it comes: never more of it in memory than the limit."""
        coding = answer.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "gzip", ""):
            raise EhrFault(faults.NOT_FHIR)
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if coding == "gzip" else None
        body = bytearray()
        async for part in answer.aiter_raw():
            try:
                body += unpack.decompress(part, self._largest + 1 - len(body)) if unpack else part
            except zlib.error:
                raise EhrFault(faults.BROKEN) from None
            if len(body) > self._largest or (unpack and unpack.unconsumed_tail):
                raise EhrFault(faults.LARGE)
        if unpack and not unpack.eof:
            raise EhrFault(faults.BROKEN)
        return bytes(body)


def is_fhir(content_type: str) -> bool:
    """Whether a Content-Type says FHIR R4 as JSON in UTF-8."""
    kind, _, rest = content_type.partition(";")
    said = dict(part.strip().lower().partition("=")[::2] for part in rest.split(";") if "=" in part)
    said = {name.strip(): value.strip().strip('"') for name, value in said.items()}
    return (
        kind.strip().lower() in _JSON
        and said.get("charset", "utf-8") in ("utf-8", "utf8", "us-ascii")
        and said.get("fhirversion", "4.0") in ("4.0", "4.0.1")
    )
