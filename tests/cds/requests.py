"""Requests of a synthetic EHR, one for each hook, and the services that they call."""

from __future__ import annotations

import copy
from typing import Any

from service.cds.model import Service

INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
SNOMED, OPCS = "http://snomed.info/sct", "https://fhir.nhs.uk/Id/opcs-4"
AUTHORIZATION = {
    "access_token": "some-opaque-token",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/Patient.read user/Observation.read",
    "subject": "cds-service4",
}

ORDER: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "id": "1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/1288992"},
    "code": {"coding": [{"system": SNOMED, "code": "431312000"}], "text": "Cementoplasty, sacrum"},
}
DIET: dict[str, Any] = {
    "resourceType": "NutritionOrder",
    "id": "pureeddiet-simple",
    "status": "draft",
    "patient": {"reference": "Patient/1288992"},
    "dateTime": "2026-09-17",
    "oralDiet": {"type": [{"text": "Pureed diet"}]},
}
CONTEXTS: dict[str, dict[str, Any]] = {
    "patient-view": {"userId": "Practitioner/example", "patientId": "1288992", "encounterId": "89284"},
    "order-select": {
        "userId": "PractitionerRole/123",
        "patientId": "1288992",
        "encounterId": "89284",
        "selections": ["ServiceRequest/1"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": DIET}, {"resource": ORDER}]},
    },
    "order-sign": {
        "userId": "Practitioner/123",
        "patientId": "1288992",
        "encounterId": "89284",
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": DIET}, {"resource": ORDER}]},
    },
    "order-dispatch": {
        "patientId": "1288992",
        "dispatchedOrders": ["ServiceRequest/1"],
        "performer": "Organization/some-performer",
    },
    "encounter-discharge": {
        "userId": "PractitionerRole/A2340113",
        "patientId": "1288992",
        "encounterId": "456",
    },
}


def request(hook: str = "order-select", **more: Any) -> dict[str, Any]:
    """A request of a hook; ``more`` stands in place of its elements."""
    body = {"hook": hook, "hookInstance": INSTANCE, "context": CONTEXTS[hook]}
    return copy.deepcopy(body | more)


def without(body: dict[str, Any], *path: str) -> dict[str, Any]:
    """The request without the element at the path."""
    return changed(body, None, *path, drop=True)


def changed(body: dict[str, Any], value: Any, *path: str, drop: bool = False) -> dict[str, Any]:
    """The request with the element at the path set to the value."""
    made = copy.deepcopy(body)
    at = made
    for name in path[:-1]:
        at = at[name]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return made


def service(hook: str = "order-select") -> Service:
    """A service of a hook, by itself."""
    return Service(f"guidance-{hook}", hook, "Guidance", "Says what it says.", "urn:plan|1", {})
