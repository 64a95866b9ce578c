"""``apply``: a published plan applied to a subject, as ``PlanDefinition/$apply`` and ``$r5.apply`` answer it.

R4 ``plandefinition-operation-apply.html``. The form is looked for in ``data``; what is applied is never
stored here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.domain.addresses import normal
from service.domain.errors import Invalid, Unprocessable
from service.domain.issues import Issue, error, information
from service.fhir.plans import Application, Applied, Circumstances, apply
from service.fhirpath import temporal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from service.operations.assess import Plans
    from service.operations.ports import Content

Resource = dict[str, Any]
FORM = "QuestionnaireResponse"
ANSWERED = ("completed", "amended")


@dataclass(frozen=True, slots=True)
class Call:
    """The parameters of one call. References are FHIR's (``Patient/1``); ``data`` are resources by any name.

    ``now`` is a FHIR dateTime.
    """

    subject: str
    now: str
    encounter: str | None = None
    practitioner: str | None = None
    organization: str | None = None
    data: tuple[Resource, ...] = field(default=())


def apply_plan(definition: Resource, call: Call, plans: Plans, content: Content) -> Applied:
    """What the plan proposes for the subject; Invalid or Unprocessable says what speaks against the call."""
    plan = plans.of(definition)
    form = choose_form(call.data, plan.form, call.subject) if plan else None
    circumstances = Circumstances(
        call.subject, call.now, call.encounter, call.practitioner, call.organization
    )
    applied = apply(Application(definition, plan, form, circumstances, variables(call), content.resolve))
    if plan is not None:
        applied.issues += unused_forms(call.data, plan.form)
    return applied


def unused_forms(data: Iterable[Resource], canonical: str) -> list[Issue]:
    """What is to be said of forms in data that are not applied, because they are not answered."""
    return [
        information(
            "informational",
            f"a form in data is {str(resource.get('status'))[:40]} and is not used; "
            f"a form counts once it is {' or '.join(ANSWERED)}",
            "Parameters.parameter:data",
        )
        for resource in _forms(data, canonical)
        if resource.get("status") not in ANSWERED
    ]


def _forms(data: Iterable[Resource], canonical: str) -> Iterator[Resource]:
    """The forms of one Questionnaire in data, whatever their version, subject and status."""
    for resource in data:
        named = str(resource.get("questionnaire", "")).split("|")[0]
        if resource.get("resourceType") == FORM and named == canonical:
            yield resource


def choose_form(data: Iterable[Resource], canonical: str, subject: str) -> Resource | None:
    """The subject's latest answered form of a Questionnaire, or None.

    Invalid where such a form is somebody else's: another patient's answers are never passed over in
    silence. Unprocessable where two answered forms are equally late and differ.
    """
    found: list[Resource] = []
    for resource in _forms(data, canonical):
        if not same(resource.get("subject", {}).get("reference"), subject):
            said = "a form in data has another subject than the call; send the forms of one patient"
            raise Invalid(said, issues=[error("business-rule", said, "Parameters.parameter:data")])
        if resource.get("status") in ANSWERED:
            found.append(resource)
    if not found:
        return None
    return latest(found)


def latest(forms: list[Resource]) -> Resource:
    """The form authored after all others; Unprocessable where that cannot be told for certain."""
    latest = forms[0]
    for form in forms[1:]:
        if form == latest:
            continue
        order = _order(form, latest)
        if not order:
            raise Unprocessable(
                "which of two answered forms in data is the later cannot be told; send the one that counts",
                expression="Parameters.parameter:data",
            )
        if order > 0:
            latest = form
    return latest


def _order(form: Resource, other: Resource) -> int | None:
    """Below, at or above zero as a form is earlier, at the same time or later; None where it is uncertain."""
    times = [temporal.parse_datetime(str(one.get("authored", ""))) for one in (form, other)]
    if times[0] is None or times[1] is None:
        return None
    return temporal.compare(times[0], times[1])


def variables(call: Call) -> Mapping[str, Resource]:
    """The resources of the call that expressions may name, as far as data holds them."""
    named = {
        "subject": call.subject,
        "encounter": call.encounter,
        "practitioner": call.practitioner,
        "organization": call.organization,
    }
    held = {f"{resource.get('resourceType')}/{resource.get('id')}": resource for resource in call.data}
    return {
        name: held[reference]
        for name, reference in named.items()
        if reference is not None and reference in held
    }


def same(reference: str | None, other: str) -> bool:
    """Whether two references mean the same resource: equal, or equal in type and id where one is absolute."""
    if not reference:
        return False
    if reference == other:
        return True
    absolute = ("://" in reference, "://" in other)
    if absolute == (True, True):
        return normal(reference) == normal(other)
    return reference.split("/")[-2:] == other.split("/")[-2:]
