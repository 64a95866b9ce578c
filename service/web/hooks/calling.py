"""One call of a service: read, answered with cards, recorded, and only then sent.

CDS Hooks 2.0.1, Calling a CDS Service. Whatever goes wrong is an OperationOutcome, never an empty list of
cards; a store that does not take the record costs the clinician nothing but the record.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from service.cds.calls import read_call
from service.cds.model import Showing
from service.domain.errors import NotFound, ServiceError
from service.operations.representation import instant
from service.web.errors import answer as fault_answer
from service.web.errors import status_of
from service.web.hooks import bodies
from service.web.hooks.admission import admit
from service.web.hooks.desk import Question, desk
from service.web.hooks.recording import Progress, record
from service.web.services import services

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from service.cds.model import Service
    from service.operations.advise import Advice
    from service.web.hooks.desk import Desk


async def call(request: Request) -> Response:
    """The cards of one call, or what is wrong with it."""
    held, own = services(request), desk(request)
    id_ = request.path_params["id"]
    clock = asyncio.get_running_loop().time
    began = clock()
    root = held.root(request)
    admitted = await admit(request, own, f"{root}/cds-services/{id_}")
    spent = clock() - began  # the client's keys may have been waited for
    progress = Progress("call", admitted, began + own.seconds)
    try:
        answer = await _answer(request, root, service_named(own, id_), progress, spent)
        made: dict[str, Any] = {"cards": list(answer.cards)}
        if answer.system_actions:
            made["systemActions"] = list(answer.system_actions)
        progress.status, progress.cards = 200, answer.cards
        response = bodies.answer(made)
    except ServiceError as fault:
        progress.status = status_of(fault, hooks=True)
        progress.faults = tuple(str(issue) for issue in fault.issues[:20])
        response = fault_answer(fault, hooks=True)
    finally:  # what nobody foresaw is recorded too, before it becomes a 500
        await record(request, own, progress)
    return response


def service_named(own: Desk, id_: str) -> dict[str, Service]:
    """The services of an id, by hook; NotFound where there is none."""
    named = own.named(id_)
    if not named:
        ids = ", ".join(sorted({one.id for one in own.services}))
        raise NotFound(f"there is no service '{id_[:64]}' here; GET /cds-services lists them: {ids}")
    return named


async def _answer(
    request: Request, root: str, named: dict[str, Service], progress: Progress, spent: float
) -> Advice:
    """What is advised. Of the call's time, and of the EHR's in it, so much is spent; its way here is none.

    ``root`` is the service's address as the client knows it.
    """
    held, own = services(request), desk(request)
    service = progress.service = next(iter(named.values()))
    document = await bodies.read_json(request)
    progress.end = asyncio.get_running_loop().time() + own.seconds - spent
    body, client = document.resource, progress.admitted.caller.client
    hook = body.get("hook")
    if isinstance(hook, str):
        service = progress.service = named.get(hook, service)
    call = progress.call = read_call(body, service, revision=client.revision if client else 2)
    showing = Showing(
        new_id=held.new_id,
        now=instant(held.clock()),
        base=root,
        patient=call.patient,
        user=call.user,
        encounter=call.encounter,
        form_app=client.form_app if client else None,
        revision=call.revision,
        system_actions=client is not None and client.system_actions,
    )
    return await own.advise(Question(service, call, client, showing, own.ehr_seconds - spent))
