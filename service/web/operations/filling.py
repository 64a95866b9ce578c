"""``Questionnaire/$populate``: a form pre-filled from what is known of the subject. Stores nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import NotFound, Refused, Unsupported
from service.operations.checks import check_data, check_given
from service.operations.populate import Request, populate_form
from service.web.errors import outcome
from service.web.operations.declared import Answer, In, Operation

if TYPE_CHECKING:
    from service.web.operations.declared import Call

Resource = dict[str, Any]
FORM = "Questionnaire"


def _populate(call: Call) -> Answer:
    held = call.services
    if call.one("dataEndpoint") is not None:
        raise Unsupported("no endpoint is called from here; send what is known in 'data' or 'context'")
    data = call.one("data")
    request = Request(
        subject=call.one("subject"),
        now=held.clock(),
        context=_context(call),
        data=tuple(check_data(data, held.content)) if data is not None else None,
    )
    filled = populate_form(
        _questionnaire(call),
        request,
        held.content,
        records=held.records if call.one("local") else None,
        terminology=held.terms,
    )
    parameters: list[Resource] = [{"name": "response", "resource": filled.response}]
    if filled.issues:
        parameters.append({"name": "issues", "resource": outcome(filled.issues)})
    return Answer({"resourceType": "Parameters", "parameter": parameters})


def _questionnaire(call: Call) -> Resource:
    """The published form meant: by the address, a canonical, a Reference, an identifier, or sent along."""
    content = call.services.content
    given, identifier = call.one("questionnaire"), call.one("identifier")
    if call.id is not None:
        given = {"reference": f"{FORM}/{call.id}"}
    elif given is None and identifier is not None:
        return _identified(call, identifier)
    if given is None:
        raise Refused("say which form is meant: by 'questionnaire' or 'identifier', or on its instance")
    found: Resource | None = None
    name = str(given)
    if isinstance(given, str):
        found = content.resolve(given)
    elif given.get("resourceType") == FORM:
        name = f"{given.get('url')}|{given.get('version')}" if given.get("version") else str(given.get("url"))
        found = content.resolve(name)
        if found is None:
            raise Refused("only forms that are published here are filled; send its canonical")
    elif isinstance(given.get("reference"), str):
        name = given["reference"]
        type_, _, id_ = name.rpartition("/")
        published = content.read(FORM, id_) if type_.endswith(FORM) else None
        found = published.resource if published else None
    if found is None or found["resourceType"] != FORM:
        raise NotFound(f"the form {name[:200]} is not published here")
    return found


def _identified(call: Call, identifier: Resource) -> Resource:
    for one in call.services.content.of_type(FORM):
        for own in one.resource.get("identifier", ()):
            if (own.get("system"), own.get("value")) == (identifier.get("system"), identifier.get("value")):
                return one.resource
    raise NotFound("no form with that identifier is published here")


def _context(call: Call) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for given in call.inputs.get("context", ()):
        [name] = given.get("name") or [""]
        if not name or not given.get("content"):
            raise Refused("each context has a name and content", expression="Parameters.parameter:context")
        for content in given["content"]:
            if not isinstance(content, dict) or "resourceType" not in content:
                raise Unsupported("send the content of a context as a resource; references are not followed")
            found.setdefault(name, []).append(content)
        check_given(found[name], "Parameters.parameter:context", call.services.content)
    return found


POPULATE = Operation(
    name="populate",
    definition="http://hl7.org/fhir/uv/sdc/OperationDefinition/Questionnaire-populate",
    types=(FORM,),
    said="A published form with answers filled in from what is known of the subject, each with its source.",
    run=_populate,
    inputs=(
        In("identifier", "Identifier", "An identifier of the form."),
        In("questionnaire", "any", "The form: its canonical, a Reference, or the resource."),
        In("subject", "Reference", "The patient."),
        In(
            "context",
            "BackboneElement",
            "What is known, by the name of a launch context or variable.",
            repeats=True,
            parts=(
                In("name", "string", "The name.", minimum=1),
                In("content", "any", "The resource or Bundle.", minimum=1, repeats=True),
            ),
        ),
        In("dataEndpoint", "any", "Not supported."),
        In("data", "Bundle", "What is known of the patient."),
        In("local", "boolean", "Whether the records kept here are used too."),
    ),
    on_instance=True,
)
