"""A plan and a form come to findings, an outcome, notes and proposals, by data alone."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.errors import ContentFault
from service.domain.evaluation import Truth, UnknownReason
from service.fhir.plans import Plan, UndecidedOutcome, assess, read_plan
from tests.second_guidance import BASE, form, load

RESOURCE = load()[f"{BASE}/PlanDefinition/toy-watering-plan"]


def plan(resource: dict[str, Any] = RESOURCE) -> Plan:
    read = read_plan(resource)
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("answers", "truths", "outcome", "notes", "proposals"),
    [
        ({"plant": "fern", "soil__dry": True}, ["met", "met"], "water-it", [], []),
        ({"plant": "fern", "soil__dry": False}, ["met", "not-met"], "leave-it", [], []),
        ({"plant": "plastic"}, ["not-met", "unknown"], "leave-it", [], ["complete-form"]),
        ({"plant": "cactus"}, ["met", "unknown"], "look-again", ["cactus"], ["complete-form"]),
        ({}, ["unknown", "unknown"], "look-again", [], ["complete-form"]),
    ],
)
def test_each_answer_leads_to_its_outcome(
    answers: dict[str, Any], truths: list[str], outcome: str, notes: list[str], proposals: list[str]
) -> None:
    evaluation = assess(plan(), form(**answers))
    assert [str(finding.truth) for finding in evaluation.findings] == truths
    assert evaluation.outcome.code.code == outcome
    assert [note.code.code for note in evaluation.notes] == notes
    assert [proposal.action for proposal in evaluation.proposals] == proposals
    assert evaluation.issues == ()


def test_an_unknown_carries_the_first_reason_that_holds() -> None:
    def reason(**answers: Any) -> UnknownReason | None:
        return assess(plan(), form(**answers)).findings[1].reason

    assert reason(seen="1999-02-02") == UnknownReason("contradictory", "A date after the form", ("seen",))
    assert reason(seen="1999-01-31") == UnknownReason(
        "missing", "Whether the soil is dry is not answered", ("soil.dry",)
    )
    assert reason(soil__dry=True) is None
    assert assess(plan(), form()).missing_items == ("plant", "soil.dry")


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    def set_in(node: Any, steps: list[Any]) -> Any:
        if not steps:
            return value
        if isinstance(node, list):
            return [set_in(inner, steps[1:]) if at == steps[0] else inner for at, inner in enumerate(node)]
        return node | {steps[0]: set_in(node.get(steps[0]), steps[1:])}

    result: dict[str, Any] = set_in(RESOURCE, path)
    return result


WATERING = ["action", 0, "action"]
SECOND = [*WATERING, 0, "action", 1]


def test_a_rule_that_fails_is_unknown_and_said_never_no() -> None:
    failing = {"language": "text/fhirpath", "expression": "(1 | 2).single() = 1"}
    evaluation = assess(plan(changed([*SECOND, "condition", 0, "expression"], failing)), form(plant="fern"))
    finding = evaluation.findings[1]
    assert finding.truth is Truth.UNKNOWN
    assert finding.reason == UnknownReason(None, "the rule could not be evaluated on this form")
    assert evaluation.outcome.code.code == "look-again"
    assert [issue.expression for issue in evaluation.issues] == [
        "PlanDefinition[toy-watering-plan].action[0].action[0].action[1].condition[0]"
    ]


def test_a_rule_that_gives_no_truth_value_is_unknown_and_said() -> None:
    words = {"language": "text/fhirpath", "expression": "'dry' | 'wet'"}
    evaluation = assess(plan(changed([*SECOND, "condition", 0, "expression"], words)), form(plant="fern"))
    assert evaluation.findings[1].truth is Truth.UNKNOWN
    assert "does not give true, false or nothing" in evaluation.issues[0].message


def test_two_outcomes_or_none_are_an_error_never_a_guess() -> None:
    always = {"kind": "applicability", "expression": {"language": "text/fhirpath", "expression": "true"}}
    two = plan(changed([*WATERING, 1, "action", 0, "condition"], [always]))
    with pytest.raises(UndecidedOutcome, match=r"gives 2 outcomes \(leave-it, water-it\)"):
        assess(two, form(plant="fern", soil__dry=True))
    never = always | {"expression": {"language": "text/fhirpath", "expression": "false"}}
    none = plan(changed([*WATERING, 1, "action", 2, "condition"], [never]))
    with pytest.raises(UndecidedOutcome, match=r"gives 0 outcomes \(none\)"):
        assess(none, form(plant="fern", soil__dry=True))


@pytest.mark.parametrize(
    ("path", "value", "place", "said"),
    [
        ([*SECOND, "condition", 0, "expression", "expression"], "item..x", "condition[0].expression", "1"),
        ([*SECOND, "condition", 0, "expression", "language"], "text/cql", "language", "only text/fhirpath"),
        ([*SECOND, "documentation"], [], "documentation", "cites its paragraph"),
        ([*SECOND, "condition"], [], "condition", "exactly one applicability condition"),
        ([*SECOND, "code"], [], "code", "needs a code"),
        ([*SECOND, "extension"], [], "unknown-reason", "the last reason may have no 'when'"),
        ([*WATERING, 1, "code"], [], "PlanDefinition", "the outcome group needs a code"),
        ([*WATERING, 1, "action", 0, "documentation"], [], "documentation", "cites its paragraph"),
        ([*WATERING, 3, "action", 0, "id"], "", "action[3].action[0]", "a proposal needs an id"),
        (["action", 0, "input"], [], "PlanDefinition", "declares its input form"),
        ([*WATERING, 3, "extension", 0, "valueCode"], "wish", "action[3]", "'wish' is not a role"),
    ],
)
def test_a_plan_that_is_not_fit_is_refused_with_the_place(
    path: list[Any], value: Any, place: str, said: str
) -> None:
    with pytest.raises(ContentFault) as fault:
        read_plan(changed(path, value))
    assert any(place in issue.expression and said in issue.message for issue in fault.value.issues)


def test_every_fault_is_listed_at_once() -> None:
    twice = changed([*SECOND, "documentation"], [])
    twice = twice | {"action": [twice["action"][0] | {"input": []}]}
    with pytest.raises(ContentFault) as fault:
        read_plan(twice)
    assert len(fault.value.issues) == 2


def test_a_plan_without_roles_is_not_one_to_assess() -> None:
    assert read_plan({"resourceType": "PlanDefinition", "id": "x", "action": [{"title": "y"}]}) is None
