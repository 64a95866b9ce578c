"""The law of de-identification: whatever is recorded, nothing that tells who the patient is leaves the house.

Identifiers are planted in the Patient, in the form's subject and in what people write. Either the report is
stopped, or no rendering of it holds any of them.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.adapters import records
from service.domain.errors import Unprocessable
from service.domain.safety_report import Branch
from service.domain.site import E2b
from service.operations.report.drafting import draft
from service.operations.report.exporting import export
from service.operations.report.files import read_file
from service.operations.report.renderings import make_renderers
from service.operations.report.steps import ready
from service.yellow_card.e2b.elements import read_guide
from service.yellow_card.e2b.rendering import KIND as E2B
from service.yellow_card.e2b.rendering import TABLE, Tools, renderer
from service.yellow_card.e2b.terms import Terms
from service.yellow_card.folding import fold
from tests.operations.report.conftest import CONTENT, SITE, House

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = {
    "family": "Quillfeather",
    "given": "Zebedee",
    "nhs": "9990000018",
    "mrn": "XQ-774411",
    "born": "1951-08-17",
    "line": "47 Larkspur Terrace",
    "postcode": "ZZ98 7QX",
    "phone": "07700 900461",
    "mail": "z.quillfeather@example.org",
}
PATIENT = {
    "resourceType": "Patient",
    "identifier": [
        {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": SECRETS["nhs"]},
        {"system": "https://hospital.example.org/mrn", "value": SECRETS["mrn"]},
    ],
    "name": [{"family": SECRETS["family"], "given": [SECRETS["given"]]}],
    "gender": "male",
    "birthDate": SECRETS["born"],
    "telecom": [
        {"system": "phone", "value": SECRETS["phone"]},
        {"system": "email", "value": SECRETS["mail"]},
    ],
    "address": [{"line": [SECRETS["line"]], "city": "Leeds", "postalCode": SECRETS["postcode"]}],
}
SUBJECT = {
    "reference": "https://ehr.example.org/fhir/Patient/pt-660123",
    "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": SECRETS["nhs"]},
    "display": f"{SECRETS['given']} {SECRETS['family']}",
}
WRITTEN = [
    *SECRETS.values(),
    "pt-660123",
    "999 000 0018",
    "17/08/1951",
    "17 August 1951",
    "ZEBEDEE",
    "Quill-feather's",
]
PLACES = ("event.narrative", "event.treatment", "event.suspect-reason", "event.other")
INNER = ("event.medicine.name", "event.medicine.dose", "event.medicine.batch")
DEVICE = ("event.device.product", "event.device.lot", "event.device.udi")
NUMBERS = itertools.count()
SIMPLE = st.sampled_from(["The patient had pain", "It leaked", "Seen on day 3"])


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", fold(text).text)


FORBIDDEN = {plain(one) for one in [*SECRETS.values(), "pt-660123", "17081951", "17august1951"]}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_rendering_holds_anything_that_tells_who_the_patient_is(
    tmp_path: Path, data: st.DataObject
) -> None:
    store = records.connect(f"sqlite:///{tmp_path}/{next(NUMBERS)}.sqlite3")
    try:
        house = House(store)
        house.site = replace(SITE, e2b=E2b("SENDER", "RECEIVER", "EXAMPLE-TRUST"))
        tools = Tools(read_guide(CONTENT.data[TABLE]), lambda: house.now, Terms("0.0", {"fever": "99999999"}))
        house.more = {"renderers": make_renderers(CONTENT, lambda: house.now) | {E2B: renderer(tools)}}
        said = {place: data.draw(SIMPLE) for place in (*PLACES, *INNER, *DEVICE)}
        if data.draw(st.booleans()):
            place = data.draw(st.sampled_from(list(said)))
            said[place] += f" {data.draw(st.sampled_from(WRITTEN))}"
        term = data.draw(st.sampled_from(["other", "fever"]))  # the site's dictionary has the second alone
        event: dict[str, Any] = {"event.term": term, "event.suspect": ["cement", "medicine"]}
        event |= {place: said[place] for place in PLACES if place != "event.other" or term == "other"}
        event["event.medicine"] = [{place: said[place] for place in INNER}]
        event["event.device"] = [{place: said[place] for place in DEVICE}]
        author = {"display": data.draw(st.sampled_from(["Dr Ada Example", SUBJECT["display"]]))}
        id_ = house.event(event, subject=SUBJECT, author=author)
        for case in draft(house.desk, id_, "Ada", patient=PATIENT).cases:
            try:
                ready(house.desk, case.id, "Ada")
            except Unprocessable as fault:
                told = plain(f"{fault} {[str(one) for one in fault.issues]}")
                assert not any(one in told for one in FORBIDDEN)
                continue
            made = export(house.desk, case.id, "Ada").case
            sent = case.report.branch is Branch.MEDICINE and term == "fever"
            assert (E2B in {one.kind for one in made.exports}) is sent, made.unmade
            for one in made.exports:
                body = plain(read_file(store, one).decode("utf-8", "replace") + one.file_name)
                assert [secret for secret in FORBIDDEN if secret in body] == []
    finally:
        store.close()
