"""Nothing of a patient stands in a log line, a metric or the words of an error."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from service.app import build, log_to
from service.settings import Settings
from tests.web.conftest import FHIR_JSON, Client, eligibility

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRETS = ("9990000018", "Zebedee", "neighbour's dog", "1958-03-04", "secret-form")
SUBJECT = {"reference": "https://ehr.example.org/fhir/Patient/9990000018", "display": "Zebedee Synthetic"}
SUBMIT = "/fhir/QuestionnaireResponse/$submit"
OTHER = {"linkId": "treatment.other", "answer": [{"valueString": "bitten by a neighbour's dog"}]}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    log_to(stream, "debug")
    yield stream
    structlog.reset_defaults()


def form(**more: Any) -> dict[str, Any]:
    identifier = {"system": "https://ehr.example.org/forms", "value": "secret-form"}
    made = eligibility(subject=SUBJECT, identifier=identifier, **more)
    items = made["item"]
    return made | {"item": [*items[:8], OTHER, *items[8:]]}


def test_logs_and_errors_say_nothing_of_the_patient(tmp_path: Path, log: io.StringIO) -> None:
    wrong = form()
    wrong["item"][0] = {"linkId": "lesion.nature", "answer": [{"valueString": "bitten by a neighbour's dog"}]}
    wrong["item"][3] = {"linkId": "pain.score", "answer": [{"valueString": "Zebedee"}]}
    broken = json.dumps(form()).replace('"status"', '"Zebedee": 1, "Zebedee": 2, "status"')
    with Client(build(Settings(database_url=f"sqlite:///{tmp_path}/records.sqlite3"))) as client:
        taken = client.post(SUBMIT, json=form(), headers=FHIR_JSON)
        found = client.get("/fhir/Observation?subject=Patient/9990000018&code=Zebedee")
        refused = [
            client.post(SUBMIT, json=wrong, headers=FHIR_JSON),
            client.post(SUBMIT, json=form(status="in-progress"), headers=FHIR_JSON),
            client.post(SUBMIT, json=form(status="completed", authored="2026-07-02"), headers=FHIR_JSON),
            client.get("/fhir/Observation?birthdate=1958-03-04", headers={"Prefer": "handling=strict"}),
            client.get("/9990000018/Zebedee"),
        ]
        malformed = client.post(SUBMIT, content=broken, headers=FHIR_JSON)
        metrics = client.get("/metrics").text
    assert (taken.status_code, found.status_code) == (200, 200)
    assert [answer.status_code for answer in refused] == [422, 422, 409, 400, 404]
    assert malformed.status_code == 400
    lines = log.getvalue()
    assert lines.count("\n") == 9
    for secret in SECRETS:
        assert secret not in lines
        assert secret not in metrics
        assert [answer.text for answer in refused if secret in answer.text] == []
