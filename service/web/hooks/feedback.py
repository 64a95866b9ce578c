"""``POST /cds-services/{id}/feedback``: what users did with cards. CDS Hooks 2.0.1, Feedback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import Response

from service.domain.errors import ServiceError
from service.operations.feedback import keep, read_feedback
from service.web.errors import answer as fault_answer
from service.web.errors import status_of
from service.web.hooks import bodies
from service.web.hooks.admission import Admitted, admit
from service.web.hooks.calling import service_named
from service.web.hooks.desk import desk
from service.web.hooks.recording import Progress, record, spend
from service.web.services import services

if TYPE_CHECKING:
    from starlette.requests import Request


async def take(request: Request) -> Response:
    """200 and nothing more, once the feedback is stored; what was sent before is known again."""
    held, own = services(request), desk(request)
    id_ = request.path_params["id"]
    admitted = await admit(request, own, f"{held.root(request)}/cds-services/{id_}/feedback")
    await spend(own, admitted)  # before anything is stored on its word
    progress = Progress(
        "feedback", Admitted(admitted.caller), asyncio.get_running_loop().time() + own.seconds
    )
    client = admitted.caller.client
    try:
        progress.service = next(iter(service_named(own, id_).values()))
        items = read_feedback((await bodies.read_json(request)).resource)
        await held.run(keep, items, id_, client.name if client else "", held.records, held.clock())
        progress.status, response = 200, Response(status_code=200)
    except ServiceError as fault:
        progress.status = status_of(fault, hooks=True)
        progress.faults = tuple(str(issue) for issue in fault.issues[:20])
        response = fault_answer(fault, hooks=True)
    finally:
        await record(request, own, progress)
    return response
