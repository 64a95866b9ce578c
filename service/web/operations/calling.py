"""Operations called: the handler of every ``$name``, on types and on instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from service.domain.errors import NotFound
from service.fhir.json_text import decode
from service.web.bodies import read_bytes, resource
from service.web.negotiation import check_content_type, check_format, preferences
from service.web.operations.declared import Call
from service.web.operations.inputs import from_body, from_query
from service.web.services import services

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from service.web.operations.declared import Operation
    from service.web.services import Services


def find(held: Services, name: str, type_: str, on_instance: bool) -> Operation:
    """The operation of that name on the type or its instances; NotFound says which there are."""
    own = [
        one
        for one in held.operations
        if type_ in one.types and (one.on_instance if on_instance else one.on_type)
    ]
    for one in own:
        if one.name == name:
            return one
    names = ", ".join(f"${one.name}" for one in own) or "none"
    where = f"an instance of {type_}" if on_instance else type_
    raise NotFound(f"'${name[:40]}' is no operation on {where[:80]} here; there are: {names}")


async def call(request: Request) -> Response:
    """The operation's answer."""
    check_format(request)
    held = services(request)
    type_, id_ = request.path_params["type"], request.path_params.get("id")
    operation = find(held, request.path_params["operation"], type_, id_ is not None)
    request.scope["operation"] = operation.name  # for log and metrics
    document = None
    if request.method == "POST":
        body = await read_bytes(request)
        if body.strip():
            check_content_type(request)
            document = decode(body, held.limits)
            inputs = from_body(operation, document.resource)
        else:
            inputs = from_query(operation, request.query_params.multi_items())
    elif operation.changes:
        raise HTTPException(405, headers={"Allow": "POST"})
    else:
        inputs = from_query(operation, request.query_params.multi_items())
    made = Call(
        held, type_, id_, inputs, document, dict(request.headers), held.base(request), preferences(request)
    )
    answer = await held.run(operation.run, made)
    return resource(answer.resource, answer.status, answer.headers)
