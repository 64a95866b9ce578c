"""Request and correlation ids mirrored, one log line and the metrics of each request. No patient data.

The log line has the route's pattern, not the address: ids and search parameters may name a patient.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ID = re.compile(r"[\x21-\x7e]{1,200}")
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


class Tracing:
    """ASGI middleware: mirrors ids (NHS API conventions), logs and measures."""

    def __init__(self, app: ASGIApp, new_id: Callable[[], str], metrics: Metrics) -> None:
        """Wraps the application. ``new_id`` gives a request its id where the client gave none."""
        self._app = app
        self._new_id = new_id
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application between two looks at the clock."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        own = _sound(asked.get("x-request-id")) or self._new_id()
        scope.setdefault("state", {})["request_id"] = own
        correlation = _sound(asked.get("x-correlation-id"))
        status = 500

        async def reply(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = own
                if correlation:
                    headers["X-Correlation-ID"] = correlation
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault(
                    "Cache-Control", "no-store" if scope["path"].startswith(_PRIVATE) else "no-cache"
                )
            await send(message)

        start = time.perf_counter()
        try:
            await self._app(scope, receive, reply)
        finally:
            taken = time.perf_counter() - start
            route = _pattern(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, route, str(status)).inc()
            self._metrics.seconds.labels(method, route).observe(taken)
            _log.info(
                "request",
                method=method,
                route=route,
                status=status,
                milliseconds=round(taken * 1000, 2),
                request_id=own,
                correlation_id=correlation,
            )


_PRIVATE = ("/fhir", "/reports", "/cds-services")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _sound(text: str | None) -> str | None:
    return text if text and _ID.fullmatch(text) else None


def _pattern(scope: Scope) -> str:
    """The route as declared, with the operation's name put in; ``unrouted`` where none was found."""
    path = scope.get("route_pattern") or getattr(scope.get("route"), "path", None)
    if path is None:
        return "unrouted"
    operation = str(scope.get("path_params", {}).get("operation", ""))
    return str(path).replace(
        "{operation}", operation if operation.replace("-", "").replace(".", "").isalnum() else "*"
    )
