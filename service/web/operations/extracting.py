"""``QuestionnaireResponse/$extract``: what a form holds, as a transaction Bundle. Stores nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import Gone, Invalid, NotFound, Refused
from service.domain.issues import Severity
from service.fhir.json_text import decode
from service.operations.checks import check, check_form, questionnaire_of
from service.operations.extract import extract_form
from service.web.errors import outcome
from service.web.operations.declared import Answer, In, Operation

if TYPE_CHECKING:
    from service.web.operations.declared import Call

Resource = dict[str, Any]
FORM = "QuestionnaireResponse"


def _extract(call: Call) -> Answer:
    held = call.services
    form, sent = _form(call), call.one("questionnaire")
    if sent is None:
        questionnaire = questionnaire_of(form, held.content)
        if call.document is not None:
            check_form(call.document, held.content, None if form is call.document.resource else form)
    else:
        questionnaire = _checked(form, sent, call)
    found = extract_form(form, held.content, questionnaire=questionnaire, terminology=held.terms)
    told = [issue for issue in found.issues if issue.severity is not Severity.INFORMATION]
    if not told and found.bundle.get("entry"):
        return Answer(found.bundle)
    parameters: list[Resource] = (
        [{"name": "return", "resource": found.bundle}] if found.bundle.get("entry") else []
    )
    parameters.append({"name": "issues", "resource": outcome(found.issues)})
    return Answer({"resourceType": "Parameters", "parameter": parameters})


def _form(call: Call) -> Resource:
    """The form in the call, or the stored one that it stands on."""
    given: Resource | None = call.one("questionnaire-response")
    if given is not None:
        return given
    if call.id is None:
        raise Refused("send the form: as the body, or in Parameters as 'questionnaire-response'")
    stored = call.services.records.read(FORM, call.id)
    if stored is None:
        raise NotFound(f"there is no {FORM}/{call.id[:64]} here")
    if stored.deleted:
        raise Gone(f"{stored.reference} was deleted")
    return {**decode(stored.body).resource, "id": stored.id}


def _checked(form: Resource, questionnaire: Resource, call: Call) -> Resource:
    """The Questionnaire sent along, once it and the form hold together."""
    content = call.services.content
    issues = [*check(questionnaire, content), *check(form, content, questionnaire=questionnaire)]
    if any(issue.fails for issue in issues):
        raise Invalid("the form or its Questionnaire is not valid", issues=issues)
    return questionnaire


EXTRACT = Operation(
    name="extract",
    definition="http://hl7.org/fhir/uv/sdc/OperationDefinition/QuestionnaireResponse-extract",
    types=(FORM,),
    said="The resources that a completed form holds, as a transaction Bundle. Stores nothing.",
    run=_extract,
    inputs=(
        In("questionnaire-response", FORM, "The form; it may also be the body, or the instance called."),
        In("questionnaire", "Questionnaire", "The form's Questionnaire, if it is not published here."),
    ),
    on_instance=True,
    bare="questionnaire-response",
    gives="Bundle",
)
