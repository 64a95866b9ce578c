"""What is recorded of a patient, for a plan's rules of attention: forms here and in the EHR, events here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.cds.attention import Gathered
from service.cds.attention import Kept as Source
from service.cds.model import Unread
from service.cds.prefetch import RECORDED
from service.domain.errors import Unavailable
from service.domain.safety_report import Branch, State
from service.operations.advise.asked import DENIED, is_denied, unavailable
from service.operations.advise.recorded import STORE, counting, find, whose_here
from service.operations.report.cases import of_event
from service.operations.representation import resource_of

if TYPE_CHECKING:
    from datetime import datetime

    from service.cds.patients import Whose
    from service.cds.prefetch import Part
    from service.cds.record import Record
    from service.operations.advise.asked import Question
    from service.operations.advise.recorded import Kept
    from service.operations.ports import Content, Records
    from service.operations.report.cases import Case

Resource = dict[str, Any]
EVENT = "AdverseEvent"
MOST_EVENTS = 100


def find_unreported(whose: Whose, records: Records) -> tuple[tuple[Resource, ...], str]:
    """The patient's adverse events for which no report was given, and why they could not be read, if so."""
    try:
        versions = find(EVENT, whose, (), MOST_EVENTS, records)
        found = [
            resource_of(version)
            for version in versions
            if not any(_is_dealt_with(case) for case in of_event(records, version.reference))
        ]
    except Unavailable:
        return (), STORE
    return tuple(found), ""


def gather(
    question: Question, record: Record, kept: Kept, now: datetime, base: str, content: Content
) -> Gathered:
    """What the rules look at.

    DataUnavailable where nothing is found and a part was not given: there that would say that nothing is
    recorded. The patient's own record is one of the parts, for by its identifiers more may be found here.
    """
    remarks = [*record.unread.values(), *record.remarks]
    forms: list[Source] = []
    here = whose_here(question.call, question.client, {})
    for part in question.forms:
        forms += [
            Source(form, f"{base}/fhir/{form['resourceType']}/{form['id']}" if own else _reference(form))
            for form, own in counting(part, here, record, kept, content, remarks)
        ]
    if kept.fault:
        remarks.append(Unread("kept", "The records kept here", kept.fault))
    absent = [part for part in question.parts if part in record.absent]
    denied = [part for part in question.parts if is_denied(record, part)]
    found = forms or kept.events or any(record.data.get(one.key) for one in question.parts if _tells(one))
    if not found and (absent or denied):
        raise unavailable(absent or denied, question.why_closed if absent else DENIED)
    remarks += [Unread(part.key, part.title, question.why_closed) for part in absent]
    events = [Source(event, f"{base}/fhir/{EVENT}/{event['id']}") for event in kept.events]
    recorded = [
        Source(resource, _reference(resource))
        for part in question.parts
        if _tells(part)
        for resource in record.data.get(part.key, ())
    ]
    return Gathered(tuple(forms), tuple(events), now, tuple(dict.fromkeys(remarks)), tuple(recorded))


def _tells(part: Part) -> bool:
    """Whether the part holds what rules speak of, beside forms."""
    return part.kind == RECORDED


def _is_dealt_with(case: Case) -> bool:
    """Whether a report of this case was given, or a person decided that none is due."""
    if case.report.state is State.CANCELLED:
        return not case.superseded
    return case.sent or case.report.branch is Branch.LOCAL


def _reference(form: Resource) -> str | None:
    return f"{form['resourceType']}/{form['id']}" if form.get("id") else None
