"""What is allowed is let through; the answer's messages, order and bounds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from service.fhir import validation
from tests.fhir.validation.samples import (
    BUNDLE,
    GONE,
    OBSERVATION,
    PATIENT,
    QUESTIONNAIRE,
    RESPONSE,
    SAMPLES,
    changed,
)
from tests.fhir.validation.test_base import ABSENT, CITIZEN, DIV, PLACE, held


@pytest.mark.parametrize("resource", SAMPLES, ids=lambda each: each["id"])
def test_a_sound_resource_has_no_issues(resource: dict[str, Any]) -> None:
    assert validation.check(resource, resolve=held) == ()


@pytest.mark.parametrize(
    ("resource", "changes"),
    [
        pytest.param(OBSERVATION, [("effectiveDateTime", "2024")], id="year"),
        pytest.param(OBSERVATION, [("effectiveDateTime", "2024-02-29T23:59:60.123+14:00")], id="leap second"),
        pytest.param(OBSERVATION, [("valueQuantity.value", Decimal("1E3"))], id="exponent"),
        pytest.param(OBSERVATION, [("valueQuantity.value", 5)], id="whole number"),
        pytest.param(OBSERVATION, [("valueQuantity.code", "{score}")], id="annotation"),
        pytest.param(OBSERVATION, [("subject", {"display": "someone"})], id="reference by display"),
        pytest.param(
            OBSERVATION, [("subject", {"identifier": {"value": "1"}})], id="reference by identifier"
        ),
        pytest.param(
            OBSERVATION, [("subject.reference", "http://example.org/fhir/Patient/1")], id="absolute"
        ),
        pytest.param(OBSERVATION, [("language", "en-GB")], id="language"),
        pytest.param(PATIENT, [("gender", GONE), ("_gender", ABSENT)], id="sibling in place of a value"),
        pytest.param(
            PATIENT,
            [("name.0.given", ["A", None]), ("name.0._given", [None, ABSENT])],
            id="null beside sibling",
        ),
        pytest.param(
            PATIENT, [("extension", [{"url": PLACE, "valueAddress": {"city": "x"}}])], id="extension"
        ),
        pytest.param(
            PATIENT,
            [
                (
                    "extension",
                    [{"url": CITIZEN, "extension": [{"url": "code", "valueCodeableConcept": {"text": "x"}}]}],
                )
            ],
            id="extension in parts",
        ),
        pytest.param(
            PATIENT, [("text.div", DIV.format("<!-- a --><b>a</b>&#160;"))], id="comment in narrative"
        ),
        pytest.param(
            OBSERVATION,
            [("contained", [{"resourceType": "Patient", "id": "p"}]), ("subject.reference", "#p")],
            id="contained",
        ),
        pytest.param(QUESTIONNAIRE, [("item.1.enableWhen.0.operator", "exists")], id="que-7 holds"),
        pytest.param(
            BUNDLE, [("entry.0.fullUrl", "http://example.org/Patient/synthetic")], id="http full URL"
        ),
    ],
)
def test_what_is_allowed_is_let_through(resource: dict[str, Any], changes: list[tuple[str, Any]]) -> None:
    made = changed(resource, *changes)
    if "entry" in made and made["type"] == "collection":
        made = changed(made, ("entry.1.resource.subject.reference", made["entry"][0]["fullUrl"]))
    assert [
        str(issue) for issue in validation.check(made, resolve=held) if issue.severity != "information"
    ] == []


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (None, "Resource"),
        (1, "Resource"),
        ([], "Resource"),
        ({}, "Resource"),
        ({"resourceType": "Foo"}, "Resource"),
        ({"resourceType": ["Patient"]}, "Resource"),
        ({"resourceType": "DomainResource"}, "Resource"),
    ],
)
def test_what_is_no_resource_is_said_to_be_none(value: Any, place: str) -> None:
    found = validation.check(value)
    assert [(issue.code, issue.expression) for issue in found] == [("structure", place)]


def test_messages_say_what_is_wrong_what_is_allowed_and_what_to_do() -> None:
    made = changed(OBSERVATION, ("status", "done"), ("subjct", "x"))
    assert [str(issue) for issue in validation.check(made)] == [
        (
            "Observation.status: 'done' is not in the value set "
            "http://hl7.org/fhir/ValueSet/observation-status; allowed: amended, cancelled, corrected, "
            "entered-in-error, final, preliminary, registered, unknown"
        ),
        "Observation.subjct: 'subjct' is no element of Observation; did you mean 'subject'?",
    ]


def test_a_faulty_value_is_cut_short_in_the_message() -> None:
    (issue,) = validation.check(
        changed(PATIENT, ("birthDate", "Ann Example, seen on the first of May, in clinic"))
    )
    assert issue.message.startswith("'Ann Example, seen on the first of May, i…' is no date")


def test_errors_come_first_and_the_rest_is_counted() -> None:
    entries = [{"url": f"https://example.org/{number}", "valueString": "x"} for number in range(150)]
    made = changed(PATIENT, ("extension", entries), ("gender", "x"))
    found = validation.check(made)
    assert (len(found), found[0].key, found[-1].message) == (
        100,
        "binding",
        "52 more issues are not listed; mend these first",
    )


def test_depth_is_bounded() -> None:
    item: dict[str, Any] = {"linkId": "x", "type": "group", "text": "x"}
    for _ in range(5000):
        item = {"linkId": "x", "type": "group", "text": "x", "item": [item]}
    codes = {issue.code for issue in validation.check({**QUESTIONNAIRE, "item": [item]})}
    assert "too-long" in codes


def test_a_structure_that_holds_itself_is_bounded() -> None:
    inner: dict[str, Any] = {"linkId": "x"}
    inner["item"] = [inner, inner]
    codes = {issue.code for issue in validation.check({**RESPONSE, "item": [inner]})}
    assert codes & {"too-long", "too-costly"}
