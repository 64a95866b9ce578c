"""The parts of a record: had, empty, or not read and why; never another patient's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from service.cds.calls import read_call
from service.cds.model import Access, Unread
from service.cds.patients import Whose, identifiers_of, servers_of
from service.cds.prefetch import Part
from service.cds.record import ELSEWHERE, FIRST_PAGE, NOT_THEIRS, Record, read_record, unsatisfied
from tests.cds.requests import AUTHORIZATION, request, service

PATIENT = Part("patient", "Patient/{{context.patientId}}", "The patient", "patient")
CONDITIONS = Part(
    "conditions", "Condition?patient={{context.patientId}}", "Problems", "variable", needed=True
)
FORMS = Part("forms", "QuestionnaireResponse?patient={{context.patientId}}", "Forms", "form")
OWN = {"resourceType": "Condition", "id": "1", "subject": {"reference": "Patient/1288992"}}
NHS = "https://fhir.nhs.uk/Id/nhs-number"


def bundle(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A searchset of the resources."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": one} for one in resources],
    } | more


def read(prefetch: dict[str, Any], *parts: Part, gathered: Any = None, server: bool = True) -> Record:
    opened: dict[str, Any] = (
        {"fhirServer": "https://ehr.example/fhir", "fhirAuthorization": AUTHORIZATION} if server else {}
    )
    call = read_call(request(prefetch=prefetch, **opened), service())
    return read_record(parts or (CONDITIONS,), call, Whose(call.patient, servers_of(call)), gathered)


def outcome(severity: str, code: str = "timeout") -> dict[str, Any]:
    issue = {"severity": severity, "code": code, "diagnostics": "John Smith, 9990000018"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


@pytest.mark.requirement(
    "Prefetch Template: a key that is left out is not satisfied, null is no data",
    "Prefetch Template: the service compares what was sent with its own template",
)
def test_left_out_null_and_empty_are_three_things() -> None:
    assert read({}).absent == (CONDITIONS,)
    for none in (None, bundle(), {"resourceType": "Bundle"}):
        found = read({"conditions": none})
        assert (found.data, found.unread, found.absent) == ({"conditions": ()}, {}, ())
    assert read({"conditions": bundle(OWN)}).data == {"conditions": (OWN,)}
    assert read({"conditions": OWN}).data == {"conditions": (OWN,)}


@pytest.mark.requirement("Prefetch Template: OperationOutcomes in prefetch are looked for")
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (outcome("error"), "the EHR reported an error (timeout)"),
        (outcome("warning"), "the EHR reported an error (timeout)"),
        ({"resourceType": "OperationOutcome"}, "the EHR reported an error"),
        ({"resourceType": "OperationOutcome", "issue": {"code": 1}}, "the EHR reported an error"),
        (bundle(OWN, outcome("fatal", "exception")), "the EHR reported an error (exception)"),
        (
            {"resourceType": "Observation", "id": "1"},
            "a resource of type Observation was sent, which is not what was asked for",
        ),
        ({"resourceType": "Bundle", "entry": "x"}, "it is no FHIR Bundle"),
        ({"resourceType": "Bundle", "entry": [{"fullUrl": "x"}]}, "an entry of its Bundle holds no resource"),
        (bundle(OWN, link=[{"relation": "next", "url": "https://ehr.example/fhir?p=2"}]), FIRST_PAGE),
        (bundle(OWN, total=2), FIRST_PAGE),
        (bundle(OWN, outcome("information"), total=2), FIRST_PAGE),
        (bundle(OWN, {"resourceType": "Encounter", "id": "1"}, total=Decimal("2.0")), FIRST_PAGE),
        (bundle(OWN, outcome("warning", "incomplete")), "the EHR reported an error (incomplete)"),
        (bundle(OWN, outcome("warning", "suppressed")), "the EHR reported an error (suppressed)"),
    ],
)
def test_what_is_not_whole_is_not_used_and_said(value: Any, reason: str) -> None:
    found = read({"conditions": value})
    assert found.unread == {"conditions": Unread("conditions", "Problems", reason)}
    assert found.data == {}


def test_what_the_ehr_remarks_beside_its_answer_does_not_spoil_it() -> None:
    for beside in (outcome("information", "incomplete"), outcome("warning", "not-supported")):
        assert read({"conditions": bundle(OWN, beside, total=1)}).data == {"conditions": (OWN,)}


@pytest.mark.parametrize(
    ("authored", "enough"),
    [
        (["2026-07-02", "2026-07-01"], True),
        (["2026-07-01T23:59:00+01:00", "2026-07-01T09:00:00Z"], True),
        (["2026-07-01", "2026-07-02"], False),
        (["2026-07-02", None], False),
        ([], False),
    ],
)
def test_the_first_forms_are_enough_only_if_they_are_the_newest(
    authored: list[str | None], enough: bool
) -> None:
    forms = [{"resourceType": FORMS.type, "id": str(at), "authored": day} for at, day in enumerate(authored)]
    paged = bundle(*forms, link=[{"relation": "next", "url": "https://ehr.example/fhir?p=2"}])
    call = read_call(request(prefetch={"forms": paged}), service())
    assert unsatisfied((FORMS,), call) == (() if enough else (FORMS,))


@pytest.mark.requirement("Prefetch Template: prefetched data may be in pages")
def test_a_part_in_pages_is_read_from_the_ehr() -> None:
    paged = bundle(OWN, link=[{"relation": "next", "url": "https://ehr.example/fhir?p=2"}])
    call = read_call(request(prefetch={"conditions": paged, "forms": None, "patient": None}), service())
    assert unsatisfied((PATIENT, CONDITIONS, FORMS), call) == (CONDITIONS,)
    whole = read({"conditions": paged}, gathered={"conditions": bundle(OWN)})
    assert whole.data == {"conditions": (OWN,)}
    failed = read({"conditions": paged}, gathered={"conditions": Unread("conditions", "Condition", "slow")})
    assert failed.unread["conditions"].reason == FIRST_PAGE


def test_what_the_ehr_gave_reads_as_if_it_had_been_sent() -> None:
    values = (
        None,
        bundle(),
        bundle(OWN),
        outcome("error"),
        bundle(OWN, {**OWN, "subject": {"reference": "Patient/2"}}),
    )
    for value in values[1:]:
        assert read({}, gathered={"conditions": value}) == read({"conditions": value})
    slow = Unread("conditions", "Condition", "the EHR took too long", denied=True)
    assert read({}, gathered={"conditions": slow}).unread == {
        "conditions": Unread("conditions", "Problems", "the EHR took too long", denied=True)
    }


def test_another_patients_data_is_left_out_and_said() -> None:
    others = [
        {**OWN, "subject": {"reference": "Patient/2"}},
        {**OWN, "subject": {"reference": "https://other.example/fhir/Patient/2"}},
        {**OWN, "subject": {"reference": "#p"}},
        {**OWN, "subject": "Patient/1288992"},
        {**OWN, "subject": {"identifier": {"system": NHS, "value": "9990000018"}}},
    ]
    found = read({"conditions": bundle(OWN, *others)})
    said = "5 of its entries name another patient, or none that is known here, and are not used"
    assert found.data == {"conditions": (OWN,)}
    assert found.remarks == (Unread("conditions", "Problems", said),)


def test_a_patient_of_another_id_is_not_used() -> None:
    other = {"resourceType": "Patient", "id": "2", "identifier": [{"system": NHS, "value": "9990000018"}]}
    about = {**OWN, "subject": {"identifier": {"system": NHS, "value": "9990000018"}}}
    found = read({"patient": other, "conditions": bundle(about)}, PATIENT, CONDITIONS)
    assert found.unread == {"patient": Unread("patient", "The patient", NOT_THEIRS)}
    assert found.data == {"conditions": ()}
    assert found.patient == {"resourceType": "Patient", "id": "1288992"}
    own = read({"patient": {**other, "id": "1288992"}, "conditions": bundle(about)}, CONDITIONS, PATIENT)
    assert own.data["conditions"] == (about,)


@pytest.mark.parametrize(
    ("reference", "names"),
    [
        ({"reference": "Patient/1"}, True),
        ({"reference": "Patient/1/_history/3"}, True),
        ({"reference": "https://ehr.example/fhir/Patient/1"}, True),
        ({"reference": "https://ehr.example/Patient/1"}, False),
        ({"reference": "Patient/2"}, False),
        ({"reference": "Group/1"}, False),
        ({"reference": "urn:uuid:0c3151bd"}, None),
        ({"identifier": {"system": NHS, "value": "a"}}, True),
        ({"identifier": {"system": NHS, "value": "b"}}, False),
        ({"identifier": {"system": "urn:x", "value": "a"}}, None),
        ({"display": "somebody"}, None),
        (None, None),
    ],
)
def test_whose_a_reference_is(reference: Any, names: bool | None) -> None:
    whose = Whose("Patient/1", ("https://ehr.example/fhir",), {NHS: "a"})
    assert whose.names(reference) is names


def test_without_a_server_no_address_is_the_patients() -> None:
    assert Whose("Patient/1").names({"reference": "https://any.example/Patient/1"}) is False
    assert Whose("Patient/1").names({"reference": "Patient/1"}) is True
    assert Whose("Patient/1", relative=False).names({"reference": "Patient/1"}) is False


@pytest.mark.parametrize(
    ("server", "same"),
    [
        ("https://ehr.example/fhir", True),
        ("HTTPS://EHR.example/fhir", True),
        ("https://ehr.example:443/fhir", True),
        ("https://ehr.example/fhir/", True),
        ("https://ehr.example/FHIR", False),
        ("https://ehr.example:8443/fhir", False),
        ("http://ehr.example/fhir", False),
        ("https://ehr.example/other/fhir", False),
        ("https://ehr.example.evil.example/fhir", False),
        ("https://ehr.example:port/fhir", False),
        ("https://[::1/fhir", False),
    ],
)
def test_a_server_is_known_by_its_address_however_it_is_written(server: str, same: bool) -> None:
    """RFC 3986, 6.2: letters of scheme and host count as the same, a scheme's own port may be left out."""
    reference = {"reference": f"{server}/Patient/1"}
    for held in ("https://ehr.example/fhir", "https://EHR.example:443/fhir/"):
        whose = Whose("Patient/1", (held,))
        assert (whose.names(reference), whose.is_elsewhere(reference)) == (same, not same)


@pytest.mark.parametrize("server", [True, False])
def test_a_subject_on_a_server_that_is_not_the_calls_is_not_used_and_said(server: bool) -> None:
    """Another hospital's patient may have the same id; without a server of the call every host is another."""
    other = {**OWN, "subject": {"reference": "https://other.example/fhir/Patient/1288992"}}
    found = read({"conditions": bundle(OWN, other, other)}, server=server)
    assert found.data == {"conditions": (OWN,)}
    assert found.remarks == (Unread("conditions", "Problems", f"2 of its entries {ELSEWHERE}"),)
    own = {**OWN, "subject": {"reference": "https://ehr.example/fhir/Patient/1288992"}}
    assert read({"conditions": bundle(own)}, server=server).data == {"conditions": (own,) if server else ()}


def test_the_calls_servers_are_its_own_and_those_listed_for_its_client() -> None:
    listed = ("https://b.example/fhir/", "https://a.example/fhir")
    call = read_call(request(fhirServer="https://ehr.example/fhir/"), service())
    assert servers_of(call) == ("https://ehr.example/fhir",)
    assert servers_of(call, listed) == ("https://ehr.example/fhir", "https://b.example/fhir", listed[1])
    assert servers_of(read_call(request(), service())) == ()


def test_identifiers_that_could_mislead_are_left_out() -> None:
    entries = [
        {"system": NHS, "value": "a"},
        {"system": "urn:old", "value": "a", "use": "old"},
        {"system": "urn:temporary", "value": "a", "use": "temp"},
        {"system": "urn:two", "value": "a"},
        {"system": "urn:two", "value": "b"},
        {"value": "a"},
        {"system": "urn:none", "value": " "},
        {"system": "urn:null", "value": "a\x00"},
        {"system": "urn:\x00", "value": "a"},
        7,
    ]
    assert identifiers_of({"resourceType": "Patient", "identifier": entries}) == {NHS: "a"}
    assert identifiers_of({"identifier": "x"}) == identifiers_of(None) == {}


def test_access_is_known_by_its_server() -> None:
    call = read_call(request(fhirServer="https://ehr.example/fhir"), service())
    assert call.access == Access("https://ehr.example/fhir")
