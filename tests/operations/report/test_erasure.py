"""A patient's reports, files and local reference are the patient's, and are erased with the rest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from service.operations.erasure import find_records
from service.operations.report import cases
from service.operations.report.drafting import draft
from service.operations.report.exporting import export
from service.operations.report.following import follow_form
from service.operations.report.steps import ready
from tests.operations.report.conftest import SUBJECT
from tests.operations.report.test_verbs import LEAK, RENDERERS

if TYPE_CHECKING:
    from tests.operations.report.conftest import House


def test_reports_files_and_the_local_reference_are_found(house: House) -> None:
    house.more |= {"renderers": RENDERERS}
    house.submit({"event": [LEAK]}, reporting=partial(follow_form, house.desk))
    [case] = cases.search(house.records, [])
    ready(house.desk, case.id, "A")
    export(house.desk, case.id, "A")
    house.submit(
        {"event": [LEAK]},
        name="f-2",
        subject={"reference": "https://ehr.example.org/fhir/Patient/9990000107"},
        reporting=partial(follow_form, house.desk),
    )
    found = find_records(house.records, reference=SUBJECT["reference"]).erased
    assert sorted(one.type for one in found) == sorted(
        ["AdverseEvent", "Binary", "DocumentReference", "LocalReference", "Observation", "Provenance",
         "QuestionnaireResponse", "SafetyReport"]
    )  # fmt: skip


def test_each_patient_has_one_local_reference_that_says_nothing(house: House) -> None:
    medicine = {
        "event.term": "fever",
        "event.suspect": ["medicine"],
        "event.medicine": [{"event.medicine.name": "X"}],
    }
    references = []
    for name, number in (("f-1", "9990000018"), ("f-2", "9990000107"), ("f-3", "9990000018")):
        subject = {"reference": f"https://ehr.example.org/fhir/Patient/{number}"}
        event = house.event(medicine, name=name, subject=subject)
        references.append(draft(house.desk, event, "A").cases[0].report.subject.local_reference)
    assert references[0] == references[2] != references[1]
    assert not any("999" in str(one) for one in references)
