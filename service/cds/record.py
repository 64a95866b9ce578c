"""The parts of a record as they came: from prefetch or from the EHR, each had, empty, or not read and why.

CDS Hooks 2.0.1, Providing FHIR Resources: a key left out is not satisfied, null is no data, and an
OperationOutcome tells of an error. A part that is not whole is not used: what it leaves out could change
what the rest means. Whatever is about another patient is left out, and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.cds.model import Unread
from service.cds.patients import ABOUT, Whose, identifiers_of
from service.cds.prefetch import PATIENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from service.cds.model import Call
    from service.cds.prefetch import Part

Resource = dict[str, Any]
FIRST_PAGE = "only a part of it was sent"
NOT_THEIRS = "what was sent is not this patient's, and is not used"
ANOTHER = "name another patient, or none that is known here, and are not used"
ELSEWHERE = (
    "name this patient's id on a FHIR server that is neither the call's fhirServer nor one listed for its "
    "client, and are not used"
)
_FAILS = ("error", "fatal")
_LEFT_OUT = frozenset(
    {"incomplete", "suppressed", "forbidden", "security", "timeout", "throttled", "too-costly"}
)
"""Codes of warnings that say that something is missing from the answer."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a patient's record. ``data`` holds the resources of each part that was read.

    ``absent`` are the parts that nobody gave; ``unread`` those that could not be read, or not in full, of
    which ``partial`` have more than was given.
    ``remarks`` tell of what was left out of parts that were read.
    """

    whose: Whose
    data: Mapping[str, tuple[Resource, ...]] = field(default_factory=dict)
    unread: Mapping[str, Unread] = field(default_factory=dict)
    absent: tuple[Part, ...] = ()
    remarks: tuple[Unread, ...] = ()
    partial: tuple[Part, ...] = ()

    @property
    def patient(self) -> Resource:
        """The Patient, as far as it is known: its id at least."""
        read = self.data.get(PATIENT, ())
        return read[0] if read else {"resourceType": "Patient", "id": self.whose.patient.rpartition("/")[2]}


def unsatisfied(parts: Iterable[Part], call: Call) -> tuple[Part, ...]:
    """The parts to be read from the EHR: whose keys the prefetch lacks, or gives in part only."""
    return tuple(
        part for part in parts if part.key not in call.prefetch or _is_partial(call.prefetch[part.key], part)
    )


def read_record(
    parts: Sequence[Part], call: Call, whose: Whose, gathered: Mapping[str, Resource | Unread] | None = None
) -> Record:
    """The record of the patient, from what the EHR gave for a part and else from the call's prefetch."""
    given, sent = gathered or {}, call.prefetch
    data: dict[str, tuple[Resource, ...]] = {}
    unread: dict[str, Unread] = {}
    remarks: list[Unread] = []
    absent: list[Part] = []
    partial: list[Part] = []
    if parts and parts[0].kind != PATIENT:  # whose identifiers the others may name
        parts = sorted(parts, key=lambda one: one.kind != PATIENT)
    for part in parts:
        key = part.key
        if key in given:
            value: Resource | Unread | None = given[key]
            if isinstance(value, Unread) and key in sent:
                value = sent[key]
        elif key in sent:
            value = sent[key]
        else:
            absent.append(part)
            continue
        if isinstance(value, Unread):
            unread[key] = Unread(key, part.title, value.reason, value.denied)
            continue
        found, reason = _read(value, part)
        if reason:
            unread[key] = Unread(key, part.title, reason)
            if _is_partial(value, part):
                partial.append(part)
            continue
        own = tuple([resource for resource in found if whose.owns(resource)])
        if part.kind == PATIENT:
            if len(own) < len(found):
                unread[key] = Unread(key, part.title, NOT_THEIRS)
                continue
            whose = Whose(whose.patient, whose.servers, identifiers_of(own[0] if own else None))
        elif len(own) < len(found):
            remarks += _left_out(found, whose, part)
        data[key] = own
    return Record(whose, data, unread, tuple(absent), tuple(remarks), tuple(partial))


def _left_out(found: Iterable[Resource], whose: Whose, part: Part) -> Iterator[Unread]:
    """What is to be said of the resources that are not the patient's, or not surely."""
    left = [resource for resource in found if not whose.owns(resource)]
    far = sum(any(whose.is_elsewhere(one.get(name)) for name in ABOUT) for one in left)
    for count, said in ((len(left) - far, ANOTHER), (far, ELSEWHERE)):
        if count:
            yield Unread(part.key, part.title, f"{count} of its entries {said}")


def _read(value: Resource | None, part: Part) -> tuple[list[Resource], str]:
    """The resources that a part's value holds, or why it cannot be used."""
    if value is None:
        return [], ""
    kind = value.get("resourceType")
    if kind == "OperationOutcome" and part.type != "OperationOutcome":
        return [], _said(value)
    if kind == "Bundle":
        return _entries(value, part)
    if kind == part.type:
        return [value], ""
    return [], f"a resource of type {str(kind)[:60]} was sent, which is not what was asked for"


def _entries(bundle: Resource, part: Part) -> tuple[list[Resource], str]:
    entries, type_ = bundle.get("entry", []), part.type
    if not isinstance(entries, list):
        return [], "it is no FHIR Bundle"
    found: list[Resource] = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            return [], "an entry of its Bundle holds no resource"
        kind = resource.get("resourceType")
        if kind == "OperationOutcome":
            if _is_error(resource):
                return [], _said(resource)
        elif kind == type_:
            found.append(resource)
    if not bundle.get("link") and bundle.get("total") in (None, len(found)):
        return found, ""
    return ([], FIRST_PAGE) if _is_partial(bundle, part) else (found, "")


def _is_partial(value: Resource | None, part: Part) -> bool:
    """Whether a searchset has further pages. Of completed forms the newest are enough, if they come first."""
    if value is None or value.get("resourceType") != "Bundle":
        return False
    links, total = value.get("link", ()), value.get("total")
    more = isinstance(links, list) and any(
        isinstance(one, dict) and one.get("relation") == "next" for one in links
    )
    if not more and not isinstance(total, (int, Decimal)):
        return False
    entries = value.get("entry")
    listed = entries if isinstance(entries, list) else ()
    found = [entry["resource"] for entry in listed if _matches(entry, part.type)]
    if not more and total is not None and total <= len(found):
        return False
    return not (part.kind == "form" and _is_newest_first(found))


def _matches(entry: object, type_: str) -> bool:
    """Whether an entry is among those that a searchset's total counts."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and resource.get("resourceType") == type_


def _is_newest_first(forms: list[Resource]) -> bool:
    """Whether the forms come as they were asked for: by the day of writing, the last first."""
    days = [form.get("authored") for form in forms]
    told = [day[:10] for day in days if isinstance(day, str)]
    return bool(told) and len(told) == len(days) and told == sorted(told, reverse=True)


def _is_error(outcome: Resource) -> bool:
    """Whether an outcome beside the answer tells of an error, or that something is left out."""
    issues = outcome.get("issue", [])
    return not isinstance(issues, list) or any(
        not isinstance(issue, dict)
        or issue.get("severity") in _FAILS
        or (issue.get("severity") == "warning" and issue.get("code") in _LEFT_OUT)
        for issue in issues
    )


def _said(outcome: Resource) -> str:
    """What an OperationOutcome says, by its codes alone: its texts may hold anything."""
    issues = outcome.get("issue", [])
    codes = [
        issue["code"]
        for issue in (issues if isinstance(issues, list) else ())
        if isinstance(issue, dict) and isinstance(issue.get("code"), str)
    ]
    named = ", ".join(dict.fromkeys(code[:30] for code in codes[:3]))
    return f"the EHR reported an error ({named})" if named else "the EHR reported an error"
