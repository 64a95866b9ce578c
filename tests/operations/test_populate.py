"""``populate`` over a caller's data: whose it is, what is searched, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from service.adapters.content import Folder
from service.domain.errors import Invalid
from service.operations.populate import Request, populate_form
from tests.second_guidance import BASE, PROFILES, load

CONTENT = Folder([PROFILES])
FORM = load()[f"{BASE}/Questionnaire/toy-watering"]
NOW = datetime(1999, 2, 1, tzinfo=UTC)
PATIENT = {"resourceType": "Patient", "id": "1", "name": [{"family": "Gardener"}]}


def owner(response: dict[str, Any]) -> str | None:
    found = next(entry for entry in response["item"] if entry["linkId"] == "owner")
    return found["answer"][0]["valueString"] if "answer" in found else None


def test_the_patient_is_found_in_data_by_the_subject() -> None:
    other = {"resourceType": "Patient", "id": "2", "name": [{"family": "Somebody"}]}
    for reference in ("Patient/1", "https://ehr.example.org/fhir/Patient/1"):
        request = Request({"reference": reference}, NOW, data=(other, PATIENT))
        made = populate_form(FORM, request, CONTENT)
        assert owner(made.response) == "Gardener"
        assert made.response["subject"] == {"reference": reference}


def test_a_patient_in_context_is_the_subject_and_may_be_no_other() -> None:
    made = populate_form(FORM, Request(None, NOW, {"patient": [PATIENT]}), CONTENT)
    assert made.response["subject"] == {"reference": "Patient/1"}
    assert owner(made.response) == "Gardener"
    with pytest.raises(Invalid, match="not the subject"):
        populate_form(FORM, Request({"reference": "Patient/2"}, NOW, {"patient": [PATIENT]}), CONTENT)


def test_without_the_patient_nothing_is_filled_in_and_it_is_said() -> None:
    made = populate_form(FORM, Request({"reference": "Patient/1"}, NOW, data=()), CONTENT)
    assert owner(made.response) is None
    assert "%patient: it was not given" in made.issues[0].message
