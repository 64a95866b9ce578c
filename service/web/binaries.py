"""A Binary read as what it holds. R4 ``binary.html#rest``: only who asks for FHIR gets the resource.

The bytes are handed over as a file to keep: a browser neither shows nor runs what was once stored.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from starlette.responses import Response

from service.fhir.json_text import decode
from service.web.bodies import version_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from service.operations.ports import Version

_SANDBOX = "sandbox; default-src 'none'"


def wants_content(request: Request, type_: str) -> bool:
    """Whether the bytes are wanted: a Binary is read and neither Accept nor ``_format`` names FHIR."""
    asked = request.query_params.get("_format", request.headers.get("accept", ""))
    return type_ == "Binary" and "json" not in asked and "fhir+xml" not in asked


def content(version: Version, request: Request) -> Response:
    """The bytes with their own media type and the version's headers; 304 where the client has them."""
    held = decode(version.body).resource
    headers = version_headers(version) | {
        "Content-Disposition": f'attachment; filename="{version.id}"',
        "Content-Security-Policy": _SANDBOX,
        "X-Content-Type-Options": "nosniff",
    }
    known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if headers["ETag"] in known:
        return Response(None, 304, headers)
    return Response(base64.b64decode(held.get("data", "")), 200, headers, str(held["contentType"]))
