"""``$submit``: what is stored, that it is stored once, and how amendments and withdrawals leave it."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.conftest import FHIR_JSON, eligibility, resources

if TYPE_CHECKING:
    from tests.web.conftest import Client

SUBMIT = "/fhir/QuestionnaireResponse/$submit"


def submit(client: Client, form: dict[str, Any], **headers: str) -> Any:
    return client.post(SUBMIT, content=json.dumps(form), headers=FHIR_JSON | headers)


def seen(answer: Any) -> list[tuple[str, str, str]]:
    """Type, version and status of what was answered."""
    return [
        (one["resourceType"], one["meta"]["versionId"], one.get("status", "")) for one in resources(answer)
    ]


def pending(**more: Any) -> dict[str, Any]:
    form = copy.deepcopy(eligibility(**more))
    form["item"][8]["answer"][0]["valueCoding"]["code"] = "pending"
    return form


def test_a_form_is_stored_with_its_results_and_where_they_come_from(client: Client) -> None:
    answer = submit(client, eligibility())
    form, outcome, guidance, plan, provenance = resources(answer)
    assert answer.status_code == 200
    assert outcome["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{form['id']}"}]
    assert outcome["valueCodeableConcept"]["coding"][0]["code"] == "criteria-met"
    assert guidance["result"] == {"reference": f"CarePlan/{plan['id']}"}
    assert plan["subject"] == outcome["subject"] == form["subject"]
    assert provenance["target"] == [
        {"reference": f"{one['resourceType']}/{one['id']}"} for one in (form, outcome, guidance, plan)
    ]
    assert provenance["entity"][0]["what"] == {"reference": f"QuestionnaireResponse/{form['id']}/_history/1"}
    for entry in answer.json()["entry"]:
        assert client.get(entry["fullUrl"]).json() == entry["resource"]


def test_the_same_form_again_gives_the_same_resources(client: Client) -> None:
    first = resources(submit(client, eligibility()))
    again = submit(client, {"id": "other", **eligibility()})
    wrapped = {"resourceType": "Parameters",
               "parameter": [{"name": "questionnaire-response", "resource": eligibility()}]}  # fmt: skip
    assert (again.status_code, resources(again), resources(submit(client, wrapped))) == (200, first, first)
    assert client.get("/fhir/Provenance?_summary=count").json()["total"] == 1


def test_an_amendment_updates_what_follows_from_the_form(client: Client) -> None:
    first = resources(submit(client, eligibility()))
    unsaid = submit(client, pending())
    amended = submit(client, pending(status="amended"))
    assert (unsaid.status_code, "amended" in unsaid.text) == (409, True)
    assert seen(amended) == [
        ("QuestionnaireResponse", "2", "amended"), ("Observation", "2", "amended"),
        ("GuidanceResponse", "2", "data-required"), ("CarePlan", "2", "draft"), ("Provenance", "1", ""),
    ]  # fmt: skip
    assert [one["id"] for one in resources(amended)[:4]] == [one["id"] for one in first[:4]]
    assert seen(submit(client, pending(status="amended"))) == seen(amended)
    assert submit(client, eligibility()).status_code == 409


def test_a_withdrawn_form_leaves_nothing_that_counts(client: Client) -> None:
    submit(client, eligibility())
    withdrawn = submit(client, eligibility(status="entered-in-error"))
    assert {status for type_, _, status in seen(withdrawn) if type_ != "Provenance"} == {"entered-in-error"}
    assert client.get("/fhir/Observation?status=final").json()["total"] == 0
    assert submit(client, pending(status="amended")).status_code == 409


def test_a_form_without_identifier_is_told_by_its_id_and_source_or_by_its_content(client: Client) -> None:
    def plain(**more: Any) -> dict[str, Any]:
        return {key: value for key, value in eligibility(**more).items() if key != "identifier"}

    by_content = [resources(submit(client, plain())) for _ in range(2)]
    assert by_content[0] == by_content[1]
    refused = submit(client, plain(status="amended"))
    assert (refused.status_code, "identifier" in refused.text) == (422, True)
    one = submit(client, plain(id="7", meta={"source": "https://a.example.org"}))
    other = submit(client, plain(id="7", meta={"source": "https://b.example.org"}))
    ids = {resources(answer)[0]["id"] for answer in (one, other)} | {by_content[0][0]["id"]}
    assert len(ids) == 3
    ours = resources(one)[0] | {"status": "amended"}
    assert resources(submit(client, ours))[0]["meta"]["versionId"] == "2"


def test_an_amendment_may_not_change_the_patient(client: Client) -> None:
    submit(client, eligibility())
    moved = submit(client, eligibility(status="amended", subject={"reference": "Patient/2"}))
    assert (moved.status_code, "another patient" in moved.text) == (409, True)


def test_a_patient_may_be_known_by_identifier_alone(client: Client) -> None:
    subject = {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}}
    form, outcome, guidance, plan, _ = resources(submit(client, eligibility(subject=subject)))
    assert form["subject"] == outcome["subject"] == guidance["subject"] == plan["subject"] == subject
    by = "subject:identifier=https://fhir.nhs.uk/Id/nhs-number|9990000018"
    assert client.get(f"/fhir/Observation?{by}").json()["total"] == 1


@pytest.mark.parametrize(("tag", "status"), [('W/"1"', 200), ('W/"9"', 412), ("nonsense", 400)])
def test_if_match_guards_an_amendment(client: Client, tag: str, status: int) -> None:
    assert submit(client, eligibility()).headers["etag"] == 'W/"1"'
    assert submit(client, pending(status="amended"), **{"If-Match": tag}).status_code == status


def test_a_stored_draft_becomes_the_submitted_form(client: Client) -> None:
    draft = client.post(
        "/fhir/QuestionnaireResponse", json=eligibility(status="in-progress"), headers=FHIR_JSON
    )
    form = resources(submit(client, eligibility()))[0]
    assert (form["id"], form["meta"]["versionId"]) == (draft.json()["id"], "2")
