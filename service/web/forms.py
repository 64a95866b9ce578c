"""create, conditional create and update of QuestionnaireResponses. R4 ``http.html#create``, ``#update``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException

from service.domain.errors import Refused
from service.operations import keep
from service.operations.searching.query import parse
from service.web.bodies import read_document, stored
from service.web.capability import CREATED
from service.web.instances import known_type
from service.web.services import services

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def expected_version(header: str | None) -> int | None:
    """The version number that an If-Match header asks for, or None without one."""
    if header is None:
        return None
    text = header.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused('If-Match is the ETag of one version, such as W/"3"')
    return int(text)


def _only_forms(request: Request) -> None:
    type_ = known_type(services(request), request.path_params["type"])
    if type_ != CREATED:
        raise HTTPException(405, headers={"Allow": "GET"})


async def create(request: Request) -> Response:
    """The form as stored, with 201; or with If-None-Exist the one that is there already, with 200."""
    _only_forms(request)
    held = services(request)
    document = await read_document(request)
    condition = request.headers.get("if-none-exist")
    query = None
    if condition is not None:
        query = parse(CREATED, parse_qsl(condition.lstrip("?"), keep_blank_values=True), strict=True)
        if not query.conditions:
            raise Refused(
                "If-None-Exist names at least one search parameter, such as identifier=system|value"
            )
    made = await held.run(
        keep.create, document, held.records, held.content, id_=held.new_id(), now=held.clock(), unless=query
    )
    return stored(request, made.version, 201 if made.fresh else 200, made.issues)


async def update(request: Request) -> Response:
    """The form's new version. If-Match guards against a change that somebody else made meanwhile."""
    _only_forms(request)
    held = services(request)
    document = await read_document(request)
    made = await held.run(
        keep.update,
        document,
        held.records,
        held.content,
        id_=request.path_params["id"],
        now=held.clock(),
        expected=expected_version(request.headers.get("if-match")),
    )
    return stored(request, made.version, 200, made.issues)
