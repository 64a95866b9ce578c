"""The FHIR interface's routes, under ``/fhir``. R4 ``http.html``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route

from service.web import capability, forms, instances, searching
from service.web.foreign import refuse_foreign
from service.web.operations import calling
from service.web.security import HOOKS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    Handler = Callable[[Request], Awaitable[Response]]


def routes() -> list[Route]:
    """Every route of the FHIR base. Fixed words come before ``{id}``, which would swallow them."""
    return [
        route(f"/fhir{path}", handlers)
        for path, handlers in (
            ("/metadata", {"GET": capability.metadata}),
            ("/{type}/_history", {"GET": instances.history}),
            ("/{type}/_search", {"POST": searching.by_post}),
            ("/{type}/${operation}", {"GET": calling.call, "POST": calling.call}),
            ("/{type}/{id}/_history/{vid}", {"GET": instances.vread}),
            ("/{type}/{id}/_history", {"GET": instances.history}),
            ("/{type}/{id}/${operation}", {"GET": calling.call, "POST": calling.call}),
            ("/{type}/{id}", {"GET": instances.read, "PUT": forms.update}),
            ("/{type}", {"GET": searching.by_get, "POST": forms.create}),
        )
    ]


def route(path: str, handlers: Mapping[str, Handler]) -> Route:
    """One address, a handler a method; GET answers HEAD too. The pattern is left for log and metrics."""
    return Route(path, _Address(path, handlers), methods=list(handlers))


class _Address:
    """An ASGI application: what answers at one address. Errors go up to where all are answered."""

    def __init__(self, path: str, handlers: Mapping[str, Handler]) -> None:
        """Takes the address and its handlers by method."""
        self._path = path
        self._handlers = dict(handlers)
        if "GET" in handlers:
            self._handlers["HEAD"] = handlers["GET"]
        self._by_origin = path.startswith(HOOKS)  # there browsers are let in by origin (``hooks/cors.py``)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive, send)
        scope["route_pattern"] = self._path
        if not self._by_origin:
            refuse_foreign(request)
        response = await self._handlers[scope["method"]](request)
        await response(scope, receive, send)
