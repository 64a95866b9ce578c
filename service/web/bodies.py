"""Request bodies, read within limits, and answers made of resources."""

from __future__ import annotations

import asyncio
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from service.domain.errors import Refused, TooLarge
from service.domain.issues import information
from service.fhir.json_text import decode, encode
from service.operations.representation import serve
from service.web.errors import MEDIA_TYPE, TooSlow, UnknownCoding, outcome
from service.web.negotiation import check_content_type, check_format, preferences
from service.web.services import header, services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import Receive

    from service.domain.issues import Issue
    from service.fhir.json_text import Document
    from service.operations.ports import Version

Resource = dict[str, Any]


async def read_bytes(request: Request) -> bytes:
    """The body; TooLarge as soon as it passes the limit, TooSlow where it does not arrive in time.

    UnknownCoding where it is said to be compressed (RFC 9110, 8.4 and 15.5.16): nothing is undone here, and
    what is sent as it stands under such a header is refused rather than guessed at.
    """
    coding = header(request, b"content-encoding")
    if coding and any(one.strip().lower() not in ("", "identity") for one in coding.split(",")):
        raise UnknownCoding(f"the body is said to be in the coding '{coding[:60]}'; send it without any")
    held = services(request)
    limit, seconds = held.limits.size, held.body_seconds
    said = header(request, b"content-length")
    if said.isascii() and said.isdigit() and int(said[:20]) > limit:
        raise TooLarge(f"the body has {said} bytes; the limit is {limit}: send less at a time")
    try:
        async with asyncio.timeout(seconds):
            return await _received(request.receive, limit)
    except TimeoutError:
        raise TooSlow(f"the body did not arrive within {seconds:g} seconds; send it again, faster") from None


async def _received(receive: Receive, limit: int) -> bytes:
    """The body, piece by piece; ``Request.stream`` costs a generator and its watch by the event loop more."""
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("the connection ended before the whole body had come; send it again")
        piece, more = message.get("body", b""), message.get("more_body", False)
        size += len(piece)
        if size > limit:
            raise TooLarge(f"the body has more than {limit} bytes: send less at a time")
        pieces.append(piece)
    return b"".join(pieces)


async def read_document(request: Request) -> Document:
    """The JSON document in the body, its media type and the wanted answer's checked first."""
    check_format(request)
    check_content_type(request)
    body = await read_bytes(request)
    if not body or body.isspace():
        raise Refused("the body is empty; send one FHIR resource as JSON")
    return decode(body, services(request).limits)


def resource(made: Resource | bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is a resource."""
    body = made if isinstance(made, bytes) else encode(made)
    return Response(body, status, headers, MEDIA_TYPE)


def version_headers(version: Version) -> dict[str, str]:
    """ETag and Last-Modified of a record's version."""
    return {"ETag": f'W/"{version.version}"', "Last-Modified": format_datetime(version.updated, usegmt=True)}


def stored(request: Request, version: Version, status: int, issues: tuple[Issue, ...] = ()) -> Response:
    """The answer to a write: the record, nothing or an OperationOutcome, as Prefer asks."""
    headers = version_headers(version)
    address = f"{services(request).base(request)}/{version.reference}/_history/{version.version}"
    headers["Location"] = headers["Content-Location"] = address
    wanted = preferences(request).get("return", "representation")
    if wanted == "minimal":
        return Response(None, status, headers)
    if wanted == "OperationOutcome":
        return resource(outcome(issues or (_done(version),)), status, headers)
    return resource(serve(version), status, headers)


def _done(version: Version) -> Issue:
    return information("informational", f"{version.reference} is stored as version {version.version}")
