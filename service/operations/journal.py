"""What is recorded of a call of CDS Hooks: a GuidanceResponse of the answer, an AuditEvent of who asked.

R4 ``guidanceresponse.html``, ``auditevent.html``. Pure: ids and times are handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from service.fhir.json_text import encode
from service.operations.ports import Write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.cds.model import Call
    from service.operations.clients import CdsCaller, Client
    from service.operations.ports import Once

Resource = dict[str, Any]
UUID = "urn:ietf:rfc:3986"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_EVENTS = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_ENTITIES = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLES = "http://terminology.hl7.org/CodeSystem/object-role"
_SOURCES = "http://terminology.hl7.org/CodeSystem/security-source-type"
_TYPE = {"system": _EVENTS, "code": "rest", "display": "RESTful Operation"}
_OPERATION = {
    "system": "http://hl7.org/fhir/restful-interaction",
    "code": "operation",
    "display": "operation",
}
_SERVER = {"system": _SOURCES, "code": "4", "display": "Application Server"}
_CLIENT = {"coding": [{"system": _DICOM, "code": "110153", "display": "Source Role ID"}]}
_PERSON = {"system": _ENTITIES, "code": "1", "display": "Person"}
_SYSTEM_OBJECT = {"system": _ENTITIES, "code": "2", "display": "System Object"}
_PATIENT = {"system": _ROLES, "code": "1", "display": "Patient"}
_QUERY = {"system": _ROLES, "code": "24", "display": "Query"}
_RESULT = {"system": _ROLES, "code": "4", "display": "Domain Resource"}


@dataclass(frozen=True, slots=True)
class Event:
    """One call as it went. ``status`` is the HTTP status answered; ``faults`` what was told instead of cards.

    ``call`` None: what was sent could not be read. ``cards`` are those answered, ``plan`` the canonical of
    the plan that the service rests on. ``now`` is a FHIR instant. ``action`` names the endpoint.
    """

    service: str
    plan: str
    now: str
    status: int
    action: str = "call"
    call: Call | None = None
    caller: CdsCaller | None = None
    cards: Sequence[Resource] = ()
    faults: Sequence[str] = ()
    trace: Mapping[str, str] = field(default_factory=dict)


class Recorder(Protocol):
    """Where calls are recorded (``adapters/journal.py``)."""

    @property
    def waiting(self) -> int:
        """How many calls' records are not yet on disk."""

    async def record(self, writes: Sequence[Write], once: tuple[Once, ...], seconds: float) -> bool:
        """Whether the writes are on disk; False after so many seconds, or while the store is down.

        Repeated where one of ``once`` had happened before: then nothing of it is stored.
        """

    async def close(self) -> None:
        """Nothing, once what waits is on disk, or has had its time."""


def patient_of(call: Call, client: Client | None) -> str:
    """The reference that records of the call's patient carry.

    It is relative where the records' relative references are this client's, or nobody was asked who calls;
    else it is the whole address on the client's FHIR server, so that two EHRs' patients are kept apart.
    """
    return whole(call.patient, call, client)


def whole(reference: str, call: Call, client: Client | None) -> str:
    """A reference of the call as records carry it; the same rule as for the patient."""
    if client is None or client.local_references or "://" in reference:
        return reference
    server = call.access.server if call.access else next(iter(client.servers), "")
    return f"{server.rstrip('/')}/{reference}" if server else reference


def write(event: Event, software: str, new_id: tuple[str, str]) -> list[Write]:
    """What is to be stored of a call: the GuidanceResponse, if it could be read, and the AuditEvent."""
    made = []
    if event.call is not None:
        made.append(guidance_response(event, event.call, new_id[0]))
    made.append(audit_event(event, software, new_id[1], new_id[0] if made else None))
    return [Write(one["resourceType"], one["id"], one, encode(one), expected=0) for one in made]


def guidance_response(event: Event, call: Call, id_: str) -> Resource:
    """The GuidanceResponse: ``requestIdentifier`` is the hook's instance, an identifier each card's uuid.

    Its notes are what the cards summed up. ``data-required``: data was missing; ``failure``: no answer.
    """
    client = event.caller.client if event.caller else None
    status = "success" if event.status < 400 else "data-required" if event.status == 412 else "failure"
    made: Resource = {
        "resourceType": "GuidanceResponse",
        "id": id_,
        "requestIdentifier": {"value": call.instance},
        "identifier": [{"system": UUID, "value": f"urn:uuid:{card['uuid']}"} for card in event.cards
                       if "uuid" in card],
        "moduleCanonical": event.plan,
        "status": status,
        "subject": {"reference": patient_of(call, client)},
        "encounter": {"reference": whole(call.encounter, call, client)} if call.encounter else None,
        "occurrenceDateTime": event.now,
        "note": [{"text": f"{card['indicator']}: {card['summary']}"} for card in event.cards]
        or [{"text": text} for text in event.faults],
    }  # fmt: skip
    return {name: value for name, value in made.items() if value}


def audit_event(event: Event, software: str, id_: str, response: str | None) -> Resource:
    """The AuditEvent: who asked through which client, about whom, of which service, and how it went."""
    caller, call = event.caller, event.call
    client = caller.client if caller else None
    detail = [{"type": name, "valueString": text} for name, text in _details(event) if text]
    entities: list[Resource] = []
    if call is not None:
        patient = {"reference": patient_of(call, client)}
        entities.append({"what": patient, "type": _PERSON, "role": _PATIENT})
    asked: Resource = {"type": _SYSTEM_OBJECT, "role": _QUERY, "name": f"cds-services/{event.service}"}
    entities.append(asked | ({"detail": detail} if detail else {}))
    if response is not None:
        what = {"reference": f"GuidanceResponse/{response}"}
        entities.append({"what": what, "type": _SYSTEM_OBJECT, "role": _RESULT})
    made: Resource = {
        "resourceType": "AuditEvent",
        "id": id_,
        "type": _TYPE,
        "subtype": [_OPERATION],
        "action": "E",
        "recorded": event.now,
        "outcome": "0" if event.status < 400 else "4" if event.status < 500 else "8",
        "outcomeDesc": "; ".join(event.faults)[:1000],
        "agent": _agents(event),
        "source": {"observer": {"display": software}, "type": [_SERVER]},
        "entity": entities,
    }
    return {name: value for name, value in made.items() if value}


def _agents(event: Event) -> list[Resource]:
    """The person at the EHR, and the EHR."""
    agents: list[Resource] = []
    client = event.caller.client if event.caller else None
    if event.call is not None and event.call.user:
        agents.append({"who": {"reference": whole(event.call.user, event.call, client)}, "requestor": True})
    who: Resource = {"display": "any program on this machine: development mode"}
    if client is not None:
        who = {"identifier": {"value": client.issuer}, "display": client.name}
    agent: Resource = {"type": _CLIENT, "who": who, "requestor": not agents}
    if address := event.trace.get("address"):
        agent["network"] = {"address": address, "type": "2"}
    return [*agents, agent]


def _details(event: Event) -> list[tuple[str, str]]:
    call = event.call
    return [
        ("action", event.action),
        ("hook", call.hook if call else ""),
        ("hookInstance", call.instance if call else ""),
        ("status", str(event.status)),
        ("tenant", (event.caller.tenant or "") if event.caller else ""),
        ("X-Request-ID", event.trace.get("request", "")),
    ]
