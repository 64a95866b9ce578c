"""The API's description (OpenAPI 3.1), made from what is served: types, search parameters, operations.

``openapi/openapi.json`` is what this gives for the release's content; a stale one fails the tests.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from service.cds.discovery import services_of
from service.cds.faces import ICON
from service.operations.searching.parameters import RECORD_TYPES, parameters
from service.web import openapi_hooks, openapi_report_shapes, openapi_reports
from service.web.capability import CREATED
from service.web.icon import FAVICON
from service.web.openapi_parts import JSON, PARAMETERS, SCHEMAS, answered, failed, failures, query, shared

if TYPE_CHECKING:
    from service.web.operations.declared import In, Operation
    from service.web.services import Services

Part = dict[str, Any]
METHODS = ("get", "post", "put")
_PRIMITIVES: dict[str, Part] = {"boolean": {"type": "boolean"}, "integer": {"type": "integer"}}


def document(held: Services) -> Part:
    """The whole description."""
    paths: Part = dict(_plain()) | openapi_hooks.paths(_hook_ids(held))
    paths |= openapi_reports.paths(sorted(held.reports.renderers))
    types = sorted({*RECORD_TYPES, *held.content.types()})
    for type_ in types:
        paths |= _type(held, type_)
    for operation in held.operations:
        for type_ in operation.types:
            if type_ in types:
                paths |= _operation(held, operation, type_)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "htg117",
            "version": held.version,
            "description": "Guidance as FHIR R4: forms go in, what the guidance says of them comes out. "
            "It restates criteria and decides nothing.",
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": SCHEMAS | openapi_hooks.SCHEMAS | openapi_report_shapes.SCHEMAS,
            "parameters": PARAMETERS,
            "responses": failures(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "security": [{}, {"bearer": []}],
    }


def _hook_ids(held: Services) -> list[str]:
    plans = [one.resource for one in held.content.of_type("PlanDefinition")]
    return sorted({one.id for one in services_of(plans, held.content.resolve)})


def _plain() -> Part:
    def page(id_: str, said: str, media: str) -> Part:
        schema = {"type": "object"} if media == "application/json" else {"type": "string"}
        good = {"description": said, "content": {media: {"schema": schema}}}
        own: Part = {"200": good, "401": {"$ref": "#/components/responses/Failed401"}}
        return {"get": _described(id_, said, "service", [], own)}

    found = {
        "/": page("first", "The first page", "text/html"),
        "/docs": page("docs", "The API's documentation as a page", "text/html"),
        "/openapi.json": page("openapi", "This description", "application/json"),
        "/health": page("health", "Whether the process runs", "application/json"),
        "/ready": page("ready", "Whether the records answer", "application/json"),
        "/metrics": page("metrics", "What is counted and timed, for Prometheus", "text/plain"),
        ICON: page("icon", "The icon of the cards of CDS Hooks", "image/png"),
        FAVICON: page("favicon", "The same icon, where browsers look for it unasked", "image/png"),
    }
    found["/ready"]["get"]["responses"]["503"] = {
        "description": "Not ready, and why",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    good = {"200": answered("Resource", "The CapabilityStatement")} | failed()
    found["/fhir/metadata"] = {
        "get": _described("metadata", "What the FHIR interface offers", "service", shared("Format"), good)
    }
    return found


def _described(
    id_: str, summary: str, tag: str, given: list[Part], responses: Part, description: str = ""
) -> Part:
    return {
        "operationId": id_,
        "summary": summary,
        "description": description,
        "tags": [tag],
        "parameters": given,
        "responses": responses,
    }


def _type(held: Services, type_: str) -> Part:
    base = f"/fhir/{type_}"
    searched = [
        query(one.name, f"{one.kind.value} search parameter of R4.") for one in parameters(type_).values()
    ]
    page = ("Format", "Count", "Sort", "Summary", "Elements", "Handling")
    bundle = answered("Bundle", "A page of what matches")
    versions = answered("Bundle", "Versions, newest first")
    one = {"200": answered("Resource", f"The {type_}"), "304": {"description": "The client's copy stands"}}
    id_, vid = _path(held, type_)
    search = _described(
        f"search{type_}", f"Search {type_}", type_, [*shared(*page), *searched], {"200": bundle} | failed()
    )
    form = {"type": "object", "additionalProperties": {"type": "string"}}
    body = {"content": {"application/x-www-form-urlencoded": {"schema": form, "example": {"_count": "5"}}}}
    post = _described(
        f"search{type_}ByPost",
        f"Search {type_}, parameters in the body",
        type_,
        shared("Format"),
        {"200": bundle} | failed(413, 415),
    ) | {"requestBody": body}
    found: Part = {
        base: {"get": search},
        f"{base}/_search": {"post": post},
        f"{base}/_history": {
            "get": _described(
                f"history{type_}",
                f"History of all {type_}",
                type_,
                shared("Format", "Count", "Since"),
                {"200": versions} | failed(),
            )
        },
        f"{base}/{{id}}": {
            "get": _described(
                f"read{type_}",
                f"Read a {type_}",
                type_,
                [id_, *shared("Format", "IfNoneMatch")],
                one | failed(410),
            )
        },
        f"{base}/{{id}}/_history": {
            "get": _described(
                f"history{type_}Instance",
                f"History of a {type_}",
                type_,
                [id_, *shared("Format", "Count", "Since")],
                {"200": versions} | failed(),
            )
        },
        f"{base}/{{id}}/_history/{{vid}}": {
            "get": _described(
                f"vread{type_}",
                f"Read a version of a {type_}",
                type_,
                [id_, vid, *shared("Format", "IfNoneMatch")],
                one | failed(410),
            )
        },
    }
    if type_ == "Binary":  # read as what it holds, unless FHIR is asked for
        one["200"]["content"]["*/*"] = {"schema": {"type": "string"}}
    if type_ == CREATED:
        found[base]["post"] = _write(held, "create", [], ("IfNoneExist", "Prefer"), {"200", "201"})
        found[f"{base}/{{id}}"]["put"] = _write(held, "update", [id_], ("IfMatch", "Prefer"), {"200"})
    return found


def _write(held: Services, verb: str, given: list[Part], headers: tuple[str, ...], good: set[str]) -> Part:
    answers = {status: answered("Resource", "What is stored") for status in sorted(good)}
    described = _described(
        f"{verb}{CREATED}",
        f"{verb.capitalize()} a form",
        CREATED,
        [*given, *shared(*headers)],
        answers | failed(409, 410, 412, 413, 415, 422),
    )
    return described | {"requestBody": _body(held, "Resource", CREATED)}


def _path(held: Services, type_: str) -> tuple[Part, Part]:
    published = held.content.of_type(type_)
    pattern = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
    id_ = {"name": "id", "in": "path", "required": True, "description": "The logical id.", "schema": pattern}
    vid = {"name": "vid", "in": "path", "required": True, "description": "The version.", "schema": pattern}
    if published:
        id_["example"], vid["example"] = published[0].id, published[0].version
    else:
        id_["example"], vid["example"] = "7b377b55-336b-5b3d-b59e-65b285c029ba", "1"
    return id_, vid


def _body(held: Services, schema: str, type_: str | None) -> Part:
    """A body that is a resource, with the published examples of its type."""
    media: Part = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    examples = held.content.examples(type_) if type_ else ()
    if examples:
        media["examples"] = {one.id: {"value": one.resource} for one in examples}
    return {"required": True, "content": {JSON: media}}


def _operation(held: Services, operation: Operation, type_: str) -> Part:
    found: Part = {}
    for on_instance in (False, True):
        if not (operation.on_instance if on_instance else operation.on_type):
            continue
        address = (
            f"/fhir/{type_}/{{id}}/${operation.name}" if on_instance else f"/fhir/{type_}/${operation.name}"
        )
        given = [_path(held, type_)[0]] if on_instance else []
        word = re.sub(r"\W", "", operation.name.title())
        id_ = f"{word}{type_}{'Instance' if on_instance else ''}"
        schema = operation.gives if operation.gives in ("Bundle", "OperationOutcome") else "Resource"
        good = {"200": answered(schema if operation.name != "extract" else "Resource", f"{operation.gives}")}
        answers = good | failed(409, 410, 412, 413, 415, 422)
        title = f"${operation.name} on {'a' if on_instance else 'the type'} {type_}"
        post = _described(f"post{id_}", title, type_, [*given, *shared("IfMatch")], answers, operation.said)
        bare = next((one.type for one in operation.inputs if one.name == operation.bare), None)
        found[address] = {"post": post | {"requestBody": _body(held, "Resource", bare or "Parameters")}}
        if not operation.changes:
            simple = [_input(one) for one in operation.inputs if one.type[0].islower() and one.type != "any"]
            get = _described(
                f"get{id_}", title, type_, [*given, *shared("Format"), *simple], answers, operation.said
            )
            found[address]["get"] = get
    return found


def _input(one: In) -> Part:
    return query(one.name, one.said, _PRIMITIVES.get(one.type))
