"""The table of fields: each row leads somewhere, and what a report lacks is named with what would fill it."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from service.domain.errors import ContentFault
from service.domain.safety_report import Branch, ReportedDevice, Reporter, Subject
from service.operations.report.entering import places
from service.yellow_card.fields import HELPFUL, MINIMUM, Missing, fill, missing, read_form
from service.yellow_card.renderers import read_material
from service.yellow_card.wording import say_age, say_date
from tests.yellow_card.rendering import NOW, device, everyone, material, medicine, near_miss, published

FORM = read_form(published().data["mappings/shared/device-report.json"])


def link_ids() -> set[str]:
    found: set[str] = set()
    waiting = [item for one in published().of_type("Questionnaire") for item in one.resource["item"]]
    while waiting:
        item = waiting.pop()
        found.add(item["linkId"])
        waiting += item.get("item", ())
    return found


def test_every_question_that_a_row_names_is_asked() -> None:
    named = {link for section in FORM.sections for row in section.fields for link in row.links}
    assert named - link_ids() == set()


def test_ids_are_unique_and_needs_are_known() -> None:
    rows = [row for section in FORM.sections for row in section.fields]
    assert len({row.id for row in rows}) == len(rows)
    assert {row.need for row in rows} == {"minimum", "helpful", "stated"}
    assert {need for row in rows for need in row.needs.values()} <= {"minimum", "helpful"}


def test_the_table_says_that_it_is_the_projects_own() -> None:
    assert FORM.standing == "project's own, to be checked against the live form"


@pytest.mark.parametrize("name", everyone())
def test_every_row_leads_to_a_field_of_the_report(name: str) -> None:
    report = everyone()[name]
    parts = fill(report, FORM)
    assert [part.section.id for part in parts if part.number == 1] == [
        section.id
        for section in FORM.sections
        if not section.branches or report.branch.value in section.branches
    ]


def test_every_path_that_is_named_may_be_entered() -> None:
    named = {
        re.sub(r"\.\d+\.", ".N.", step)
        for report in everyone().values()
        for one in missing(replace(report, subject=Subject(), reporter=Reporter()), FORM)
        for step in one.enter.split(" or ")
        if step
    }
    assert named - set(places()) == set()
    assert "devices.N.model" in named


def test_a_full_device_report_lacks_nothing_that_is_needed() -> None:
    assert missing(device(), FORM) == ()


def test_a_medicine_report_is_not_asked_about_what_is_only_told_of() -> None:
    asked = missing(medicine(), FORM)
    assert {one.place for one in asked if one.id.startswith("medicine.")} == {"medicine 1"}
    assert [one.id for one in asked if one.need == MINIMUM] == []


def test_what_a_near_miss_lacks_is_named_in_order_with_its_questions() -> None:
    asked = missing(near_miss(), FORM)
    assert [one for one in asked if one.need == MINIMUM] == [
        Missing(
            "date",
            "one of: When it started, When it was recognised",
            MINIMUM,
            ("event.onset", "event.recognised-date"),
            "events.0.onset or events.0.recognised",
            alternatives=("event.onset", "event.recognised"),
            section="What happened",
        ),
        Missing(
            "device.product",
            "Product name",
            MINIMUM,
            ("event.device.product", "cement.product"),
            "devices.0.product",
            section="The device",
        ),
        Missing(
            "device.manufacturer",
            "Manufacturer",
            MINIMUM,
            ("event.device.manufacturer", "cement.manufacturer"),
            "devices.0.manufacturer",
            section="The device",
        ),
        Missing("reporter.name", "Name", MINIMUM, enter="reporter.name", section="The reporter"),
        Missing(
            "contact",
            "one of: Telephone, E-mail",
            MINIMUM,
            enter="reporter.telephone or reporter.email",
            alternatives=("reporter.telephone", "reporter.email"),
            section="The reporter",
        ),
    ]
    assert {one.need for one in asked} == {MINIMUM, HELPFUL}


def test_a_device_report_without_a_device_asks_for_one() -> None:
    asked = missing(replace(device(), devices=()), FORM)
    assert {"device.product", "device.manufacturer"} == {one.id for one in asked if one.need == MINIMUM}


def test_two_devices_are_asked_about_apart() -> None:
    asked = missing(
        replace(device(), devices=(ReportedDevice(product="A"), ReportedDevice(manufacturer="B"))), FORM
    )
    assert [(one.id, one.place) for one in asked if one.need == MINIMUM] == [
        ("device.manufacturer", "device 1"),
        ("device.product", "device 2"),
    ]


@pytest.mark.parametrize(
    "subject",
    [
        Subject(age=Decimal(3)),
        Subject(age_band="60-69"),
        Subject(sex="female"),
        Subject(local_reference="L-1"),
    ],
)
def test_one_fact_about_the_patient_is_enough_for_a_medicine(subject: Subject) -> None:
    asked = missing(replace(medicine(), subject=subject), FORM)
    assert [one.id for one in asked if one.need == MINIMUM] == []


def test_none_is_not_enough_and_a_device_report_needs_none() -> None:
    asked = missing(replace(medicine(), subject=Subject()), FORM)
    assert [(one.id, one.alternatives) for one in asked if one.need == MINIMUM] == [
        ("patient", ("patient.age", "patient.sex", "patient.local-reference"))
    ]
    bare = missing(replace(device(), subject=Subject()), FORM)
    assert {one.need for one in bare} == {HELPFUL}


def test_a_reporter_needs_a_name_and_one_way_to_be_reached() -> None:
    asked = missing(replace(device(), reporter=Reporter(name="Dr A", email="a@example.org")), FORM)
    assert [one.id for one in asked if one.need == MINIMUM] == []


def test_seriousness_unanswered_is_asked_for_and_none_is_an_answer() -> None:
    event = device().events[0]
    unknown = replace(device(), events=(replace(event, seriousness=None),))
    none = replace(device(), events=(replace(event, seriousness=()),))
    assert [one.id for one in missing(unknown, FORM)] == ["event.seriousness"]
    assert missing(none, FORM) == ()


@pytest.mark.parametrize("branch", [Branch.LOCAL, Branch.UNKNOWN])
def test_a_report_for_nobody_is_asked_about_no_device(branch: Branch) -> None:
    asked = missing(replace(near_miss(), branch=branch), FORM)
    assert [one.id for one in asked if one.id.startswith(("device.", "medicine."))] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026", "2026"),
        ("2026-07", "July 2026"),
        ("2026-07-01", "1 July 2026"),
        ("2026-07-01T09:05:30+01:00", "1 July 2026, 09:05 UTC+01:00"),
        ("2026-07-01T09:05:00Z", "1 July 2026, 09:05 UTC"),
        ("2026-13-01", "2026-13-01"),
        ("soon", "soon"),
    ],
)
def test_dates_are_said_as_exactly_as_they_are(text: str, said: str) -> None:
    assert say_date(text) == said


def test_ages_are_said_with_their_unit() -> None:
    assert [say_age(Decimal(1), "a"), say_age(Decimal(18), "mo"), say_age(Decimal("2.5"), "wk")] == [
        "1 year", "18 months", "2.5 weeks",
    ]  # fmt: skip


def test_the_words_of_the_material_are_those_of_the_forms() -> None:
    words = material().words
    assert words["event.suspect"]["cement"].display == "Bone cement"
    assert words["event.seriousness"]["death"].system.endswith("/CodeSystem/htg117-event-seriousness")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.pop("sections"), "cannot be read: KeyError at 'sections'"),
        (lambda table: table["sections"][0]["fields"][0].pop("label"), "cannot be read: KeyError at 'label'"),
        (
            lambda table: table["sections"][1]["fields"][0].update(source="colour"),
            "'colour' of the field 'event.term' is nowhere in a report",
        ),
        (
            lambda table: table["sections"][6]["fields"][0].update(source="subject.name"),
            "'subject.name' of the field 'patient.age' is nowhere in a report",
        ),
    ],
)
def test_a_table_that_is_not_fit_stops_the_start(change: Any, said: str) -> None:
    data = copy.deepcopy(published().data)
    change(data["mappings/shared/device-report.json"])
    with pytest.raises(ContentFault) as fault:
        read_material(data, [], [], lambda: NOW, "", "")
    assert said in " ".join([str(fault.value), *map(str, fault.value.issues)])
