"""The description of CDS Hooks' addresses."""

from __future__ import annotations

from typing import Any

from service.web.openapi_parts import failed, shared

Part = dict[str, Any]
JSON = "application/json"
_TEXT: Part = {"type": "string", "minLength": 1}
_OBJECT: Part = {"type": "object"}
_UUID: Part = {"type": "string", "format": "uuid"}
_ORDER: Part = {
    "resourceType": "ServiceRequest",
    "id": "draft-1",
    "status": "draft",
    "intent": "order",
    "code": {"coding": [{"system": "https://example.org/codes", "code": "1"}]},
    "subject": {"reference": "Patient/1"},
}
_CODING: Part = {
    "type": "object",
    "required": ["code", "system"],
    "properties": {"code": _TEXT, "system": _TEXT, "display": _TEXT},
}
_ACTION: Part = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": ["create", "update", "delete"]},
        "description": _TEXT,
        "resource": _OBJECT,
        "resourceId": _TEXT,
    },
}
_SUGGESTION: Part = {
    "type": "object",
    "required": ["label"],
    "properties": {
        "label": _TEXT,
        "uuid": _UUID,
        "isRecommended": {"type": "boolean"},
        "actions": {"type": "array", "minItems": 1, "items": _ACTION},
    },
}
_LINK: Part = {
    "type": "object",
    "required": ["label", "url", "type"],
    "properties": {
        "label": _TEXT,
        "url": _TEXT,
        "type": {"enum": ["absolute", "smart"]},
        "appContext": _TEXT,
    },
}
_CARD: Part = {
    "type": "object",
    "required": ["summary", "indicator", "source"],
    "properties": {
        "uuid": _UUID,
        "summary": {"type": "string", "minLength": 1, "maxLength": 139},
        "detail": {"type": "string", "minLength": 1, "description": "GitHub Flavored Markdown."},
        "indicator": {"enum": ["info", "warning", "critical"]},
        "source": {
            "type": "object",
            "required": ["label"],
            "properties": {"label": _TEXT, "url": _TEXT, "icon": _TEXT, "topic": _CODING},
        },
        "suggestions": {"type": "array", "minItems": 1, "items": _SUGGESTION},
        "selectionBehavior": {"enum": ["at-most-one", "any"]},
        "overrideReasons": {"type": "array", "minItems": 1, "items": _CODING},
        "links": {"type": "array", "minItems": 1, "items": _LINK},
    },
}
_SERVICE: Part = {
    "type": "object",
    "required": ["hook", "description", "id"],
    "properties": {
        "hook": _TEXT,
        "title": _TEXT,
        "description": _TEXT,
        "id": _TEXT,
        "prefetch": {"type": "object", "minProperties": 1, "additionalProperties": _TEXT},
        "usageRequirements": _TEXT,
        "version": _TEXT,
        "hookVersion": _TEXT,
    },
}
_REQUEST: Part = {
    "type": "object",
    "description": "A call as CDS Hooks 2.0.1 describes it; what context holds depends on the hook.",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": _TEXT,
        "hookInstance": _UUID,
        "fhirServer": {"type": "string", "format": "uri"},
        "fhirAuthorization": {
            "type": "object",
            "required": ["access_token", "token_type", "expires_in", "scope", "subject"],
            "properties": {
                "access_token": _TEXT,
                "token_type": {"const": "Bearer"},
                "expires_in": {"type": "integer"},
                "scope": _TEXT,
                "subject": _TEXT,
                "patient": _TEXT,
            },
        },
        "context": {
            "type": "object",
            "required": ["patientId"],
            "properties": {"userId": _TEXT, "patientId": _TEXT, "encounterId": _TEXT, "draftOrders": _OBJECT},
        },
        "prefetch": {"type": "object", "additionalProperties": {"type": ["object", "null"]}},
        "extension": _OBJECT,
    },
}
_FEEDBACK: Part = {
    "type": "object",
    "required": ["feedback"],
    "properties": {
        "feedback": {
            "type": "array",
            "minItems": 1,
            "maxItems": 500,
            "items": {
                "type": "object",
                "required": ["card", "outcome", "outcomeTimestamp"],
                "properties": {
                    "card": _UUID,
                    "outcome": {"enum": ["accepted", "overridden"]},
                    "acceptedSuggestions": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "object", "required": ["id"], "properties": {"id": _TEXT}},
                    },
                    "overrideReason": {
                        "type": "object",
                        "properties": {"reason": _CODING, "userComment": _TEXT},
                    },
                    "outcomeTimestamp": {"type": "string", "format": "date-time"},
                },
            },
        }
    },
}
SCHEMAS: Part = {
    "HookCard": _CARD,
    "HookFeedback": _FEEDBACK,
    "HookRequest": _REQUEST,
    "HookService": _SERVICE,
}
_EXAMPLES: Part = {
    "order-sign": {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "1",
            "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _ORDER}]},
        },
    },
    "patient-view": {
        "hook": "patient-view",
        "hookInstance": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
        "context": {"userId": "Practitioner/1", "patientId": "1"},
        "prefetch": {"patient": {"resourceType": "Patient", "id": "1"}},
    },
}
_GIVEN: Part = {
    "feedback": [
        {
            "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
            "outcome": "overridden",
            "overrideReason": {"reason": {"system": "https://example.org/reasons", "code": "seen"}},
            "outcomeTimestamp": "2026-07-01T09:00:00Z",
        }
    ]
}
_FAILED = (408, 412, 413, 415, 429)


def paths(services: list[str]) -> Part:
    """The addresses of CDS Hooks; ``services`` are the ids that there are."""
    listed = {"type": "array", "items": {"$ref": "#/components/schemas/HookService"}}
    found = {"type": "object", "required": ["services"], "properties": {"services": listed}}
    cards = {"type": "array", "items": {"$ref": "#/components/schemas/HookCard"}}
    actions = {"type": "array", "minItems": 1, "items": _ACTION}
    answer = {
        "type": "object",
        "required": ["cards"],
        "properties": {"cards": cards, "systemActions": actions},
    }
    id_ = {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "The service's id, as discovery lists it.",
        "schema": {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"},
    }
    if services:
        id_["example"] = services[0]
    return {
        "/cds-services": {
            "get": _described(
                "discoverHooks",
                "The CDS services (CDS Hooks discovery)",
                [],
                {"200": _json("The services", found)} | failed(429),
            )
        },
        "/cds-services/{id}": {
            "post": _described(
                "callHook",
                "Call a CDS service: cards about the patient",
                [id_],
                {"200": _json("Cards; none only where the call is not about the guidance", answer)}
                | failed(*_FAILED),
            )
            | _body("HookRequest", {name: {"value": one} for name, one in _EXAMPLES.items()})
        },
        "/cds-services/{id}/feedback": {
            "post": _described(
                "giveHookFeedback",
                "Tell what users did with cards",
                [id_],
                {"200": {"description": "It is stored, or had been before"}} | failed(*_FAILED),
            )
            | _body("HookFeedback", {"overridden": {"value": _GIVEN}})
        },
    }


def _described(id_: str, summary: str, given: list[Part], answers: Part) -> Part:
    return {
        "operationId": id_,
        "summary": summary,
        "description": "A JWT of the CDS client as CDS Hooks 2.0.1 describes it, made for this address.",
        "tags": ["CDS Hooks"],
        "parameters": [*given, *shared()],
        "responses": answers,
    }


def _json(said: str, schema: Part) -> Part:
    return {"description": said, "content": {JSON: {"schema": schema}}}


def _body(schema: str, examples: Part) -> Part:
    media = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": examples}
    return {"requestBody": {"required": True, "content": {JSON: media}}}
