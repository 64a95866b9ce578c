"""The toy guidance runs every journey on the unchanged engine: nothing but data was added."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from service.adapters import content as published
from service.app import build, log_to
from service.settings import Settings
from tests.second_guidance import BASE, PROFILES, form
from tests.web.conftest import FHIR_JSON, Client, resources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUBMIT = "/fhir/QuestionnaireResponse/$submit"
PLAN = "/fhir/PlanDefinition/toy-watering-plan"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        log_to(nowhere, "error")
        settings = Settings(database_url=f"sqlite:///{tmp_path}/toy.sqlite3", content=str(PROFILES))
        with Client(build(settings)) as made:
            yield made
    structlog.reset_defaults()


def watering(**more: Any) -> dict[str, Any]:
    identifier = {"system": "https://toy.example.org/forms", "value": "w-1"}
    return form(plant="cactus", soil__dry=True) | {"identifier": identifier} | more


def mishaps(*terms: str, **more: Any) -> dict[str, Any]:
    system = f"{BASE}/CodeSystem/toy-mishaps"
    groups = [
        {
            "linkId": "mishap",
            "item": [
                {"linkId": "mishap.term", "answer": [{"valueCoding": {"system": system, "code": term}}]}
            ],
        }
        for term in terms
    ]
    return {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": "https://toy.example.org/forms", "value": "m-1"},
        "questionnaire": f"{BASE}/Questionnaire/toy-follow-up|1999.1.0",
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "authored": "1999-02-08T10:00:00Z",
        "item": [{"linkId": "drops", "answer": [{"valueInteger": 12}]}, *groups],
    } | more


def post(client: Client, url: str, resource: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(url, content=json.dumps(resource), headers=FHIR_JSON)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def codes(concept: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in concept["coding"]]


def htg117(*arguments: str, given: object = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        input=None if given is None else json.dumps(given),
        env={**os.environ, "HTG117_CONTENT": str(PROFILES)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_content_is_served_as_it_lies_on_disk(client: Client) -> None:
    for one in published.load((PROFILES,)).published:
        assert client.get(f"/fhir/{one.type}/{one.id}").content == one.body
    capability = client.get("/fhir/metadata").json()
    assert "PlanDefinition" in {entry["type"] for entry in capability["rest"][0]["resource"]}
    page = client.get("/").text
    assert "Toy guidance: watering" in page
    assert "HTG117" not in page
    assert "<h1>Toy guidance</h1>" in page


def test_a_completed_form_comes_to_its_outcome(client: Client) -> None:
    made = post(client, SUBMIT, watering())
    types = [entry["resource"]["resourceType"] for entry in made["entry"]]
    assert types == ["QuestionnaireResponse", "Observation", "GuidanceResponse", "CarePlan", "Provenance"]
    _, outcome, guidance, plan, _ = (entry["resource"] for entry in made["entry"])
    assert codes(outcome["code"]) == ["watering-outcome"]
    assert codes(outcome["valueCodeableConcept"]) == ["water-it"]
    truths = {codes(one["code"])[0]: codes(one["valueCodeableConcept"])[0] for one in outcome["component"]}
    assert truths == {"is-alive": "met", "is-dry": "met"}
    assert [note["text"] for note in outcome["note"]] == ["Cacti need little. A cactus needs little water."]
    assert (guidance["status"], guidance["moduleCanonical"]) == (
        "success",
        f"{BASE}/PlanDefinition/toy-watering-plan|1999.1.0",
    )
    assert guidance["reasonReference"] == [{"reference": f"Observation/{outcome['id']}"}]
    assert plan["title"] == "Toy guidance: watering"


def test_a_missing_answer_is_not_known_and_a_task_is_proposed(client: Client) -> None:
    entries = post(client, SUBMIT, watering(item=form(plant="fern")["item"]))["entry"]
    _, outcome, guidance, plan, _ = (entry["resource"] for entry in entries)
    assert codes(outcome["valueCodeableConcept"]) == ["look-again"]
    assert guidance["status"] == "data-required"
    assert [one["resourceType"] for one in plan["contained"]].count("Task") == 1


def test_a_follow_up_comes_to_observations_and_events_and_an_amendment_takes_one_back(client: Client) -> None:
    made = [entry["resource"] for entry in post(client, SUBMIT, mishaps("flood", "spill"))["entry"]]
    types = [one["resourceType"] for one in made]
    assert (types.count("AdverseEvent"), types.count("Observation")) == (2, 3)
    drops = next(one for one in made if one["resourceType"] == "Observation" and "focus" not in one)
    assert (codes(drops["code"]), drops["valueInteger"]) == (["drops"], 12)
    amended = [
        entry["resource"] for entry in post(client, SUBMIT, mishaps("flood", status="amended"))["entry"]
    ]
    marked = [one for one in amended if one.get("status") == "entered-in-error"]
    assert [codes(one["valueCodeableConcept"]) for one in marked] == [["spill"]]
    gone = next(one for one in made if one["resourceType"] == "AdverseEvent" and "spill" in str(one))
    assert client.get(f"/fhir/AdverseEvent/{gone['id']}").status_code == 410


def test_extract_populate_and_apply_store_nothing(client: Client) -> None:
    extracted = post(client, "/fhir/QuestionnaireResponse/$extract", mishaps("flood"))
    assert [entry["resource"]["resourceType"] for entry in extracted["entry"]].count("AdverseEvent") == 1
    patient = {"resourceType": "Patient", "id": "1", "name": [{"family": "Gardener"}]}
    context = {
        "name": "context",
        "part": [{"name": "name", "valueString": "patient"}, {"name": "content", "resource": patient}],
    }
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "subject", "valueReference": {"reference": "Patient/1"}}, context],
    }
    filled = post(client, "/fhir/Questionnaire/toy-watering/$populate", asked)["parameter"][0]["resource"]
    answers = {
        item["linkId"]: item["answer"][0]["valueString"] for item in filled["item"] if "answer" in item
    }
    assert answers == {"owner": "Gardener"}
    data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": watering()}]}
    call = {
        "resourceType": "Parameters",
        "parameter": [{"name": "subject", "valueString": "Patient/1"}, {"name": "data", "resource": data}],
    }
    assert post(client, f"{PLAN}/$apply", call)["resourceType"] == "CarePlan"
    bundle = post(client, f"{PLAN}/$r5.apply", call)
    assert bundle["entry"][0]["resource"]["resourceType"] == "RequestGroup"
    for type_ in ("QuestionnaireResponse", "Observation", "AdverseEvent", "CarePlan"):
        assert resources(client.get(f"/fhir/{type_}")) == []


def test_its_terminology_answers(client: Client) -> None:
    expanded = client.get("/fhir/ValueSet/toy-plants/$expand").json()
    assert [one["code"] for one in expanded["expansion"]["contains"]] == ["fern", "cactus", "plastic"]
    looked = client.get(f"/fhir/CodeSystem/$lookup?system={BASE}/CodeSystem/toy-mishaps&code=flood").json()
    display = next(one["valueString"] for one in looked["parameter"] if one["name"] == "display")
    assert display == "Flood"


def test_a_form_of_another_guidance_is_not_known_here(client: Client) -> None:
    other = watering(questionnaire="https://htg117.example/fhir/Questionnaire/htg117-eligibility|2006.1.0")
    assert client.post(SUBMIT, json=other, headers=FHIR_JSON).status_code == 422


def test_the_command_line_assesses_explains_and_checks() -> None:
    assessed = htg117("assess", given=watering())
    assert (assessed.returncode, assessed.stderr) == (0, "")
    assert codes(json.loads(assessed.stdout)["valueCodeableConcept"]) == ["water-it"]
    explained = htg117("explain")
    assert explained.returncode == 0
    assert [said in explained.stdout for said in ("The plant is alive", "Water it", "HTG117")] == [
        True,
        True,
        False,
    ]
    checked = htg117("check")
    assert (checked.returncode, checked.stdout) == (
        0,
        f"{len(list(PROFILES.glob('*.json')))} resources, no fault\n",
    )


def test_it_is_packaged_under_the_base_of_whoever_publishes_it(tmp_path: Path) -> None:
    file = tmp_path / "toy.tgz"
    made = htg117("package", "--output", str(file), "--canonical-base", "https://garden.example.org/fhir")
    assert made.returncode == 0, made.stderr
    with tarfile.open(fileobj=io.BytesIO(file.read_bytes())) as archive:
        held = {name: archive.extractfile(name) for name in archive.getnames()}
        plan = held["package/PlanDefinition-toy-watering-plan.json"]
        assert plan is not None
        url = json.loads(plan.read())["url"]
    assert url == "https://garden.example.org/fhir/PlanDefinition/toy-watering-plan"
    assert {"package/package.json", "package/.index.json"} <= set(held)
