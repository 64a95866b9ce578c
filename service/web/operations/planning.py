"""``PlanDefinition/$apply`` and ``$r5.apply``: what a plan proposes for a subject. Nothing is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import NotFound, Refused
from service.fhir.plans import render_bundle, render_care_plan
from service.operations import apply as applying
from service.operations.checks import check_data, check_form
from service.operations.representation import instant
from service.web.operations.declared import Answer, In, Operation

if TYPE_CHECKING:
    from service.fhir.plans import Applied
    from service.web.operations.declared import Call

Resource = dict[str, Any]


def _applied(call: Call) -> Applied:
    held = call.services
    data = tuple(check_data(call.one("data"), held.content))
    for form in data:
        if form.get("resourceType") == applying.FORM and form.get("status") in applying.ANSWERED:
            check_form(call.document, held.content, form)  # type: ignore[arg-type]  # data came in a document
    asked = applying.Call(
        subject=call.one("subject"),
        now=instant(held.clock()),
        encounter=call.one("encounter"),
        practitioner=call.one("practitioner"),
        organization=call.one("organization"),
        data=data,
    )
    return applying.apply_plan(_definition(call), asked, held.plans, held.content)


def _definition(call: Call) -> Resource:
    content = call.services.content
    if call.id is not None:
        published = content.read("PlanDefinition", call.id)
        if published is None:
            raise NotFound(f"there is no PlanDefinition/{call.id[:64]} here")
        return published.resource
    given, canonical = call.one("planDefinition"), call.one("url")
    if given is not None:
        own = content.resolve(f"{given.get('url')}|{given.get('version')}") if given.get("url") else None
        if own is None:
            raise Refused("only plans that are published here are applied; name one by 'url'")
        return own
    resource = content.resolve(canonical) if canonical else None
    if resource is None or resource["resourceType"] != "PlanDefinition":
        raise NotFound(
            f"the plan {str(canonical)[:200]} is not published here; name one by 'url' or on its instance"
        )
    return resource


_INPUTS = (
    In(
        "planDefinition", "PlanDefinition", "The plan, if it is not the instance: one that is published here."
    ),
    In("url", "uri", "The plan's canonical, if it is not the instance."),
    In("subject", "string", "The patient, such as Patient/1.", minimum=1),
    In("encounter", "string", "The encounter, if there is one."),
    In("practitioner", "string", "Who asks."),
    In("organization", "string", "The organisation that asks."),
    In("data", "Bundle", "What is known of the patient: the form, and resources that the plan names."),
)
APPLY = (
    Operation(
        "apply", "plandefinition-apply", ("PlanDefinition",), "The plan applied, as a CarePlan.",
        lambda call: Answer(render_care_plan(_applied(call))), _INPUTS, on_instance=True, gives="CarePlan",
    ),
    Operation(
        "r5.apply", "plandefinition-r5-apply", ("PlanDefinition",), "The plan applied, as a Bundle.",
        lambda call: Answer(render_bundle(_applied(call))), _INPUTS, on_instance=True, gives="Bundle",
    ),
)  # fmt: skip
