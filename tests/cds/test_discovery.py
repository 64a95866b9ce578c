"""Discovery: the services that the published plans give, and their prefetch templates."""

from __future__ import annotations

import re
from typing import Any

import pytest

from service.adapters import content as published
from service.adapters.content import Folder
from service.cds.calls import read_call
from service.cds.discovery import render_discovery, services_of
from service.cds.hooks import HOOKS
from service.cds.prefetch import filled, within_subset
from service.domain.errors import ContentFault
from tests.cds.requests import request
from tests.second_guidance import BASE, PROFILES

CONTENT = published.load()


def services(folder: Folder) -> Any:
    return services_of([one.resource for one in folder.of_type("PlanDefinition")], folder.resolve)


SERVICES = services(CONTENT)
PATIENT = "Patient/{{context.patientId}}"


@pytest.mark.requirement(
    "Discovery: the answer is an object with an array of services, empty when there are none"
)
def test_no_plans_no_services() -> None:
    assert render_discovery(services_of([], CONTENT.resolve)) == {"services": []}


def test_the_services_are_those_of_the_guidance() -> None:
    assert [(one.id, one.hook) for one in SERVICES] == [
        ("htg117-encounter-discharge", "encounter-discharge"),
        ("htg117-order-dispatch", "order-dispatch"),
        ("htg117-order-select", "order-select"),
        ("htg117-order-sign", "order-sign"),
        ("htg117-patient-view", "patient-view"),
    ]


@pytest.mark.requirement(
    "Discovery: hook, description and id are REQUIRED",
    "Discovery: title is RECOMMENDED, prefetch and usageRequirements are OPTIONAL strings",
    "Conformance: JSON elements SHALL NOT be null or empty, in discovery too",
)
def test_each_service_is_described() -> None:
    for one in render_discovery(SERVICES)["services"]:
        assert list(one) == [
            "hook", "title", "description", "id", "prefetch", "usageRequirements", "version", "hookVersion",
        ]  # fmt: skip
        texts = [value for name, value in one.items() if name != "prefetch"] + [
            *one["prefetch"],
            *one["prefetch"].values(),
        ]
        assert all(isinstance(text, str) and text.strip() for text in texts)
        assert re.fullmatch(r"[a-z0-9.-]+", one["id"])


def test_what_the_rules_need_is_asked_for() -> None:
    form = "https://htg117.example/fhir/Questionnaire/htg117-eligibility"
    by_id = {one.id: one for one in SERVICES}
    wanted = {
        "patient": PATIENT,
        "conditionRecord": "Condition?patient={{context.patientId}}",
        "procedureRecord": "Procedure?patient={{context.patientId}}&status=completed",
        "carePlanRecord": "CarePlan?patient={{context.patientId}}",
        "painRecord": "Observation?patient={{context.patientId}}&code=http://loinc.org|38214-3"
        "&status=final,amended,corrected&_sort=-date",
        "htg117-eligibility": f"QuestionnaireResponse?questionnaire={form}&patient={{{{context.patientId}}}}"
        "&status=completed,amended&_sort=-authored&_count=20",
    }
    assert by_id["htg117-order-select"].prefetch == by_id["htg117-order-sign"].prefetch == wanted
    orders = {"orders": "ServiceRequest?patient={{context.patientId}}&status=draft,active,on-hold"}
    assert by_id["htg117-order-dispatch"].prefetch == wanted | orders
    seen = by_id["htg117-patient-view"].prefetch
    assert list(seen) == ["patient", "htg117-procedure", "htg117-follow-up", "procedureRecord"]
    assert seen["procedureRecord"] == wanted["procedureRecord"]
    assert by_id["htg117-encounter-discharge"].prefetch == by_id["htg117-patient-view"].prefetch


@pytest.mark.requirement(
    "Prefetch tokens: tokens are delimited by {{ and }} and hold a field of the hook's context only",
    "Prefetch query restrictions: templates keep to the recommended subset",
)
def test_every_template_is_within_the_recommended_subset() -> None:
    templates = [(one.hook, text) for one in SERVICES for text in one.prefetch.values()]
    assert [text for hook, text in templates if not within_subset(text, hook)] == []
    call = read_call(request(), next(one for one in SERVICES if one.hook == "order-select"))
    assert filled("Condition?patient={{context.patientId}}", call) == "Condition?patient=1288992"
    assert filled("{{context.userId}}", call) == "PractitionerRole/123"
    assert not any("{" in filled(text, call) for _, text in templates)


@pytest.mark.parametrize(
    ("template", "within"),
    [
        ("Patient/{{context.patientId}}", True),
        ("{{context.userId}}", True),
        ("Observation?patient={{context.patientId}}&code=4548-4&_count=1&_sort=-date", True),
        ("Observation?code:in=http://example.org/ValueSet/x&date=ge2026-01-01", True),
        ("Observation?code:not=1", False),
        ("Observation?patient.name=x", False),
        ("Observation?date=ne2026-01-01", False),
        ("Observation?patient={{context.draftOrders}}", False),
        ("Observation?patient={{today()}}", False),
        ("Observation?_include=Observation:subject", False),
        ("Observation?_count=x", False),
        ("Observation?code=", False),
        ("Observation?_has:x=y", False),
        ("Patient/1/_history", False),
        ("Observation", False),
    ],
)
def test_the_subset(template: str, within: bool) -> None:
    assert within_subset(template, "order-sign") is within


def test_a_second_guidance_gives_services_from_data_alone() -> None:
    found = services(Folder([PROFILES]))
    assert [(one.id, one.plan, dict(one.prefetch)) for one in found] == [
        (
            "toy-watering-plan-order-sign",
            f"{BASE}/PlanDefinition/toy-watering-plan|1999.1.0",
            {
                "patient": PATIENT,
                "toy-watering": f"QuestionnaireResponse?questionnaire={BASE}/Questionnaire/toy-watering"
                "&patient={{context.patientId}}&status=completed,amended&_sort=-authored&_count=20",
            },
        )
    ]


def plan(id_: str, hook: str, **more: Any) -> dict[str, Any]:
    trigger = [{"type": "named-event", "name": hook}]
    return {
        "resourceType": "PlanDefinition",
        "id": id_,
        "url": f"urn:{id_}",
        "action": [{"trigger": trigger, **more}],
    }


def test_a_hook_that_is_not_known_gives_no_service() -> None:
    assert services_of([plan("a", "order-brew")], CONTENT.resolve) == ()


def test_two_plans_of_one_guidance_may_not_share_a_hook() -> None:
    above = {"resourceType": "PlanDefinition", "id": "g", "url": "urn:g", "action": [
        {"definitionCanonical": "urn:a|1", "action": [{"definitionCanonical": "urn:b"}]}]}  # fmt: skip
    with pytest.raises(ContentFault, match="cannot be served"):
        services_of([above, plan("a", "patient-view"), plan("b", "patient-view")], CONTENT.resolve)
    found = services_of([above, plan("a", "patient-view"), plan("b", "order-sign")], CONTENT.resolve)
    assert [one.id for one in found] == ["g-order-sign", "g-patient-view"]


def test_plans_that_lead_to_each_other_are_their_own_guidance() -> None:
    found = services_of(
        [
            plan("a", "patient-view", definitionCanonical="urn:b"),
            plan("b", "patient-view", definitionCanonical="urn:a"),
        ],
        CONTENT.resolve,
    )
    assert [one.id for one in found] == ["a-patient-view", "b-patient-view"]


def test_a_query_that_no_client_could_be_asked_stops_the_start() -> None:
    form = {
        "resourceType": "Questionnaire", "id": "f", "url": "urn:f",
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/variable", "valueExpression": {
            "name": "x", "language": "application/x-fhir-query",
            "expression": "Observation?_has:Group={{%patient.id}}"}}],
    }  # fmt: skip
    asked = [
        {
            "type": "QuestionnaireResponse",
            "codeFilter": [{"path": "questionnaire", "code": [{"code": "urn:f"}]}],
        }
    ]
    with pytest.raises(ContentFault) as raised:
        services_of([plan("a", "order-sign", input=asked)], lambda url: form if url == "urn:f" else None)
    assert "recommended subset" in raised.value.issues[0].message


def test_every_hook_has_its_version() -> None:
    assert {one.name: one.version for one in HOOKS.values()} == {
        "patient-view": "1.0",
        "order-select": "1.0",
        "order-sign": "1.1",
        "order-dispatch": "1.1",
        "encounter-discharge": "1.0",
    }
