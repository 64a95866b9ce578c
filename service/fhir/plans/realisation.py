"""An ActivityDefinition becomes the request that it defines. R4 ``activitydefinition.html#12.17.3.3``.

Always a draft, intent ``proposal`` unless the definition says otherwise: the professional makes it real.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from service.fhir.plans.definitions import canonical
from service.fhir.plans.templates import Copies
from service.fhirpath.records import record

if TYPE_CHECKING:
    from collections.abc import Callable

Resource = dict[str, Any]


@record
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


class _Slot(Enum):
    """Where a draft says something of its circumstances."""

    SUBJECT = "subject"
    ENCOUNTER = "encounter"
    NOW = "now"
    REQUESTER = "requester"


class Template:
    """A draft request as far as its definition settles it; each call fills in its circumstances."""

    __slots__ = ("_copy", "_dated", "_referring")

    def __init__(self, draft: Resource) -> None:
        """Takes the draft's elements, of which None is left out."""
        draft = {name: value for name, value in draft.items() if value is not None}
        slots = [(name, value) for name, value in draft.items() if isinstance(value, _Slot)]
        self._dated = [name for name, slot in slots if slot is _Slot.NOW]
        self._referring = [(name, slot.value) for name, slot in slots if slot is not _Slot.NOW]
        self._copy = Copies(draft)

    def __call__(self, circumstances: Circumstances) -> Resource:
        """The draft, with nothing in it that anybody else has."""
        made: Resource = self._copy()
        for name in self._dated:
            made[name] = circumstances.now
        for name, slot in self._referring:
            reference = getattr(circumstances, slot)
            if reference:
                made[name] = {"reference": reference}
            else:
                del made[name]
        return made


def request_template(definition: Resource) -> Template:
    """The request that an ActivityDefinition defines; UnsupportedKind where its kind has no builder here."""
    kind = definition.get("kind", "Task")
    build = _BUILDERS.get(kind)
    if build is None:
        raise UnsupportedKind(
            f"ActivityDefinition.kind '{kind}' cannot be built here; {', '.join(_BUILDERS)} can"
        )
    request = build(definition)
    if "profile" in definition:
        head = {"resourceType": request["resourceType"], "meta": {"profile": [definition["profile"]]}}
        request = head | request
    return Template(request)


def form_template(questionnaire: Resource, title: str) -> Template:
    """A draft Task that asks for a form to be filled in; its input names the form."""
    return Template(
        {
            "resourceType": "Task",
            "status": "draft",
            "intent": "proposal",
            "description": title or questionnaire.get("title"),
            "for": _Slot.SUBJECT,
            "encounter": _Slot.ENCOUNTER,
            "authoredOn": _Slot.NOW,
            "requester": _Slot.REQUESTER,
            "input": [{"type": {"text": "Questionnaire"}, "valueCanonical": canonical(questionnaire)}],
        }
    )


def message_template(text: str, priority: str | None) -> Template:
    """An action that is words only: a draft CommunicationRequest to the clinician (RequestGroup rqg-1)."""
    return Template(_message(text, priority))


def _message(text: str, priority: str | None) -> Resource:
    return {
        "resourceType": "CommunicationRequest",
        "status": "draft",
        "priority": priority,
        "subject": _Slot.SUBJECT,
        "encounter": _Slot.ENCOUNTER,
        "payload": [{"contentString": text}],
        "authoredOn": _Slot.NOW,
    }


def _task(definition: Resource) -> Resource:
    return {
        "resourceType": "Task",
        "instantiatesCanonical": canonical(definition),
        "status": "draft",
        "intent": definition.get("intent", "proposal"),
        "priority": definition.get("priority"),
        "doNotPerform": None,
        "code": definition.get("code"),
        "description": definition.get("description") or definition.get("title"),
        "for": _Slot.SUBJECT,
        "encounter": _Slot.ENCOUNTER,
        "authoredOn": _Slot.NOW,
        "requester": _Slot.REQUESTER,
        "location": definition.get("location"),
        "restriction": _restriction(definition),
    }


def _restriction(definition: Resource) -> Resource | None:
    period = definition.get("timingPeriod")
    return {"period": period} if period else None


def _service_request(definition: Resource) -> Resource:
    return _request("ServiceRequest", definition) | {
        "doNotPerform": definition.get("doNotPerform"),
        "quantityQuantity": definition.get("quantity"),
        "bodySite": definition.get("bodySite"),
        "locationReference": [definition["location"]] if "location" in definition else None,
        **_occurrence(definition, ("DateTime", "Period", "Timing")),
    }


def _device_request(definition: Resource) -> Resource:
    request = _request("DeviceRequest", definition)
    request["codeCodeableConcept"] = definition.get("productCodeableConcept") or request.pop("code")
    request.pop("code", None)
    if "productReference" in definition:
        request["codeReference"] = definition["productReference"]
        del request["codeCodeableConcept"]
    return request | _occurrence(definition, ("DateTime", "Period", "Timing"))


def _medication_request(definition: Resource) -> Resource:
    request = _request("MedicationRequest", definition)
    request.pop("code", None)
    return request | {
        "doNotPerform": definition.get("doNotPerform"),
        "medicationCodeableConcept": definition.get("productCodeableConcept"),
        "medicationReference": definition.get("productReference"),
        "dosageInstruction": definition.get("dosage"),
    }


def _communication_request(definition: Resource) -> Resource:
    said = definition.get("description") or definition.get("title", "")
    request = _message(said, definition.get("priority"))
    category = [definition["code"]] if "code" in definition else None
    return request | {"doNotPerform": definition.get("doNotPerform"), "category": category}


def _request(kind: str, definition: Resource) -> Resource:
    said = definition.get("description")
    return {
        "resourceType": kind,
        "instantiatesCanonical": [canonical(definition)],
        "status": "draft",
        "intent": definition.get("intent", "proposal"),
        "priority": definition.get("priority"),
        "code": definition.get("code"),
        "subject": _Slot.SUBJECT,
        "encounter": _Slot.ENCOUNTER,
        "authoredOn": _Slot.NOW,
        "requester": _Slot.REQUESTER,
        "note": [{"text": said}] if said else None,
    }


def _occurrence(definition: Resource, kinds: tuple[str, ...]) -> Resource:
    for kind in kinds:
        if f"timing{kind}" in definition:
            return {f"occurrence{kind}": definition[f"timing{kind}"]}
    return {}


_BUILDERS: dict[str, Callable[[Resource], Resource]] = {
    "Task": _task,
    "ServiceRequest": _service_request,
    "CommunicationRequest": _communication_request,
    "DeviceRequest": _device_request,
    "MedicationRequest": _medication_request,
}
