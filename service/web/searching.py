"""search of a type, by GET or by POST to ``_search``. R4 ``search.html``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from service.domain.errors import Refused
from service.operations.representation import serve
from service.operations.searching.matching import find
from service.operations.searching.parameters import RECORD_TYPES
from service.operations.searching.query import parse
from service.web.bodies import read_bytes, resource
from service.web.bundles import bundle, entry, issue_entry, page_links
from service.web.errors import UnsupportedMedia
from service.web.instances import known_type
from service.web.negotiation import check_format, preferences
from service.web.services import services
from service.web.summaries import shown

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from service.operations.searching.query import Query
    from service.web.services import Services


async def by_get(request: Request) -> Response:
    """The page of a search whose parameters stand in the address."""
    return await _search(request, request.query_params.multi_items())


async def by_post(request: Request) -> Response:
    """The page of a search whose parameters stand in the body, so that no log keeps them."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", ""):
        raise UnsupportedMedia("send the search as Content-Type: application/x-www-form-urlencoded")
    body = await read_bytes(request)
    try:
        text = body.decode()
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError:
        raise Refused("the body is not a form of search parameters in UTF-8") from None
    return await _search(request, [*request.query_params.multi_items(), *pairs])


async def _search(request: Request, pairs: list[tuple[str, str]]) -> Response:
    check_format(request)
    held = services(request)
    type_ = known_type(held, request.path_params["type"])
    if any("\x00" in text for pair in pairs for text in pair):
        raise Refused("a search parameter holds a NUL character")
    query = parse(type_, pairs, strict=preferences(request).get("handling") == "strict")
    base = held.base(request)
    entries, total, following = await _entries(held, query, base)
    links = page_links(f"{base}/{type_}", query.used, query.cursor, following)
    if query.issues and query.summary != "count":
        entries.append(issue_entry(query.issues, held.new_id()))
    return resource(
        bundle("searchset", entries, id_=held.new_id(), now=held.clock(), total=total, links=links)
    )


async def _entries(held: Services, query: Query, base: str) -> tuple[list[bytes], int, str | None]:
    mode = {"mode": "match"}
    if query.type in RECORD_TYPES:
        page = await held.run(held.records.search, query)
        found = [(one.reference, serve(one)) for one in page.versions]
        total, following = page.total, page.cursor
    else:
        published, total, following = find(query, held.content.of_type(query.type))
        found = [(f"{one.type}/{one.id}", one.body) for one in published]
    if query.summary == "count":
        return [], total, None
    return (
        [entry(f"{base}/{name}", shown(body, query), search=mode) for name, body in found],
        total,
        following,
    )
