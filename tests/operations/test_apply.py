"""Which form a plan is applied to: the subject's own, the latest, and never one picked by guess."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.errors import Invalid, Unprocessable
from service.operations.apply import Call, choose_form, same, unused_forms, variables
from tests.second_guidance import BASE, form

CANONICAL = f"{BASE}/Questionnaire/toy-watering"


def authored(when: str, **changes: Any) -> dict[str, Any]:
    return form(plant="fern") | {"authored": when} | changes


def test_the_latest_answered_form_counts_whatever_its_zone() -> None:
    early, late = authored("1999-01-01T12:00:00+02:00"), authored("1999-01-01T11:00:00Z")
    assert choose_form([early, late], CANONICAL, "Patient/1") == late
    assert choose_form([late, early], CANONICAL, "Patient/1") == late
    assert choose_form([late, late], CANONICAL, "Patient/1") == late


def test_a_form_in_progress_or_of_another_questionnaire_is_no_answer() -> None:
    started = authored("1999-01-01T12:00:00Z", status="in-progress")
    other = authored("1999-01-01T12:00:00Z", questionnaire="urn:other|1")
    assert choose_form([started, other, {"resourceType": "Patient"}], CANONICAL, "Patient/1") is None


@pytest.mark.parametrize("rival", ["1999-01-01T12:00:00Z", "1999-01-01", "1999-01"])
def test_two_forms_that_cannot_be_ordered_are_refused(rival: str) -> None:
    forms = [authored("1999-01-01T12:00:00Z"), authored(rival, id="other")]
    with pytest.raises(Unprocessable, match="cannot be told"):
        choose_form(forms, CANONICAL, "Patient/1")


@pytest.mark.parametrize("subject", [{"reference": "Patient/2"}, {}, {"display": "A. Person"}])
def test_a_form_of_somebody_else_is_refused_never_passed_over(subject: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="another subject"):
        choose_form([authored("1999-01-01T12:00:00Z", subject=subject)], CANONICAL, "Patient/1")


@pytest.mark.parametrize(
    ("reference", "other", "expected"),
    [
        ("Patient/1", "Patient/1", True),
        ("https://ehr.example.org/fhir/Patient/1", "Patient/1", True),
        ("Patient/1", "https://ehr.example.org/fhir/Patient/1", True),
        ("https://a.example.org/Patient/1", "https://b.example.org/Patient/1", False),
        ("https://a.example.org/Patient/1", "HTTPS://A.example.org:443/Patient/1", True),
        ("https://a.example.org/Patient/1", "http://a.example.org/Patient/1", False),
        ("Patient/1", "Patient/11", False),
        ("Group/1", "Patient/1", False),
        (None, "Patient/1", False),
    ],
)
def test_two_references_to_one_patient(reference: str | None, other: str, expected: bool) -> None:
    assert same(reference, other) is expected


def test_expressions_may_name_the_resources_that_data_holds() -> None:
    patient = {"resourceType": "Patient", "id": "1"}
    call = Call("Patient/1", "1999-01-01T00:00:00Z", practitioner="Practitioner/2", data=(patient,))
    assert variables(call) == {"subject": patient}


def test_a_form_that_is_not_used_is_said() -> None:
    started = authored("1999-01-01T12:00:00Z", status="in-progress")
    answered = authored("1999-01-01T12:00:00Z")
    [said] = unused_forms([started, answered, {"resourceType": "Patient"}], CANONICAL)
    assert said.message == (
        "a form in data is in-progress and is not used; a form counts once it is completed or amended"
    )
