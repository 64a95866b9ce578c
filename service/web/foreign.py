"""Requests that another site's page makes in somebody's browser: they may change nothing here.

Without tokens (in development, or where a proxy logs people in by a cookie) a browser would carry such a
request in. A form needs no leave for that where the body is empty. Fetch Metadata (W3C), RFC 6454 (Origin).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service.domain.errors import Forbidden
from service.web.services import services

if TYPE_CHECKING:
    from starlette.requests import Request

_SAFE = ("GET", "HEAD", "OPTIONS")
_OWN = ("same-origin", "none")


def refuse_foreign(request: Request) -> None:
    """Nothing, where no page of another site can have made the request; else Forbidden.

    A token in the Authorization header is proof enough: no page makes a browser send one unasked.
    """
    if request.method in _SAFE or "authorization" in request.headers:
        return
    said = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if said is not None:
        own = said.strip().lower() in _OWN
    else:
        own = origin is None or urlsplit(origin).netloc in _hosts(request)
    if not own:
        raise Forbidden(
            "a page of another site made this request; steps are taken from here, or with a token"
        )


def _hosts(request: Request) -> frozenset[str]:
    return frozenset(
        {request.headers.get("host", ""), urlsplit(services(request).root(request)).netloc} - {""}
    )
