"""What the published forms take from a record, and what they leave to a person."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from service.fhir.population import Surroundings, populate
from tests.content import content

SCT = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
PATIENT = {"resourceType": "Patient", "id": "p1"}
NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)

Record = list[content.Resource]


def coded(system: str, *codes: str) -> content.Resource:
    """A concept with these codes."""
    return {"coding": [{"system": system, "code": code} for code in codes]}


def entry(kind: str, code: content.Resource, **more: Any) -> content.Resource:
    """A resource of the patient's record."""
    return {"resourceType": kind, "id": "r1", "subject": {"reference": "Patient/p1"}, "code": code} | more


def condition(code: str, system: str = SCT, *, status: str = "active", **more: Any) -> content.Resource:
    """A diagnosis."""
    clinical = coded("http://terminology.hl7.org/CodeSystem/condition-clinical", status)
    return entry("Condition", coded(system, code), clinicalStatus=clinical, **more)


def procedure(code: str, day: str, *, status: str = "completed", **more: Any) -> content.Resource:
    """A procedure."""
    return entry("Procedure", coded(SCT, code), status=status, performedDateTime=day, **more)


def measured(code: str, day: str, value: str, unit: str, **more: Any) -> content.Resource:
    """A final measurement."""
    quantity = {"value": Decimal(value), "system": "http://unitsofmeasure.org", "code": unit} | more
    effective = {"effectiveDateTime": day, "valueQuantity": quantity}
    return entry("Observation", coded(LOINC, code), status="final", **effective)


def meeting_plan(status: str, scheduled: content.Resource) -> content.Resource:
    """A care plan with a multidisciplinary meeting in it."""
    detail = {"code": coded(SCT, "399414003"), "status": status, "scheduledPeriod": scheduled}
    subject = {"subject": {"reference": "Patient/p1"}}
    return (
        {"resourceType": "CarePlan", "id": "c1", "status": "active", "intent": "plan"}
        | subject
        | {"activity": [{"detail": detail}]}
    )


def cement(lot: str) -> content.Resource:
    """The cement of a procedure, as its form gives it."""
    return {
        "resourceType": "Device",
        "id": lot,
        "type": coded(f"{content.BASE}/CodeSystem/htg117-event-suspect", "cement"),
        "manufacturer": "Maker",
        "lotNumber": lot,
        "deviceName": [{"name": "Cement A", "type": "user-friendly-name"}],
        "patient": {"reference": "Patient/p1"},
    }


def filled(name: str, record: Record) -> dict[str, list[Any]]:
    """The answers that a form is filled with from a record, by linkId; codings as their codes."""

    def search(query: str) -> content.Resource:
        kind = query.split("?", maxsplit=1)[0]
        found = [{"resource": each} for each in record if each["resourceType"] == kind]
        return {"resourceType": "Bundle", "type": "searchset", "entry": found}

    form = content.resource("Questionnaire", name)
    got = populate(
        form, {"patient": [PATIENT]}, Surroundings(search, NOW), subject={"reference": "Patient/p1"}
    )
    assert got.issues == ()
    answers: dict[str, list[Any]] = {}
    for _, value in content.nodes(got.response):
        if isinstance(value, dict) and "answer" in value:
            values = [next(v for k, v in each.items() if k.startswith("value")) for each in value["answer"]]
            answers[value["linkId"]] = [_plain(each) for each in values]
    return answers


def _plain(value: Any) -> Any:
    """An answer as a test writes it: a coding as its code, a quantity itself, the rest as text."""
    if isinstance(value, dict):
        return value["code"] if "display" in value else value
    return str(value)


NATURE = "lesion.nature"
ELIGIBILITY: dict[str, tuple[Record, dict[str, list[Any]]]] = {
    "an empty record fills nothing": ([], {}),
    "a metastasis and its site": (
        [condition("94602001")],
        {NATURE: ["bone-metastasis"], "lesion.site": ["vertebra"]},
    ),
    "a metastasis in ICD-10": ([condition("C79.5", ICD10)], {NATURE: ["bone-metastasis"]}),
    "the site from the diagnosis's body site": (
        [condition("94222008", bodySite=[coded(SCT, "71341001")])],
        {NATURE: ["bone-metastasis"], "lesion.site": ["femur"]},
    ),
    "two lesions are of one nature and no one site": (
        [condition("94602001"), condition("94337005")],
        {NATURE: ["bone-metastasis"]},
    ),
    "two natures are for a person": ([condition("94602001"), condition("109989006")], {}),
    "a tumour not said to be primary is no primary": ([condition("428281000")], {}),
    "a primary tumour": (
        [condition("93996004")],
        {NATURE: ["primary-malignant-bone-tumour"], "lesion.site": ["sacrum"]},
    ),
    "myeloma": ([condition("109989006")], {NATURE: ["haematological-malignancy"]}),
    "a diagnosis that is over": ([condition("94602001", status="resolved")], {}),
    "a diagnosis in doubt": ([condition("94602001", verificationStatus=coded("urn:any", "provisional"))], {}),
    "pain from metastases": (
        [condition("94222008"), condition("315241008")],
        {NATURE: ["bone-metastasis"], "pain.present": ["True"]},
    ),
    "bone pain is not said to be the lesion's": (
        [condition("94222008"), condition("12584003")],
        {NATURE: ["bone-metastasis"]},
    ),
    "the latest pain score": (
        [
            measured("38214-3", "2026-04-01", "6.5", "{score}"),
            measured("38214-3", "2026-04-03", "7.25", "{score}"),
        ],
        {"pain.score": ["7.25"]},
    ),
    "a score in millimetres is another scale": ([measured("38214-3", "2026-04-01", "7", "mm")], {}),
    "a score that is only a bound": ([measured("38214-3", "2026-04-01", "7", "{score}", comparator=">")], {}),
    "a verbal score is another scale": ([measured("72514-3", "2026-04-01", "7", "{score}")], {}),
    "radiotherapy was given, with no result": (
        [procedure("33195004", "2026-03-05")],
        {
            "treatment.radiotherapy": ["given-awaiting-effect"],
            "treatment.radiotherapy.last-fraction": ["2026-03-05"],
        },
    ),
    "radiotherapy elsewhere": ([procedure("33195004", "2026-03-05", bodySite=[coded(SCT, "76752008")])], {}),
    "radiotherapy that was not done": ([procedure("33195004", "2026-03-05", status="not-done")], {}),
    "a meeting was held, with no conclusion": (
        [procedure("384682003", "2026-04-20"), meeting_plan("completed", {"start": "2026-04-22"})],
        {"mdt.outcome": ["pending"], "mdt.date": ["2026-04-22"]},
    ),
    "a meeting is listed": (
        [meeting_plan("scheduled", {"start": "2026-05-20"})],
        {"mdt.outcome": ["pending"]},
    ),
}


@pytest.mark.parametrize("case", ELIGIBILITY)
def test_the_criteria_record_holds_what_the_record_says(case: str) -> None:
    record, expected = ELIGIBILITY[case]
    assert filled("htg117-eligibility", record) == expected


def test_the_procedure_record_holds_the_baselines() -> None:
    walking = coded(f"{content.BASE}/CodeSystem/htg117-observations", "walking-score")
    score = entry("Observation", walking, status="final", effectiveDateTime="2026-04-03", valueInteger=1)
    got = filled("htg117-procedure", [measured("38214-3", "2026-04-03", "8", "{score}"), score])
    assert got == {"pain.score": ["8"], "walking.score": ["1"], "event.actuality": ["actual"]}


def test_the_follow_up_holds_the_baseline_before_the_procedure_and_its_cement() -> None:
    done = coded(f"{content.BASE}/CodeSystem/htg117-observations", "percutaneous-cementoplasty")
    record = [
        entry("Procedure", done, status="completed", performedDateTime="2026-05-01"),
        measured("14682-9", "2026-04-29", "80", "umol/L"),
        measured("14682-9", "2026-05-02", "130", "umol/L"),
        cement("L1"),
    ]
    assert filled("htg117-follow-up", record) == {
        "creatinine.baseline": [
            {"value": Decimal(80), "system": "http://unitsofmeasure.org", "code": "umol/L"}
        ],
        "event.actuality": ["actual"],
        "event.device.product": ["Cement A"],
        "event.device.manufacturer": ["Maker"],
        "event.device.lot": ["L1"],
    }


def test_which_of_two_cements_is_meant_is_for_a_person() -> None:
    assert filled("htg117-follow-up", [cement("L1"), cement("L2")]) == {"event.actuality": ["actual"]}
