"""Sheet, JSON, document, AdverseEvent and CSV: what they say and never say, and that they are sound."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from service.domain.errors import Refused, Unprocessable
from service.domain.evaluation import Code
from service.domain.safety_report import Branch, Change, State, Subject
from service.fhir import validation
from service.fhir.json_text import decode, encode
from service.yellow_card.adverse_event import adverse_event, adverse_events, read_reference
from service.yellow_card.csv_export import COLUMNS, csv_export, read_references, write
from service.yellow_card.document import bundle, document
from service.yellow_card.imdrf import suggestions
from service.yellow_card.sheet import sheet
from service.yellow_card.structured import structured
from tests.yellow_card.rendering import (
    BASE,
    SITE,
    TERMS,
    device,
    everyone,
    material,
    medicine,
    near_miss,
    published,
)

if TYPE_CHECKING:
    from service.domain.safety_report import SafetyReport

MATERIAL = material()
RENDERERS = (sheet, structured, document, adverse_event, csv_export)
NAMES = list(everyone())


def faults(resource: dict[str, Any]) -> list[str]:
    """What the project's validation has against a resource, but for missing narratives."""
    found = validation.check(
        decode(encode(resource)).resource, resolve=published().resolve, terminology=published().terminology
    )
    return [str(one) for one in found if "narrative" not in one.message]


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_sound_and_everything_in_it_is_reached(name: str) -> None:
    made = bundle(everyone()[name], SITE, MATERIAL)
    assert faults(made) == []
    entries = {one["fullUrl"]: one["resource"] for one in made["entry"]}
    named = set(re.findall(r'"reference":"(urn:uuid:[^"]+)"', encode(made).decode()))
    composition, *rest = entries
    assert entries[composition]["resourceType"] == "Composition"
    assert named == set(rest)


@pytest.mark.parametrize("name", NAMES)
def test_an_adverse_event_stands_alone_and_is_sound(name: str) -> None:
    (made,) = adverse_events(everyone()[name], MATERIAL)
    assert faults(made) == []
    assert "urn:uuid" not in encode(made).decode()


def test_a_device_document_names_the_device_as_it_can_be_traced() -> None:
    made = bundle(device(), SITE, MATERIAL)
    (found,) = [one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == "Device"]
    del found["id"]
    assert found == {
        "resourceType": "Device",
        "udiCarrier": [{"deviceIdentifier": "05000000000017", "carrierHRF": "(01)05000000000017(10)LOT-42"}],
        "manufacturer": "Example Devices Ltd",
        "expirationDate": "2027-12-31",
        "lotNumber": "LOT-42",
        "serialNumber": "SN-7",
        "deviceName": [{"name": "Example Cement LV", "type": "user-friendly-name"}],
        "modelNumber": "EC-20",
        "type": {
            "coding": [
                {
                    "system": f"{BASE}/CodeSystem/htg117-event-suspect",
                    "code": "cement",
                    "display": "Bone cement",
                }
            ],
            "text": "Bone cement",
        },
        "property": [
            {"type": {"text": "Contains an antibiotic"}, "valueCode": [{"text": "Yes"}]},
            {
                "type": {"text": "Volume used"},
                "valueQuantity": [
                    {
                        "value": Decimal("6.30"),
                        "unit": "mL",
                        "system": "http://unitsofmeasure.org",
                        "code": "mL",
                    }
                ],
            },
        ],
        "note": [
            {"text": "Did not seem faulty"},
            {"text": "Where it is now: In the patient"},
            {"text": "Used at: Acetabulum"},
        ],
    }


def test_the_patient_of_a_document_has_a_sex_and_nothing_else() -> None:
    made = bundle(device(), SITE, MATERIAL)
    (found,) = [one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == "Patient"]
    assert set(found) == {"resourceType", "id", "gender"}


def test_the_same_report_gives_the_same_bytes_and_another_version_other_ids() -> None:
    assert document(device(), SITE, MATERIAL) == document(device(), SITE, material())
    first, second = (bundle(replace(device(), version=version), SITE, MATERIAL) for version in (1, 2))
    assert {one["fullUrl"] for one in first["entry"]} & {one["fullUrl"] for one in second["entry"]} == set()


@pytest.mark.parametrize("branch", [Branch.LOCAL, Branch.UNKNOWN])
def test_no_document_is_made_of_what_is_not_reported(branch: Branch) -> None:
    with pytest.raises(Unprocessable, match=r"no Yellow Card report.*The device seemed faulty"):
        document(replace(near_miss(), branch=branch), SITE, MATERIAL)


@pytest.mark.parametrize("state", [State.DRAFT, State.READY, State.PREPARED, State.SUBMITTED, State.REJECTED,
                                   State.FOLLOW_UP, State.CANCELLED])  # fmt: skip
def test_nothing_is_said_to_have_arrived_before_it_is_acknowledged(state: State) -> None:
    for renderer in RENDERERS:
        text = renderer(replace(device(), state=state), SITE, MATERIAL).body.decode()
        assert not re.search(r"(?i)sent to (the )?MHRA|(?<!not )acknowledged:|received by", text)


def test_the_head_of_a_sheet_says_how_far_it_is_and_what_to_do() -> None:
    page = html.fromstring(sheet(device(), SITE, MATERIAL).body)
    words: Any = page.xpath("//*[@class='status']//text()")
    assert " ".join("".join(words).split()) == (
        "Prepared, not submitted It has been made into files for a person to submit. "
        "Keep the device, what is left of it and its packaging, and label them. "
        "Do not send the device to the MHRA. "
        "Give no patient's name and nothing else that identifies a patient, in attachments too. "
        "Report as soon as possible. Missing detail is no reason to wait: it can follow. "
        "Where to submit it: Yellow Card: https://yellowcard.mhra.gov.uk The organisation is in England."
    )


def test_after_its_reference_has_come_the_heading_says_so() -> None:
    report = replace(device(), state=State.ACKNOWLEDGED, yellow_card="YC-1")
    told = json.loads(structured(report, SITE, MATERIAL).body)
    assert told["status"] == "Acknowledged: Yellow Card reference YC-1"


@pytest.mark.parametrize(
    ("amendment", "said"),
    [
        ("nullification", "This version takes back the report that was submitted before."),
        ("amendment", "This version corrects what was submitted before."),
        (None, "This is a follow-up of version 1."),
    ],
)
def test_a_later_version_says_what_it_does_to_the_one_before(amendment: str | None, said: str) -> None:
    report = replace(device(), version=2, amendment=amendment)
    for renderer in (sheet, structured, document):
        assert said in renderer(report, SITE, MATERIAL).body.decode()


@pytest.mark.parametrize("name", NAMES)
def test_a_sheet_is_one_file_that_fetches_nothing_and_escapes_everything(name: str) -> None:
    hostile = "<script>alert(1)</script> \"'&<img src=x onerror=y>\x00\u202e"
    report = replace(everyone()[name], narrative=hostile, decided_by=hostile)
    body = sheet(report, SITE, MATERIAL).body.decode()
    page = html.fromstring(body)
    assert page.xpath("//script | //img | //link | //iframe | //form | //@onerror | //@src | //@href") == []
    assert page.get("lang") == "en-GB"
    assert "\x00" not in body
    assert "\u202e" not in body
    assert "url(" not in body
    assert "@import" not in body


def test_hostile_text_leaves_a_document_well_formed() -> None:
    hostile = "<script>]]>&\x00\x0b\ud800 \"'"
    made = bundle(replace(device(), narrative=hostile, decided_by=hostile), SITE, MATERIAL)
    composition = made["entry"][0]["resource"]
    for one in [composition, *composition["section"]]:
        etree.fromstring(one["text"]["div"])
    assert faults(made) == []


PLANTED = st.from_regex(r"\A[A-Z]{3}[0-9]{7}\Z")


@given(st.lists(PLANTED, min_size=6, max_size=6, unique=True), st.sampled_from(NAMES))
def test_what_stays_in_the_house_is_in_no_rendering(planted: list[str], name: str) -> None:
    local, initials, reference, form, who, procedure = planted
    report = everyone()[name]
    report = replace(
        report,
        subject=replace(report.subject, local_reference=local, initials=initials),
        events=tuple(replace(one, reference=f"AdverseEvent/{reference}") for one in report.events),
        procedure=replace(report.procedure, reference=f"Procedure/{procedure}") if report.procedure else None,
        form=f"QuestionnaireResponse/{form}",
        changes=(Change(who, "2026-07-06", "made", State.DRAFT, who),),
    )
    kept = {reference, form, who, procedure} | (
        {local, initials} if report.branch is Branch.DEVICE else set()
    )
    for renderer in RENDERERS:
        text = renderer(report, SITE, MATERIAL).body.decode()
        assert [one for one in kept if one in text] == [], renderer.__name__


def test_a_medicine_report_carries_its_local_reference_for_the_reporter() -> None:
    told = json.loads(structured(medicine(), SITE, MATERIAL).body)
    (patient,) = [one for one in told["sections"] if one["id"] == "patient"]
    values = {one["id"]: one["value"] for one in patient["fields"]}
    assert values == {
        "patient.age": None,
        "patient.age-band": "60-69",
        "patient.sex": {"code": "male", "display": "Male"},
        "patient.weight": None,
        "patient.local-reference": "L-2",
        "patient.initials": "BE",
    }


def test_suggestions_name_annex_release_and_condition() -> None:
    found = suggestions(device(), MATERIAL.maps, MATERIAL.form, MATERIAL.words)
    assert [(one.annex, one.code, one.release, one.closeness) for one in found] == [
        ("A", "A010402", "2024", "a related term"),
        ("F", "F08", "2024", "the same meaning"),
        ("F", "F23", "2024", "a related term"),
        ("F", "F19", "2024", "a related term"),
    ]


def test_a_leak_without_symptoms_may_have_no_clinical_sign() -> None:
    event = replace(device().events[0], symptomatic=False)
    found = suggestions(replace(device(), events=(event,)), MATERIAL.maps, MATERIAL.form, MATERIAL.words)
    assert "E2403" in [one.code for one in found]


def test_what_happened_to_nobody_has_no_sign_and_no_impact() -> None:
    event = replace(device().events[0], actuality="potential")
    found = suggestions(replace(device(), events=(event,)), MATERIAL.maps, MATERIAL.form, MATERIAL.words)
    assert {one.annex for one in found} == {"A"}


def test_a_faulty_device_is_not_said_to_have_no_fault() -> None:
    event = replace(device().events[0], term=Code(TERMS, "infection", "Infection"))
    sound = replace(device(), events=(event,))
    faulty = replace(sound, devices=(replace(device().devices[0], fault=True),))
    found = [
        [one.code for one in suggestions(report, MATERIAL.maps, MATERIAL.form, MATERIAL.words)]
        for report in (sound, faulty)
    ]
    assert found == [["A24", "E1906", "F08", "F23", "F19"], ["E1906", "F08", "F23", "F19"]]


def test_a_medicine_gets_no_device_terms() -> None:
    assert suggestions(medicine(), MATERIAL.maps, MATERIAL.form, MATERIAL.words) == ()


def test_suggestions_are_never_in_the_coding_of_the_event() -> None:
    made = bundle(device(), SITE, MATERIAL)
    systems = set(re.findall(r'"system":"([^"]*imdrf[^"]*)"', encode(made).decode()))
    assert systems == set()


def test_a_row_of_csv_for_each_event_in_stable_columns() -> None:
    two = replace(device(), events=(*device().events, near_miss().events[0]))
    rows = list(csv.DictReader(io.StringIO(write([two, medicine()], MATERIAL.words).decode(), newline="")))
    assert [(row["case"], row["event_number"], row["event_code"]) for row in rows] == [
        ("GB-RX999-0001", "1", "cement-leak"),
        ("GB-RX999-0001", "2", "device-fault"),
        ("GB-RX999-0002", "1", "anaphylaxis"),
    ]
    assert tuple(rows[0]) == COLUMNS
    assert rows[2]["yellow_card_reference"] == "YC-2026-000123"


FORMULA = st.text(alphabet="=+-@\t\r\n \u00a0＝＋－＠|%A1\"',;", max_size=12)


@given(FORMULA)
def test_no_cell_is_a_formula(text: str) -> None:
    body = write([replace(device(), narrative=text, decided_by=text)], MATERIAL.words).decode()
    (row,) = csv.DictReader(io.StringIO(body, newline=""))
    for cell in row.values():
        assert not cell.lstrip(" \u00a0").startswith(
            ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
        )
    assert row["narrative"].removeprefix("'") in (text, text.removeprefix("'"))


def test_references_come_back_from_an_incident_system() -> None:
    text = "\ufeffcase,other,yellow_card_reference\r\nA-1,x,YC-1\r\nA-2,x,\r\nA-1,y,YC-1\r\n"
    assert read_references(text) == (("A-1", "YC-1"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column case and no column yellow_card_reference"),
        ("case\nA-1\n", "no column yellow_card_reference"),
        ("case,yellow_card_reference\nA-1,YC-1\nA-1,YC-2\n", "line 3 gives case A-1 another reference"),
        ('case,yellow_card_reference\n"A-1,YC-1\n', "cannot be read"),
    ],
)
def test_references_that_cannot_be_told_apart_are_refused(text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        read_references(text)


def test_the_yellow_card_reference_travels_both_ways_as_data() -> None:
    (made,) = adverse_events(medicine(), MATERIAL)
    assert read_reference(made, BASE) == "YC-2026-000123"
    with pytest.raises(Refused, match="carries no Yellow Card reference"):
        read_reference(adverse_events(device(), MATERIAL)[0], BASE)


def test_several_events_are_a_collection_of_resources_that_stand_alone() -> None:
    two = replace(device(), events=(*device().events, near_miss().events[0]))
    made = json.loads(adverse_event(two, SITE, MATERIAL).body)
    assert (made["resourceType"], made["type"], len(made["entry"])) == ("Bundle", "collection", 2)
    identifiers = [one["resource"]["identifier"]["value"] for one in made["entry"]]
    assert identifiers == ["GB-RX999-0001/event-1", "GB-RX999-0001/event-2"]
    assert faults(made) == []


def test_a_case_cannot_lead_a_file_out_of_its_folder() -> None:
    for renderer in RENDERERS:
        name = renderer(replace(device(), case="../../etc/passwd"), SITE, MATERIAL).file_name
        assert "/" not in name
        assert not name.startswith(".")


def bare(report: SafetyReport) -> SafetyReport:
    return replace(
        report,
        subject=Subject(),
        events=(replace(report.events[0], term=Code(TERMS, "other", None), text="?"),),
    )


@pytest.mark.parametrize("name", NAMES)
def test_least_is_enough_for_every_rendering(name: str) -> None:
    report = replace(
        bare(everyone()[name]), procedure=None, devices=(), medicines=(), received=None, updated=None
    )
    for renderer in RENDERERS:
        assert renderer(report, SITE, MATERIAL).body
    assert faults(bundle(report, SITE, MATERIAL)) == []
