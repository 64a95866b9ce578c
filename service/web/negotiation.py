"""What the client wants of the answer and says of its body: media types, ``_format``, Prefer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.domain.errors import NotAcceptable
from service.web.errors import UnsupportedMedia

if TYPE_CHECKING:
    from starlette.requests import Request

_JSON = frozenset({"application/fhir+json", "application/json", "text/json", "json", "application/json+fhir"})
_ANY = frozenset({"*/*", "application/*"})
_VERSIONS = frozenset({"4.0", "4.0.1"})


def _parts(text: str) -> tuple[str, dict[str, str]]:
    name, *rest = text.split(";")
    pairs = (part.partition("=") for part in rest)
    return name.strip().lower(), {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}


def check_format(request: Request) -> None:
    """Nothing, where JSON of R4 is wanted or at least taken; else NotAcceptable. ``_format`` rules."""
    asked = request.query_params.get("_format")
    if asked is not None:
        # a + in a query string means a space: ``application/fhir+json`` often arrives so
        name, options = _parts(asked.replace(" ", "+"))
        if name not in _JSON or not _version_fits(options):
            raise NotAcceptable(
                "'_format' is json (application/fhir+json) here: FHIR R4 in JSON is what is served"
            )
        return
    accepted = request.headers.get("accept", "")
    if not accepted.strip():
        return
    for part in accepted.split(","):
        name, options = _parts(part)
        weight = options.get("q", "1")
        if (name in _JSON or name in _ANY) and weight not in ("0", "0.0") and _version_fits(options):
            return
    raise NotAcceptable("ask for application/fhir+json (fhirVersion 4.0): FHIR R4 in JSON is what is served")


def check_content_type(request: Request) -> None:
    """Nothing, where the body is said to be JSON of R4; else UnsupportedMedia."""
    name, options = _parts(request.headers.get("content-type", ""))
    if name not in _JSON or options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMedia("send the body as Content-Type: application/fhir+json in UTF-8")
    if not _version_fits(options):
        raise UnsupportedMedia("the body is said to be of another FHIR version; this service speaks 4.0.1")


def _version_fits(options: dict[str, str]) -> bool:
    return options.get("fhirversion", "4.0") in _VERSIONS


def preferences(request: Request) -> dict[str, str]:
    """The Prefer header's preferences by lower-case name, such as ``{"return": "minimal"}``."""
    pieces = [
        piece
        for line in request.headers.getlist("prefer")
        for part in line.split(",")
        for piece in part.split(";")
    ]
    pairs = (piece.partition("=") for piece in pieces)
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if name.strip()}
