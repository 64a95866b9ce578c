"""``AdverseEvent/[id]/$yellow-card`` over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service.app import build
from service.settings import Settings
from tests.web.conftest import FHIR_JSON, Client, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FOLLOW_UP = ROOT / "profiles/htg117/examples/QuestionnaireResponse-example-follow-up.json"
SUSPECT = "https://htg117.example/fhir/CodeSystem/htg117-event-suspect"
Json = dict[str, Any]
LOCAL = (
    "Only this is suspected: The procedure itself, no product. That goes to local incident reporting; a "
    "person can decide otherwise and give the reason."
)


@pytest.fixture
def sited(tmp_path: Path) -> Iterator[Client]:
    """A client of a service whose site is the example's."""
    site = str(ROOT / "docs" / "examples" / "site.toml")
    with Client(build(Settings(database_url=f"sqlite:///{tmp_path}/records.sqlite3", site=site))) as made:
        yield made


def event(client: Client, *suspects: str, status: str = "completed", **more: str) -> str:
    """The AdverseEvent of the example's form with these suspects."""
    form: Json = json.loads(FOLLOW_UP.read_text("utf-8")) | {"status": status}
    group = form["item"][-1]["item"]
    group[-1]["answer"] = [{"valueCoding": {"system": SUSPECT, "code": one}} for one in suspects]
    group += [{"linkId": f"event.{name}", "answer": [{"valueString": text}]} for name, text in more.items()]
    answer = client.post("/fhir/QuestionnaireResponse/$submit", json=form, headers=FHIR_JSON)
    assert answer.status_code == 200, answer.text
    [found] = [one for one in resources(answer) if one["resourceType"] == "AdverseEvent"]
    return f"/fhir/AdverseEvent/{found['id']}"


def call(client: Client, address: str, **inputs: Any) -> Any:
    named = [
        {"name": name.replace("_", "-")} | ({"resource": one} if isinstance(one, dict) else {_key(name): one})
        for name, one in inputs.items()
    ]
    body = {"resourceType": "Parameters", "parameter": named}
    return client.post(f"{address}/$yellow-card", json=body, headers=FHIR_JSON)


def _key(name: str) -> str:
    return "valueCode" if name in ("branch", "instead_of") else "valueString"


def reports(answer: Any) -> list[Json]:
    """Each report's parts by name; a repeated one is a list."""
    assert answer.status_code == 200, answer.text
    return [_parts(one["part"]) for one in answer.json()["parameter"] if one["name"] == "report"]


def _parts(parts: list[Json]) -> Json:
    found: Json = {}
    for one in parts:
        value = _parts(one["part"]) if "part" in one else next(v for k, v in one.items() if k != "name")
        found.setdefault(one["name"], []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def test_an_event_is_drafted_with_its_branch_route_and_what_it_lacks(sited: Client) -> None:
    [found] = reports(call(sited, event(sited, "cement")))
    missing = found.pop("missing")
    case = found.pop("case")
    assert found == {
        "version": 1,
        "branch": "device",
        "state": "draft",
        "decided-by": "A suspected device (Bone cement) goes into a device report; suspicion is enough.",
        "seriousness": "non-serious",
        "route": {
            "name": "Yellow Card (MHRA)",
            "address": "https://yellowcard.mhra.gov.uk",
            "says": "Device incidents in England go to the Yellow Card website or app.",
        },
        "address": f"http://testserver/reports/{case}",
    }
    assert [one for one in missing if one["need"] == "minimum"] == [
        {
            "need": "minimum",
            "element": "one of: When it started, When it was recognised",
            "link-id": ["event.onset", "event.recognised-date"],
        },
        {"need": "minimum", "element": "Product name", "link-id": ["event.device.product", "cement.product"]},
        {
            "need": "minimum",
            "element": "Manufacturer",
            "link-id": ["event.device.manufacturer", "cement.manufacturer"],
        },
    ]


def test_the_same_call_again_answers_the_same(sited: Client) -> None:
    address = event(sited, "cement", "medicine")
    first = call(sited, address)
    assert [one["branch"] for one in reports(first)] == ["device", "medicine"]
    assert call(sited, address).content == first.content
    assert sited.post(f"{address}/$yellow-card").content == first.content


def test_what_is_not_known_is_asked_for(sited: Client) -> None:
    [found] = reports(call(sited, event(sited, "not-known")))
    assert (found["branch"], found["asks"], "route" in found) == ("unknown", "event.suspect", False)


def test_an_amended_form_is_followed(sited: Client) -> None:
    address = event(sited, "not-known")
    event(sited, "cement", status="amended")
    found = reports(call(sited, address))
    assert [(one["branch"], one["state"]) for one in found] == [("device", "draft"), ("unknown", "cancelled")]


def test_what_may_identify_is_said_by_its_place_and_not_repeated(sited: Client) -> None:
    address = event(sited, "cement", narrative="Zebedee, NHS 943 476 5919, was in pain")
    patient = {"resourceType": "Patient", "name": [{"given": ["Zebedee"]}], "birthDate": "1950-03-02"}
    answer = call(sited, address, patient=patient)
    [found] = reports(answer)
    assert found["identifying"] == [
        {"place": "narrative", "kind": "name"},
        {"place": "narrative", "kind": "nhs-number"},
    ]
    assert not any(word in answer.text for word in ("Zebedee", "943", "1950"))


def test_a_persons_decision_needs_a_name_and_a_reason(sited: Client) -> None:
    address = event(sited, "procedure-itself")
    assert call(sited, address, branch="device", instead_of="local").status_code == 400
    assert call(sited, address, branch="device", instead_of="local", who="Dr Bea").status_code == 400
    assert call(sited, address, reason="x").status_code == 400
    assert call(sited, address, branch="moon", who="Dr Bea", reason="x").status_code == 400
    assert call(sited, address, branch="device", who="Dr Bea", reason="x").status_code == 422
    assert (
        call(sited, address, branch="device", instead_of="medicine", who="Dr Bea", reason="x").status_code
        == 409
    )
    found = reports(
        call(sited, address, branch="device", instead_of="local", who="Dr Bea", reason="the needle bent")
    )
    assert [(one["branch"], one["state"], one["decided-by"]) for one in found] == [
        ("device", "draft", "Dr Bea decided on a device report: the needle bent"),
        ("local", "cancelled", LOCAL),
    ]


def test_an_event_that_is_not_there_and_one_that_is_gone(sited: Client) -> None:
    assert call(sited, "/fhir/AdverseEvent/none").status_code == 404
    address = event(sited, "cement")
    form = json.loads(FOLLOW_UP.read_text("utf-8")) | {"status": "entered-in-error"}
    sited.post("/fhir/QuestionnaireResponse/$submit", json=form, headers=FHIR_JSON)
    assert call(sited, address).status_code == 410
    assert sited.get(f"{address}/$yellow-card").status_code == 405


def test_internal_records_are_not_served(sited: Client) -> None:
    event(sited, "cement")
    for type_ in ("SafetyReport", "LocalReference"):
        assert sited.get(f"/fhir/{type_}").status_code == 404
        assert sited.get(f"/fhir/{type_}/x").status_code == 404
        assert sited.get(f"/fhir/{type_}/_history").status_code == 404
    served = {one["type"] for one in sited.get("/fhir/metadata").json()["rest"][0]["resource"]}
    assert not served & {"SafetyReport", "LocalReference"}


def test_without_a_site_the_route_of_a_device_is_not_known(client: Client) -> None:
    [found] = reports(call(client, event(client, "cement")))
    assert "route" not in found


@pytest.mark.parametrize("more", [{"name": "Zebedee"}, {"name": ["Zebedee"]}, {"identifier": {"value": 3}}])
def test_a_patient_that_is_no_fhir_is_refused(sited: Client, more: dict[str, Any]) -> None:
    answer = call(sited, event(sited, "cement"), patient={"resourceType": "Patient"} | more)
    assert answer.status_code == 422
    assert answer.json()["resourceType"] == "OperationOutcome"
