"""Whether an answer is about what was asked: the type, the id, and no other patient's data. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from service.adapters.ehr import faults
from service.adapters.ehr.faults import EhrFault

if TYPE_CHECKING:
    from collections.abc import Iterator

Resource = dict[str, Any]

_ABOUT = ("subject", "patient", "for", "beneficiary")
_FATAL = ("error", "fatal")


def kind_of(query: str) -> str:
    """The resource type that a query asks for: ``Condition?patient=1`` and ``Condition/1`` give Condition."""
    return query.partition("?")[0].partition("/")[0]


def patient_of(query: str) -> str | None:
    """The id of the patient that a query is about; None where it names none."""
    path, _, search = query.partition("?")
    pieces = path.split("/")
    if pieces[0] == "Patient" and len(pieces) == 2:
        return pieces[1]
    pairs = parse_qsl(search)
    named = {"patient", "subject", "patient:Patient", "subject:Patient"}
    named |= {"_id"} if pieces[0] == "Patient" else set()
    found = {value.removeprefix("Patient/") for name, value in pairs if name in named}
    return found.pop() if len(found) == 1 else None


def believe_read(resource: Resource, query: str) -> Resource:
    """The resource that a read gave, where it is the one asked for; else EhrFault."""
    kind, _, id_ = query.partition("?")[0].partition("/")
    if resource.get("resourceType") != kind:
        raise EhrFault(faults.NOT_FHIR)
    if resource.get("id") != id_:
        raise EhrFault(faults.OTHERS if kind == "Patient" else faults.NOT_FHIR)
    return resource


def believe_page(bundle: Resource, query: str) -> list[Resource]:
    """The entries of one page of a search; EhrFault where it is none, or holds another patient's data.

    An OperationOutcome among them that tells of an error ends the search: what came may not be all. One
    that warns is kept, one that informs is left out.
    """
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "searchset":
        raise EhrFault(faults.NOT_FHIR)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise EhrFault(faults.NOT_FHIR)
    patient = patient_of(query)
    kept = []
    for entry in entries:
        resource = entry.get("resource")
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise EhrFault(faults.NOT_FHIR)
        if resource["resourceType"] == "OperationOutcome":
            severities = list(_severities(resource))
            if not severities or any(one in _FATAL for one in severities):
                raise EhrFault(faults.REPORTED)
            if "warning" not in severities:
                continue
        elif _mode(entry) == "match" and resource["resourceType"] != kind_of(query):
            raise EhrFault(faults.NOT_FHIR)
        if patient is not None and not _about(resource, patient):
            raise EhrFault(faults.OTHERS)
        kept.append(entry)
    return kept


def next_link(bundle: Resource) -> str | None:
    """Where the next page is, as the server says it; None after the last."""
    links = bundle.get("link", [])
    if not isinstance(links, list):
        raise EhrFault(faults.NOT_FHIR)
    for link in links:
        if isinstance(link, dict) and link.get("relation") == "next":
            url = link.get("url")
            if not isinstance(url, str) or not url:
                raise EhrFault(faults.ASTRAY)
            return url
    return None


def _mode(entry: Resource) -> str:
    search = entry.get("search")
    mode = search.get("mode") if isinstance(search, dict) else None
    return mode if isinstance(mode, str) else "match"


def _severities(outcome: Resource) -> Iterator[str]:
    issues = outcome.get("issue")
    for issue in issues if isinstance(issues, list) else ():
        if isinstance(issue, dict):
            yield str(issue.get("severity"))


def _about(resource: Resource, patient: str) -> bool:
    """Whether nothing in the resource says that it is about another patient."""
    if resource["resourceType"] == "Patient":
        return resource.get("id") == patient
    for name in _ABOUT:
        whom = resource.get(name)
        reference = whom.get("reference") if isinstance(whom, dict) else None
        if isinstance(reference, str) and not _same(reference, patient):
            return False
    return True


def _same(reference: str, patient: str) -> bool:
    """Whether a reference to a patient leads to this one; one to something else tells nothing."""
    pieces = reference.partition("/_history/")[0].split("/")
    return len(pieces) < 2 or pieces[-2] != "Patient" or pieces[-1] == patient
