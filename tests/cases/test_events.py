"""Every case that expects events: which adverse events and observations a form comes to, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from service.adapters.content import load
from service.fhir import validation
from service.fhir.concepts import Terminology
from service.fhir.extraction import extract
from service.operations.terms import Terms
from tests.cases import Case, read, response

CONTENT = load()
TERMS = Terms(Terminology(CONTENT.resolve))
TEMPERATURE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Observation-VitalSigns-BodyTemperature"
CASES = list(read("htg117", "events"))

Resource = dict[str, Any]


def codes(concept: Resource) -> list[str]:
    return [coding["code"] for coding in concept["coding"]]


def spoken(event: Resource, seen: Resource) -> dict[str, Any]:
    """An event and what was seen of it, in the words of the cases; the two must agree."""
    assert seen["valueCodeableConcept"] == event["event"]
    said: dict[str, Any] = {"term": codes(event["event"])[0]}
    if event["event"].get("text") != event["event"]["coding"][0]["display"]:
        said["says"] = event["event"]["text"]
    if "bodySite" in seen:
        said["at"] = codes(seen["bodySite"])[0]
    if "note" in seen:
        said["note"] = "; ".join(note["text"] for note in seen["note"])
    if "date" in event and seen["effectiveDateTime"] == event["date"] and "T" in event["date"]:
        said["onset"] = event["date"]
    if "seriousness" in event:
        [said["serious"]] = codes(event["seriousness"])
    for component in seen["component"]:
        name = codes(component["code"])[0].removeprefix("event-")
        value = next(component[key] for key in component if key.startswith(("value", "dataAbsent")))
        told = codes(value)[0] if isinstance(value, dict) else value
        said[name] = f"{said[name]}, {told}" if name in said else told
    suspected = [one["instance"]["display"] for one in event.get("suspectEntity", ())]
    if suspected:
        said["suspected"] = ", ".join(suspected)
    for name in ("severity", "outcome"):
        assert (name in event) == (name in said)
        assert name not in event or codes(event[name]) == [said[name]]
    assert event["actuality"] == said.get("actuality", "actual")
    return said


def measured(seen: Resource) -> str:
    if "valueInteger" in seen:
        return str(seen["valueInteger"])
    return f"{seen['valueQuantity']['value']} {seen['valueQuantity']['code']}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_form_comes_to_what_the_case_says(case: Case) -> None:
    published = CONTENT.read("Questionnaire", case.form)
    assert published is not None
    form = response(case, published.resource)
    issues = validation.check(form, questionnaire=published.resource, resolve=CONTENT.resolve)
    assert [str(issue) for issue in issues if issue.fails] == []
    found = extract(
        form | {"id": "case"},
        published.resource,
        new_id=lambda key: f"urn:{key}",
        resolve=CONTENT.resolve,
        terminology=TERMS,
    )
    assert not found.fails
    by_url = {entry.get("fullUrl"): entry["resource"] for entry in found.bundle.get("entry", ())}
    made = [entry["resource"] for entry in found.bundle.get("entry", ())]
    about = {one["focus"][0]["reference"]: one for one in made if "focus" in one}
    events = {url: one for url, one in by_url.items() if one["resourceType"] == "AdverseEvent"}
    assert set(about) == set(events)
    assert [spoken(event, about[str(url)]) for url, event in events.items()] == case.expect["events"]
    plain = [one for one in made if one["resourceType"] == "Observation" and "focus" not in one]
    if "observations" in case.expect:
        assert {codes(one["code"])[0]: measured(one) for one in plain} == case.expect["observations"]
    for one in plain:
        assert (TEMPERATURE in one["meta"]["profile"]) == (codes(one["code"])[0] == "8310-5")
    if "asks" in case.expect:
        asked = [issue.key for issue in issues if issue.key not in ("dom-6", None)]
        assert asked == case.expect["asks"]


def test_each_selectable_term_has_a_case_and_no_other_term_comes_out() -> None:
    system = CONTENT.read("CodeSystem", "htg117-event-terms")
    assert system is not None
    selectable = {
        concept["code"]
        for concept in system.resource["concept"]
        if {"code": "selectable", "valueBoolean": True} in concept["property"]
    }
    assert {event["term"] for case in CASES for event in case.expect["events"]} == selectable


def test_each_term_of_a_case_cites_its_paragraph() -> None:
    for case in CASES:
        for event in case.expect["events"]:
            assert event["paragraph"][0].isdigit() or event["paragraph"].startswith("project"), str(case)
