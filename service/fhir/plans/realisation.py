"""An ActivityDefinition becomes the request that it defines. R4 ``activitydefinition.html#12.17.3.3``.

Always a draft, intent ``proposal`` unless the definition says otherwise: the professional makes it real.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.fhir.plans.reading import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """For whom, by whom and when: references such as ``Patient/1``, and ``now`` as a FHIR dateTime."""

    subject: str
    now: str
    encounter: str | None = None
    practitioner: str | None = None
    organization: str | None = None

    @property
    def requester(self) -> str | None:
        """Who asks: the practitioner, else the organisation."""
        return self.practitioner or self.organization


class UnsupportedKind(ValueError):
    """An ActivityDefinition's kind is not one that can be built here."""


def realise(definition: Resource, circumstances: Circumstances) -> Resource:
    """The draft request; UnsupportedKind where its kind has no builder here."""
    kind = definition.get("kind", "Task")
    build = _BUILDERS.get(kind)
    if build is None:
        raise UnsupportedKind(
            f"ActivityDefinition.kind '{kind}' cannot be built here; {', '.join(_BUILDERS)} can"
        )
    request = _pruned(build(definition, circumstances))
    if "profile" in definition:
        head = {"resourceType": request["resourceType"], "meta": {"profile": [definition["profile"]]}}
        return head | {name: value for name, value in request.items() if name != "resourceType"}
    return request


def task_for_form(questionnaire: Resource, title: str, circumstances: Circumstances) -> Resource:
    """A draft Task that asks for a form to be filled in; its input names the form."""
    return _pruned(
        {
            "resourceType": "Task",
            "status": "draft",
            "intent": "proposal",
            "description": title or questionnaire.get("title"),
            "for": _reference(circumstances.subject),
            "encounter": _reference(circumstances.encounter),
            "authoredOn": circumstances.now,
            "requester": _reference(circumstances.requester),
            "input": [{"type": {"text": "Questionnaire"}, "valueCanonical": canonical(questionnaire)}],
        }
    )


def message(text: str, priority: str | None, circumstances: Circumstances) -> Resource:
    """An action that is words only: a draft CommunicationRequest to the clinician (RequestGroup rqg-1)."""
    return _pruned(
        {
            "resourceType": "CommunicationRequest",
            "status": "draft",
            "priority": priority,
            "subject": _reference(circumstances.subject),
            "encounter": _reference(circumstances.encounter),
            "payload": [{"contentString": text}],
            "authoredOn": circumstances.now,
        }
    )


def _task(definition: Resource, circumstances: Circumstances) -> Resource:
    return {
        "resourceType": "Task",
        "instantiatesCanonical": canonical(definition),
        "status": "draft",
        "intent": definition.get("intent", "proposal"),
        "priority": definition.get("priority"),
        "doNotPerform": None,
        "code": definition.get("code"),
        "description": definition.get("description") or definition.get("title"),
        "for": _reference(circumstances.subject),
        "encounter": _reference(circumstances.encounter),
        "authoredOn": circumstances.now,
        "requester": _reference(circumstances.requester),
        "location": definition.get("location"),
        "restriction": _restriction(definition),
    }


def _restriction(definition: Resource) -> Resource | None:
    period = definition.get("timingPeriod")
    return {"period": period} if period else None


def _service_request(definition: Resource, circumstances: Circumstances) -> Resource:
    return _request("ServiceRequest", definition, circumstances) | {
        "doNotPerform": definition.get("doNotPerform"),
        "quantityQuantity": definition.get("quantity"),
        "bodySite": definition.get("bodySite"),
        "locationReference": [definition["location"]] if "location" in definition else None,
        **_occurrence(definition, ("DateTime", "Period", "Timing")),
    }


def _device_request(definition: Resource, circumstances: Circumstances) -> Resource:
    request = _request("DeviceRequest", definition, circumstances)
    request["codeCodeableConcept"] = definition.get("productCodeableConcept") or request.pop("code")
    request.pop("code", None)
    if "productReference" in definition:
        request["codeReference"] = definition["productReference"]
        del request["codeCodeableConcept"]
    return request | _occurrence(definition, ("DateTime", "Period", "Timing"))


def _medication_request(definition: Resource, circumstances: Circumstances) -> Resource:
    request = _request("MedicationRequest", definition, circumstances)
    request.pop("code", None)
    return request | {
        "doNotPerform": definition.get("doNotPerform"),
        "medicationCodeableConcept": definition.get("productCodeableConcept"),
        "medicationReference": definition.get("productReference"),
        "dosageInstruction": definition.get("dosage"),
    }


def _communication_request(definition: Resource, circumstances: Circumstances) -> Resource:
    request = message(
        definition.get("description") or definition.get("title", ""),
        definition.get("priority"),
        circumstances,
    )
    category = [definition["code"]] if "code" in definition else None
    return request | {"doNotPerform": definition.get("doNotPerform"), "category": category}


def _request(kind: str, definition: Resource, circumstances: Circumstances) -> Resource:
    said = definition.get("description")
    return {
        "resourceType": kind,
        "instantiatesCanonical": [canonical(definition)],
        "status": "draft",
        "intent": definition.get("intent", "proposal"),
        "priority": definition.get("priority"),
        "code": definition.get("code"),
        "subject": _reference(circumstances.subject),
        "encounter": _reference(circumstances.encounter),
        "authoredOn": circumstances.now,
        "requester": _reference(circumstances.requester),
        "note": [{"text": said}] if said else None,
    }


def _occurrence(definition: Resource, kinds: tuple[str, ...]) -> Resource:
    for kind in kinds:
        if f"timing{kind}" in definition:
            return {f"occurrence{kind}": definition[f"timing{kind}"]}
    return {}


def _reference(reference: str | None) -> Resource | None:
    return {"reference": reference} if reference else None


def _pruned(resource: Resource) -> Resource:
    return {key: value for key, value in resource.items() if value is not None}


_BUILDERS: dict[str, Callable[[Resource, Circumstances], Resource]] = {
    "Task": _task,
    "ServiceRequest": _service_request,
    "CommunicationRequest": _communication_request,
    "DeviceRequest": _device_request,
    "MedicationRequest": _medication_request,
}
