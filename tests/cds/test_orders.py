"""Which orders a plan is about: the published triggers over every way to say what is ordered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adapters import content as published
from service.cds.calls import read_call
from service.cds.model import Order
from service.cds.orders import (
    ANOTHER,
    ELSEWHERE,
    FAILED,
    NEARLY,
    UNREADABLE,
    judged,
    orders_of,
    require_readable,
)
from service.cds.patients import Whose
from service.cds.triggers import read_triggers
from service.domain.errors import ContentFault, Invalid
from service.operations.terms import Terms
from tests.cds.requests import DIET, OPCS, ORDER, SNOMED, changed, request, service
from tests.cds.test_calls import JSON

CONTENT = published.load()
PLAN = next(one.resource for one in CONTENT.of_type("PlanDefinition") if one.id == "htg117-patient-selection")
TERMS = Terms(CONTENT.terminology)
WHOSE = Whose("Patient/1288992", ("https://ehr.example/fhir",))
TRIGGERS = read_triggers(PLAN, "order-sign", CONTENT.terminology, TERMS)


def touched(*orders: dict[str, Any]) -> list[tuple[str, str, bool, str]]:
    """Reference, title, whether coded, and reason, of the orders that the plan is about."""
    drafts = {"resourceType": "Bundle", "entry": [{"resource": one} for one in orders]}
    call = read_call(changed(request("order-sign"), drafts, "context", "draftOrders"), service("order-sign"))
    found = orders_of(judged(call), WHOSE, TRIGGERS, TERMS)
    return [(one.reference, one.title, one.coded, one.reason) for one in found]


def order(*codes: tuple[str, str], text: str | None = None, **more: Any) -> dict[str, Any]:
    """The order with these codes in place of its own."""
    code: dict[str, Any] = (
        {"coding": [{"system": system, "code": one} for system, one in codes]} if codes else {}
    )
    return {**ORDER, "code": code | ({"text": text} if text else {})} | more


@pytest.mark.parametrize(
    ("ordered", "coded"),
    [
        (order((SNOMED, "431312000")), True),
        (order(("urn:local", "x"), (SNOMED, "401226007")), True),
        (order((OPCS, "W35.1")), None),
        (order((OPCS, "W35.5")), None),
        (order((OPCS, "Y53.4")), None),
        (order((OPCS, "W35.1"), (OPCS, "Y53.4")), True),
        (order((OPCS, "W35.5"), (OPCS, "Y53.4")), True),
        (order((OPCS, "W35.5"), orderDetail=[{"coding": [{"system": OPCS, "code": "Y53.4"}]}]), True),
        (order(text="x", orderDetail=[{"coding": [{"system": SNOMED, "code": "431312000"}]}]), True),
        (order((OPCS, "W35.1"), (SNOMED, "431312000")), True),
        (order((OPCS, "W35.1"), text="Cementoplasty of the ilium"), False),
        (order(text="? for two cementoplasties"), False),
        (order(text="Cemento-plasty L iliac"), False),
        (order((OPCS, "W35.1"), text="Introduction of therapeutic substance into bone"), None),
        (order(text="PERCUTANEOUS  Vertébroplasty, L2/3"), False),
        (order(text="Vertebro\u00adplasty"), False),
        (order(text="MRI", orderDetail=[{"text": "Planning of sacroplasty"}]), False),
        (order(("urn:other", "99431312000")), None),
        ({**ORDER, "code": {"coding": [{"display": "Vertebroplasty"}]}}, False),
        (order(text="Kyphoplasty"), None),
        (order(text="subvertebroplasty"), None),
        (DIET, None),
    ],
)  # fmt: skip
def test_an_order_is_known_by_code_else_by_words(ordered: dict[str, Any], coded: bool | None) -> None:
    found = touched(ordered)
    assert [one[2] for one in found] == ([] if coded is None else [coded])


OLD = "https://fhir.hl7.org.uk/CodeSystem/OPCS-4"


@pytest.mark.parametrize(
    ("ordered", "said"),
    [
        (order((OPCS, "W351"), (OPCS, "Y534")), True),
        (order((OPCS, "w35.1"), (OPCS, "y53.4")), True),
        (order((OPCS, "W35.1"), (OPCS, "Y534")), True),
        (order((OLD, "W35.1"), (OLD, "Y53.4")), True),
        (order((OLD, "W355"), orderDetail=[{"coding": [{"system": OLD, "code": "Y534"}]}]), True),
        ({**ORDER, "code": {"coding": [{"code": "W35.1"}, {"code": "Y53.4"}]}}, True),
        ({**ORDER, "code": {"coding": [{"code": "431312000"}]}}, True),
        (order(("urn:other", "431312000")), True),
        (order((OPCS, "W351")), False),
        (order((OLD, "W35.1")), False),
        (order((OLD, "Y53.4")), False),
        (order((OPCS, "W35.2"), (OPCS, "Y53.4")), False),
        (order((OPCS, "W35.10"), (OPCS, "Y53.4")), False),
    ],
)
def test_a_code_written_otherwise_is_not_assessed_and_not_passed_over(
    ordered: dict[str, Any], said: bool
) -> None:
    assert [one[2:] for one in touched(ordered)] == ([(False, NEARLY)] if said else [])


@pytest.mark.parametrize(
    "more",
    [{"status": "revoked"}, {"status": "entered-in-error"}, {"status": "cancelled"}, {"doNotPerform": True}],
)
def test_what_is_not_to_be_done_is_not_judged(more: dict[str, Any]) -> None:
    assert touched({**ORDER, **more}) == []


BOTH = ((OPCS, "W35.1"), (OPCS, "Y53.4"))
"""The procedure's codes."""


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"code": code}, "code")
        for code in (
            None, "", [], {}, "W35.1", 5, True, [None], {"coding": ["W35.1"]}, {"coding": {"code": "W35.1"}},
            {"coding": [{"system": OPCS, "code": 35.1}]}, {"coding": [{"system": [OPCS], "code": "W35.1"}]},
            {"coding": "W35.1"}, {"text": ["cementoplasty"]},
        )
    ]
    + [
        ({"orderDetail": "Y53.4"}, "orderDetail"),
        ({"orderDetail": []}, "orderDetail"),
        ({"subject": "Patient/1288992"}, "subject"),
        ({"subject": None}, "subject"),
        ({"status": ["draft"]}, "status"),
        ({"doNotPerform": "true"}, "doNotPerform"),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_read_is_told_of_and_never_passed_over(
    more: dict[str, Any], name: str
) -> None:
    broken = order(*BOTH) | more
    assert [one[2:] for one in touched(DIET, broken)] == [(False, UNREADABLE)]
    drafts = {"resourceType": "Bundle", "entry": [{"resource": one} for one in (DIET, broken)]}
    call = read_call(changed(request("order-sign"), drafts, "context", "draftOrders"), service("order-sign"))
    with pytest.raises(Invalid) as told:
        require_readable(orders_of(judged(call), WHOSE, TRIGGERS, TERMS), call, TRIGGERS)
    assert [issue.expression for issue in told.value.issues] == [
        f"context.draftOrders.entry[1].resource.{name}"
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"code": {"coding": [{"system": OPCS, "code": "A01.1", "display": None}], "text": None}},
        {"code": {"text": "Hip replacement", "coding": None}},
        {"code": {"coding": [{"display": "Hip replacement"}]}},
        {"code": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]}},
        {"code": {"concept": {"text": "MRI"}}, "orderDetail": [{"parameter": [{"valueString": "left"}]}]},
    ],
)
def test_an_order_of_something_else_is_no_broken_one(more: dict[str, Any]) -> None:
    assert touched(order(text="MRI") | more) == []


def test_orders_that_are_no_drafts_are_judged_too() -> None:
    """order-sign fires again for revised orders."""
    assert [one[2] for one in touched({**ORDER, "status": "active"})] == [True]


def test_an_order_about_another_patient_is_shown_and_not_assessed() -> None:
    other = {**ORDER, "subject": {"reference": "Patient/2"}}
    assert touched(other) == [("ServiceRequest/1", "Cementoplasty, sacrum", False, ANOTHER)]
    assert touched({**DIET, "patient": {"reference": "Patient/2"}}) == []


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("Patient/1288992", (True, "")),
        ("https://ehr.example/fhir/Patient/1288992", (True, "")),
        ("https://other.example/fhir/Patient/1288992", (False, ELSEWHERE)),
        ("https://other.example/fhir/Patient/2", (False, ANOTHER)),
    ],
)
def test_an_order_for_a_patient_of_another_server_is_shown_and_not_assessed(
    subject: str, said: tuple[bool, str]
) -> None:
    assert [one[2:] for one in touched({**ORDER, "subject": {"reference": subject}})] == [said]


CODE = ORDER["code"]
WIDER = {"coding": [{"system": OPCS, "code": "W35.1"}]}
APPROACH = {"coding": [{"system": OPCS, "code": "Y53.4"}]}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"resourceType": "ProcedureRequest", "code": CODE}, True),
        ({"resourceType": "DeviceRequest", "codeCodeableConcept": CODE}, True),
        ({"resourceType": "Appointment", "serviceType": [CODE]}, True),
        ({"resourceType": "ReferralRequest", "serviceRequested": [{"text": "For vertebroplasty"}]}, True),
        ({"resourceType": "DiagnosticOrder", "item": [{"code": {"text": "MRI"}}, {"code": CODE}]}, True),
        ({"resourceType": "CarePlan", "activity": [{"detail": {"code": CODE}}]}, True),
        ({"resourceType": "RequestGroup", "action": [{"action": [{"title": "Cementoplasty"}]}]}, True),
        ({"resourceType": "Task", "description": "Percutaneous cementoplasty of the sacrum"}, True),
        ({"resourceType": "ProcedureRequest", "code": WIDER}, False),
        ({"resourceType": "ProcedureRequest", "code": WIDER, "orderDetail": APPROACH}, True),
        ({"resourceType": "DiagnosticOrder", "item": [{"code": WIDER}, {"code": APPROACH}]}, True),
        ({"resourceType": "ProcedureRequest", "code": {"coding": [{"code": "431312000"}]}}, True),
        ({"resourceType": "ServiceRequest", "code": {"concept": CODE}}, True),
        ({"resourceType": "ServiceRequest", "code": {"concept": {"text": "MRI"}}}, False),
        ({"resourceType": "ServiceRequest", "code": {"text": "MRI"}, "category": [CODE]}, False),
        ({"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "Codeine"},
          "reasonCode": [CODE], "reasonReference": [{"display": "Cementoplasty"}],
          "note": [{"text": "Cementoplasty 2020"}], "supportingInformation": [{"display": "Cementoplasty"}],
          "contained": [{"resourceType": "Condition", "code": CODE}]}, False),
        ({"resourceType": "ProcedureRequest", "code": {"text": "MRI"}}, False),
        ({"resourceType": "ProcedureRequest", "code": CODE, "status": "cancelled"}, False),
        ({"resourceType": "ProcedureRequest", "code": CODE, "doNotPerform": True}, False),
    ],
)  # fmt: skip
def test_an_order_of_another_type_is_not_assessed_and_not_passed_over(
    more: dict[str, Any], said: bool
) -> None:
    bare = {name: value for name, value in ORDER.items() if name != "code"}
    type_ = more["resourceType"]
    reason = (
        f"It is written as {type_}, and the plan judges ServiceRequest of FHIR R4, so it was not assessed. "
        "Once what is ordered stands in a ServiceRequest's code, it is."
    )
    assert [one[2:] for one in touched(bare | more)] == ([(False, reason)] if said else [])


def test_an_order_of_another_type_is_named_by_what_it_orders() -> None:
    bare = {name: value for name, value in ORDER.items() if name != "code"}
    plan = {**bare, "resourceType": "CarePlan", "activity": [{"detail": {"code": CODE}}]}
    other = {**ORDER, "resourceType": "ProcedureRequest", "subject": {"reference": "Patient/2"}}
    assert [one[:2] for one in touched(plan)] == [("CarePlan/1", "Cementoplasty, sacrum")]
    assert touched(other) == [("ProcedureRequest/1", "Cementoplasty, sacrum", False, ANOTHER)]


def test_an_order_is_looked_through_to_its_end() -> None:
    deep: dict[str, Any] = {"code": CODE}
    for _ in range(5000):
        deep = {"action": [deep]}
    wide = {"action": [*({"title": "x"} for _ in range(5000)), {"code": CODE}]}
    for held in (deep, wide):
        assert [one[2] for one in touched({"resourceType": "RequestGroup", "id": "1", **held})] == [False]


def test_an_order_is_named_by_its_own_words() -> None:
    named_by_code = touched(order(("urn:local", "x"), (SNOMED, "431312000")))
    assert [one[1] for one in named_by_code] == ["Cementoplasty using fluoroscopic guidance"]
    assert [one[1] for one in touched(order((OPCS, "W351"), (OPCS, "Y534")))] == [""]
    shown = {"coding": [{"system": SNOMED, "code": "431312000", "display": "Cementoplasty"}]}
    assert [one[1] for one in touched({**ORDER, "code": shown})] == ["Cementoplasty"]


def test_a_condition_that_cannot_be_evaluated_is_said() -> None:
    plan = {
        "action": [
            {
                "trigger": [
                    {
                        "type": "named-event",
                        "name": "order-sign",
                        "data": [{"type": "ServiceRequest", "codeFilter": [{"path": "code", "code": [
                            {"system": SNOMED, "code": "431312000"}]}]}],
                        "condition": {"language": "text/fhirpath",
                                      "expression": "code.coding.code.single() = 'x'"},
                    }
                ]
            }
        ]
    }  # fmt: skip
    triggers = read_triggers(plan, "order-sign", CONTENT.terminology, None)
    two = order((SNOMED, "431312000"), ("urn:x", "y"), text="t")
    assert orders_of({"ServiceRequest/1": two}, WHOSE, triggers, None) == (
        Order("ServiceRequest/1", two, "t", coded=False, reason=FAILED),
    )


@pytest.mark.parametrize(
    "trigger",
    [
        {"data": [{"type": "ServiceRequest", "codeFilter": [{"path": "code", "valueSet": "urn:nowhere"}]}]},
        {"condition": {"language": "text/cql", "expression": "x"}},
        {"condition": {"language": "text/fhirpath", "expression": "("}},
    ],
)
def test_a_trigger_that_cannot_be_used_stops_the_start(trigger: dict[str, Any]) -> None:
    plan = {"action": [{"trigger": [{"type": "named-event", "name": "order-sign", **trigger}]}]}
    with pytest.raises(ContentFault):
        read_triggers(plan, "order-sign", CONTENT.terminology, None)


def test_a_trigger_without_codes_is_about_every_order_of_its_type() -> None:
    call = read_call(request("order-sign"), service("order-sign"))
    for data, wanted in (
        ([{"type": "NutritionOrder"}], ["NutritionOrder/pureeddiet-simple"]),
        ([], list(call.orders)),
    ):
        plan = {"action": [{"trigger": [{"type": "named-event", "name": "order-sign", "data": data}]}]}
        triggers = read_triggers(plan, "order-sign", CONTENT.terminology, None)
        assert [
            one.reference for one in orders_of(judged(call), WHOSE, triggers, None) if one.coded
        ] == wanted


@pytest.mark.requirement("order-select: the orders selected are judged; order-sign: all of them")
def test_only_what_is_selected_is_judged() -> None:
    both = {"resourceType": "Bundle", "entry": [{"resource": ORDER}, {"resource": {**ORDER, "id": "2"}}]}
    select = read_call(changed(request(), both, "context", "draftOrders"), service())
    assert list(judged(select)) == ["ServiceRequest/1"]
    sign = read_call(changed(request("order-sign"), both, "context", "draftOrders"), service("order-sign"))
    assert list(judged(sign)) == ["ServiceRequest/1", "ServiceRequest/2"]


@given(
    st.dictionaries(
        st.sampled_from(["status", "doNotPerform", "code", "orderDetail", "subject", "patient", "id"]), JSON
    ),
    st.sampled_from(["ServiceRequest", "ProcedureRequest"]),
)
def test_an_order_may_be_any_json(more: dict[str, Any], type_: str) -> None:
    assert len(touched({**ORDER, **more, "resourceType": type_})) <= 1
