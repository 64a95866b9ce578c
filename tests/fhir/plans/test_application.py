"""``$apply``: proposals as drafts, issues beside them, nothing dropped without a word."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from service.fhir.plans import (
    Application,
    Circumstances,
    apply,
    propose,
    read_plan,
    render_bundle,
    render_care_plan,
)
from service.fhir.plans.actions import Ready
from service.fhir.plans.dynamic import PathFault, set_value
from service.fhir.plans.realisation import request_template
from tests.second_guidance import BASE, form, load

PLAN = load()[f"{BASE}/PlanDefinition/toy-watering-plan"]
NOW = "1999-02-03T09:00:00+00:00"
CIRCUMSTANCES = Circumstances("Patient/1", NOW, practitioner="Practitioner/2", encounter="Encounter/3")


def applied(definition: dict[str, Any], response: dict[str, Any] | None, **held: Any) -> Any:
    resolve = load() | held
    return apply(
        Application(
            definition, read_plan(definition), response, CIRCUMSTANCES, {}, lambda url: resolve.get(url)
        )
    )


def test_the_care_plan_whole() -> None:
    made = render_care_plan(applied(PLAN, form(plant="fern")))
    group = made["contained"][0]
    assert {name: value for name, value in made.items() if name != "contained"} == {
        "resourceType": "CarePlan",
        "instantiatesCanonical": [f"{BASE}/PlanDefinition/toy-watering-plan|1999.1.0"],
        "status": "draft",
        "intent": "proposal",
        "title": "Toy guidance: watering",
        "description": "When to water a plant.",
        "subject": {"reference": "Patient/1"},
        "encounter": {"reference": "Encounter/3"},
        "created": NOW,
        "author": {"reference": "Practitioner/2"},
        "activity": [{"reference": {"reference": "#request-group"}}],
    }
    [watering] = group["action"]
    assert [action["id"] for action in watering["action"]] == ["outcome", "proposals"]
    [outcome], [proposal] = (action["action"] for action in watering["action"])
    assert outcome["id"] == "look-again"
    assert proposal == {
        "id": "complete-form",
        "title": "Complete the form",
        "description": "Something is missing.",
        "condition": [
            {
                "kind": "applicability",
                "expression": PLAN["action"][0]["action"][3]["action"][0]["condition"][0]["expression"],
            }
        ],
        "precheckBehavior": "no",
        "resource": {"reference": "#request-2"},
    }
    assert made["contained"][1:] == [
        {
            "resourceType": "CommunicationRequest",
            "id": "request-1",
            "status": "draft",
            "priority": "routine",
            "subject": {"reference": "Patient/1"},
            "encounter": {"reference": "Encounter/3"},
            "payload": [{"contentString": "A criterion is not known."}],
            "authoredOn": NOW,
        },
        {
            "resourceType": "Task",
            "id": "request-2",
            "instantiatesCanonical": f"{BASE}/ActivityDefinition/toy-complete-form|1999.1.0",
            "status": "draft",
            "intent": "proposal",
            "code": {"text": "Complete the watering form"},
            "description": "Complete the watering form.",
            "for": {"reference": "Patient/1"},
            "encounter": {"reference": "Encounter/3"},
            "authoredOn": NOW,
            "requester": {"reference": "Practitioner/2"},
            "restriction": {"period": {"start": "1999-02-01T10:00:00Z"}},
        },
    ]


def test_the_same_call_gives_the_same_bundle_with_every_reference_resolved() -> None:
    first = render_bundle(applied(PLAN, form(plant="fern")))
    assert first == render_bundle(applied(PLAN, form(plant="fern")))
    assert [entry["resource"]["resourceType"] for entry in first["entry"]] == [
        "RequestGroup",
        "CommunicationRequest",
        "Task",
    ]
    urls = {entry["fullUrl"] for entry in first["entry"]}
    assert len(urls) == 3
    text = str(first["entry"][0]["resource"])
    assert "#request" not in text
    assert sum(url in text for url in urls) == 2


def test_without_a_form_everything_is_missing_and_asked_for() -> None:
    made = applied(PLAN, None)
    assert made.evaluation.missing_items == ("plant", "soil.dry")
    assert [request["resourceType"] for request in made.requests.values()] == ["CommunicationRequest", "Task"]


def plain(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "PlanDefinition", "id": "p", "url": "urn:p", "action": list(actions)}


def condition(text: str) -> dict[str, Any]:
    return {"kind": "applicability", "expression": {"language": "text/fhirpath", "expression": text}}


def test_a_condition_that_fails_is_said_and_its_action_left_out() -> None:
    definition = plain(
        {"id": "a", "title": "A", "condition": [condition("(1 | 2).single() = 1")]},
        {"id": "b", "title": "B", "condition": [condition("no such (")]},
        {
            "id": "c",
            "title": "C",
            "condition": [{"kind": "applicability", "expression": {"language": "text/cql"}}],
        },
        {"id": "d", "title": "D", "condition": [condition("{}")]},
        {"id": "e", "title": "E", "condition": [condition("true"), condition("true")]},
    )
    made = applied(definition, form())
    assert [action["id"] for action in made.actions] == ["e"]
    assert [issue.expression for issue in made.issues] == [
        "PlanDefinition[p].action[0].condition[0]",
        "PlanDefinition[p].action[1].condition[0].expression.expression",
        "PlanDefinition[p].action[2].condition[0].expression.language",
    ]
    care_plan = render_care_plan(made)
    assert care_plan["supportingInfo"][0]["reference"] == "#messages"
    assert len(care_plan["contained"][-1]["issue"]) == 3


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"definitionCanonical": "urn:nowhere"}, "is not held here"),
        ({"definitionCanonical": f"{BASE}/CodeSystem/toy-plants"}, "is not a definition"),
        ({"definitionCanonical": "urn:appointment"}, "'Appointment' cannot be built here"),
        (
            {
                "definitionCanonical": f"{BASE}/ActivityDefinition/toy-complete-form",
                "dynamicValue": [
                    {"path": "nowhere", "expression": {"language": "text/fhirpath", "expression": "1"}}
                ],
            },
            "Task has no element 'nowhere'",
        ),
        (
            {
                "definitionCanonical": f"{BASE}/ActivityDefinition/toy-complete-form",
                "dynamicValue": [
                    {
                        "path": "priority",
                        "expression": {"language": "text/fhirpath", "expression": "(1|2).single()"},
                    }
                ],
            },
            "could not be evaluated",
        ),
    ],
)
def test_a_definition_or_value_that_fails_is_an_issue_and_the_action_stays(
    action: dict[str, Any], said: str
) -> None:
    appointment = {"resourceType": "ActivityDefinition", "id": "x", "kind": "Appointment"}
    made = applied(plain({"id": "a", "title": "A", **action}), form(), **{"urn:appointment": appointment})
    assert [found["id"] for found in made.actions] == ["a"]
    assert said in made.issues[0].message


def test_a_plan_within_a_plan_keeps_its_own_ids_and_findings() -> None:
    outer = plain({"id": "o", "title": "O", "definitionCanonical": PLAN["url"]})
    made = applied(outer, form(plant="fern"))
    [action] = made.actions
    [watering] = action["action"]
    assert watering["id"] == "o.watering"
    assert watering["action"][1]["action"][0]["id"] == "o.complete-form"
    circle = plain({"id": "o", "title": "O", "definitionCanonical": "urn:p"})
    assert "include each other" in applied(circle, form(), **{"urn:p": circle}).issues[0].message


def test_a_questionnaire_as_definition_becomes_a_task_that_names_it() -> None:
    made = applied(
        plain({"id": "a", "title": "Fill", "definitionCanonical": f"{BASE}/Questionnaire/toy-watering"}), None
    )
    [task] = made.requests.values()
    assert task["input"] == [
        {"type": {"text": "Questionnaire"}, "valueCanonical": f"{BASE}/Questionnaire/toy-watering|1999.1.0"}
    ]


@pytest.mark.parametrize(
    ("path", "values", "expected"),
    [
        ("priority", ["urgent"], {"priority": "urgent"}),
        ("restriction.period.start", ["2026-01-02"], {"restriction": {"period": {"start": "2026-01-02"}}}),
        ("focus.reference", ["Patient/1"], {"focus": {"reference": "Patient/1"}}),
        ("note.text", ["a"], {"note": [{"text": "a"}]}),
        ("reasonCode.text", ["b"], {"reasonCode": {"text": "b"}}),
        ("input[0].value", [True], {"input": [{"valueBoolean": True}]}),
        ("input[0].valueCode", ["x"], {"input": [{"valueCode": "x"}]}),
        ("input[0].value", ["2026-01-01"], {"input": [{"valueDateTime": "2026-01-01"}]}),
        ("input[0].value", ["words"], {"input": [{"valueString": "words"}]}),
        ("identifier", [{"value": "1"}, {"value": "2"}], {"identifier": [{"value": "1"}, {"value": "2"}]}),
        ("identifier[0]", [{"value": "1"}], {"identifier": [{"value": "1"}]}),
        ("priority", [], {}),
    ],
)
def test_a_dynamic_value_lands_where_its_path_says(path: str, values: list[Any], expected: Any) -> None:
    task: dict[str, Any] = {"resourceType": "Task"}
    set_value(task, path, values)
    assert task == {"resourceType": "Task"} | expected


def test_what_is_computed_for_one_patient_never_enters_what_is_published() -> None:
    """A draft takes its code and its period from its definition; a value set in them is the draft's alone."""
    paths = ("code.text", "code.coding[0].display", "code.coding[1].code", "restriction.period.end")
    url = f"{BASE}/ActivityDefinition/toy"
    definition = {
        "resourceType": "ActivityDefinition",
        "url": url,
        "kind": "Task",
        "code": {"coding": [{"system": "urn:x", "code": "y"}]},
        "timingPeriod": {"start": "1999"},
        "dynamicValue": [
            {"path": path, "expression": {"language": "text/fhirpath", "expression": "'1999-02-03'"}}
            for path in paths
        ],
    }
    before = copy.deepcopy(definition)
    made = applied(plain({"definitionCanonical": url}), None, **{url: definition})
    assert made.issues == []
    (task,) = made.requests.values()
    assert task["code"] == {
        "coding": [{"system": "urn:x", "code": "y", "display": "1999-02-03"}, {"code": "1999-02-03"}],
        "text": "1999-02-03",
    }
    assert task["restriction"] == {"period": {"start": "1999", "end": "1999-02-03"}}
    assert definition == before


@pytest.mark.parametrize(
    ("path", "values", "said"),
    [
        ("priority", ["a", "b"], "takes one value"),
        ("where(x)", ["a"], "is not a path"),
        ("input[0].value", [{"code": "x"}], "say which type"),
        ("input[2].value", [True], "neither there nor the next"),
        ("identifier[1]", [{}], "does not name one entry"),
    ],
)
def test_a_path_that_means_no_element_is_a_fault(path: str, values: list[Any], said: str) -> None:
    with pytest.raises(PathFault, match=said):
        set_value({"resourceType": "Task"}, path, values)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("input[0].value", [{"code": "x"}]),
        ("input[2].value", [True]),
        ("identifier[1]", [{}]),
        ("restriction.nowhere", ["a"]),
        ("restriction.repetitions", [1, 2]),
    ],
)
def test_a_path_that_means_no_element_leaves_nothing_half_made(path: str, values: list[Any]) -> None:
    task: dict[str, Any] = {"resourceType": "Task"}
    with pytest.raises(PathFault):
        set_value(task, path, values)
    assert task == {"resourceType": "Task"}


def containers(value: Any) -> list[Any]:
    """Every object and array in a value, itself included."""
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [] if entries is None else [value, *(one for entry in entries for one in containers(entry))]


def wreck(value: Any) -> None:
    """Empties every object and array in a value."""
    for one in containers(value):
        one.clear()


RICH = plain(
    {
        "id": "a",
        "title": "A",
        "code": [{"coding": [{"system": "s", "code": "c"}], "text": "C"}],
        "documentation": [{"type": "citation", "label": "1.1", "document": {"url": "urn:x"}}],
        "condition": [condition("true") | {"extension": [{"url": "urn:e", "valueCode": "x"}]}],
        "relatedAction": [{"actionId": "b", "relationship": "before"}],
        "timingTiming": {"repeat": {"dayOfWeek": ["mon", None], "_dayOfWeek": [None, {"id": "d"}]}},
        "definitionCanonical": "urn:activity",
        "dynamicValue": [
            {"path": "for", "expression": {"language": "text/fhirpath", "expression": "%resource.subject"}},
            {"path": "for.display", "expression": {"language": "text/fhirpath", "expression": "'Alex'"}},
            {"path": "note", "expression": {"language": "text/fhirpath", "expression": "%resource.author"}},
        ],
    },
    {"id": "b", "title": "B", "definitionCanonical": PLAN["url"]},
    {"id": "c", "title": "C", "definitionCanonical": f"{BASE}/Questionnaire/toy-watering"},
    {"id": "d", "title": "D", "priority": "routine"},
)
ACTIVITY = {
    "resourceType": "ActivityDefinition",
    "id": "activity",
    "kind": "Task",
    "profile": "urn:profile",
    "code": {"coding": [{"code": "x"}]},
    "location": {"reference": "Location/1"},
    "timingPeriod": {"start": "2026-01-01"},
}


@pytest.mark.parametrize("definition", [PLAN, RICH], ids=["toy", "rich"])
def test_whoever_gets_the_result_may_change_all_of_it(definition: dict[str, Any]) -> None:
    """Neither what is published, nor the form, nor the next answer is part of it."""
    held = load() | {"urn:activity": ACTIVITY}
    plan = read_plan(definition)
    filled = form(plant="fern") | {"subject": {"reference": "Patient/1", "identifier": {"value": "1"}}}
    given = copy.deepcopy((definition, held, filled))

    def made() -> Any:
        return apply(Application(definition, plan, filled, CIRCUMSTANCES, {}, held.get))

    first = made()
    said = copy.deepcopy((first.actions, first.requests))
    assert len(first.requests) > 1
    parts = [id(one) for one in containers([first.actions, first.requests])]
    assert len(parts) == len(set(parts))
    wreck([first.actions, first.requests])
    assert (definition, held, filled) == given
    second = made()
    assert (second.actions, second.requests) == said


def test_a_proposal_is_the_same_without_what_only_restates_the_evaluation() -> None:
    """The statements' messages are left out, and what an action carries beside its drafts; nothing else."""
    fault = {"title": "F", "definitionCanonical": "urn:nowhere"}
    coded = [{"coding": [{"system": "urn:s", "code": "said"}]}]
    said = {"code": coded, "documentation": [{"type": "citation"}]}
    notes = {
        "extension": [{"url": f"{BASE}/StructureDefinition/plan-role", "valueCode": "note"}],
        "action": [{"id": "words", "title": "W", **said}, {"id": "fault", **fault, **said}],
    }
    proposals = copy.deepcopy(PLAN["action"][0]["action"][3])
    nested = {"id": "nested", "title": "N", "selectionBehavior": "any", "definitionCanonical": PLAN["url"]}
    proposals["action"] += [nested, {"id": "word", "title": "Only words", "prefix": "1"}]
    definition = {**PLAN, "url": "urn:outer", "action": [*PLAN["action"], notes, proposals]}
    resolve = (load() | {"urn:outer": definition}).get
    plan, answered = read_plan(definition), form(plant="fern")
    application = Application(definition, plan, answered, CIRCUMSTANCES, {}, resolve)
    whole, brief = apply(application), propose(application)
    assert brief.issues == whole.issues
    assert [issue.expression for issue in brief.issues] == [
        "PlanDefinition[toy-watering-plan].action[1].action[1].definitionCanonical"
    ]
    kept = offered(brief)
    assert [one["id"] for one in kept[-1]["action"]] == ["complete-form", "nested", "word"]
    assert kept[-1] == offered(whole)[-1]
    # A plan that is proposed is taken up whole, with what its own evaluation says.
    assert messages(brief) == ["F", "A criterion is not known.", "Only words"]
    assert messages(whole) == ["A criterion is not known.", "W", *messages(brief)]
    assert [group["id"] for group in kept] == ["watering", "action-1", "proposals"]
    assert [group["id"] for group in offered(whole)] == ["watering", "action-1", "proposals"]
    assert [one["id"] for one in kept[0]["action"]] == ["proposals"]
    assert [one["id"] for one in kept[1]["action"]] == ["fault"]
    parts = [id(one) for one in containers([brief.actions, brief.requests])]
    assert len(parts) == len(set(parts))


def messages(applied: Any) -> list[str]:
    """The words of the drafts that are messages."""
    return [one["payload"][0]["contentString"] for one in applied.requests.values() if "payload" in one]


def offered(applied: Any) -> list[dict[str, Any]]:
    """The actions as far as they are offered for choice, each with its draft itself."""

    def shown(action: dict[str, Any]) -> dict[str, Any]:
        names = ("id", "title", "selectionBehavior")
        made: dict[str, Any] = {name: action[name] for name in names if name in action}
        if "resource" in action:
            made["resource"] = applied.requests[action["resource"]["reference"][1:]]
        return made | ({"action": [shown(one) for one in action["action"]]} if "action" in action else {})

    return [shown(action) for action in applied.actions]


def test_what_a_dynamic_value_takes_from_the_form_is_a_copy() -> None:
    filled = form() | {"subject": {"reference": "Patient/1"}}
    made = applied(RICH, filled, **{"urn:activity": ACTIVITY})
    assert made.requests["request-1"]["for"] == {"reference": "Patient/1", "display": "Alex"}
    assert filled["subject"] == {"reference": "Patient/1"}


def test_a_canonical_that_leads_to_another_definition_makes_another_request() -> None:
    """What is made of a definition is kept for as long as it is the same one."""
    plan = read_plan(PLAN)
    url = f"{BASE}/ActivityDefinition/toy-complete-form"
    held = load()
    made = []
    for text in ("First", "Second"):
        held[url] = held[url] | {"code": {"text": text}}
        made.append(apply(Application(PLAN, plan, form(plant="fern"), CIRCUMSTANCES, {}, held.get)))
    assert [one.requests["request-2"]["code"] for one in made] == [{"text": "First"}, {"text": "Second"}]


def test_only_what_is_published_is_kept_ready_and_no_more_than_so_much() -> None:
    ready = Ready(most=1)
    first, second = (plain({"id": name, "title": name}) for name in "ab")
    assert ready.of(first, lambda url: dict(first)) is not ready.of(first, lambda url: dict(first))
    kept = ready.of(first, lambda url: first)
    assert ready.of(first, lambda url: None) is kept
    assert ready.of(second, lambda url: second) is not ready.of(second, lambda url: second)
    assert [action.head()["id"] for action in (*kept, *ready.of(second, lambda url: second))] == ["a", "b"]


def test_a_request_claims_the_profile_that_its_definition_names() -> None:
    definition = {
        "resourceType": "ActivityDefinition",
        "url": "urn:d",
        "kind": "ServiceRequest",
        "profile": "urn:profile",
    }
    assert request_template(definition)(CIRCUMSTANCES) == {
        "resourceType": "ServiceRequest",
        "meta": {"profile": ["urn:profile"]},
        "instantiatesCanonical": ["urn:d"],
        "status": "draft",
        "intent": "proposal",
        "subject": {"reference": "Patient/1"},
        "encounter": {"reference": "Encounter/3"},
        "authoredOn": NOW,
        "requester": {"reference": "Practitioner/2"},
    }
