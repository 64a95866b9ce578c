"""``$validate`` on every type: what is wrong with a resource, as an OperationOutcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import Gone, NotFound, Refused
from service.domain.issues import information, ordered
from service.fhir.json_text import decode
from service.fhirpath.model import R4
from service.operations.checks import check
from service.web.errors import outcome
from service.web.operations.declared import Answer, In, Operation

if TYPE_CHECKING:
    from service.web.operations.declared import Call

Resource = dict[str, Any]
MODES = ("create", "update", "delete")


def _validate(call: Call) -> Answer:
    mode, profile = call.one("mode"), call.one("profile")
    if mode is not None and mode not in MODES:
        raise Refused(f"'mode' is one of {', '.join(MODES)}; or leave it out")
    resource = call.one("resource")
    if mode == "delete":
        if call.id is None:
            raise Refused("mode 'delete' is asked on an instance: [type]/[id]/$validate")
        said = information(
            "informational", "clients delete nothing here: a form is withdrawn by $submit, entered-in-error"
        )
        return Answer(outcome([said]))
    if resource is None:
        resource = _stored(call)
    if resource.get("resourceType") != call.type:
        raise Refused(f"a {call.type} is wanted at this address", expression="Parameters.parameter.resource")
    if mode == "update" and call.id is not None and resource.get("id") != call.id:
        raise Refused(
            f"the resource's id must be '{call.id[:64]}' to update it", expression=f"{call.type}.id"
        )
    profiles = (profile,) if profile else ()
    issues = check(resource, call.services.content, profiles=profiles)
    if call.document is not None and resource is call.document.resource:
        issues = call.document.placed(issues)
    return Answer(outcome(ordered(issues) or (information("informational", "All OK: no issue was found"),)))


def _stored(call: Call) -> Resource:
    """The instance that the call stands on."""
    if call.id is None:
        raise Refused("send the resource: as the body, or in Parameters as 'resource'")
    published = call.services.content.read(call.type, call.id)
    if published is not None:
        return published.resource
    found = call.services.records.read(call.type, call.id)
    if found is None:
        raise NotFound(f"there is no {call.type}/{call.id[:64]} here")
    if found.deleted:
        raise Gone(f"{found.reference} was deleted")
    return decode(found.body).resource


VALIDATE = Operation(
    name="validate",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-validate",
    types=tuple(sorted(R4.resources)),
    said="Checks a resource against R4, a profile and, for a form, its Questionnaire. Stores nothing.",
    run=_validate,
    inputs=(
        In("resource", "Resource", "What is to be checked; it may also be the body itself."),
        In("mode", "code", "create, update or delete."),
        In("profile", "uri", "A profile to check against beside those that it claims."),
    ),
    on_instance=True,
    bare="resource",
    gives="OperationOutcome",
)
