"""Request and correlation ids mirrored, one log line and the metrics of each request. No patient data.

The log line has the route's pattern, not the address: ids and search parameters may name a patient.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ID = re.compile(rb"[\x21-\x7e]{1,200}")
_log = structlog.get_logger()


class Metrics:
    """What is counted and timed, in a registry of its own."""

    def __init__(self) -> None:
        """Starts at nothing."""
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("htg117_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "htg117_request_seconds",
            "Seconds to answer",
            ("method", "route"),
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self.audit_failures = Counter(
            "htg117_audit_failures",
            "Calls of CDS Hooks answered before their record was on disk: raise an alarm where it grows",
            registry=self.registry,
        )
        self.audit_lost = Counter(
            "htg117_audit_lost", "Records of calls that could never be stored", registry=self.registry
        )
        self.audit_waiting = Gauge(
            "htg117_audit_waiting", "Records of calls kept in memory until the store takes them",
            registry=self.registry,
        )  # fmt: skip
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Nothing; one more request is counted, and how long it took."""
        children = self._children.get((method, route, status))
        if children is None:
            children = (
                self.requests.labels(method, route, str(status)),
                self.seconds.labels(method, route),
            )
            self._children[method, route, status] = children
        requests, taken = children
        requests.inc()
        taken.observe(seconds)


class Tracing:
    """ASGI middleware: mirrors ids (NHS API conventions), logs and measures."""

    def __init__(self, app: ASGIApp, new_id: Callable[[], str], metrics: Metrics) -> None:
        """Wraps the application. ``new_id`` gives a request its id where the client gave none."""
        self._app = app
        self._new_id = new_id
        self._metrics = metrics
        self._log = _log.bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application between two looks at the clock."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own, correlation = _ids(scope)
        own = own or self._new_id()
        scope.setdefault("state", {})["request_id"] = own
        status = 500

        def reply(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _marked(message.get("headers", ()), scope["path"], own, correlation)
            return send(message)

        start = time.perf_counter()
        try:
            await self._app(scope, receive, reply)
        finally:
            taken = time.perf_counter() - start
            route = _pattern(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.answered(method, route, status, taken)
            self._log.info(
                "request",
                method=method,
                route=route,
                status=status,
                milliseconds=round(taken * 1000, 2),
                request_id=own,
                correlation_id=correlation,
            )


_PRIVATE = ("/fhir", "/reports", "/cds-services")
_IDS = frozenset({b"x-request-id", b"x-correlation-id"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _ids(scope: Scope) -> tuple[str | None, str | None]:
    """The client's ids of the request and of what it belongs to, where it gave some that may be mirrored."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _IDS:
            found.setdefault(name, value)
    return _sound(found.get(b"x-request-id")), _sound(found.get(b"x-correlation-id"))


def _sound(text: bytes | None) -> str | None:
    return text.decode("ascii") if text and _ID.fullmatch(text) else None


def _marked(
    given: Iterable[tuple[bytes, bytes]], path: str, own: str, correlation: str | None
) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with the ids, and with those that every answer has where they are missing."""
    headers = [(name, value) for name, value in given if name not in _IDS]
    names = {name for name, _ in headers}
    headers.append((b"x-request-id", own.encode("ascii")))
    if correlation:
        headers.append((b"x-correlation-id", correlation.encode("ascii")))
    if b"x-content-type-options" not in names:
        headers.append((b"x-content-type-options", b"nosniff"))
    if b"cache-control" not in names:
        headers.append((b"cache-control", b"no-store" if path.startswith(_PRIVATE) else b"no-cache"))
    return headers


def _pattern(scope: Scope) -> str:
    """The route as declared, with the name of the operation that was found; ``unrouted`` without a route.

    A name that is none of ours may be anything, and would be counted for ever.
    """
    path = scope.get("route_pattern") or getattr(scope.get("route"), "path", None)
    return "unrouted" if path is None else str(path).replace("{operation}", scope.get("operation", "*"))
