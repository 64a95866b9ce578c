"""What the published forms become: adverse events, observations, the procedure and its devices."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from service.fhir.extraction import check, extract
from tests.content import content
from tests.content.test_form_constraints import answer, event, group

FORM = {"reference": "QuestionnaireResponse/f1", "display": "HTG117 follow-up record"}
PROCEDURE = {"reference": "Procedure/p9"}
TERMS = [
    (concept["code"], next((p["valueString"] for p in concept["property"] if p["code"] == "paragraph"), None))
    for concept in content.resource("CodeSystem", "htg117-event-terms")["concept"]
    if concept["code"] != "symptomatic-cement-leak"
]
SAME = {
    element["code"]: target["code"]
    for element in content.resource("ConceptMap", "htg117-event-terms-snomed")["group"][0]["element"]
    for target in element["target"]
    if target["equivalence"] == "equivalent"
}


def response(name: str, *items: content.Resource, **more: Any) -> content.Resource:
    """A completed form; its codings get the system and display that the form gives them."""
    form = content.resource("Questionnaire", name)
    options = {
        (item["linkId"], option["valueCoding"]["code"]): option["valueCoding"]
        for _, item in content.nodes(form)
        if isinstance(item, dict) and "linkId" in item
        for option in item.get("answerOption", ())
    }
    made = {
        "resourceType": "QuestionnaireResponse",
        "id": "f1",
        "questionnaire": form["url"],
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "authored": "2026-05-04T10:00:00+01:00",
        "author": {"reference": "Practitioner/d1"},
        "item": list(items),
    } | more
    for _, value in content.nodes(made):
        if isinstance(value, dict) and "answer" in value:
            for each in value["answer"]:
                code = each.get("valueCoding", {}).get("code")
                if code in ("A", "B", "C"):  # words, in a fixture
                    del each["valueCoding"]
                    each["valueString"] = code
                elif code:
                    each["valueCoding"] = options[value["linkId"], code]
    return made


def follow_up(*items: content.Resource, **more: Any) -> content.Resource:
    """A completed follow-up of a procedure."""
    return response("htg117-follow-up", *items, **({"partOf": [PROCEDURE]} | more))


def extracted(form: content.Resource) -> list[content.Resource]:
    """The resources that a form becomes, each with the url that the Bundle gives it."""
    questionnaire = content.resource("Questionnaire", form["questionnaire"].rsplit("/", 1)[1])

    def allocate(key: str) -> str:
        return f"urn:uuid:{uuid5(NAMESPACE_URL, key)}"

    found = extract(form, questionnaire, new_id=allocate)
    said = [issue.message for issue in found.issues]
    assert said == ([] if found.entries else ["nothing is extracted: the form has no answers to extract"])
    return [entry["resource"] | {"url": entry.get("fullUrl")} for entry in found.bundle.get("entry", ())]


def codes(concept: content.Resource) -> list[str]:
    """The codes of a concept."""
    return [coding["code"] for coding in concept["coding"]]


def components(observation: content.Resource) -> list[tuple[str, Any]]:
    """The components of an observation: code, and value as code, or what stands for it."""
    found = []
    for each in observation["component"]:
        value = next(each[name] for name in each if name.startswith(("value", "dataAbsent")))
        found.append((codes(each["code"])[0], codes(value)[0] if isinstance(value, dict) else value))
    return found


def of(kind: str, resources: list[content.Resource]) -> list[content.Resource]:
    """Those of one type."""
    return [each for each in resources if each["resourceType"] == kind]


def test_the_templates_are_without_fault() -> None:
    for form in content.resources("Questionnaire"):
        assert check(form) == ()


@pytest.mark.parametrize(("term", "paragraph"), TERMS)
def test_every_term_becomes_an_adverse_event_and_an_observation_of_it(
    term: str, paragraph: str | None
) -> None:
    adverse, observation = extracted(follow_up(event(answer("event.term", term))))
    expected = [term, *([SAME[term]] if term in SAME else [])]
    assert (adverse["resourceType"], codes(adverse["event"]), adverse["actuality"]) == (
        "AdverseEvent",
        expected,
        "actual",
    )
    assert adverse["extension"] == [
        {"url": f"{content.BASE}/StructureDefinition/derived-from-form", "valueReference": FORM}
    ]
    assert [
        name for name in ("seriousness", "severity", "outcome", "date", "suspectEntity") if name in adverse
    ] == []
    assert codes(observation["valueCodeableConcept"]) == expected
    assert codes(observation["code"]) == ["adverse-event"]
    assert observation["focus"][0]["reference"] == adverse["url"]
    assert (observation["derivedFrom"], observation["partOf"]) == ([FORM], [PROCEDURE])
    assert components(observation) == [
        ("paragraph", paragraph or "project: not in HTG117"),
        ("event-seriousness", "unknown"),
        ("event-suspect", "unknown"),
    ]


def test_everything_said_of_an_event_is_kept() -> None:
    said = event(
        answer("event.term", "cement-leak"),
        answer("event.actuality", "potential"),
        answer("event.onset", "2026-05-02T08:00:00+01:00"),
        answer("event.recognised-date", "2026-05-03"),
        answer("event.severity", "mild"),
        answer("event.seriousness", "hospitalisation", "medically-important"),
        answer("event.outcome", "recovering"),
        answer("event.symptomatic", True),
        answer("event.leak-site", "venous"),
        answer("event.suspect", "cement", "medicine", "procedure-itself"),
        answer("event.suspect-reason", "A"),
        group("event.medicine", answer("event.medicine.name", "B"), answer("event.medicine.batch", "C")),
        group("event.device", answer("event.device.product", "A"), answer("event.device.lot", "B")),
        answer("event.device-fault", False),
        answer("event.device-location", "in-the-patient"),
        answer("event.medicine-defective", True),
        answer("event.narrative", "C"),
        group("event.yellow-card", answer("event.yellow-card.reference", "A")),
    )
    adverse, observation, device = extracted(follow_up(said))
    assert (adverse["actuality"], adverse["date"]) == ("potential", "2026-05-02T08:00:00+01:00")
    assert (adverse["detected"], adverse["recordedDate"]) == ("2026-05-03", "2026-05-04T10:00:00+01:00")
    graded = [codes(adverse[name]) for name in ("seriousness", "severity", "outcome")]
    assert graded == [["serious"], ["mild"], ["recovering"]]
    assert [each["instance"] for each in adverse["suspectEntity"]] == [
        {"reference": device["url"], "display": "A"},
        {"display": "B"},
        {"reference": "Procedure/p9", "display": "Percutaneous cementoplasty"},
    ]
    assert (device["lotNumber"], device["deviceName"][0]["name"], codes(device["type"])) == (
        "B",
        "A",
        ["cement"],
    )
    assert observation["note"] == [{"text": "C"}]
    assert observation["effectiveDateTime"] == "2026-05-02T08:00:00+01:00"
    assert components(observation) == [
        ("paragraph", "2.4.1"),
        ("event-actuality", "potential"),
        ("event-severity", "mild"),
        ("event-seriousness", "hospitalisation"),
        ("event-seriousness", "medically-important"),
        ("event-outcome", "recovering"),
        ("event-recognised", "2026-05-03"),
        ("event-symptomatic", True),
        ("event-leak-site", "venous"),
        ("event-suspect", "cement"),
        ("event-suspect", "medicine"),
        ("event-suspect", "procedure-itself"),
        ("event-suspect-reason", "A"),
        ("event-medicine", "B; C"),
        ("event-medicine-defective", True),
        ("event-device-fault", False),
        ("event-device-location", "in-the-patient"),
        ("event-yellow-card", "A"),
    ]


def test_an_event_said_not_to_be_serious_is_not_serious_and_another_event_has_its_words() -> None:
    said = event(
        answer("event.term", "other"), answer("event.other", "A"), answer("event.seriousness", "none")
    )
    adverse, observation = extracted(follow_up(said))
    assert codes(adverse["seriousness"]) == ["non-serious"]
    assert (adverse["event"]["text"], observation["valueCodeableConcept"]["text"]) == ("A", "A")


def test_a_group_that_only_filling_started_is_no_event() -> None:
    started = event(
        answer("event.actuality", "actual"), group("event.device", answer("event.device.lot", "A"))
    )
    assert extracted(follow_up(started)) == []


def test_measurements_become_their_own_observations() -> None:
    found = extracted(
        follow_up(
            answer("follow-up.date", "2026-05-03"),
            answer("pain.score", 2),
            answer("walking.score", 3),
            answer("temperature", 38),
            answer("creatinine", 120),
            answer("creatinine.baseline", 80),
            status="amended",
        )
    )
    assert [(codes(each["code"])[0], each["status"], each["effectiveDateTime"]) for each in found] == [
        ("38214-3", "amended", "2026-05-03"),
        ("walking-score", "amended", "2026-05-03"),
        ("8310-5", "final", "2026-05-03"),  # UK Core fixes it
        ("14682-9", "amended", "2026-05-03"),
    ]
    units = [(each.get("valueQuantity", {}).get("code"), each.get("valueInteger")) for each in found]
    assert units == [("{score}", None), (None, 3), ("Cel", None), ("umol/L", None)]


SITE = group(
    "site",
    answer("site.location", "acetabulum"),
    answer("cement.product", "A"),
    answer("cement.lot", "B"),
    answer("cement.antibiotic", True),
    answer("leak.occurred", True),
    answer("leak.action", "needle-repositioned"),
)


def test_a_procedure_its_cement_and_a_leak_at_a_site() -> None:
    form = response(
        "htg117-procedure",
        answer("procedure.date", "2026-05-01"),
        answer("procedure.guidance", "fluoroscopy"),
        SITE,
        group("site", answer("site.location", "vertebra"), answer("leak.occurred", False)),
    )
    procedure, device, adverse, observation = extracted(form)
    assert codes(procedure["code"]) == ["percutaneous-cementoplasty", "431312000"]
    assert procedure["performedDateTime"] == "2026-05-01"
    assert [codes(each) for each in procedure["bodySite"]] == [["acetabulum", "37783008"], ["vertebra"]]
    manipulated = {"type": "Device", "identifier": {"value": "B"}, "display": "A"}
    assert procedure["focalDevice"] == [{"manipulated": manipulated}]
    assert (device["lotNumber"], codes(device["type"])) == ("B", ["cement"])
    assert device["property"][0]["valueCode"] == [{"text": "Yes"}]
    assert (codes(adverse["event"]), adverse["date"]) == (["cement-leak"], "2026-05-01")
    assert adverse["suspectEntity"] == [{"instance": {"reference": device["url"], "display": "Bone cement"}}]
    assert observation["focus"][0]["reference"] == adverse["url"]
    assert observation["partOf"][0]["reference"] == procedure["url"]
    assert ("event-leak-action", "needle-repositioned") in components(observation)


@pytest.mark.parametrize(
    ("said", "leaks"),
    [
        ([], ["cement-leak"]),
        ([event(answer("event.term", "bleeding"))], ["cement-leak", "bleeding"]),
        ([event(answer("event.term", "cement-leak"))], ["cement-leak"]),
        ([event(answer("event.term", "intra-articular-leak"))], ["intra-articular-leak"]),
        (
            [event(answer("event.term", "cement-leak"), answer("event.actuality", "potential"))],
            ["cement-leak", "cement-leak"],
        ),
    ],
    ids=[
        "no event",
        "another event",
        "the leak itself",
        "a leak into a joint",
        "a near miss is not the leak",
    ],
)
def test_a_leak_at_a_site_is_an_event_unless_the_form_has_one(said: list[Any], leaks: list[str]) -> None:
    found = extracted(response("htg117-procedure", SITE, *said))
    assert [codes(each["event"])[0] for each in of("AdverseEvent", found)] == leaks
    assert len(of("Observation", found)) == len(leaks)


def test_on_the_table_the_suspected_cement_is_the_one_of_the_only_site_that_names_it() -> None:
    said = event(answer("event.term", "bleeding"), answer("event.suspect", "cement"))
    no_leak = group("site", answer("cement.product", "A"), answer("cement.lot", "B"))
    one = of("AdverseEvent", extracted(response("htg117-procedure", no_leak, said)))
    two = of("AdverseEvent", extracted(response("htg117-procedure", no_leak, no_leak, said)))
    named = {"type": "Device", "identifier": {"value": "B"}, "display": "A"}
    assert [each["instance"] for each in one[0]["suspectEntity"]] == [named]
    assert [each["instance"] for each in two[0]["suspectEntity"]] == [{"display": "Bone cement"}]


def test_a_procedure_form_with_nothing_answered_is_no_procedure() -> None:
    """A completed Procedure may not come of an empty form: nobody has said that one was done."""
    form = content.resource("Questionnaire", "htg117-procedure")
    empty = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{form['url']}|{form['version']}",
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "authored": "2026-01-01T10:00:00Z",
    }
    assert extract(empty, form, new_id=lambda name: f"urn:uuid:{uuid5(NAMESPACE_URL, name)}").entries == ()
    dated = empty | {"item": [{"linkId": "procedure.date", "answer": [{"valueDate": "2026-01-01"}]}]}
    found = extract(dated, form, new_id=lambda name: f"urn:uuid:{uuid5(NAMESPACE_URL, name)}").entries
    assert [entry.resource["resourceType"] for entry in found] == ["Procedure"]


@pytest.mark.parametrize("link", ["temperature", "creatinine"])
def test_a_unit_without_a_number_is_no_measurement(link: str) -> None:
    item = {"linkId": link, "answer": [{"valueQuantity": {"unit": "x", "code": "Cel"}}]}
    made = response("htg117-follow-up", item)
    form = content.resource("Questionnaire", "htg117-follow-up")
    assert extract(made, form, new_id=lambda name: f"urn:uuid:{uuid5(NAMESPACE_URL, name)}").entries == ()
