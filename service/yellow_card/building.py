"""A safety report made from what is recorded of one adverse event. Pure.

Only what the shapes hold can get in; what identifies a patient is left out here, by branch. Texts that people
wrote are taken over as they stand and searched afterwards (``deidentification.py``).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from service.domain.evaluation import Code
from service.domain.safety_report import (
    Branch,
    ReportedEvent,
    ReportedMedicine,
    ReportedProcedure,
    Reporter,
    SafetyReport,
    State,
)
from service.yellow_card.answers import groups, items, value, values
from service.yellow_card.devices import find_devices
from service.yellow_card.filling import Term
from service.yellow_card.patient import describe
from service.yellow_card.reportability import REPORTED, Suspicion

if TYPE_CHECKING:
    from service.domain.safety_report import Subject
    from service.domain.site import Site
    from service.yellow_card.filling import Fields, Group
    from service.yellow_card.reportability import Decision

Resource = dict[str, Any]
_CASES = uuid.UUID("8d0f7a52-3c07-5a0e-9a38-3a4d61b2c7f4")


@dataclass(frozen=True, slots=True)
class Source:
    """What is recorded of one adverse event.

    ``group`` is the part of the form that the event came from, ``name`` that part's linkId.
    ``procedure_form`` is the form that recorded the procedure. ``patient`` is a Patient where one was had.
    ``received`` and ``updated``: when the house first knew of the event, and last learned something of it.
    """

    event: Resource
    form: Resource
    name: str
    group: Resource
    procedure: Resource | None = None
    procedure_form: Resource | None = None
    patient: Resource | None = None
    local_reference: str | None = None
    received: str | None = None
    updated: str | None = None

    @property
    def reference(self) -> str:
        """``AdverseEvent/id``."""
        return f"AdverseEvent/{self.event['id']}"


def case_id(event: str, branch: Branch, again: int = 0) -> str:
    """The id for ever of the case about an event on a branch; ``again`` counts those that were nullified."""
    return str(uuid.uuid5(_CASES, f"{event} {branch}" + (f" {again}" if again else "")))


def suspicion(source: Source, fields: Fields) -> Suspicion:
    """What the record says of the event's cause."""
    group = fields.groups[source.name]
    held = source.group
    suspects = tuple(str(one) for one in values(held, group.suspects))
    medicines = _medicines(source, group)
    devices = find_devices(source.group, source.procedure_form, group, fields)
    return Suspicion(
        term_of(source.event, fields),
        suspects,
        value(held, group.device_fault),
        value(held, group.medicine_defective),
        any(one.name for one in medicines),
        any(one.antibiotic for one in devices),
        source.event.get("actuality") == "potential",
    )


def term_of(event: Resource, fields: Fields) -> Term:
    """The event's term, with what the guidance's data say of it."""
    concept = event.get("event", {})
    for coding in concept.get("coding", ()):
        if coding.get("system") == fields.system and coding.get("code") in fields.terms:
            return fields.terms[coding["code"]]
    return Term(Code("", "", concept.get("text")))


def build(
    source: Source, fields: Fields, site: Site, decision: Decision, cases: dict[Branch, str]
) -> SafetyReport:
    """The report of an event on one branch, as a draft. ``cases`` are the event's cases by branch."""
    branch = decision.branch
    group = fields.groups[source.name]
    event = _event(source, fields, group)
    devices = find_devices(source.group, source.procedure_form, group, fields)
    medicines = _medicines(source, group)
    if branch in (Branch.MEDICINE, Branch.DEFECTIVE_MEDICINE):
        devices = tuple(one for one in devices if one.antibiotic)
        medicines = medicines or (ReportedMedicine(),)
    elif branch is Branch.DEVICE:
        medicines = ()
    linked = tuple(case for other, case in cases.items() if other in REPORTED and other is not branch)
    return SafetyReport(
        case=cases[branch],
        version=1,
        branch=branch,
        state=State.DRAFT,
        decided_by=decision.says,
        events=(event,),
        subject=_subject(source, site, branch, event),
        reporter=_reporter(source, site),
        procedure=_procedure(source, fields),
        devices=devices,
        medicines=medicines,
        narrative=str(value(source.group, group.narrative) or ""),
        form=f"QuestionnaireResponse/{source.form['id']}",
        nation=site.nation or None,
        received=source.received,
        updated=source.updated,
        linked=linked,
        override=decision.override,
        yellow_card=_reference(source, group)
        if [one for one in cases if one in REPORTED] == [branch]
        else None,
    )


def _reference(source: Source, group: Group) -> str | None:
    """The references that the form names of reports made elsewhere, as one text."""
    return ", ".join(references(source, group)) or None


def references(source: Source, group: Group) -> tuple[str, ...]:
    """Every reference of a report made elsewhere that the form names."""
    held = (value(one, group.yellow_card) for one in groups(source.group, group.yellow_cards))
    return tuple(dict.fromkeys(str(one) for one in held if one))


def dated_references(source: Source, group: Group) -> tuple[str, ...]:
    """The same in words: each reference with the day that the form gives for it."""
    found = []
    for one in groups(source.group, group.yellow_cards):
        named, day = value(one, group.yellow_card), value(one, group.yellow_card_date)
        if named:
            found.append(f"{named} on {day}" if day else str(named))
    return tuple(dict.fromkeys(found))


def _event(source: Source, fields: Fields, group: Group) -> ReportedEvent:
    event, held = source.event, source.group
    term = term_of(event, fields)
    answered: dict[str, Any] = {}
    for name, path in group.event.items():
        if name == "leak_site":
            coded = next(iter(items(held, path)), None)
            if isinstance(coded, dict):
                answered[name] = Code(coded["system"], coded["code"], coded.get("display"))
        elif name == "seriousness":
            answered[name] = _seriousness(tuple(values(held, path)), fields)
        elif name not in ("term", "text") and (found := value(held, path)) is not None:
            answered[name] = found
    said = {
        "onset": event.get("date"),
        "recognised": event.get("detected"),
        "severity": _code(event.get("severity")),
        "outcome": _code(event.get("outcome")),
        "actuality": event.get("actuality", "actual"),
    }
    made = ReportedEvent(
        reference=source.reference,
        term=term.code,
        text=str(event.get("event", {}).get("text") or term.code.display or ""),
        paragraph=term.paragraph,
        suspects=tuple(str(one) for one in values(held, group.suspects)),
    )
    return replace(made, **{name: one for name, one in {**said, **answered}.items() if one is not None})


def _seriousness(answers: tuple[str, ...], fields: Fields) -> tuple[str, ...] | None:
    """The criteria; empty where it is said that none holds; None where nobody answered."""
    if not answers:
        return None
    return tuple(one for one in answers if one != fields.not_serious)


def _code(concept: Resource | None) -> str | None:
    codings = (concept or {}).get("coding", ())
    return next((one["code"] for one in codings if "code" in one), None)


def _medicines(source: Source, group: Group) -> tuple[ReportedMedicine, ...]:
    defective = value(source.group, group.medicine_defective)
    found = []
    for one in groups(source.group, group.medicines):
        answered = {name: value(one, path) for name, path in group.medicine.items()}
        given = {name: held for name, held in answered.items() if held is not None}
        if given:
            found.append(ReportedMedicine(**given, defective=defective))
    return tuple(found)


def _procedure(source: Source, fields: Fields) -> ReportedProcedure | None:
    known, held, form = fields.procedure, source.procedure, source.procedure_form
    if known is None or (held is None and form is None):
        return None
    date = (held or {}).get("performedDateTime") or (value(form, known.date) if form else None)
    sites = [
        Code(one["system"], one["code"], one.get("display"))
        for one in (items(form, known.site) if form else ())
        if isinstance(one, dict)
    ]
    guided = next(iter(items(form, known.guidance)), None) if form else None
    return ReportedProcedure(
        reference=f"Procedure/{held['id']}" if held else None,
        date=date,
        text=known.code.display,
        sites=tuple(dict.fromkeys(sites)),
        guidance=(guided.get("display") or guided.get("code")) if isinstance(guided, dict) else None,
    )


def _subject(source: Source, site: Site, branch: Branch, event: ReportedEvent) -> Subject:
    day = event.onset or event.recognised or str(source.form.get("authored", ""))
    subject = describe(source.patient, day, site, source.local_reference)
    if branch is Branch.DEVICE or branch not in REPORTED:
        return replace(subject, local_reference=None, initials=None)
    return subject


def _reporter(source: Source, site: Site) -> Reporter:
    """The form's author, where that is a member of staff; what it leaves open is the site's."""
    author = source.form.get("author") or {}
    subject = source.form.get("subject") or {}
    kind = str(author.get("type") or author.get("reference") or "")
    theirs = not any(f"{one}/" in f"{kind}/" for one in ("Patient", "RelatedPerson", "Device"))
    name = author.get("display") if theirs and author.get("display") != subject.get("display") else None
    held = site.reporter
    return replace(
        held,
        name=name or held.name,
        organisation=held.organisation or site.organisation or None,
        ods=held.ods or site.ods or None,
    )
