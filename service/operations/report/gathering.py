"""What is recorded of an adverse event, found among the records: its form, the part of it, the procedure."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from service.domain.errors import Gone, NotFound, Unprocessable
from service.fhir.extraction import extract
from service.fhir.json_text import decode
from service.operations import provenance
from service.operations.checks import questionnaire_of
from service.operations.identity import FORM, Identity
from service.operations.report import cases
from service.operations.representation import instant
from service.operations.results import drafts, ids_of
from service.operations.searching.parameters import Kind
from service.operations.searching.query import LARGEST_COUNT, Condition, Query, Value
from service.operations.searching.values import reference_parts
from service.yellow_card.building import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.operations.ports import Records, Version
    from service.operations.report.desk import Desk
    from service.yellow_card.filling import Fields

Resource = dict[str, Any]
_DERIVED = "/StructureDefinition/derived-from-form"
_INDEX = re.compile(r"item\[(\d+)\]")


def read_event(records: Records, id_: str) -> Version:
    """The stored AdverseEvent; NotFound or Gone where it is not."""
    found = records.read("AdverseEvent", id_)
    if found is None:
        raise NotFound(f"there is no AdverseEvent/{id_[:64]} here")
    if found.deleted:
        raise Gone(f"{found.reference} was deleted: its form no longer says that it happened")
    return found


Parts = dict[str, Resource]
"""The part of the form that each event came from, by the event's id."""


def gather(
    desk: Desk,
    event: Version,
    patient: Resource | None,
    parts: Parts | None = None,
    form: str | None = None,
) -> tuple[Source, Fields, int]:
    """What is recorded of the event, the guidance's data about its form, and the form's version.

    ``parts`` are those of the form, and ``form`` its reference, where they are known already.
    """
    held = decode(event.body).resource | {"id": event.id}
    stored = _form(desk.records, held, form)
    filled = decode(stored.body).resource | {"id": stored.id}
    fields = desk.fields_of(str(filled.get("questionnaire", "")))
    if fields is None:
        raise Unprocessable(
            f"the form of {event.reference} is of a kind that no safety report can be made from here",
            expression="AdverseEvent",
        )
    results = _results(desk.records, stored)
    found = find_parts(desk, filled, results) if parts is None else parts
    if event.id not in found:
        raise Unprocessable("the event is not found on its form as it stands now", expression="AdverseEvent")
    group = found[event.id]
    if group["linkId"] not in fields.groups:
        raise Unprocessable(
            f"it is not told how events of '{group['linkId']}' fill a report", expression="AdverseEvent"
        )
    procedure = _procedure(desk.records, filled, held, results, fields)
    source = Source(
        event=held,
        form=filled,
        name=str(group["linkId"]),
        group=group,
        procedure=procedure,
        procedure_form=_procedure_form(desk.records, filled, procedure, fields),
        patient=patient,
        received=_received(desk.records, event, filled),
        updated=_updated(stored, filled),
    )
    return source, fields, stored.version


def form_of(event: Resource) -> str | None:
    """``QuestionnaireResponse/id`` of the form that an event was recorded on."""
    for one in event.get("extension", ()):
        if str(one.get("url", "")).endswith(_DERIVED):
            return one.get("valueReference", {}).get("reference")  # type: ignore[no-any-return]
    return None


def _form(records: Records, event: Resource, known: str | None) -> Version:
    reference = known or form_of(event) or _source_of(records, f"AdverseEvent/{event['id']}")
    found = records.read(*reference_parts(reference)) if reference else None
    if found is None or found.deleted:
        raise Unprocessable(
            "the form that this event was recorded on is not held here", expression="AdverseEvent"
        )
    return found


def _source_of(records: Records, result: str) -> str | None:
    """The form that a result came from, by the newest Provenance that names both."""
    target = Condition("target", Kind.REFERENCE, "", (Value(*reference_parts(result)),))
    for proof in _newest(records, Query("Provenance", (target,), count=LARGEST_COUNT)):
        for entity in decode(proof.body).resource.get("entity", ()):
            reference = str(entity.get("what", {}).get("reference", "")).partition("/_history/")[0]
            if reference.startswith(f"{FORM}/"):
                return reference
    return None


def _results(records: Records, form: Version) -> list[Version]:
    """What the form comes to as it stands."""
    proof = records.read("Provenance", provenance.id_of(Identity(form.id, by_content=False), form.version))
    if proof is None:
        return []
    targets = (one["reference"] for one in decode(proof.body).resource["target"])
    found = (records.read(*reference_parts(one)) for one in targets if not one.startswith(f"{FORM}/"))
    return [one for one in found if one is not None and not one.deleted]


def find_parts(desk: Desk, form: Resource, results: Sequence[Version]) -> Parts:
    """The part that each event of a form came from: what is extracted now is matched with what is stored."""
    questionnaire = questionnaire_of(form, desk.content)
    found = extract(
        form,
        questionnaire,
        new_id=lambda key: f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, key)}",
        resolve=desk.content.resolve,
        terminology=desk.terms,
    )
    made = drafts(found.bundle)
    ids = ids_of(made, Identity(form["id"], by_content=False), results)
    parts: Parts = {}
    for draft, entry, id_ in zip(made, found.entries, ids, strict=True):
        if draft.resource["resourceType"] == "AdverseEvent":
            part = form
            for index in _INDEX.findall(entry.place):
                part = part["item"][int(index)]
            if "linkId" in part:
                parts[id_] = part
    return parts


def _procedure(
    records: Records, form: Resource, event: Resource, results: list[Version], fields: Fields
) -> Resource | None:
    """The procedure: the form's own, the one that it is part of, or the patient's last before the event."""
    known = fields.procedure
    if known is None:
        return None
    for one in results:
        if one.type == "Procedure":
            return _resource(one)
    for part in form.get("partOf", ()):
        type_, id_ = reference_parts(str(part.get("reference", "")))
        held = records.read(type_, id_) if type_ == "Procedure" else None
        if held is not None and not held.deleted:
            return _resource(held)
    day = str(event.get("date") or event.get("detected") or form.get("authored", ""))[:10]
    code = Condition("code", Kind.TOKEN, "", (Value(known.code.system, known.code.code),))
    status = Condition("status", Kind.TOKEN, "", (Value(None, "completed"),))
    found: dict[str, Resource] = {}
    for subject in cases.about(form.get("subject", {})):
        query = Query("Procedure", (code, status, subject), count=LARGEST_COUNT)
        found |= {one.id: _resource(one) for one in records.search(query).versions}
    before = [one for one in found.values() if _day(one) and _day(one) <= day]
    return max(before, key=_day, default=None)


def _day(procedure: Resource) -> str:
    period = procedure.get("performedPeriod", {})
    return str(procedure.get("performedDateTime") or period.get("start") or "")[:10]


def _procedure_form(
    records: Records, form: Resource, procedure: Resource | None, fields: Fields
) -> Resource | None:
    known = fields.procedure
    if known is None:
        return None
    if str(form.get("questionnaire", "")).partition("|")[0] == known.form:
        return form
    if procedure is None:
        return None
    reference = _source_of(records, f"Procedure/{procedure['id']}")
    held = records.read(*reference_parts(reference)) if reference else None
    return _resource(held) if held is not None and not held.deleted else None


def _newest(records: Records, query: Query) -> Iterator[Version]:
    yield from sorted(records.search(query).versions, key=lambda one: one.updated, reverse=True)


def _received(records: Records, event: Version, form: Resource) -> str | None:
    """When the event was first recorded: what its first version says, else when that was stored."""
    first = records.version("AdverseEvent", event.id, 1)
    held = decode(first.body).resource if first is not None and first.body else {}
    return held.get("recordedDate") or form.get("authored") or (instant(first.updated) if first else None)


def _updated(stored: Version, form: Resource) -> str:
    """When the house last learned something: a first form's own date, else when the amendment was stored."""
    authored = form.get("authored")
    if stored.version == 1 and isinstance(authored, str):
        return authored
    return max((authored, instant(stored.updated)), key=_moment) if authored else instant(stored.updated)


def _moment(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return found.timestamp()


def _resource(version: Version) -> Resource:
    return decode(version.body).resource | {"id": version.id}
