"""What the commands do to one resource each. A job is made once a process, then called once a resource."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from service import settings as environment
from service.domain.errors import Refused
from service.fhir.json_text import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhir.json_text import Document
    from service.web.services import Services

    Job = Callable[[bytes], bytes]

Resource = dict[str, Any]
FORM = "QuestionnaireResponse"


def _services() -> Services:
    from service import app

    return app.offline(environment.read(os.environ))


def assess(_options: dict[str, str]) -> Job:
    """Form to outcome Observation."""
    from service import app
    from service.fhir.plans import Setting
    from service.operations import identity
    from service.operations.assess import assess_form
    from service.operations.checks import check_form
    from service.operations.representation import instant

    held = _services()

    def job(body: bytes) -> bytes:
        document = decode(body, held.limits)
        form = _form(document, held)
        check_form(document, held.content, None if form is document.resource else form)
        assessment = assess_form(form, held.plans)
        setting = Setting(f"{FORM}/{form.get('id') or identity.name(form).id}", instant(app.now()))
        return encode(assessment.outcome(form, setting))

    return job


def _form(document: Document, held: Services) -> Resource:
    """The completed or amended form: the document itself, or that in its Parameters."""
    from service.operations.apply import ANSWERED
    from service.web.operations.calling import find
    from service.web.operations.inputs import from_body

    form: Resource = from_body(find(held, "submit", FORM, False), document.resource)[
        "questionnaire-response"
    ][0]
    if form.get("status") not in ANSWERED:
        raise Refused(
            f"the form's status is '{str(form.get('status'))[:40]}'; a form is assessed once it is "
            f"{' or '.join(ANSWERED)}",
            expression=f"{FORM}.status",
        )
    return form


def operation(options: dict[str, str]) -> Job:
    """Whatever the operation named takes, to what it answers. Options: ``name``, ``type``, ``id``."""
    from service.web.operations.calling import find
    from service.web.operations.declared import Call
    from service.web.operations.inputs import from_body

    held = _services()
    id_ = options.get("id") or None
    chosen = find(held, options["name"], options["type"], id_ is not None)

    def job(body: bytes) -> bytes:
        document = decode(body, held.limits)
        resource = _shaped(document.resource, options)
        inputs = from_body(chosen, resource)
        call = Call(held, options["type"], id_, inputs, document, {}, "http://localhost/fhir")
        made = chosen.run(call).resource
        return made if isinstance(made, bytes) else encode(made)

    return job


def _shaped(resource: Resource, options: dict[str, str]) -> Resource:
    """The resource as the operation's Parameters: a form for a plan, or a record for a form."""
    type_ = resource.get("resourceType")
    parameters: list[Resource] = []
    if options["type"] == "PlanDefinition" and type_ == FORM:
        data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}
        parameters = [
            {"name": "subject", "valueString": _subject(resource)},
            {"name": "data", "resource": data},
        ]
    elif options["type"] == "Questionnaire" and type_ == "Bundle":
        entries = resource.get("entry")
        inner = (
            [one.get("resource") for one in entries if isinstance(one, dict)]
            if isinstance(entries, list)
            else []
        )
        patients = [one for one in inner if isinstance(one, dict) and one.get("resourceType") == "Patient"]
        if len(patients) != 1 or "id" not in patients[0]:
            raise Refused(
                "the Bundle holds one Patient, with its id: whose form is it?", expression="Bundle.entry"
            )
        subject = {"reference": f"Patient/{patients[0]['id']}"}
        parameters = [{"name": "subject", "valueReference": subject}, {"name": "data", "resource": resource}]
    if not parameters:
        return resource
    return {"resourceType": "Parameters", "parameter": parameters}


def _subject(form: Resource) -> str:
    subject = form.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(reference, str):
        raise Refused("the form has no subject.reference", expression=f"{FORM}.subject")
    return reference
