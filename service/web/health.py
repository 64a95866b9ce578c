"""Operations: is it alive, is it ready, what does it measure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from service.domain.errors import ServiceError
from service.web.services import services

if TYPE_CHECKING:
    from starlette.requests import Request

READY_SECONDS = 5


async def health(_request: Request) -> Response:
    """200: the process runs and its event loop turns."""
    return JSONResponse({"status": "alive"})


async def ready(request: Request) -> Response:
    """200 where the records answer with the tables of this release, else 503 with the reason."""
    held = services(request)
    try:
        await asyncio.wait_for(held.run(held.records.ping), READY_SECONDS)
    except ServiceError as fault:
        return JSONResponse({"status": "not ready", "reason": str(fault)}, 503)
    except TimeoutError:
        return JSONResponse({"status": "not ready", "reason": "the records do not answer"}, 503)
    return JSONResponse({"status": "ready", "version": held.version})


async def metrics(request: Request) -> Response:
    """What is counted and timed, as Prometheus reads it; the outbox is counted in the records."""
    text = await services(request).run(generate_latest, request.app.state.metrics.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
