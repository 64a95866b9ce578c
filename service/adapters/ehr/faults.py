"""What can go wrong with an EHR, in words for a clinician; every exception of httpx made one of ours.

No text here comes from the server or holds an address, a token or anything of a patient.
"""

from __future__ import annotations

import ssl

import anyio
import httpx

from service.domain.errors import Unavailable

SLOW = "the record system did not answer in time"
DOWN = "the record system could not be reached"
BROKEN = "the record system's answer broke off or could not be read"
LARGE = "the record system's answer is larger than can be read"
NOT_FHIR = "the record system answered with something other than FHIR"
OTHERS = "the record system answered with another patient's data"
NOT_PERMITTED = "the record system is not one that this service may ask"
NOT_ASKED = "the question cannot be put to the record system"
RESTING = "the record system failed several times just now and is being left alone for some seconds"
DENIED = "the record system does not let the caller read this"
UNKNOWN_CALLER = "the record system did not accept the caller's permission"
MISSING = "the record system does not have it"
BUSY = "the record system is too busy"
FAILED = "the record system failed"
ELSEWHERE = "the record system sent the question elsewhere"
MISUNDERSTOOD = "the record system did not understand the question"
MANY_PAGES = "the record system has more on this than can be read in the time"
ASTRAY = "the record system's next page lies where this service may not go"
REPORTED = "the record system reported a problem with this search"


class EhrFault(Unavailable):
    """An exchange with an EHR that failed. The message is the reason, fit to be shown.

    ``again``: the same question may be asked again at once. ``counts``: the host seems to be down.
    ``denied``: asking again will not help. ``after``: what its Retry-After asks for, in seconds.
    """

    def __init__(
        self,
        reason: str,
        *,
        again: bool = False,
        counts: bool = False,
        denied: bool = False,
        after: float | None = None,
        status: int | None = None,
    ) -> None:
        """Takes the reason, and what follows from it."""
        super().__init__(reason, retry_after=after)
        self.reason = reason
        self.again = again
        self.counts = counts
        self.denied = denied
        self.after = after
        self.status = status


_MEANINGS: dict[type[Exception], tuple[str, bool, bool]] = {
    httpx.TimeoutException: (SLOW, False, True),
    httpx.ConnectTimeout: (SLOW, False, True),
    httpx.PoolTimeout: (SLOW, False, False),  # our own connections are all in use: no fault of the host
    httpx.NetworkError: (DOWN, True, True),
    httpx.ReadError: (BROKEN, True, True),
    httpx.WriteError: (BROKEN, True, True),
    httpx.CloseError: (BROKEN, True, True),
    httpx.RemoteProtocolError: (BROKEN, True, True),
    httpx.LocalProtocolError: (NOT_ASKED, False, False),
    httpx.ProtocolError: (BROKEN, False, True),
    httpx.UnsupportedProtocol: (NOT_ASKED, False, False),
    httpx.ProxyError: (DOWN, False, True),
    httpx.TransportError: (DOWN, False, True),
    httpx.DecodingError: (BROKEN, False, False),
    httpx.TooManyRedirects: (ELSEWHERE, False, False),
    httpx.RequestError: (DOWN, False, True),
    httpx.HTTPStatusError: (FAILED, False, True),
    httpx.HTTPError: (DOWN, False, True),
    ssl.SSLError: (BROKEN, True, True),  # httpx lets it through where it befalls a connection in use
    anyio.ClosedResourceError: (BROKEN, True, True),  # so are those of the streams beneath
    anyio.BrokenResourceError: (BROKEN, True, True),
    anyio.EndOfStream: (BROKEN, True, True),
    httpx.InvalidURL: (NOT_ASKED, False, False),
    httpx.CookieConflict: (BROKEN, False, False),
    httpx.StreamError: (BROKEN, False, False),
}
"""Reason, whether to ask again, whether the host seems down; found by walking an exception's ancestors."""

AWAY = frozenset({502, 503, 504})
"""Statuses by which a server, or what stands before it, says that it is down: nothing was looked at."""

HTTPX = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)
"""The roots of all that httpx raises."""

WIRE = (*HTTPX, ssl.SSLError, anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream)
"""The same, and what it lets through from beneath."""


def of_group(group: ExceptionGroup) -> EhrFault | None:
    """The error of ours that a group of exceptions becomes; None where one of them is no fault of the wire.

    What tries several addresses at once raises what befell it as a group.
    """
    known, others = group.split(WIRE)
    if known is None or others is not None:
        return None
    fault: Exception = known
    while isinstance(fault, ExceptionGroup):
        fault = fault.exceptions[0]
    return of_httpx(fault)


def of_httpx(fault: Exception) -> EhrFault:
    """The error of ours that an exception of httpx becomes."""
    reason, again, counts = next(_MEANINGS[kind] for kind in type(fault).__mro__ if kind in _MEANINGS)
    return EhrFault(reason, again=again, counts=counts)


def of_status(status: int, after: float | None) -> EhrFault:
    """The error that a status other than success stands for."""
    if status == 401:
        return EhrFault(UNKNOWN_CALLER, denied=True, status=status)
    if status == 403:
        return EhrFault(DENIED, denied=True, status=status)
    if status in (404, 410):
        return EhrFault(MISSING, status=status)
    if status == 429:
        return EhrFault(BUSY, again=True, after=after, status=status)
    if status in AWAY:
        return EhrFault(FAILED, again=True, counts=True, after=after, status=status)
    if status >= 500:
        return EhrFault(FAILED, counts=True, status=status)
    if 300 <= status < 400:
        return EhrFault(ELSEWHERE, status=status)
    return EhrFault(MISUNDERSTOOD, status=status)
