"""Erasure finds what an amendment deleted: no search does, and its history holds the patient's data."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from service.app import build
from service.settings import Settings
from tests.cli.test_commands import ROOT, run
from tests.web.conftest import FHIR_JSON, Client, eligibility

if TYPE_CHECKING:
    from pathlib import Path

FOLLOW_UP = ROOT / "profiles/htg117/examples/QuestionnaireResponse-example-follow-up.json"
NUMBER = "9990000018"


def test_nothing_of_the_patient_is_left_in_any_version(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite3"
    url = f"sqlite:///{file}"
    form = json.loads(FOLLOW_UP.read_text("utf-8"))
    with Client(build(Settings(database_url=url))) as client:
        for status, items in (("completed", form["item"]), ("amended", form["item"][:-1])):
            sent = json.dumps(form | {"status": status, "item": items})
            answer = client.post("/fhir/QuestionnaireResponse/$submit", content=sent, headers=FHIR_JSON)
            assert answer.status_code == 200
    identifier = f"https://fhir.nhs.uk/Id/nhs-number|{NUMBER}"
    ended = run("erase", "--yes", "--identifier", identifier, url=url)
    assert (ended.returncode, "erased: AdverseEvent/" in ended.stdout) == (0, True)
    with sqlite3.connect(file) as connection:
        bodies = [row[0] for row in connection.execute("select body from version") if row[0]]
    assert [body for body in bodies if NUMBER.encode() in bytes(body)] == []


def test_a_draft_stays_about_its_patient(tmp_path: Path) -> None:
    with Client(build(Settings(database_url=f"sqlite:///{tmp_path}/records.sqlite3"))) as client:
        draft = eligibility(status="in-progress")
        made = client.post("/fhir/QuestionnaireResponse", content=json.dumps(draft), headers=FHIR_JSON).json()
        address = f"/fhir/QuestionnaireResponse/{made['id']}"
        for subject, status in ((draft["subject"], 200), ({"reference": "Patient/2"}, 409)):
            sent = json.dumps(draft | {"id": made["id"], "subject": subject})
            assert client.put(address, content=sent, headers=FHIR_JSON).status_code == status
