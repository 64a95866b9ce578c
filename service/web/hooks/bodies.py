"""Bodies of CDS Hooks: JSON objects in, JSON out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from service.domain.errors import Malformed
from service.fhir.json_text import decode, encode
from service.web.bodies import read_bytes
from service.web.errors import UnsupportedMedia
from service.web.services import header, services

if TYPE_CHECKING:
    from starlette.requests import Request

    from service.fhir.json_text import Document

MEDIA_TYPE = "application/json"


async def read_json(request: Request) -> Document:
    """The JSON object in the body; an error of ours where it is none, is too large, or is too slow."""
    said = header(request, b"content-type")
    if said != MEDIA_TYPE and not _is_json(said):
        raise UnsupportedMedia("send the body as Content-Type: application/json in UTF-8")
    body = await read_bytes(request)
    if not body or body.isspace():
        raise Malformed("the body is empty; send one JSON object, as CDS Hooks describes it")
    return decode(body, services(request).limits)


def _is_json(said: str) -> bool:
    """Whether a Content-Type names JSON in UTF-8."""
    kind, _, rest = said.partition(";")
    charset = rest.partition("charset=")[2].partition(";")[0].strip().strip('"').lower()
    return kind.strip().lower() in (MEDIA_TYPE, "application/fhir+json") and charset in ("", "utf-8", "utf8")


def answer(made: dict[str, Any], status: int = 200) -> Response:
    """An answer that is JSON."""
    return Response(encode(made), status, media_type=MEDIA_TYPE)
