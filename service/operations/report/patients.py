"""The site's own table of patients that reports are about: a generated reference, and what must not go out.

One record of type ``LocalReference`` a patient, which ``/fhir`` does not serve. The reference says nothing by
itself. Beside it stands what is known to identify the patient, so that texts can be searched for it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.fhir.json_text import decode, encode
from service.operations.ports import Write
from service.operations.report.cases import about
from service.operations.searching.query import Query

if TYPE_CHECKING:
    from service.operations.ports import Records, Version
    from service.operations.report.desk import Desk

Resource = dict[str, Any]
TYPE = "LocalReference"
_SPACE = uuid.UUID("2b5f6b0c-6f3e-5e0d-8a55-9f3d7c1f2f10")
_KEPT = ("name", "birthDate", "gender", "identifier", "telecom", "address", "contact")


@dataclass(frozen=True, slots=True)
class Known:
    """A patient as the site's table has it. ``write`` is what has to be stored for it, if anything."""

    reference: str
    patient: Resource
    write: Write | None = None


def know(desk: Desk, subject: Resource, patient: Resource | None) -> Known:
    """The patient's entry, as it is or as it becomes with what is said of the patient now."""
    there = _find(desk.records, subject)
    if there is None:
        reference = f"LR-{desk.new_id().replace('-', '')[-12:].upper()}"
        held = _facts(patient or {}, subject, {})
        return Known(reference, held, _write(_id(subject), subject, reference, held, 0))
    stored = decode(there.body).resource
    held = _facts(patient or {}, subject, stored["patient"])
    changed = held != stored["patient"]
    write = _write(there.id, stored["subject"], stored["reference"], held, there.version) if changed else None
    return Known(stored["reference"], held, write)


def recall(records: Records, subject: Resource) -> Resource:
    """What is known of the patient, as a Patient; empty where there is no entry."""
    there = _find(records, subject)
    return decode(there.body).resource["patient"] if there is not None else {}


def _find(records: Records, subject: Resource) -> Version | None:
    own = records.read(TYPE, _id(subject))
    if own is not None and not own.deleted:
        return own
    for condition in about(subject):
        found = records.search(Query(TYPE, (condition,), count=1)).versions
        if found:
            return found[0]
    return None


def _id(subject: Resource) -> str:
    identifier = subject.get("identifier", {})
    name = subject.get("reference") or f"{identifier.get('system', '')}|{identifier.get('value', '')}"
    return str(uuid.uuid5(_SPACE, name))


def _facts(patient: Resource, subject: Resource, before: Resource) -> Resource:
    """What is kept of a Patient, with what the form's subject says beside it; what was known is not lost."""
    held: Resource = {"resourceType": "Patient"}
    said: Resource = {name: patient[name] for name in _KEPT if name in patient}
    if subject.get("display"):
        said["name"] = [*said.get("name", ()), {"text": subject["display"]}]
    if subject.get("identifier"):
        said["identifier"] = [*said.get("identifier", ()), subject["identifier"]]
    for name in _KEPT:
        given, known = said.get(name), before.get(name)
        if isinstance(given, list) or isinstance(known, list):
            both = [*(known or ()), *(given or ())]
            kept = [one for at, one in enumerate(both) if one not in both[:at]]
            if kept:
                held[name] = kept
        elif given is not None or known is not None:
            held[name] = given if given is not None else known
    return held


def _write(id_: str, subject: Resource, reference: str, patient: Resource, expected: int) -> Write:
    resource = {
        "resourceType": TYPE,
        "id": id_,
        "subject": {name: subject[name] for name in ("reference", "identifier") if name in subject},
        "reference": reference,
        "patient": patient,
    }
    return Write(TYPE, id_, resource, encode(resource), expected=expected)
