"""``GET /cds-services``: the services there are. CDS Hooks 2.0.1, Discovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.web.hooks import bodies
from service.web.hooks.admission import admit
from service.web.hooks.desk import desk
from service.web.hooks.recording import spend
from service.web.services import services

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


async def discover(request: Request) -> Response:
    """Every service with its hook, description and prefetch templates.

    A token, where one is asked for, counts as used; the request itself tells of nobody and is not recorded.
    """
    own = desk(request)
    admitted = await admit(request, own, f"{services(request).root(request)}/cds-services")
    await spend(own, admitted)
    return bodies.answer(own.discovery)
