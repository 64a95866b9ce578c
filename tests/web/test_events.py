"""Follow-up forms submitted: their Observations and AdverseEvents, and what an amendment does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.web.conftest import BASE, FHIR_JSON, coded, resources

if TYPE_CHECKING:
    from tests.web.conftest import Client

SUBMIT = "/fhir/QuestionnaireResponse/$submit"


def event(term: str) -> dict[str, Any]:
    return {"linkId": "event", "item": [coded("event.term", term, "htg117-event-terms")]}


def follow_up(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A completed follow-up form of a synthetic patient."""
    temperature = {
        "value": 38.5,
        "unit": "degree Celsius",
        "system": "http://unitsofmeasure.org",
        "code": "Cel",
    }
    return {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": "https://ehr.example.org/forms", "value": "u-1"},
        "questionnaire": f"{BASE}/Questionnaire/htg117-follow-up|2006.1.0",
        "status": "completed",
        "subject": {"reference": "Patient/9990000018"},
        "authored": "2026-07-10T10:00:00+01:00",
        "item": [
            {"linkId": "follow-up.date", "answer": [{"valueDate": "2026-07-10"}]},
            coded("follow-up.status", "seen", "htg117-follow-up-status"),
            {"linkId": "temperature", "answer": [{"valueQuantity": temperature}]},
            *events,
        ],
    } | more


def submit(client: Client, form: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post(SUBMIT, json=form, headers=FHIR_JSON)
    assert answer.status_code == 200, answer.text
    return [one for one in resources(answer) if one["resourceType"] != "OperationOutcome"]


def test_each_event_becomes_an_adverse_event_and_an_observation_about_it(client: Client) -> None:
    found = submit(client, follow_up(event("fever"), event("cement-leak")))
    types = [one["resourceType"] for one in found]
    assert types.count("AdverseEvent") == 2
    assert types.count("Observation") == 3
    form = f"QuestionnaireResponse/{found[0]['id']}"
    events = {f"AdverseEvent/{one['id']}" for one in found if one["resourceType"] == "AdverseEvent"}
    about = {one["focus"][0]["reference"] for one in found if "focus" in one}
    assert about == events
    derived = [one["derivedFrom"][0]["reference"] for one in found if one["resourceType"] == "Observation"]
    assert derived == [form] * 3
    assert client.get("/fhir/AdverseEvent?subject=Patient/9990000018").json()["total"] == 2


def test_an_event_taken_out_is_deleted_and_its_observation_marked(client: Client) -> None:
    first = submit(client, follow_up(event("fever"), event("cement-leak")))
    leak = next(one for one in first if one["resourceType"] == "AdverseEvent" and "leak" in str(one["event"]))
    amended = submit(client, follow_up(event("fever"), status="amended"))
    marked = [one for one in amended if one.get("status") == "entered-in-error"]
    assert [one["focus"][0]["reference"] for one in marked] == [f"AdverseEvent/{leak['id']}"]
    gone = client.get(f"/fhir/AdverseEvent/{leak['id']}")
    assert (gone.status_code, gone.json()["issue"][0]["code"]) == (410, "deleted")
    history = client.get(f"/fhir/AdverseEvent/{leak['id']}/_history").json()["entry"]
    assert [entry["request"]["method"] for entry in history] == ["DELETE", "POST"]
    assert client.get(f"/fhir/AdverseEvent/{leak['id']}/_history/1").json() == leak
    again = submit(client, follow_up(event("fever"), event("cement-leak"), status="amended"))
    back = next(one for one in again if one["id"] == leak["id"])
    assert back["meta"]["versionId"] == "3"


def test_a_form_is_extracted_without_being_stored(client: Client) -> None:
    answer = client.post(
        "/fhir/QuestionnaireResponse/$extract", json=follow_up(event("fever")), headers=FHIR_JSON
    )
    bundle = answer.json()
    assert (bundle["resourceType"], bundle["type"], len(bundle["entry"])) == ("Bundle", "transaction", 3)
    assert client.get("/fhir/Observation?_summary=count").json()["total"] == 0
    stored = submit(client, follow_up(event("fever")))[0]
    by_instance = client.get(f"/fhir/QuestionnaireResponse/{stored['id']}/$extract").json()
    assert [entry["resource"]["resourceType"] for entry in by_instance["entry"]] == [
        entry["resource"]["resourceType"] for entry in bundle["entry"]
    ]


def told(term: str, words: str) -> dict[str, Any]:
    """An event with its narrative."""
    return {
        "linkId": "event",
        "item": [*event(term)["item"], {"linkId": "event.narrative", "answer": [{"valueString": words}]}],
    }


def by_words(found: list[dict[str, Any]]) -> dict[str, str]:
    """Ids of the AdverseEvents and of the Observations about them, by the narrative that they carry."""
    return {
        f"{one['resourceType']} {words}": one["id"]
        for one in found
        for words in ("first", "second", "third")
        if one.get("status") != "entered-in-error"
        and (one["resourceType"] == "AdverseEvent" or "focus" in one)
        and f"the {words}" in str(one)
    }


def test_of_two_like_events_the_one_that_stays_keeps_its_id(client: Client) -> None:
    """An external reference to an adverse event must not come to lead to another one."""
    first, second, third = (told("fever", f"the {words}") for words in ("first", "second", "third"))
    before = by_words(submit(client, follow_up(first, second)))
    after = by_words(submit(client, follow_up(second, status="amended")))
    assert after.items() <= before.items()
    assert after
    more = by_words(submit(client, follow_up(third, second, status="amended")))
    assert {name: id_ for name, id_ in more.items() if "second" in name} == after
    assert len(set(more.values())) == len(more)
