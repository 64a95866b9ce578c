"""A case as ``/reports`` shows it. The patient is not named: who it is, the form says that it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.report_json import to_json
from service.operations.report.cases import seriousness_of
from service.yellow_card.heading import head
from service.yellow_card.states import Step, possible

if TYPE_CHECKING:
    from service.domain.safety_report import State
    from service.operations.report.cases import Case, Export, Sending
    from service.operations.report.looking import Seen
    from service.operations.report.strays import Stray
    from service.yellow_card.deidentification import Hit
    from service.yellow_card.fields import Missing

Json = dict[str, Any]
_STEPS = {
    Step.REVISE: "entries",
    Step.READY: "ready",
    Step.EXPORT: "export",
    Step.SUBMIT: "submit",
    Step.REFER: "reference",
    Step.ASK: "ask-follow-up",
    Step.LEAVE: "leave-follow-up",
    Step.FOLLOW: "follow-up",
    Step.NULLIFY: "nullify",
    Step.CANCEL: "cancel",
    Step.ABANDON: "cancel",
}


def summary(case: Case, root: str) -> Json:
    """What a list shows of a case. ``root`` is the service's address."""
    report = case.report
    event = report.events[0]
    return _told({
        "case": report.case,
        "url": f"{root}/reports/{report.case}",
        "version": report.version,
        "state": report.state.value,
        "status": head(report, (), None).status,
        "branch": report.branch.value,
        "seriousness": seriousness_of(report),
        "event": event.text,
        "actuality": event.actuality,
        "onset": event.onset,
        "created": case.created,
        "changed": case.changed,
        "followUpDue": case.due,
        "yellowCard": report.yellow_card,
        "linked": list(report.linked),
    })  # fmt: skip


def whole(case: Case, seen: Seen, root: str) -> Json:
    """Everything there is to know of a case; ``seen`` is what is known beside the report itself."""
    report = case.report
    found = head(report, (), None)
    told = to_json(report)
    changes = told.pop("changes", [])
    made = summary(case, root) | _told({
        "meaning": found.meaning,
        "decidedBy": report.decided_by,
        "asks": list(seen.asks),
        "steps": steps_of(report.state),
        "missing": [lacking(one) for one in seen.missing],
        "mayIdentify": [hit(one) for one in seen.hits],
        "entered": [
            {"path": one.path, "value": one.value, "who": one.who, "when": one.when} for one in case.entered
        ],
        "exports": [export_of(one, root) for one in case.exports],
        "notMade": [{"rendering": kind, "reason": said} for kind, said in case.unmade],
        "sendings": [_sending(one) for one in case.sendings],
        "acknowledgements": [f"{root}/fhir/{one}" for one in case.documents],
        "report": told,
        "history": changes,
    })  # fmt: skip
    if seen.route:
        where = seen.route
        made["submitTo"] = _told({
            "name": where.name, "contact": where.contact, "email": where.email, "also": list(where.also),
            "why": where.why, "source": where.source, "read": where.read,
        })  # fmt: skip
    return made


def steps_of(state: State) -> list[str]:
    """What can be done with a report in this state, as the last part of the address says it."""
    return list(dict.fromkeys(_STEPS[step] for step in possible(state) if step in _STEPS))


def lacking(one: Missing) -> Json:
    """One element that the report lacks."""
    return _told({
        "id": one.id, "section": one.section, "label": one.label, "need": one.need, "place": one.place,
        "linkIds": list(one.links), "enterAt": one.enter, "oneOf": list(one.alternatives),
        "remedy": one.remedy,
    })  # fmt: skip


def hit(one: Hit) -> Json:
    """One text that may identify the patient: where, and what kind; not what it says."""
    return {"path": one.path, "kind": one.kind}


def stray(one: Stray, root: str) -> Json:
    """One acknowledgement that could not be joined, or not wholly: what it says, and where its bytes are."""
    address = f"{root}/reports/acknowledgements/{one.digest}"
    return _told({
        "sha256": one.digest, "state": one.state, "says": one.says, "batch": one.batch,
        "unjoined": [{"number": each.number, "why": each.why} for each in one.unjoined],
        "received": one.received, "through": one.through, "fileName": one.name, "size": one.size,
        "content": address, "who": one.who, "when": one.when, "reason": one.reason,
    })  # fmt: skip


def export_of(one: Export, root: str) -> Json:
    """A file that was made and is kept; ``together`` are the cases in it, where it is a batch of several."""
    return _told({
        "rendering": one.kind, "version": one.version, "when": one.when, "mediaType": one.media_type,
        "fileName": one.file_name, "sha256": one.digest,
        "document": f"{root}/fhir/{one.document}", "content": f"{root}/fhir/{one.binary}",
        "together": list(one.together),
    })  # fmt: skip


def _sending(one: Sending) -> Json:
    return _told({
        "message": one.message, "state": one.state, "version": one.version, "when": one.when,
        "reason": one.reason,
    })  # fmt: skip


def _told(members: Json) -> Json:
    """The members that say something."""
    return {name: value for name, value in members.items() if value not in (None, [], "")}
