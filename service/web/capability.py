"""The CapabilityStatement: the published one, its ``rest`` completed from what is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.operations.representation import instant
from service.operations.searching.parameters import RECORD_TYPES, parameters
from service.web.bodies import resource
from service.web.negotiation import check_format
from service.web.services import services

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from service.web.services import Services

Resource = dict[str, Any]
CREATED = "QuestionnaireResponse"
"""The one type that clients create and update; everything else is made from it."""


async def metadata(request: Request) -> Response:
    """The CapabilityStatement of this service."""
    check_format(request)
    held = services(request)
    return resource(statement(held, held.base(request)))


def statement(held: Services, base: str) -> Resource:
    """The CapabilityStatement as a resource."""
    published = held.content.of_type("CapabilityStatement")
    made: Resource = dict(published[0].resource) if published else {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(held.clock()),
    }  # fmt: skip
    made.pop("text", None)
    made["kind"] = "instance"
    made.pop("instantiates", None)
    if published and published[0].url:
        made["instantiates"] = [published[0].url]
        made.pop("url", None)
    made["software"] = {"name": "htg117", "version": held.version}
    made["implementation"] = {"description": "HTG117 as FHIR R4, with its forms and records", "url": base}
    made |= {"fhirVersion": "4.0.1", "format": ["json", "application/fhir+json"]}
    made["rest"] = [_rest(held)]
    return made


def _rest(held: Services) -> Resource:
    types = sorted(
        {*RECORD_TYPES, *held.content.types(), *(one for op in held.operations for one in op.types)}
    )
    security = (
        "Bearer tokens of the configured issuers" if held.guard else "None: development mode, on loopback"
    )
    return {
        "mode": "server",
        "security": {"cors": False, "description": security},
        "resource": [_type(held, type_) for type_ in types],
    }


def _type(held: Services, type_: str) -> Resource:
    made: Resource = {"type": type_}
    profiles = _profiles(held, type_)
    if profiles:
        made["supportedProfile"] = profiles
    record = type_ in RECORD_TYPES
    if record or type_ in held.content.types():
        codes = ["read", "vread", "history-instance", "history-type", "search-type"]
        codes += ["create", "update"] if type_ == CREATED else []
        made["interaction"] = [{"code": code} for code in codes]
        made |= {"versioning": "versioned-update" if type_ == CREATED else "versioned", "readHistory": True}
        if type_ == CREATED:
            made |= {"updateCreate": False, "conditionalCreate": True}
        made["conditionalRead"] = "not-match"
        made["searchParam"] = [
            {"name": one.name, "type": one.kind.value} for one in parameters(type_).values()
        ]
    operations = [
        {"name": one.name, "definition": _definition(held, one.definition), "documentation": one.said}
        for one in held.operations
        if type_ in one.types
    ]
    if operations:
        made["operation"] = operations
    return made


def _definition(held: Services, named: str) -> str:
    """An HL7 definition's canonical as it is; the canonical of one published here by its id."""
    own = held.content.read("OperationDefinition", named)
    return str(own.url) if own else named


def _profiles(held: Services, type_: str) -> list[str]:
    return [
        str(one.url)
        for one in held.content.of_type("StructureDefinition")
        if one.resource.get("type") == type_ and one.resource.get("derivation") == "constraint"
    ]
