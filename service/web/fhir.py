"""The FHIR interface's routes, under ``/fhir``. R4 ``http.html``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from service.web import capability, forms, instances, searching
from service.web.foreign import refuse_foreign
from service.web.operations import calling
from service.web.security import HOOKS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

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

    async def handle(request: Request) -> Response:
        request.scope["route_pattern"] = path
        if not path.startswith(HOOKS):  # there browsers are let in by origin (``hooks/cors.py``)
            refuse_foreign(request)
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, handle, methods=list(handlers))
