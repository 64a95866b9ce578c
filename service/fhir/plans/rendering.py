"""What ``$apply`` came to, as FHIR: a CarePlan with everything contained, or a Bundle. Pure.

R4 ``plandefinition-operation-apply.html`` (CarePlan); the R5 form of the operation gives a Bundle.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from service.fhir.plans.definitions import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.domain.issues import Issue
    from service.fhir.plans.application import Applied

Resource = dict[str, Any]
GROUP, MESSAGES = "request-group", "messages"


def render_care_plan(applied: Applied) -> Resource:
    """The CarePlan: its RequestGroup, the draft requests and any issues contained in it."""
    group = {"id": GROUP} | _request_group(applied)
    contained = [_with_id(group, GROUP)]
    contained += [_with_id(request, name) for name, request in applied.requests.items()]
    supporting = []
    if applied.issues:
        contained.append(_with_id(render_issues(applied.issues), MESSAGES))
        supporting.append({"reference": f"#{MESSAGES}", "display": "What is to be known of these proposals"})
    circumstances = applied.circumstances
    plan: Resource = {
        "resourceType": "CarePlan",
        "contained": contained,
        "instantiatesCanonical": [canonical(applied.definition)],
        "status": "draft",
        "intent": "proposal",
        "title": applied.definition.get("title"),
        "description": applied.definition.get("description"),
        "subject": {"reference": circumstances.subject},
        "encounter": _reference(circumstances.encounter),
        "created": circumstances.now,
        "author": _reference(circumstances.requester),
        "supportingInfo": supporting or None,
        "activity": [{"reference": {"reference": f"#{GROUP}"}}],
    }
    return {name: value for name, value in plan.items() if value is not None}


def render_bundle(applied: Applied) -> Resource:
    """A collection Bundle: the RequestGroup first, then the draft requests, then any issues.

    Full URLs are made from the content of the call, so that the same call gives the same Bundle.
    """
    circumstances = applied.circumstances
    seed = f"{canonical(applied.definition)} {circumstances.subject} {circumstances.now}"
    names = {
        name: f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{seed} {name}')}" for name in applied.requests
    }
    group = _pointed(_request_group(applied), {f"#{name}": url for name, url in names.items()})
    entries = [{"fullUrl": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, seed)}", "resource": group}]
    entries += [{"fullUrl": names[name], "resource": request} for name, request in applied.requests.items()]
    if applied.issues:
        url = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{seed} {MESSAGES}')}"
        entries.append({"fullUrl": url, "resource": render_issues(applied.issues)})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def render_issues(issues: Iterable[Issue]) -> Resource:
    """The issues as an OperationOutcome to be contained in, or sent beside, a result."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": str(issue.severity),
                "code": issue.code,
                "diagnostics": issue.message,
                **({"expression": [issue.expression]} if issue.expression else {}),
            }
            for issue in issues
        ],
    }


def _request_group(applied: Applied) -> Resource:
    circumstances = applied.circumstances
    group: Resource = {
        "resourceType": "RequestGroup",
        "instantiatesCanonical": [canonical(applied.definition)],
        "status": "draft",
        "intent": "proposal",
        "subject": {"reference": circumstances.subject},
        "encounter": _reference(circumstances.encounter),
        "authoredOn": circumstances.now,
        "author": _reference(circumstances.requester),
        "action": applied.actions or None,
    }
    return {name: value for name, value in group.items() if value is not None}


def _with_id(resource: Resource, identifier: str) -> Resource:
    return {"resourceType": resource["resourceType"], "id": identifier} | {
        name: value for name, value in resource.items() if name not in ("resourceType", "id")
    }


def _reference(reference: str | None) -> Resource | None:
    return {"reference": reference} if reference else None


def _pointed(value: Any, urls: dict[str, str]) -> Any:
    """The same structure with local references turned into full URLs."""
    if isinstance(value, dict):
        return {
            name: urls.get(inner, inner)
            if name == "reference" and isinstance(inner, str)
            else _pointed(inner, urls)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_pointed(inner, urls) for inner in value]
    return value
