"""``advise``: a call becomes cards, from prefetch, the EHR and what is kept here; and when it does not."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import itertools
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adapters import content as published
from service.adapters.records import connect
from service.app import now
from service.cds.calls import read_call
from service.cds.model import Showing, Unread
from service.domain.errors import DataUnavailable, Invalid, ServiceError, Unavailable
from service.fhir.json_text import encode
from service.operations.advise import Advice, Advisor, advise
from service.operations.assess import Plans
from service.operations.clients import Client
from service.operations.ports import Write
from service.operations.terms import Terms
from tests.cds.requests import AUTHORIZATION, CONTEXTS, DIET, ORDER, changed, request
from tests.cds.test_calls import JSON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from service.adapters.records import Store
    from service.cds.model import Access

Resource = dict[str, Any]
CONTENT = published.load()
NHS = "https://fhir.nhs.uk/Id/nhs-number"
EVENTS = "https://htg117.example/fhir/CodeSystem/htg117-event-terms"
NOW = "2026-11-21T03:00:00.000Z"
EXAMPLE = next(
    one.resource
    for one in CONTENT.examples("QuestionnaireResponse")
    if "eligibility" in one.resource["questionnaire"]
)
FORM = {
    name: value for name, value in EXAMPLE.items() if name not in ("id", "meta", "identifier", "text")
} | {
    "id": "f1",
    "subject": {"reference": "Patient/1288992"},
}
FORM_KEY, FORM_TITLE = "htg117-eligibility", "Completed forms: HTG117 criteria record"
PATIENT = {
    "resourceType": "Patient",
    "id": "1288992",
    "identifier": [{"system": NHS, "value": "9990000018"}],
}
SUBJECT = {"reference": "Patient/1288992"}
METASTASIS = {
    "resourceType": "Condition",
    "id": "c1",
    "subject": SUBJECT,
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "94527001"}]},
    "recordedDate": "2026-10-01",
}
RADIOTHERAPY = {
    "resourceType": "Procedure",
    "id": "p1",
    "status": "completed",
    "subject": SUBJECT,
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "108290001"}]},
    "performedDateTime": "2026-11-10",
}


def bundle(*resources: Resource, **more: Any) -> Resource:
    """A searchset of the resources."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": one} for one in resources],
    } | more


WHOLE: dict[str, Resource | None] = {
    "patient": PATIENT,
    "conditionRecord": bundle(METASTASIS),
    "procedureRecord": bundle(RADIOTHERAPY),
    "carePlanRecord": bundle(),
    "painRecord": None,
    FORM_KEY: None,
}


class Nothing:
    """Records that hold nothing, or do not answer."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.searched = 0

    def search(self, _query: object) -> Any:
        self.searched += 1
        if self.fault:
            raise Unavailable(self.fault)
        return type("Page", (), {"versions": (), "total": 0, "cursor": None})()


class Ehr:
    """An EHR's reader that answers each query from a table, and remembers what it was asked."""

    def __init__(self, answers: Mapping[str, Resource | Unread]) -> None:
        self.answers = answers
        self.asked: dict[str, str] = {}
        self.deadline = 0.0

    def of(self, _client: Client | None) -> Ehr:
        return self

    async def close(self) -> None:
        """Nothing is held."""

    async def read(
        self, _access: Access, queries: Mapping[str, str], deadline: float
    ) -> Mapping[str, Resource | Unread]:
        self.asked, self.deadline = dict(queries), deadline
        return {key: self.answers.get(key, Unread(key, "", "the EHR took too long")) for key in queries}


def advisor(records: Any = None) -> Advisor:
    kept: Any = records or Nothing()
    return Advisor(CONTENT, Plans(CONTENT), Terms(CONTENT.terminology), kept)


ADVISOR = advisor()
ACCESS: dict[str, Any] = {"fhirServer": "https://ehr.example/fhir", "fhirAuthorization": AUTHORIZATION}


def ask(
    body: Resource,
    ehr: Ehr | None = None,
    *,
    own: Advisor = ADVISOR,
    client: Client | None = None,
    **more: Any,
) -> Advice:
    """The advice on a request, with ids that count from 1."""
    service = next(one for one in own.services if one.hook == body["hook"])
    call = read_call(body, service)
    numbers = itertools.count(1)
    showing = Showing(
        lambda: f"id-{next(numbers)}",
        NOW,
        "https://cds.example",
        call.patient,
        call.user,
        call.encounter,
        **more,
    )

    async def run(function: Any, *arguments: Any) -> Any:
        return function(*arguments)

    return asyncio.run(advise(own, ehr or Ehr({}), run, call, service, client, showing, 0.4))


def sign(prefetch: Mapping[str, Resource | None] = WHOLE, *orders: Resource, **more: Any) -> Resource:
    """A request of order-sign with these orders."""
    drafts = bundle(*(orders or (ORDER,)))
    return changed(request("order-sign", prefetch=dict(prefetch), **more), drafts, "context", "draftOrders")


def detail(advice: Advice) -> str:
    """The first card's detail without Markdown's escapes."""
    return str(advice.cards[0]["detail"]).replace("\\", "")


def findings(advice: Advice) -> dict[str, str]:
    """Criterion to finding, from the table of the first card."""
    rows = [line.split(" | ") for line in advice.cards[0]["detail"].splitlines() if line.startswith("| ")]
    return {row[0].removeprefix("| "): row[1] for row in rows[2:] if len(row) == 3}


LESION = "The lesion is a bone metastasis or a primary malignant bone tumour"


def test_the_record_answers_what_it_can() -> None:
    found = ask(sign())
    assert [card["indicator"] for card in found.cards] == ["info"]
    assert found.cards[0]["summary"].startswith("HTG117 criteria: information is needed")
    assert findings(found)[LESION] == "met"
    assert "| What is the lesion? | Bone metastasis | Condition/c1 | 2026-10-01 |" in found.cards[0]["detail"]
    assert "Could not be read" not in found.cards[0]["detail"]


@pytest.mark.requirement("CDS Service Response: no decision support is an empty array of cards")
def test_an_order_about_something_else_gets_no_card() -> None:
    assert ask(sign({}, DIET)) == Advice()
    assert ask(sign({}, {**ORDER, "status": "revoked"})) == Advice()


def test_an_order_that_cannot_be_read_refuses_the_call_with_its_place() -> None:
    with pytest.raises(Invalid) as told:
        ask(sign(WHOLE, DIET, ORDER | {"code": "431312000"}))
    place = "context.draftOrders.entry[1].resource.code"
    assert [(issue.code, issue.expression) for issue in told.value.issues] == [("structure", place)]


def test_a_dispatched_order_that_is_no_fhir_is_shown_and_not_assessed() -> None:
    held = bundle(ORDER | {"code": "431312000"})
    (card,) = ask(dispatch({**WHOLE, "orders": held}, "ServiceRequest/1")).cards
    assert "is not written as FHIR writes it" in card["detail"]


def test_an_order_without_a_code_is_not_assessed_and_needs_nothing() -> None:
    found = ask(sign({}, {**ORDER, "code": {"text": "Vertebroplasty"}}))
    assert len(found.cards) == 1
    assert "without the procedure's code, not assessed" in found.cards[0]["summary"]


def test_one_card_an_order_each_naming_it() -> None:
    two = [
        {**ORDER, "id": one, "code": ORDER["code"] | {"text": text}} for one, text in (("1", "A"), ("2", "B"))
    ]
    found = ask(sign(WHOLE, *two, DIET))
    assert [card["summary"][-10:] for card in found.cards] == ["(order: A)", "(order: B)"]
    assert found.cards[0]["uuid"] != found.cards[1]["uuid"]


@given(
    st.lists(st.sampled_from([DIET, {**ORDER, "id": "x", "code": {"text": "MRI"}}]), max_size=3),
    st.booleans(),
)
def test_an_unrelated_order_changes_no_card(others: list[Resource], first: bool) -> None:
    orders = [*others, ORDER] if first else [ORDER, *others]
    assert ask(sign(WHOLE, *orders)) == ask(sign(WHOLE, ORDER))


@pytest.mark.parametrize(
    "key", ["conditionRecord", "procedureRecord", "carePlanRecord", "painRecord", FORM_KEY]
)
def test_null_and_an_empty_searchset_are_the_same(key: str) -> None:
    assert ask(sign({**WHOLE, key: None})) == ask(sign({**WHOLE, key: bundle()}))


@pytest.mark.requirement(
    "Providing FHIR Resources: data may come from prefetch or from the EHR's FHIR server"
)
@given(st.sets(st.sampled_from(sorted(WHOLE))))
def test_what_is_not_sent_is_read_from_the_ehr_with_the_same_cards(left_out: set[str]) -> None:
    whole = {key: value if value is not None else bundle() for key, value in WHOLE.items()}
    ehr = Ehr(whole)
    rest = {key: value for key, value in whole.items() if key not in left_out}
    assert ask(sign(rest, **ACCESS), ehr) == ask(sign(whole, **ACCESS), Ehr({}))
    assert set(ehr.asked) == left_out


def test_the_ehr_is_asked_about_the_patient() -> None:
    ehr = Ehr({})
    ask(sign({}, **ACCESS), ehr)
    assert ehr.asked["patient"] == "Patient/1288992"
    assert ehr.asked["conditionRecord"] == "Condition?patient=1288992"
    assert ehr.asked["painRecord"].startswith("Observation?patient=1288992&code=http://loinc.org|38214-3&")


@pytest.mark.requirement(
    "Providing FHIR Resources: SHALL answer 412 where required data is neither sent nor can be read"
)
def test_what_is_needed_and_cannot_be_had_is_named_by_its_key() -> None:
    rest = {key: value for key, value in WHOLE.items() if key in ("patient", "procedureRecord", FORM_KEY)}
    with pytest.raises(DataUnavailable) as raised:
        ask(sign(rest))
    assert [(issue.code, issue.expression) for issue in raised.value.issues] == [
        ("incomplete", "prefetch.`conditionRecord`"),
        ("incomplete", "prefetch.`carePlanRecord`"),
        ("incomplete", "prefetch.`painRecord`"),
    ]
    assert "gives no access" in raised.value.issues[0].message
    with pytest.raises(DataUnavailable, match="could not be had"):
        ask({name: value for name, value in sign().items() if name != "prefetch"})


def test_access_to_another_patient_is_none() -> None:
    opened = ACCESS | {"fhirAuthorization": AUTHORIZATION | {"patient": "2"}}
    ehr = Ehr(dict(WHOLE))  # type: ignore[arg-type]
    with pytest.raises(DataUnavailable) as raised:
        ask(sign({}, **opened), ehr)
    assert "restricted to another patient" in raised.value.issues[0].message
    assert ehr.asked == {}


def test_what_the_ehr_denies_is_412_and_what_fails_is_said() -> None:
    slow = Unread("conditionRecord", "Condition", "the EHR took too long")
    rest = {key: value for key, value in WHOLE.items() if key != "conditionRecord"}
    found = ask(sign(rest, **ACCESS), Ehr({"conditionRecord": slow}))
    said = findings(found)[LESION]
    assert said.startswith("not known: ")
    assert said.endswith(
        "The record could not be read (The problems and diagnoses in the record: the EHR took too long)"
    )
    assert "- The problems and diagnoses in the record: the EHR took too long" in found.cards[0]["detail"]
    denied = Unread("conditionRecord", "Condition", "no", denied=True)
    with pytest.raises(DataUnavailable) as raised:
        ask(sign(rest, **ACCESS), Ehr({"conditionRecord": denied}))
    assert [issue.expression for issue in raised.value.issues] == ["prefetch.`conditionRecord`"]


@pytest.mark.requirement("Prefetch Template: an OperationOutcome is an error, never an answer")
def test_an_operation_outcome_makes_unknown_what_rests_on_it_alone() -> None:
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
    found = findings(ask(sign({**WHOLE, "conditionRecord": failed})))
    unread = [name for name, said in found.items() if "could not be read" in said]
    assert unread == [LESION, "The lesion causes pain"]


def test_another_patients_condition_is_not_used() -> None:
    other = {**METASTASIS, "subject": {"reference": "Patient/2"}}
    found = ask(sign({**WHOLE, "conditionRecord": bundle(other)}))
    assert findings(found)[LESION].startswith("not known")
    assert "1 of its entries name another patient" in found.cards[0]["detail"]


def form_card(*forms: Resource, **more: Any) -> Resource:
    return ask(sign({**WHOLE, FORM_KEY: bundle(*forms)}, **more)).cards[0]


@pytest.mark.parametrize(
    ("server", "listed", "used"),
    [
        ("https://ehr.example/fhir", None, True),
        (None, "https://ehr.example/fhir", True),
        ("https://other.example/fhir", "https://ehr.example/fhir", True),
        ("https://other.example/fhir", None, False),
        (None, "https://other.example/fhir", False),
        (None, None, False),
    ],
)
def test_an_absolute_subject_is_the_patient_on_the_calls_servers_alone(
    server: str | None, listed: str | None, used: bool
) -> None:
    """Without a server of the call it is not known whose the id is: then nothing of it is used, and said."""
    far = {"reference": "https://ehr.example/fhir/Patient/1288992"}
    called: Resource = {"fhirServer": server} if server else {}
    client = Client("A", "https://a.example", servers=(listed,)) if listed else None
    record = {**WHOLE, "conditionRecord": bundle({**METASTASIS, "subject": far})}
    found = ask(sign(record, **called), client=client)
    assert findings(found)[LESION].startswith("met" if used else "not known")
    assert ("1 of its entries name this patient's id on a FHIR server" in detail(found)) is not used
    order = ask(sign(WHOLE, {**ORDER, "subject": far}, **called), client=client)
    assert len(order.cards) == 1
    assert ("This order names its patient on a FHIR server that is neither" in detail(order)) is not used
    form = ask(sign({**WHOLE, FORM_KEY: bundle({**FORM, "subject": far})}, **called), client=client)
    assert ("From a completed form of" in detail(form)) is used


def test_an_order_of_another_type_is_said_and_needs_nothing() -> None:
    """FHIR STU3 has procedures ordered by ProcedureRequest: no cards would say that all is well."""
    older = {**ORDER, "resourceType": "ProcedureRequest"}
    for asked in (sign({}, older), dispatch({"orders": bundle(older)}, "ProcedureRequest/1")):
        (card,) = ask(asked).cards
        assert card["indicator"] == "info"
        assert "order not assessed (order: Cementoplasty, sacrum)" in card["summary"]
        assert "It is written as ProcedureRequest, and the plan judges ServiceRequest" in card["detail"]
    assert ask(sign({}, {**older, "code": {"text": "MRI"}})) == Advice()
    assert ask(sign({}, {**older, "code": {"coding": [{"system": "urn:x", "code": "y"}]}})) == Advice()


def test_a_completed_form_is_used_in_preference_and_needs_nothing_else() -> None:
    card = ask(sign({FORM_KEY: bundle(FORM)})).cards[0]
    assert card["summary"].startswith("HTG117 criteria: all criteria are met")
    assert "From a completed form of " in card["detail"]
    assert "(QuestionnaireResponse/f1)" in card["detail"]
    assert card == form_card(FORM)
    absolute = {**FORM, "subject": {"reference": "https://ehr.example/fhir/Patient/1288992"}}
    assert form_card(absolute, **ACCESS)["summary"] == card["summary"]


def without_aim(form: Resource) -> Resource:
    return form | {"item": [item for item in form["item"] if item["linkId"] != "aim"]}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"subject": {"reference": "Patient/2"}}, "name another patient"),
        ({"status": "in-progress"}, "one is not completed, and is not used"),
        ({"questionnaire": "Questionnaire/htg117-eligibility"}, "one names its form otherwise than"),
        ({"questionnaire": "http://ehr.example/fhir/htg117-eligibility|2006.1.0"}, "one names its form"),
        ({"item": [{"linkId": "no-such-item"}]}, "one breaks the rules of its form, and is not used"),
        (
            {"questionnaire": FORM["questionnaire"].split("|")[0] + "|0.0.0"},
            "one breaks the rules of its form",
        ),
    ],
)
def test_a_form_that_does_not_count_is_told_of(form: Resource, said: str) -> None:
    card = form_card(FORM | form)
    assert card["summary"].startswith("HTG117 criteria: information is needed")
    assert said in card["detail"]


def test_the_latest_form_counts() -> None:
    later = without_aim(FORM) | {"id": "f2", "authored": "2026-11-20T10:00:00Z", "status": "amended"}
    for forms in ((FORM, later), (later, FORM)):
        assert "(QuestionnaireResponse/f2)" in form_card(*forms)["detail"]
    as_late = without_aim(FORM) | {"id": "f2"}
    card = form_card(FORM, as_late)
    assert card["summary"].startswith("HTG117 criteria: information is needed")
    assert "two are equally late and differ" in card["detail"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = connect(f"sqlite:///{tmp_path}/records.sqlite3")
    yield made
    made.close()


def keep(store: Store, *resources: Resource) -> None:
    store.commit(
        [Write(one["resourceType"], one["id"], one, encode(one), expected=0) for one in resources], now()
    )


def client(**more: Any) -> Client:
    return Client("ehr", "https://ehr.example", servers=("https://ehr.example/fhir",), **more)


def uses_kept(found: Advice) -> bool:
    return "(https://cds.example/fhir/QuestionnaireResponse/f1)" in detail(found)


@pytest.mark.parametrize(
    ("subject", "caller", "used"),
    [
        ({"reference": "Patient/1288992"}, None, True),
        ({"reference": "Patient/1288992"}, client(local_references=True), True),
        ({"reference": "Patient/1288992"}, client(), False),
        ({"reference": "https://ehr.example/fhir/Patient/1288992"}, client(), True),
        ({"reference": "https://EHR.example:443/fhir/Patient/1288992"}, client(), True),
        ({"reference": "http://ehr.example/fhir/Patient/1288992"}, client(), False),
        ({"reference": "https://other.example/fhir/Patient/1288992"}, client(), False),
        ({"reference": "Patient/2"}, None, False),
        ({"identifier": {"system": NHS, "value": "9990000018"}}, client(), True),
        ({"identifier": {"system": NHS, "value": "9990000026"}}, client(), False),
    ],
)
def test_a_form_kept_here_is_found_by_its_patient(
    store: Store, subject: Resource, caller: Client | None, used: bool
) -> None:
    keep(store, FORM | {"subject": subject})
    assert uses_kept(ask(sign(), own=advisor(store), client=caller)) is used


@pytest.mark.parametrize("place", [0, 49, 50, 1999])
def test_a_patient_of_very_many_identifiers_is_found_by_any(store: Store, place: int) -> None:
    """As one search they were more than the database takes, and the records were said not to answer."""
    many = [{"system": f"https://s{number}.example", "value": str(number)} for number in range(2000)]
    keep(store, FORM | {"subject": {"identifier": many[place]}})
    asked = sign({**WHOLE, "patient": {**PATIENT, "identifier": many}})
    assert uses_kept(ask(asked, own=advisor(store), client=client()))


def test_a_patient_read_from_the_ehr_leads_to_forms_here(store: Store) -> None:
    keep(store, FORM | {"subject": {"identifier": {"system": NHS, "value": "9990000018"}}})
    rest = {key: value for key, value in WHOLE.items() if key != "patient"}
    found = ask(sign(rest, **ACCESS), Ehr({"patient": PATIENT}), own=advisor(store), client=client())
    assert uses_kept(found)


def test_a_form_here_and_in_the_ehr_is_one(store: Store) -> None:
    keep(store, FORM)
    found = ask(sign({**WHOLE, FORM_KEY: bundle(FORM | {"id": "in-the-ehr"})}), own=advisor(store))
    assert uses_kept(found)
    assert "equally late" not in found.cards[0]["detail"]


def test_a_store_that_does_not_answer_is_said_and_costs_no_card() -> None:
    found = ask(sign(), own=advisor(Nothing("down")))
    assert f"- {FORM_TITLE}: the records kept here do not answer" in found.cards[0]["detail"]


def dispatch(prefetch: Mapping[str, Resource | None], *references: str, **more: Any) -> Resource:
    body = request("order-dispatch", prefetch=dict(prefetch), **more)
    return changed(body, list(references or ("ServiceRequest/1",)), "context", "dispatchedOrders")


def test_a_dispatched_order_is_found_in_prefetch_or_read() -> None:
    sent = ask(dispatch({**WHOLE, "orders": bundle(ORDER)}, **ACCESS))
    ehr = Ehr({"order:ServiceRequest/1": ORDER})
    assert ask(dispatch(WHOLE, **ACCESS), ehr) == sent
    assert ehr.asked == {"order:ServiceRequest/1": "ServiceRequest/1"}
    assert sent.cards[0]["summary"].endswith("(order: Cementoplasty, sacrum)")
    assert ask(dispatch({}, "MedicationRequest/1")) == Advice()
    assert ask(dispatch({"orders": bundle({**ORDER, "code": {"text": "MRI"}})})) == Advice()


def test_a_dispatched_order_that_cannot_be_read() -> None:
    with pytest.raises(DataUnavailable) as raised:
        ask(dispatch(WHOLE))
    assert [issue.expression for issue in raised.value.issues] == ["prefetch.`orders`"]
    found = ask(dispatch(WHOLE, **ACCESS), Ehr({}))
    assert "This order could not be read (the EHR took too long)" in found.cards[0]["detail"]
    assert len(found.cards) == 1


@pytest.mark.parametrize("type_", ["ProcedureRequest", "CarePlan", "RequestGroup", "HospitalOrder"])
def test_a_dispatched_order_of_another_type_is_read_too(type_: str) -> None:
    """It may order what the plan is about: it was passed over where the call did not carry it."""
    key, reference = f"order:{type_}/7", f"{type_}/7"
    held = {"resourceType": type_, "id": "7", "subject": SUBJECT, "code": ORDER["code"]}
    ehr = Ehr({key: held})
    (card,) = ask(dispatch({}, reference, **ACCESS), ehr).cards
    assert ehr.asked == {key: reference}  # of the rest of the record nothing is needed
    assert card["indicator"] == "info"
    assert f"It is written as {type_}, and the plan judges ServiceRequest" in card["detail"]
    assert ask(dispatch({}, reference, **ACCESS), Ehr({key: {**held, "code": {"text": "MRI"}}})) == Advice()
    both = ask(dispatch({**WHOLE, "orders": bundle(ORDER)}, "ServiceRequest/1", reference, **ACCESS), ehr)
    assert [one["indicator"] for one in both.cards][1:] == ["info"]


def test_a_dispatched_order_of_another_type_that_cannot_be_read_is_said() -> None:
    denied = Unread("order:CarePlan/7", "", "it may not", denied=True)
    for access, ehr, why in (
        ({}, Ehr({}), "it was not sent, and the call gives no access to the EHR's FHIR server"),
        (ACCESS, Ehr({}), "the EHR took too long"),
        (ACCESS, Ehr({"order:CarePlan/7": denied}), "it may not"),
    ):
        (card,) = ask(dispatch({}, "CarePlan/7", **access), ehr).cards
        assert "order not assessed (order: CarePlan/7)" in card["summary"]
        assert f"This order could not be read ({why}), so whether the guidance is about it" in card["detail"]


@pytest.mark.parametrize("type_", ["MedicationRequest", "MedicationOrder", "NutritionOrder", "DeviceRequest"])
def test_an_order_of_another_kind_is_neither_read_nor_said(type_: str) -> None:
    """A card at every drug that is dispatched would be one that nobody reads."""
    ehr = Ehr({})
    assert ask(dispatch({}, f"{type_}/7", **ACCESS), ehr) == Advice()
    assert ehr.asked == {}
    sent = {"resourceType": type_, "id": "7", "subject": SUBJECT, "code": ORDER["code"]}
    assert len(ask(dispatch({"orders": bundle(sent)}, f"{type_}/7")).cards) == 1


@pytest.mark.parametrize(
    ("reference", "read"),
    [
        ("https://ehr.example/fhir/ServiceRequest/1", True),
        ("https://EHR.example:443/fhir/ServiceRequest/1/_history/2", True),
        ("https://other.example/fhir/ServiceRequest/1", False),
        ("http://ehr.example/fhir/ServiceRequest/1", False),
        ("https://ehr.example/fhir/x/ServiceRequest/1", False),
    ],
)
def test_an_order_is_that_of_its_own_server(reference: str, read: bool) -> None:
    """An id is another order's on another server; the one that the call names so was taken for it."""
    ehr = Ehr({"order:ServiceRequest/1": ORDER})
    for found in (
        ask(dispatch(WHOLE, reference, **ACCESS), ehr),
        ask(dispatch({**WHOLE, "orders": bundle(ORDER)}, reference, **ACCESS)),
    ):
        (card,) = found.cards
        assert ("This order is named on a FHIR server that is neither" in card["detail"]) is not read
        assert card["summary"].endswith("(order: Cementoplasty, sacrum)") is read


def test_an_order_that_was_sent_by_its_address_is_it_wherever_that_is() -> None:
    address = "https://other.example/fhir/ServiceRequest/1"
    held = bundle() | {"entry": [{"fullUrl": address, "resource": ORDER}]}
    found = ask(dispatch({**WHOLE, "orders": held}, address, **ACCESS))
    assert found.cards[0]["summary"].endswith("(order: Cementoplasty, sacrum)")
    without = ask(dispatch({**WHOLE, "orders": bundle(ORDER)}, address))
    assert without.cards[0]["summary"].endswith("(order: Cementoplasty, sacrum)")


def view(prefetch: Mapping[str, Resource | None] | None, **more: Any) -> Resource:
    body = request("patient-view", **more)
    return body if prefetch is None else body | {"prefetch": dict(prefetch)}


VIEWED: dict[str, Resource | None] = {
    "patient": PATIENT, "htg117-procedure": None, "htg117-follow-up": None, "procedureRecord": None,
}  # fmt: skip


@pytest.mark.parametrize("left", VIEWED)
def test_that_nothing_is_recorded_is_said_only_of_a_whole_record(left: str) -> None:
    assert ask(view(VIEWED)) == Advice()
    with pytest.raises(DataUnavailable) as raised:
        ask(view({key: value for key, value in VIEWED.items() if key != left}))
    assert [issue.expression for issue in raised.value.issues] == [f"prefetch.`{left}`"]
    broken = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
    (card,) = ask(view({**VIEWED, left: broken})).cards
    assert "not known, the record could not be read" in card["summary"]
    assert "the EHR reported an error (timeout)" in card["detail"]


def test_another_patients_record_is_told_of_where_nothing_else_is() -> None:
    (card,) = ask(view({**VIEWED, "patient": {**PATIENT, "id": "another"}})).cards
    assert "what was sent is not this patient's, and is not used" in card["detail"].replace("\\", "")


def test_attention_needs_the_record_from_somewhere(store: Store) -> None:
    with pytest.raises(DataUnavailable) as raised:
        ask(view(None))
    assert [issue.expression for issue in raised.value.issues] == [f"prefetch.`{key}`" for key in VIEWED]
    empty = VIEWED
    assert ask(view(empty)) == Advice()
    follow_up = next(
        one.resource
        for one in CONTENT.examples("QuestionnaireResponse")
        if "follow-up" in one.resource["questionnaire"]
    ) | {"id": "g1", "subject": SUBJECT}
    sent = ask(view({**empty, "htg117-follow-up": bundle(follow_up)}))
    assert len(sent.cards) == 1
    assert "QuestionnaireResponse/g1" in sent.cards[0]["detail"]
    keep(store, follow_up)
    kept = ask(view(empty), own=advisor(store))
    assert "https://cds.example/fhir/QuestionnaireResponse/g1" in detail(kept)
    assert len(ask(view(None), own=advisor(store)).cards) == 1


def test_a_form_that_is_named_in_another_way_is_no_silence() -> None:
    """Some EHRs keep forms under addresses of their own: such a procedure would not be followed up."""
    named = {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": SUBJECT}
    foreign = {**named, "questionnaire": "Questionnaire/htg117-procedure|2006.1.0"}
    (card,) = ask(view({**VIEWED, "htg117-procedure": bundle(foreign)})).cards
    assert "not known, the record could not be read" in card["summary"]
    assert "one names its form otherwise than by the address" in card["detail"]
    other = {**named, "questionnaire": "https://ehr.example/Questionnaire/falls"}
    assert ask(view({**VIEWED, "htg117-procedure": bundle(other)})) == Advice()


def test_an_event_without_a_report_needs_attention(store: Store) -> None:
    event = {
        "resourceType": "AdverseEvent",
        "id": "e1",
        "actuality": "actual",
        "subject": SUBJECT,
        "event": {
            "coding": [
                {
                    "system": EVENTS,
                    "code": "cement-leak",
                }
            ]
        },
    }
    keep(store, event)
    found = ask(view(VIEWED), own=advisor(store))
    assert len(found.cards) == 1
    assert "report" in found.cards[0]["summary"]
    down = ask(view(VIEWED), own=advisor(Nothing("down")))
    assert "the records kept here do not answer" in down.cards[0]["detail"]


def test_the_same_call_gets_the_same_answer() -> None:
    body = sign()
    before = copy.deepcopy(body)
    assert json.dumps(ask(body).cards) == json.dumps(ask(body).cards)
    assert body == before


def test_no_call_changes_what_is_published() -> None:
    """Cards and drafts hold parts of the published content as they are: nothing writes in them."""
    types = ("ActivityDefinition", "CodeSystem", "PlanDefinition", "Questionnaire", "ValueSet")
    held = [one.resource for type_ in types for one in CONTENT.of_type(type_)]
    before = encode({"held": held})
    asked = (
        sign(),
        sign({**WHOLE, FORM_KEY: bundle(FORM)}, ORDER, {**ORDER, "id": "2"}),
        sign({}, {**ORDER, "resourceType": "ProcedureRequest"}),
        view({**VIEWED, **WHOLE}),
    )
    for body, app in itertools.product(asked, (None, "https://forms.example/launch")):
        first = ask(body, form_app=app, system_actions=True)
        assert ask(body, form_app=app, system_actions=True) == first
        assert encode({"held": held}) == before


def test_system_actions_stand_only_where_they_are_asked_for() -> None:
    assert ask(sign()).system_actions == ()
    assert [one["type"] for one in ask(sign(), system_actions=True).system_actions] == ["create"]


@given(
    st.dictionaries(
        st.sampled_from(sorted(WHOLE)), st.none() | st.dictionaries(st.text(max_size=3), JSON), max_size=6
    ),
    st.data(),
)
def test_any_prefetch_is_answered_or_refused(prefetch: dict[str, Any], data: st.DataObject) -> None:
    """Whatever the parts of a record hold, no other exception comes of it."""
    kinds = st.sampled_from(["Bundle", "Patient", "Condition", "Observation", "OperationOutcome"])
    for value in prefetch.values():
        if value is not None:
            value["resourceType"] = data.draw(kinds)
    with contextlib.suppress(ServiceError):
        ask(sign({**WHOLE, **prefetch}))


@given(st.data())
def test_any_one_element_of_a_record_may_be_anything(data: st.DataObject) -> None:
    whole: Any = copy.deepcopy({**WHOLE, FORM_KEY: bundle(FORM)})
    at = whole
    while True:
        key = data.draw(st.sampled_from(sorted(at, key=str) if isinstance(at, dict) else range(len(at))))
        if isinstance(at[key], dict | list) and at[key] and data.draw(st.integers(0, 9)) > 0:
            at = at[key]
            continue
        at[key] = data.draw(JSON)
        break
    with contextlib.suppress(ServiceError):
        ask(sign(whole))


def test_contexts_are_those_of_the_tests() -> None:
    assert set(CONTEXTS) == {one.hook for one in ADVISOR.services}


@pytest.mark.parametrize(
    ("fault", "patient", "times"),
    [
        ("", Unread("patient", "", "the EHR took too long"), 1),
        ("down", WHOLE["patient"], 1),
        ("", {"resourceType": "Patient", "id": ORDER["subject"]["reference"].partition("/")[2]}, 2),
    ],
)
def test_records_are_asked_again_only_where_that_may_tell_more(fault: str, patient: Any, times: int) -> None:
    """Each asking costs time, which a call has no more of where the records or the EHR gave nothing."""
    records = Nothing(fault)
    ask(sign({}, **ACCESS), Ehr({"patient": patient}), own=advisor(records))
    assert records.searched == times


def test_the_time_that_the_records_took_is_taken_from_the_ehrs() -> None:
    class Slow(Nothing):
        def search(self, query: object) -> Any:
            time.sleep(0.15)
            return super().search(query)

    ehr = Ehr({})
    ask(sign({}, **ACCESS), ehr, own=advisor(Slow()))
    assert 0.05 <= ehr.deadline <= 0.25
