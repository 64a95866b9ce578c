"""The shared parts of the API's description: schemas, headers, parameters and the answers to what fails."""

from __future__ import annotations

from typing import Any

from service.domain.issues import error
from service.web.errors import outcome

Part = dict[str, Any]
JSON = "application/fhir+json"
_ISSUE: Part = {
    "type": "object",
    "required": ["severity", "code"],
    "properties": {
        "severity": {"enum": ["fatal", "error", "warning", "information"]},
        "code": {"type": "string", "description": "A code of the value set issue-type."},
        "details": {"type": "object", "description": "The text, and NHS England's code of the error."},
        "diagnostics": {"type": "string", "description": "What is wrong, where, and what to do."},
        "expression": {"type": "array", "items": {"type": "string"}, "description": "FHIRPath of the place."},
    },
}
SCHEMAS: Part = {
    "Resource": {
        "type": "object",
        "description": "A FHIR R4 (4.0.1) resource. $validate tells of every rule that one breaks.",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}, "id": {"type": "string"}},
    },
    "OperationOutcome": {
        "type": "object",
        "description": "What is wrong, most severe first (UKCore-OperationOutcome).",
        "required": ["resourceType", "issue"],
        "properties": {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {"type": "array", "minItems": 1, "items": _ISSUE},
        },
    },
    "Bundle": {
        "type": "object",
        "required": ["resourceType", "type"],
        "properties": {
            "resourceType": {"const": "Bundle"},
            "type": {"type": "string"},
            "total": {"type": "integer", "minimum": 0},
            "link": {"type": "array", "items": {"type": "object", "required": ["relation", "url"]}},
            "entry": {"type": "array", "minItems": 1, "items": {"type": "object"}},
        },
    },
}
_FAILED = {
    "400": "What was sent cannot be read, or a parameter is wrong",
    "401": "A token is missing or does not hold",
    "403": "The token does not reach this far",
    "404": "There is no such resource, version or operation",
    "405": "The address does not take this method",
    "406": "JSON of FHIR R4 is what can be given",
    "408": "The body did not arrive in time",
    "409": "What is stored speaks against it",
    "410": "It was deleted",
    "412": "A condition of the request does not hold; in CDS Hooks: data that is needed cannot be had",
    "413": "The body is too large or nests too deeply",
    "415": "The body is not said to be JSON",
    "422": "The body breaks FHIR's rules or its form's, or the operation cannot be done on it",
    "429": "Too many requests: Retry-After says when to come back",
    "503": "The records cannot be reached; try again",
}


def failures() -> Part:
    """The answer to each status of what fails, for the components."""
    example = outcome(
        [error("invalid", "what is wrong, and what to do", "QuestionnaireResponse.status")], 400
    )
    content = {JSON: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}, "example": example}}
    return {f"Failed{status}": {"description": said, "content": content} for status, said in _FAILED.items()}


def failed(*statuses: int) -> Part:
    """References to those answers. Every address may answer 400, 401, 403, 404, 405, 406 and 503."""
    slow = {408} if 413 in statuses else set()  # who reads a body waits for it only so long
    every = sorted({400, 401, 403, 404, 405, 406, 503, *slow, *statuses})
    return {str(status): {"$ref": f"#/components/responses/Failed{status}"} for status in every}


def answered(schema: str, said: str, example: Any = None) -> Part:
    """A good answer that is a resource."""
    media: Part = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    if example is not None:
        media["example"] = example
    return {"description": said, "content": {JSON: media}}


def query(name: str, said: str, schema: Part | None = None) -> Part:
    """A parameter of the query string."""
    return {"name": name, "in": "query", "description": said, "schema": schema or {"type": "string"}}


def header(name: str, said: str, example: str) -> Part:
    """A header of the request."""
    return {
        "name": name,
        "in": "header",
        "description": said,
        "schema": {"type": "string"},
        "example": example,
    }


PARAMETERS: Part = {
    "RequestId": header("X-Request-ID", "Mirrored in the answer.", "60e0b220-8136-4ca5-ae46-1d97ef59d068"),
    "CorrelationId": header(
        "X-Correlation-ID", "Mirrored in the answer.", "11c46f5f-cdef-4865-94b2-0ee0edcc26da"
    ),
    "Format": query("_format", "json, or application/fhir+json: what is given here."),
    "Count": query("_count", "How many at a time.", {"type": "integer", "minimum": 0}),
    "Sort": query("_sort", "Up to three search parameters; - before one for descending order."),
    "Summary": query("_summary", "How much of each.", {"enum": ["true", "false", "text", "data", "count"]}),
    "Elements": query("_elements", "Only these elements, and those that must be."),
    "Since": query("_since", "Only versions made since this instant."),
    "IfMatch": header("If-Match", "The version that must stand.", 'W/"1"'),
    "IfNoneMatch": header("If-None-Match", "The version that the client holds: 304 if it stands.", 'W/"1"'),
    "IfNoneExist": header(
        "If-None-Exist", "A search; if it finds one form, that one is answered.", "identifier=a|b"
    ),
    "Prefer": header(
        "Prefer", "return=minimal, representation or OperationOutcome.", "return=representation"
    ),
    "Handling": header(
        "Prefer", "handling=strict refuses parameters that are not served.", "handling=strict"
    ),
}


def shared(*names: str) -> list[Part]:
    """References to shared parameters, the tracing ones among them."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in ("RequestId", "CorrelationId", *names)]
