"""Reading of ``/reports``: the list and one report, as JSON, as a page, or in one of its renderings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import Response

from service.domain.errors import NotFound, Refused, Unprocessable
from service.fhir.json_text import encode
from service.operations.report import cases
from service.operations.report.attention import needing_attention, reasons
from service.operations.report.listing import list_cases
from service.operations.report.looking import look
from service.operations.report.strays import OPEN, SEEN, list_strays, read_body
from service.web.page import page
from service.web.reports.asked import answer_form, filters, page_of
from service.web.reports.views import stray, summary, whole
from service.web.services import services
from service.yellow_card.pdf import KIND as PDF
from service.yellow_card.pdf import pdf
from service.yellow_card.structured import KIND as JSON_KIND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from service.operations.report.cases import Case
    from service.operations.report.desk import Desk
    from service.operations.report.looking import Seen
    from service.yellow_card.rendered import Rendered

Json = dict[str, Any]
JSON = "application/json"
_SEALED = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""What a rendering may do in a browser: be read."""


async def listing(request: Request) -> Response:
    """The reports that meet the filters, or those that need attention, a page at a time, newest first."""
    form = answer_form(request, ("json", "html"))
    held = services(request)
    found = await held.run(_listed, request)
    if form == "json":
        return respond(found)
    needs = "needs" in request.query_params
    return page(
        "reports.html",
        footer="",
        needs=needs,
        heading="What needs attention" if needs else "Reports",
        **found,
    )


def _listed(request: Request) -> Json:
    held = services(request)
    wanted, (count, cursor) = filters(request), page_of(request)
    root, now = held.root(request), held.clock()
    told: Json = {}
    if request.query_params.get("needs"):
        days = held.reports.site.reminder_days
        needing = needing_attention(held.records, wanted, now, days)
        start = _offset(cursor)
        shown = [
            summary(one.case, root) | {"attention": list(one.reasons)}
            for one in needing[start : start + count]
        ]
        total, following = len(needing), str(start + count) if start + count < len(needing) else None
        strays = list_strays(held.records)
        told = {"unjoined": [stray(one, root) for one in strays]} if strays and not start else {}
    else:
        listed = list_cases(held.records, wanted, now, count=count, cursor=cursor)
        shown = [summary(one, root) for one in listed.cases]
        total, following = listed.total, listed.cursor
    found: Json = {"total": total, "reports": shown} | told
    if following:
        pairs = [pair for pair in request.query_params.multi_items() if pair[0] != "_cursor"]
        found["next"] = f"{root}/reports?{urlencode([*pairs, ('_cursor', following)])}"
    return found


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise Refused("'_cursor' is taken from the link to the next page")
    return int(cursor)


async def one(request: Request) -> Response:
    """One report: everything there is to know of it, or its page."""
    form = answer_form(request, ("json", "html"))
    held = services(request)
    case, seen = await held.run(_seen, held.reports, request.path_params["case"])
    headers = tag(case)
    if request.headers.get("if-none-match") in (headers["ETag"], headers["ETag"].removeprefix("W/")):
        return Response(None, 304, headers)
    found = whole(case, seen, held.root(request))
    told = list(reasons(case, held.clock(), held.reports.site.reminder_days, seen.hits))
    found |= {"attention": told} if told else {}
    if form == "html":
        return page("report.html", report=found, renderings=sorted((*held.reports.renderers, PDF)), footer="")
    return respond(found, headers=headers)


def _seen(desk: Desk, case: str) -> tuple[Case, Seen]:
    held = cases.read(desk.records, case)
    return held, look(desk, held)


async def rendering(request: Request) -> Response:
    """The report as it stands in one of its renderings. Nothing is kept of it and its state stays."""
    held = services(request)
    made = await held.run(render, held.reports, request.path_params["case"], request.path_params["rendering"])
    headers = {
        "Content-Disposition": f'inline; filename="{made.file_name}"',
        "Content-Security-Policy": _SEALED,
        "Referrer-Policy": "no-referrer",
    }
    return Response(made.body, 200, headers, made.media_type)


def render(desk: Desk, case: str, kind: str) -> Rendered:
    """The report in one of its renderings. Unprocessable while something in it may identify the patient."""
    renderer = desk.renderers.get(JSON_KIND if kind == PDF else kind)
    if renderer is None:
        known = ", ".join(sorted((*desk.renderers, PDF)))
        raise NotFound(f"there is no rendering '{kind[:40]}' here; there are: {known}")
    held, seen = _seen(desk, case)
    if seen.hits:
        places = ", ".join(dict.fromkeys(one.path for one in seen.hits))
        raise Unprocessable(
            f"what stands at {places} may identify the patient: nothing is made of the report until a person "
            "has changed the text or said that it identifies nobody"
        )
    made = renderer(held.report, desk.site)
    return pdf(made) if kind == PDF else made


async def acknowledgements(request: Request) -> Response:
    """The acknowledgements that could not be joined, or not wholly: those that nobody has looked into."""
    held = services(request)
    answer_form(request, ("json",))
    wanted = request.query_params.get("state", OPEN)
    if wanted not in (OPEN, SEEN) or set(request.query_params) - {"state", "_format"}:
        raise Refused(f"'state' is {OPEN} or {SEEN}; there is no other parameter here")
    found = await held.run(list_strays, held.records, wanted)
    root = held.root(request)
    return respond({"total": len(found), "acknowledgements": [stray(one, root) for one in found]})


async def acknowledgement(request: Request) -> Response:
    """One of them, byte for byte as it came."""
    held = services(request)
    id_ = request.path_params["digest"]
    body = await held.run(read_body, held.records, id_)
    headers = {"Content-Disposition": f'attachment; filename="{id_}.xml"', "Content-Security-Policy": _SEALED}
    return Response(body, 200, headers, "application/xml")


def respond(found: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON, decimals with the digits that they have."""
    return Response(encode(found), status, headers, JSON)


def tag(case: Case) -> dict[str, str]:
    """The ETag of a report: the number of changes that were stored of it."""
    return {"ETag": f'W/"{case.record}"'}
