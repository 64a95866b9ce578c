"""read, vread and history of one resource, and history of a type. R4 ``http.html#read`` and following."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from service.domain.errors import Gone, NotFound, Refused
from service.operations.representation import instant, serve
from service.operations.searching.dates import moment, span
from service.operations.searching.parameters import RECORD_TYPES
from service.operations.searching.query import DEFAULT_COUNT, LARGEST_COUNT
from service.web.binaries import content, wants_content
from service.web.bodies import resource, version_headers
from service.web.bundles import bundle, entry, page_links
from service.web.negotiation import check_format
from service.web.services import Services, services

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.requests import Request

    from service.operations.ports import Published, Version

_CODES = {"POST": "201 Created", "PUT": "200 OK", "DELETE": "204 No Content"}


def known_type(held: Services, type_: str) -> str:
    """The type, if it is one of those kept or published here; else NotFound."""
    if type_ in RECORD_TYPES or type_ in held.content.types():
        return type_
    served = ", ".join(sorted({*RECORD_TYPES, *held.content.types()}))
    raise NotFound(f"'{type_[:64]}' is no resource type of this service; it has: {served}")


async def read(request: Request) -> Response:
    """The current version; of a Binary the bytes that it holds, unless FHIR is asked for."""
    held = services(request)
    type_, id_ = known_type(held, request.path_params["type"]), request.path_params["id"]
    if wants_content(request, type_):
        return content(_there(await held.run(held.records.read, type_, id_), type_, id_), request)
    check_format(request)
    published = held.content.read(type_, id_)
    if published is not None:
        return _conditional(request, published.body, _published_headers(published))
    found = await held.run(held.records.read, type_, id_) if type_ in RECORD_TYPES else None
    return _conditional(request, *_record(found, type_, id_))


async def vread(request: Request) -> Response:
    """One version: of published content by its business version, of a record by its number."""
    held = services(request)
    type_, id_, vid = (
        known_type(held, request.path_params["type"]),
        request.path_params["id"],
        request.path_params["vid"],
    )
    raw = wants_content(request, type_)
    if not raw:
        check_format(request)
    published = held.content.read(type_, id_, vid)
    if published is not None:
        return _conditional(request, published.body, _published_headers(published))
    found = None
    if type_ in RECORD_TYPES and vid.isascii() and vid.isdigit() and len(vid) < 10:
        found = await held.run(held.records.version, type_, id_, int(vid))
    if raw:
        return content(_there(found, type_, f"{id_}/_history/{vid}"), request)
    return _conditional(request, *_record(found, type_, f"{id_}/_history/{vid}"))


def _record(found: Version | None, type_: str, id_: str) -> tuple[bytes, Mapping[str, str]]:
    there = _there(found, type_, id_)
    return serve(there), version_headers(there)


def _there(found: Version | None, type_: str, id_: str) -> Version:
    if found is None:
        raise NotFound(f"there is no {type_}/{id_[:150]} here")
    if found.deleted:
        raise Gone(
            f"{found.reference} was deleted on {instant(found.updated)} (version {found.version}); "
            f"its earlier versions stand at {found.reference}/_history"
        )
    return found


def _published_headers(one: Published) -> dict[str, str]:
    return {"ETag": f'W/"{one.version}"'}


def _conditional(request: Request, body: bytes, headers: Mapping[str, str]) -> Response:
    """304 where the client's copy is the one that stands (R4 ``http.html#cread``)."""
    known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if headers["ETag"] in known or headers["ETag"].removeprefix("W/") in known:
        return Response(None, 304, headers)
    return resource(body, 200, headers)


async def history(request: Request) -> Response:
    """The versions of one resource, or of all of a type, newest first."""
    check_format(request)
    held = services(request)
    type_, id_ = known_type(held, request.path_params["type"]), request.path_params.get("id")
    count, since, cursor = _history_parameters(request)
    base = held.base(request)
    address = f"{base}/{type_}/{id_}/_history" if id_ else f"{base}/{type_}/_history"
    pairs = [
        (name, request.query_params[name]) for name in ("_count", "_since") if name in request.query_params
    ]
    published = _published_history(held, type_, id_)
    if published or type_ not in RECORD_TYPES:
        if id_ and not published:
            raise NotFound(f"there is no {type_}/{id_[:64]} here")
        entries = [
            entry(f"{base}/{one.type}/{one.id}", one.body,
                  request={"method": "PUT", "url": f"{one.type}/{one.id}"},
                  response={"status": "200 OK", "etag": f'W/"{one.version}"'})
            for one in published
        ]  # fmt: skip
        total, following = len(published), None
    else:
        page = await held.run(held.records.history, type_, id_, count=count, cursor=cursor, since=since)
        if id_ and not page.total and since is None:
            raise NotFound(f"there is no {type_}/{id_[:64]} here")
        entries = [_history_entry(base, version) for version in page.versions]
        total, following = page.total, page.cursor
    links = page_links(address, pairs, cursor, following)
    return resource(bundle("history", entries, id_=held.new_id(), now=held.clock(), total=total, links=links))


def _published_history(held: Services, type_: str, id_: str | None) -> tuple[Published, ...]:
    if id_:
        return held.content.versions(type_, id_)
    return tuple(one for top in held.content.of_type(type_) for one in held.content.versions(type_, top.id))


def _history_entry(base: str, version: Version) -> bytes:
    url = version.type if version.method == "POST" else version.reference
    return entry(
        f"{base}/{version.reference}",
        None if version.deleted else serve(version),
        request={"method": version.method, "url": url},
        response={
            "status": _CODES[version.method],
            "etag": f'W/"{version.version}"',
            "lastModified": instant(version.updated),
        },
    )


def _history_parameters(request: Request) -> tuple[int, datetime | None, str | None]:
    text = request.query_params.get("_count", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused(f"'_count' is a whole number from 0, not '{text[:20]}'")
    since = request.query_params.get("_since")
    start = span(since.replace(" ", "+")) if since else None
    if since and start is None:
        raise Refused("'_since' is an instant such as 2026-07-01T09:00:00Z")
    count = min(int(text), LARGEST_COUNT) if text else DEFAULT_COUNT
    return count, moment(start[0]) if start else None, request.query_params.get("_cursor")
