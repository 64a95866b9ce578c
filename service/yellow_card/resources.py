"""The FHIR R4 resources of a report, each made from what the report holds and from nothing else.

The patient has no identifier, name, birth date or address. Ids are made from the case, the version and the
part's name (UUID, version 5), so that the same report always gives the same bytes.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.evaluation import Code
from service.yellow_card.shapes import bound, coded, component, property_of, pruned, quantity, serious_or_not
from service.yellow_card.wording import clean

if TYPE_CHECKING:
    from service.domain.safety_report import (
        ReportedDevice,
        ReportedEvent,
        ReportedMedicine,
        Reporter,
        SafetyReport,
    )
    from service.yellow_card.fields import Words

Resource = dict[str, Any]

ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
YELLOW_CARD = "/NamingSystem/yellow-card-reference"
"""After the canonical base: the system of the reference numbers that the Yellow Card scheme gives."""
_SEVERITIES = {"mild": "Mild", "moderate": "Moderate", "severe": "Severe"}
_OUTCOMES = {
    "resolved": "Resolved",
    "recovering": "Recovering",
    "ongoing": "Ongoing",
    "resolvedWithSequelae": "Resolved with Sequelae",
    "fatal": "Fatal",
    "unknown": "Unknown",
}
_UNITS = {"a": "years", "mo": "months", "wk": "weeks", "d": "days"}
_GENDERS = ("male", "female", "other", "unknown")
_TAKEN = {"withdrawn": "stopped"}
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:safety-report")


@dataclass(frozen=True, slots=True)
class Made:
    """One resource with the URN that others refer to it by."""

    urn: str
    resource: Resource

    def reference(self) -> Resource:
        """A Reference to it."""
        return {"reference": self.urn}


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the resources of one report. ``base`` is the canonical base of the published content."""

    report: SafetyReport
    words: Words
    base: str

    def made(self, part: str, resource: Resource) -> Made:
        """The resource with its id; what is None or empty is left out."""
        name = f"{self.report.case}|{self.report.version}|{part}"
        id_ = str(uuid.uuid5(_SPACE, name))
        kind = resource["resourceType"]
        rest = {key: value for key, value in resource.items() if key != "resourceType"}
        whole: Resource = pruned({"resourceType": kind, "id": id_} | rest)
        return Made(f"urn:uuid:{id_}", whole)

    def case(self, part: str = "") -> Resource:
        """The Identifier of the case, or of a part of it."""
        value = f"{self.report.case}/{part}" if part else self.report.case
        return {"system": f"{self.base}/NamingSystem/safety-report-case", "value": value}

    def yellow_card(self, reference: str) -> Resource:
        """The Yellow Card reference as a Reference, as AdverseEvent.referenceDocument carries it."""
        identifier = {"system": f"{self.base}{YELLOW_CARD}", "value": reference}
        return {"type": "DocumentReference", "identifier": identifier, "display": "Yellow Card report"}

    def patient(self) -> Made:
        """A patient of whom nothing is told but the sex."""
        sex = self.report.subject.sex
        return self.made("patient", {"resourceType": "Patient", "gender": sex if sex in _GENDERS else None})

    def measures(self, patient: Made) -> list[Made]:
        """Age, or the band that stands for it, and weight, as Observations."""
        subject = self.report.subject
        found = []
        if subject.age is not None:
            value: Resource = quantity(
                subject.age, _UNITS.get(subject.age_unit, subject.age_unit), subject.age_unit
            )
            found.append(self._measure("age", "Age at the event", {"valueQuantity": value}, patient))
        elif subject.age_band:
            value = {"valueString": clean(subject.age_band)}
            found.append(self._measure("age", "Age band at the event, in years", value, patient))
        if subject.weight is not None:
            value = {"valueQuantity": quantity(subject.weight, "kg", "kg")}
            found.append(self._measure("weight", "Weight", value, patient))
        return found

    def _measure(self, part: str, text: str, value: Resource, patient: Made) -> Made:
        return self.made(
            part,
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": text},
                "subject": patient.reference(),
            }
            | value,
        )

    def device(self, number: int, one: ReportedDevice) -> Made:
        """One device, with everything that identifies it. Where it is now is a note."""
        carrier = {"deviceIdentifier": one.udi_di, "carrierHRF": one.udi}
        properties = []
        if one.antibiotic is not None:
            said = "Yes" if one.antibiotic else "No"
            properties.append(property_of("Contains an antibiotic", {"valueCode": [{"text": said}]}))
        if one.volume is not None:
            volume = {"valueQuantity": [quantity(one.volume, "mL", "mL")]}
            properties.append(property_of("Volume used", volume))
        notes = []
        if one.fault is not None:
            notes.append("Seemed faulty" if one.fault else "Did not seem faulty")
        if one.location:
            notes.append(f"Where it is now: {self.called('event.device-location', one.location)}")
        if one.site:
            notes.append(f"Used at: {one.site.display or one.site.code}")
        kind = self.concept("event.suspect", one.kind) if one.kind else None
        return self.made(
            f"device-{number}",
            {
                "resourceType": "Device",
                "udiCarrier": [carrier] if one.udi or one.udi_di else None,
                "manufacturer": one.manufacturer,
                "expirationDate": one.expiry,
                "lotNumber": one.lot,
                "serialNumber": one.serial,
                "deviceName": [{"name": one.product, "type": "user-friendly-name"}] if one.product else None,
                "modelNumber": one.model,
                "type": kind,
                "property": properties,
                "note": [{"text": text} for text in notes],
            },
        )

    def medicine(self, number: int, one: ReportedMedicine, patient: Made) -> list[Made]:
        """One medicine and how it was given: a Medication and a MedicationStatement, the latter first."""
        name = one.name or "Not named"
        made = []
        maker: Resource | None = None
        if one.manufacturer:
            held = self.made(
                f"medicine-{number}-manufacturer", {"resourceType": "Organization", "name": one.manufacturer}
            )
            made.append(held)
            maker = held.reference()
        medication = self.made(
            f"medicine-{number}",
            {
                "resourceType": "Medication",
                "code": {"text": name},
                "manufacturer": maker,
                "batch": {"lotNumber": one.batch} if one.batch else None,
            },
        )
        dosage = {"text": one.dose, "route": {"text": one.route} if one.route else None}
        status = "not-taken" if one.role == "not-administered" else _TAKEN.get(one.action or "", "unknown")
        notes = [f"Part it played: {self.called('medicine.role', one.role)}"]
        if one.action:
            notes.append(f"What was done with it: {self.called('medicine.action', one.action)}")
        if one.defective is not None:
            notes.append("Seemed defective" if one.defective else "Did not seem defective")
        statement = self.made(
            f"medicine-{number}-given",
            {
                "resourceType": "MedicationStatement",
                "status": status,
                "medicationReference": medication.reference(),
                "subject": patient.reference(),
                "effectivePeriod": {"start": one.start, "end": one.end},
                "reasonCode": [{"text": one.indication}] if one.indication else None,
                "note": [{"text": text} for text in notes],
                "dosage": [dosage],
            },
        )
        return [statement, medication, *made]

    def procedure(self, patient: Made) -> Made | None:
        """The procedure that the events belong to, if the report knows of one."""
        one = self.report.procedure
        if one is None:
            return None
        how = f"Imaging: {self.called('procedure.guidance', one.guidance)}" if one.guidance else None
        return self.made(
            "procedure",
            {
                "resourceType": "Procedure",
                "status": "completed" if one.date else "unknown",
                "code": {"text": one.text or "Procedure not named"},
                "subject": patient.reference(),
                "performedDateTime": one.date,
                "bodySite": [coded(site) for site in one.sites],
                "note": [{"text": how}] if how else None,
            },
        )

    def event(
        self, number: int, one: ReportedEvent, patient: Made, suspects: list[Made], recorder: Made | None
    ) -> Made:
        """One AdverseEvent (R4 ``adverseevent.html``)."""
        serious = None if one.seriousness is None else ("serious" if one.seriousness else "non-serious")
        mine = f"event-{number}" if len(self.report.events) > 1 else ""
        reference = self.report.yellow_card
        return self.made(
            f"event-{number}",
            {
                "resourceType": "AdverseEvent",
                "identifier": self.case(mine),
                "actuality": "potential" if one.actuality == "potential" else "actual",
                "event": coded(one.term, one.text),
                "subject": patient.reference(),
                "date": one.onset,
                "detected": one.recognised,
                "recordedDate": self.report.received,
                "seriousness": serious_or_not(self.base, serious),
                "severity": bound("adverse-event-severity", one.severity, _SEVERITIES),
                "outcome": bound("adverse-event-outcome", one.outcome, _OUTCOMES),
                "recorder": recorder.reference() if recorder else None,
                "suspectEntity": [{"instance": suspect.reference()} for suspect in suspects],
                "referenceDocument": [self.yellow_card(reference)] if reference else None,
            },
        )

    def observation(self, number: int, one: ReportedEvent, patient: Made, event: Made) -> Made | None:
        """What R4's AdverseEvent has no element for, about one event; None where there is nothing of it."""
        parts: list[Resource] = [
            component("Why it was serious", concept=self.concept("event.seriousness", code))
            for code in one.seriousness or ()
        ]
        if one.seriousness == ():
            parts.append(component("Why it was serious", text="None of the criteria: not serious"))
        parts += [
            component("Suspected", concept=self.concept("event.suspect", code)) for code in one.suspects
        ]
        for label, text in (
            ("Why that is suspected", one.suspect_reason),
            ("How it was treated", one.treatment),
            ("Ended", one.end),
            ("Paragraph of the guidance", one.paragraph),
        ):
            if text:
                parts.append(component(label, text=text))
        if one.symptomatic is not None:
            parts.append(component("Caused symptoms", truth=one.symptomatic))
        if one.leak_site:
            parts.append(component("Where it went", concept=coded(one.leak_site)))
        if not parts:
            return None
        return self.made(
            f"event-{number}-more",
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": "About the adverse event"},
                "subject": patient.reference(),
                "focus": [event.reference()],
                "effectiveDateTime": one.onset or one.recognised,
                "component": parts,
            },
        )

    def reporter(self) -> list[Made]:
        """Whoever reports: a PractitionerRole first, with the Practitioner and the Organization it names."""
        who = self.report.reporter
        person = (
            self.made("reporter", {"resourceType": "Practitioner", "name": [{"text": who.name}]})
            if who.name
            else None
        )
        place = self._organisation(who)
        if person is None and place is None and not (who.telephone or who.email or who.profession):
            return []
        role = self.made(
            "reporter-role",
            {
                "resourceType": "PractitionerRole",
                "practitioner": person.reference() if person else None,
                "organization": place.reference() if place else None,
                "code": [self.concept("reporter.profession", who.profession)] if who.profession else None,
                "telecom": [
                    {"system": system, "value": value, "use": "work"}
                    for system, value in (("phone", who.telephone), ("email", who.email))
                    if value
                ],
            },
        )
        return [one for one in (role, person, place) if one]

    def _organisation(self, who: Reporter) -> Made | None:
        address = {
            "line": [line for line in (who.department, who.address) if line],
            "city": who.city,
            "postalCode": who.postcode,
            "country": who.country,
        }
        if not (who.organisation or who.ods):
            return None
        return self.made(
            "organisation",
            {
                "resourceType": "Organization",
                "identifier": [{"system": ODS, "value": who.ods}] if who.ods else None,
                "name": who.organisation,
                "address": [address],
            },
        )

    def called(self, listed: str, code: str) -> str:
        """What a code is called."""
        found = self.words.get(listed, {}).get(code)
        return (found.display if found else None) or code

    def concept(self, listed: str, code: str) -> Resource:
        """The CodeableConcept of a code of one of the lists; words alone where it has no system."""
        found = self.words.get(listed, {}).get(code, Code("", code))
        return coded(found) if found.system else {"text": found.display or code}
