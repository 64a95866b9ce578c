"""Requests of CDS Hooks read: what each hook demands, all faults at once, and never another exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cds.calls import read_call
from service.cds.hooks import HOOKS
from service.cds.model import Access, Call
from service.domain.errors import Invalid, Refused
from tests.cds.requests import (
    AUTHORIZATION,
    CONTEXTS,
    DIET,
    INSTANCE,
    ORDER,
    changed,
    request,
    service,
    without,
)

EMPTY: tuple[Any, ...] = (None, "", "  ", [], {})


def faults(body: Any, hook: str = "order-select") -> list[tuple[str, str]]:
    """The code and place of each fault of a request."""
    with pytest.raises(Invalid) as raised:
        read_call(body, service(hook))
    return [(issue.code, issue.expression) for issue in raised.value.issues]


def test_a_whole_request_is_read() -> None:
    body = request(
        fhirServer="https://ehr.example.org/fhir/",
        fhirAuthorization=AUTHORIZATION | {"patient": "1288992"},
        prefetch={"patient": {"resourceType": "Patient", "id": "1288992"}, "conditions": None},
        extension={"org.example.setting": {"on": True}},
    )
    assert read_call(body, service(), revision=3) == Call(
        service="guidance-order-select",
        hook="order-select",
        instance=INSTANCE,
        patient="Patient/1288992",
        user="PractitionerRole/123",
        context=CONTEXTS["order-select"],
        orders={"NutritionOrder/pureeddiet-simple": DIET, "ServiceRequest/1": ORDER},
        chosen=("ServiceRequest/1",),
        encounter="Encounter/89284",
        prefetch={"patient": {"resourceType": "Patient", "id": "1288992"}, "conditions": None},
        access=Access(
            "https://ehr.example.org/fhir",
            "some-opaque-token",
            frozenset({"user/Patient.read", "user/Observation.read"}),
            "Patient/1288992",
        ),
        revision=3,
    )


@pytest.mark.requirement("Calling a CDS Service: a hook's own example of its context is accepted")
@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_its_context(hook: str) -> None:
    call = read_call(request(hook), service(hook))
    assert (call.hook, call.patient) == (hook, "Patient/1288992")
    assert call.chosen == (() if hook not in ("order-select", "order-dispatch") else ("ServiceRequest/1",))
    assert call.access is None


@pytest.mark.requirement("FHIR Resource Access: the access token is kept out of what may be logged")
def test_the_token_is_not_shown() -> None:
    call = read_call(
        request(fhirServer="https://ehr.example.org/fhir", fhirAuthorization=AUTHORIZATION), service()
    )
    assert "some-opaque-token" not in repr(call)


@pytest.mark.requirement(
    "HTTP Request: hook is REQUIRED",
    "HTTP Request: hookInstance is REQUIRED",
    "HTTP Request: context is REQUIRED",
)
@pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
def test_what_is_required_is_missed(name: str) -> None:
    assert faults(without(request(), name)) == [("required", name)]


@pytest.mark.requirement("Conformance: JSON elements SHALL NOT be null or empty")
@pytest.mark.parametrize("value", EMPTY)
@pytest.mark.parametrize("name", ["hook", "hookInstance", "context", "fhirServer", "fhirAuthorization"])
def test_nothing_is_null_or_empty(name: str, value: Any) -> None:
    body = request(fhirServer="https://ehr.example.org/fhir", fhirAuthorization=AUTHORIZATION)
    assert faults(changed(body, value, name)) == [("value", name)]


@pytest.mark.requirement("Conformance: JSON elements SHALL NOT be null or empty, in a hook's context too")
@pytest.mark.parametrize("value", EMPTY)
@pytest.mark.parametrize(("hook", "name"), [(h, f.name) for h, one in HOOKS.items() for f in one.fields])
def test_nothing_in_a_context_is_null_or_empty(hook: str, name: str, value: Any) -> None:
    assert faults(changed(request(hook), value, "context", name), hook) == [("value", f"context.{name}")]


@pytest.mark.requirement("Calling a CDS Service: a service is called on its own hook")
def test_another_hook_is_refused() -> None:
    assert faults(request("order-sign")) == [("value", "hook")]


@pytest.mark.requirement("HTTP Request: hookInstance is a UUID")
@pytest.mark.parametrize(
    "value", ["1", "d1577c69-dfbe-44ad-ba6d", "g1577c69-dfbe-44ad-ba6d-3e05e953b2ea", INSTANCE + "0"]
)
def test_a_hook_instance_is_a_uuid(value: str) -> None:
    assert faults(changed(request(), value, "hookInstance")) == [("value", "hookInstance")]
    assert (
        read_call(changed(request(), INSTANCE.upper(), "hookInstance"), service()).instance
        == INSTANCE.upper()
    )


@pytest.mark.requirement("Hooks: a REQUIRED field of the hook's context is there")
@pytest.mark.parametrize(
    ("hook", "name"), [(h, f.name) for h, one in HOOKS.items() for f in one.fields if f.required]
)
def test_what_a_context_requires_is_missed(hook: str, name: str) -> None:
    assert faults(without(request(hook), "context", name), hook) == [("required", f"context.{name}")]


@pytest.mark.requirement("Hooks: an OPTIONAL field of the hook's context may be left out")
@pytest.mark.parametrize("hook", ["patient-view", "order-select", "order-sign"])
def test_what_is_optional_may_be_left_out(hook: str) -> None:
    assert read_call(without(request(hook), "context", "encounterId"), service(hook)).encounter is None


@pytest.mark.requirement("Hooks: each field of a context is of its type")
@pytest.mark.parametrize(
    ("hook", "name", "value"),
    [
        ("patient-view", "userId", "example"),
        ("patient-view", "userId", "Organization/1"),
        ("patient-view", "userId", 7),
        ("patient-view", "patientId", 1288992),
        ("patient-view", "patientId", "Practitioner/1"),
        ("patient-view", "patientId", "1 or 2"),
        ("patient-view", "patientId", "1?_include=*"),
        ("encounter-discharge", "encounterId", ["456"]),
        ("order-select", "selections", "ServiceRequest/1"),
        ("order-select", "selections", [1]),
        ("order-select", "draftOrders", [ORDER]),
        ("order-select", "draftOrders", ORDER),
        ("order-dispatch", "dispatchedOrders", ["1"]),
        ("order-dispatch", "dispatchedOrders", {"reference": "ServiceRequest/1"}),
        ("order-dispatch", "performer", "somebody"),
        ("order-dispatch", "fulfillmentTasks", [ORDER]),
    ],
)  # fmt: skip
def test_a_field_of_another_type_is_refused(hook: str, name: str, value: Any) -> None:
    assert faults(changed(request(hook), value, "context", name), hook) == [("value", f"context.{name}")]


@pytest.mark.parametrize("value", ["1288992", "Patient/1288992"])
def test_a_patient_may_be_named_by_id_or_reference(value: str) -> None:
    assert (
        read_call(changed(request(), value, "context", "patientId"), service()).patient == "Patient/1288992"
    )


def test_the_names_of_order_dispatchs_own_example_are_taken_too() -> None:
    context = {
        "patientId": "1288992",
        "dispatched-orders": ["ServiceRequest/proc002"],
        "performer": "Organization/some-performer",
        "fulfillment-tasks": [{"resourceType": "Task", "status": "draft", "intent": "order"}],
    }
    call = read_call(request("order-dispatch", context=context), service("order-dispatch"))
    assert call.chosen == ("ServiceRequest/proc002",)


@pytest.mark.requirement("FHIR Resource Access: fhirServer is REQUIRED with fhirAuthorization")
def test_a_token_needs_its_server() -> None:
    assert faults(request(fhirAuthorization=AUTHORIZATION)) == [("required", "fhirServer")]


@pytest.mark.parametrize(
    "value", ["ehr.example.org", "ftp://ehr.example.org", "https://u:p@ehr.example.org", "https://e/?a"]
)
def test_a_server_is_an_absolute_address(value: str) -> None:
    assert faults(request(fhirServer=value)) == [("structure", "fhirServer")]


@pytest.mark.requirement(
    "Passing the Access Token: access_token, token_type, expires_in, scope and subject are REQUIRED"
)
@pytest.mark.parametrize("name", AUTHORIZATION)
def test_an_authorization_is_whole(name: str) -> None:
    body = request(fhirServer="https://ehr.example.org/fhir", fhirAuthorization=AUTHORIZATION)
    assert faults(without(body, "fhirAuthorization", name)) == [("required", f"fhirAuthorization.{name}")]


@pytest.mark.requirement("Passing the Access Token: token_type is the fixed value Bearer")
def test_a_token_is_a_bearer_token() -> None:
    body = request(
        fhirServer="https://e.example/fhir", fhirAuthorization=AUTHORIZATION | {"token_type": "mac"}
    )
    assert faults(body) == [("value", "fhirAuthorization.token_type")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("expires_in", "300"), ("expires_in", True), ("expires_in", 1.5), ("patient", 7), ("scope", ["a"])],
)
def test_an_authorization_has_its_types(name: str, value: Any) -> None:
    body = request(fhirServer="https://e.example/fhir", fhirAuthorization=AUTHORIZATION | {name: value})
    assert faults(body) == [("structure", f"fhirAuthorization.{name}")]


def test_a_token_that_would_break_a_header_is_refused() -> None:
    body = request(fhirServer="https://e.example", fhirAuthorization=AUTHORIZATION | {"access_token": "a\nb"})
    assert faults(body) == [("value", "fhirAuthorization.access_token")]


@pytest.mark.requirement("Prefetch: a key's value is a FHIR resource, or null where there is no data")
def test_prefetch_holds_resources_or_null() -> None:
    assert read_call(request(prefetch={"a": None}), service()).prefetch == {"a": None}
    assert read_call(request(prefetch={}), service()).prefetch == {}
    assert faults(request(prefetch={"a": [], "b": "x", "c": {"id": "1"}, "d": None})) == [
        ("structure", "prefetch.`a`"),
        ("structure", "prefetch.`b`"),
        ("structure", "prefetch.`c`"),
    ]
    assert faults(request(prefetch=[])) == [("value", "prefetch")]


@pytest.mark.requirement(
    "Extensions: an extension is a JSON object; fields that are not known are let through"
)
def test_what_is_not_known_is_let_through() -> None:
    body = request(oauth={"scope": "x"}, extension={"org.example": {"a": 1}})
    body["context"]["more"] = None
    assert read_call(body, service()).context["more"] is None
    assert faults(request(extension=[1])) == [("structure", "extension")]


@pytest.mark.requirement("order-select: selections are references to orders of draftOrders")
def test_selections_lead_to_draft_orders() -> None:
    url = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    nameless = {key: value for key, value in ORDER.items() if key != "id"}
    drafts = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": DIET},
            {"fullUrl": url, "resource": nameless},
            {"resource": nameless},
            {"resource": DIET},
        ],
    }
    body = changed(request(), drafts, "context", "draftOrders")
    chosen = ["pureeddiet-simple", url, "https://ehr.example.org/fhir/NutritionOrder/pureeddiet-simple"]
    call = read_call(changed(body, chosen, "context", "selections"), service())
    assert call.chosen == ("NutritionOrder/pureeddiet-simple", url)
    assert list(call.orders) == [
        "NutritionOrder/pureeddiet-simple",
        url,
        "context.draftOrders.entry[2]",
        "context.draftOrders.entry[3]",
    ]
    lost = changed(body, ["ServiceRequest/2"], "context", "selections")
    assert faults(lost) == [("not-found", "context.selections[0]")]


@pytest.mark.parametrize(
    ("entries", "place"),
    [
        ({"a": 1}, "context.draftOrders.entry"),
        ([7], "context.draftOrders.entry[0]"),
        ([{"fullUrl": "urn:x"}], "context.draftOrders.entry[0]"),
        ([{"resource": {"id": "1"}}], "context.draftOrders.entry[0]"),
    ],
)
def test_drafts_are_a_bundle_of_resources(entries: Any, place: str) -> None:
    body = changed(
        request("order-sign"), {"resourceType": "Bundle", "entry": entries}, "context", "draftOrders"
    )
    assert faults(body, "order-sign") == [("structure", place)]


def test_the_number_of_orders_is_bounded() -> None:
    drafts = {"resourceType": "Bundle", "entry": [{"resource": ORDER}] * 1001}
    assert faults(changed(request("order-sign"), drafts, "context", "draftOrders"), "order-sign") == [
        ("too-long", "context.draftOrders.entry")
    ]


def test_no_orders_are_no_fault() -> None:
    for bundle in ({"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": []}):
        call = read_call(
            changed(request("order-sign"), bundle, "context", "draftOrders"), service("order-sign")
        )
        assert call.orders == {}


def test_all_faults_are_told_at_once() -> None:
    body = {
        "hookInstance": "y",
        "fhirAuthorization": {"token_type": "x"},
        "context": {"userId": ""},
    }
    assert faults(body) == [
        ("required", "hook"),
        ("value", "hookInstance"),
        ("required", "fhirServer"),
        ("required", "fhirAuthorization.access_token"),
        ("value", "fhirAuthorization.token_type"),
        ("required", "fhirAuthorization.expires_in"),
        ("required", "fhirAuthorization.scope"),
        ("required", "fhirAuthorization.subject"),
        ("value", "context.userId"),
        ("required", "context.patientId"),
        ("required", "context.selections"),
        ("required", "context.draftOrders"),
    ]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSON)
def test_any_json_is_a_call_or_refused(body: Any) -> None:
    with pytest.raises(Refused):
        read_call(body, service())


@given(st.data())
def test_a_request_with_any_one_element_changed_is_a_call_or_refused(data: st.DataObject) -> None:
    hook = data.draw(st.sampled_from(sorted(HOOKS)))
    body: Any = request(
        hook, fhirServer="https://e.example", fhirAuthorization=AUTHORIZATION, prefetch={"a": None}
    )
    at = body
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if isinstance(at[key], dict | list) and at[key] and data.draw(st.booleans()):
            at = at[key]
            continue
        at[key] = data.draw(JSON)
        break
    try:
        call = read_call(body, service(hook))
    except Refused:
        return
    assert call.hook == hook
