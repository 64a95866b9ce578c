"""Pages for people: the first page, made from the published plans, and the API's documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from service.fhir.json_text import encode
from service.operations.explain import paragraphs
from service.web.openapi import METHODS, document
from service.web.page import page
from service.web.services import services

if TYPE_CHECKING:
    from starlette.requests import Request

Resource = dict[str, Any]


async def first(request: Request) -> Response:
    """What this is and is not, the recommendations with their paragraphs, and where to go."""
    held = services(request)
    guides = held.content.of_type("ImplementationGuide")
    guide = guides[0].resource if guides else {}
    plans = [one.resource for one in held.content.of_type("PlanDefinition")]
    return page(
        "first.html",
        title=guide.get("title", "Computable guidance"),
        description=guide.get("description", ""),
        usage=next((plan["usage"] for plan in plans if plan.get("usage")), ""),
        development=held.guard is None,
        plans=[_plan(plan) for plan in plans],
        forms=[one.resource for one in held.content.of_type("Questionnaire")],
        footer=guide.get("copyright", ""),
    )


async def docs(request: Request) -> Response:
    """The API's documentation, from the same source as ``/openapi.json``."""
    described = document(services(request))

    def resolve(one: Resource) -> Resource:
        if "$ref" not in one:
            return one
        _, _, kind, name = one["$ref"].split("/")
        found: Resource = described["components"][kind][name]
        return found

    return page("api.html", document=described, methods=METHODS, resolve=resolve, footer="")


async def openapi(request: Request) -> Response:
    """The API's description."""
    return Response(encode(document(services(request))), media_type="application/json")


def _plan(plan: Resource) -> Resource:
    """The plan as titled groups of rows: an action with children is a group, and one without is a row."""
    groups: list[Resource] = []
    for top in plan.get("action", ()):
        children = top.get("action") or [top]
        rows = [_row(one) for one in children if not one.get("action")]
        groups.append({"title": top.get("title", ""), "rows": rows})
        groups += [
            {"title": one.get("title", ""), "rows": [_row(row) for row in one["action"]]}
            for one in children
            if one.get("action")
        ]
    title = plan.get("title", plan["id"])
    return {"id": plan["id"], "title": title, "description": plan.get("description", ""), "groups": groups}


def _row(action: Resource) -> Resource:
    return {
        "title": action.get("title", action.get("id", "")),
        "description": action.get("description") or action.get("textEquivalent") or "",
        "paragraphs": ", ".join(paragraphs(action)),
    }
