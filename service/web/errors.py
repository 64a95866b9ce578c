"""Every error as one body: an OperationOutcome (UK Core), with the status that its class stands for.

The project's only ``except Exception`` is here. What nobody expected is answered with 500, logged by its
kind and place, and says nothing of the data that it was about.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import structlog
from starlette.responses import Response

from service.domain import errors
from service.domain.issues import Issue, Severity
from service.fhir.json_text import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = "application/fhir+json; charset=utf-8; fhirVersion=4.0"
PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-OperationOutcome"
CODES = "https://fhir.nhs.uk/CodeSystem/http-error-codes"
MOST_ISSUES = 100

STATUSES: Mapping[type[errors.ServiceError], int] = {
    errors.ServiceError: 500,
    errors.Refused: 400,
    errors.TooLarge: 413,
    errors.Invalid: 422,
    errors.NotAcceptable: 406,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.Unprocessable: 422,
    errors.DataUnavailable: 422,
    errors.Unavailable: 503,
}

_NHS = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "TIMEOUT",
    409: "CONFLICT",
    410: "NOT_FOUND",
    412: "CONFLICT",
    413: "BAD_REQUEST",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
    429: "TOO_MANY_REQUESTS",
    500: "SERVER_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "UNAVAILABLE",
}

_log = structlog.get_logger()


class UnsupportedMedia(errors.Unsupported):
    """The body's media type is not one that is read here."""


class UnknownCoding(UnsupportedMedia):
    """The body comes in a coding (gzip, say) that is not undone here."""


class TooSlow(errors.Refused):
    """The body did not arrive in the time that it may take."""

    code = "timeout"


class TooMany(errors.Refused):
    """The client asks more often than it may. ``seconds``: when it may ask again."""

    code = "throttled"

    def __init__(self, seconds: int) -> None:
        """Takes the time to wait, in whole seconds."""
        super().__init__(f"too many requests from this client; send the next one in {seconds} s")
        self.seconds = seconds


_OWN: Mapping[type[errors.ServiceError], int] = {UnsupportedMedia: 415, TooSlow: 408, TooMany: 429}
_HOOKS: Mapping[type[errors.ServiceError], int] = {errors.Invalid: 400, errors.DataUnavailable: 412}
"""CDS Hooks asks for these: 412 where data that is needed cannot be had, 400 for a request that is wrong."""


def status_of(fault: errors.ServiceError, *, hooks: bool = False) -> int:
    """The status of an error: that of its nearest ancestor in the table."""
    table = {**STATUSES, **_OWN, **(_HOOKS if hooks else {})}
    return next(table[kind] for kind in type(fault).__mro__ if kind in table)


def outcome(issues: Iterable[Issue], status: int | None = None) -> dict[str, Any]:
    """The OperationOutcome of the issues; with a status its code of NHS England's list stands beside each."""
    rendered = []
    for issue in list(issues)[:MOST_ISSUES]:
        entry: dict[str, Any] = {"severity": issue.severity.value, "code": issue.code}
        details: dict[str, Any] = {}
        if status in _NHS and issue.fails:
            details["coding"] = [{"system": CODES, "code": _NHS[status]}]
        details["text"] = issue.message
        entry |= {"details": details, "diagnostics": _place(issue)}
        if issue.expression:
            entry["expression"] = [issue.expression]
        rendered.append(entry)
    return {"resourceType": "OperationOutcome", "meta": {"profile": [PROFILE]}, "issue": rendered}


def _place(issue: Issue) -> str:
    place = f" (line {issue.line}, column {issue.column})" if issue.line is not None else ""
    return f"{issue}{place}"


def respond(
    status: int, issues: Iterable[Issue], headers: Mapping[str, str] | None = None, coded: int | None = None
) -> Response:
    """The answer to a request that failed; ``coded``: the status whose code of NHS England's list stands."""
    return Response(encode(outcome(issues, coded or status)), status, headers, MEDIA_TYPE)


def answer(fault: errors.ServiceError, *, hooks: bool = False) -> Response:
    """The answer to an error of ours; with ``hooks`` by the statuses that CDS Hooks names."""
    status = status_of(fault, hooks=hooks)
    headers = {}
    if isinstance(fault, TooMany):
        headers["Retry-After"] = str(fault.seconds)
    if isinstance(fault, UnknownCoding):
        headers["Accept-Encoding"] = "identity"
    if status == 408:
        headers["Connection"] = "close"
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="htg117"'
    if status == 503:
        headers["Retry-After"] = "5"
    # CDS Hooks' 412 is no conflict of versions: its code is that of a request that cannot be processed
    missing = hooks and isinstance(fault, errors.DataUnavailable)
    return respond(status, fault.issues, headers, STATUSES[errors.DataUnavailable] if missing else None)


async def of_framework(_request: Request, fault: Exception) -> Response:
    """The answer to what the router refuses: no such path, or a method that the path does not have."""
    status = int(getattr(fault, "status_code", 400))
    headers = dict(getattr(fault, "headers", None) or {})
    code = {404: "not-found", 405: "not-supported"}.get(status, "invalid")
    said = {
        404: "there is nothing at this address; the API is described at /openapi.json and /fhir/metadata",
        405: f"this address does not take that method; it takes: {headers.get('Allow', 'others')}",
    }.get(status, "the request cannot be read")
    return respond(status, [Issue(Severity.ERROR, code, said)], headers)


async def of_ours(_request: Request, fault: Exception) -> Response:
    """The answer to an error of the project's own tree."""
    if not isinstance(fault, errors.ServiceError):
        raise fault
    return answer(fault)


class LastResort:
    """ASGI middleware around everything: what nobody foresaw becomes a 500 that tells no secrets."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application; answers 500 where it raised before its answer began."""
        begun = False

        def watch(message: Message) -> Awaitable[None]:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            return send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as fault:
            if scope["type"] != "http":
                raise
            frame = traceback.extract_tb(fault.__traceback__)[-1]
            kind = type(fault).__name__
            _log.error("unexpected", kind=kind, file=frame.filename, line=frame.lineno)
            if begun:
                raise
            said = f"the service failed in a way that it should not ({kind}); tell those who run it"
            await respond(500, [Issue(Severity.FATAL, "exception", said)])(scope, receive, send)
