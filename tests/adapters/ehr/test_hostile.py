"""An EHR that answers with anything at all: the record is read, or it is unknown; nothing else is raised."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adapters.ehr import faults
from service.adapters.ehr.backend import BackendTokens
from service.adapters.ehr.believing import believe_page, believe_read, next_link, patient_of
from service.adapters.ehr.capability import lacks_for_writing, read_capability
from service.adapters.ehr.courier import _judge
from service.adapters.ehr.exchange import Answer, Ask
from service.adapters.ehr.faults import EhrFault
from service.adapters.ehr.retries import Retries
from service.adapters.ehr.search import Bounds, Questions
from service.domain.errors import ServiceError
from service.operations.ports import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVER = "https://ehr.example.org/fhir"
WORDS = st.sampled_from(
    [
        "resourceType",
        "Bundle",
        "type",
        "searchset",
        "entry",
        "resource",
        "search",
        "mode",
        "match",
        "outcome",
        "OperationOutcome",
        "issue",
        "severity",
        "error",
        "warning",
        "link",
        "relation",
        "next",
        "url",
        "Condition",
        "id",
        "subject",
        "patient",
        "reference",
        "Patient/1",
        "Patient/2",
        "https://[",
        f"{SERVER}?page=2",
        "response",
        "status",
        "201 Created",
        "expression",
        "Bundle.entry[0]",
        "rest",
        "interaction",
        "code",
        "x",
        "",
        "1",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)
OBJECT = st.dictionaries(WORDS, JSON, max_size=6)
RESOURCE = st.builds(
    lambda more, kind: more | {"resourceType": kind},
    OBJECT,
    st.sampled_from(["Condition", "OperationOutcome", 1]),
)
PAGE = st.builds(
    lambda more, entries: more | {"resourceType": "Bundle", "type": "searchset", "entry": entries},
    OBJECT,
    st.lists(st.builds(lambda more, one: more | {"resource": one}, OBJECT, RESOURCE), max_size=4),
)


@given(OBJECT | PAGE)
def test_any_page_is_believed_or_refused(page: dict[str, Any]) -> None:
    try:
        entries = believe_page(page, "Condition?patient=1")
        next_link(page)
    except EhrFault:
        return
    for entry in entries:
        about = entry["resource"].get("subject")
        if isinstance(about, dict) and isinstance(about.get("reference"), str):
            assert about["reference"] != "Patient/2"


@given(OBJECT)
def test_any_resource_is_the_one_asked_for_or_refused(resource: dict[str, Any]) -> None:
    try:
        found = believe_read(resource, "Condition/x")
    except EhrFault:
        return
    assert (found["resourceType"], found["id"]) == ("Condition", "x")


class Says:
    """An exchange that gives what it was told to, one after the other."""

    def __init__(self, contents: Sequence[dict[str, Any]], status: int = 200) -> None:
        self.contents = list(contents)
        self.status = status

    async def send(self, ask: Ask, seconds: float, *, failing: bool = False) -> Answer:
        if not self.contents:
            raise EhrFault(faults.SLOW)
        return Answer(self.status, self.contents.pop(0), 100)


@given(
    st.lists(OBJECT | PAGE, max_size=5), st.sampled_from(["Condition?patient=1", "Condition/x", "Patient/1"])
)
def test_any_answers_make_a_record_or_an_unknown(contents: list[dict[str, Any]], query: str) -> None:
    questions = Questions(Says(contents), Retries(), lambda: 0.0, Bounds(pages=3))  # type: ignore[arg-type]
    try:
        found = asyncio.run(questions.put(SERVER, query, None, "c", 1.0))
    except EhrFault:
        return
    assert found["resourceType"] in ("Bundle", "Condition", "Patient")


SENT = {
    "entry": [
        {
            "fullUrl": "urn:uuid:1",
            "resource": {},
            "request": {"method": "POST", "url": "Observation", "ifNoneExist": "x"},
        },
        {"request": {"method": "DELETE", "url": "AdverseEvent/1"}},
    ]
}


@given(st.integers(200, 599), OBJECT)
def test_any_answer_to_a_transaction_is_a_receipt_or_an_error_of_ours(
    status: int, content: dict[str, Any]
) -> None:
    try:
        receipt = _judge(Answer(status, content, 0), SENT)
    except ServiceError as fault:
        assert "Patient" not in str(fault)
        return
    assert status < 300
    assert isinstance(receipt, Receipt)


@given(OBJECT)
def test_any_capability_statement_can_be_read(statement: dict[str, Any]) -> None:
    assert list(lacks_for_writing(read_capability(statement), SENT))


@given(
    st.sampled_from([200, 400, 401, 500]),
    OBJECT | st.dictionaries(st.sampled_from(["access_token", "token_type", "expires_in", "error"]), JSON),
)
def test_any_answer_of_a_token_service_is_a_token_or_an_error_of_ours(
    status: int, content: dict[str, Any]
) -> None:
    tokens = object.__new__(BackendTokens)
    tokens._exchange = Says([content], status)  # type: ignore[assignment]
    tokens._backend = type("B", (), {"scopes": "x", "token_url": "https://t.example"})()
    tokens._seconds = 1.0
    tokens.assertion = lambda: "signed"  # type: ignore[method-assign]
    try:
        token, lasts = asyncio.run(tokens._fetch())
    except ServiceError:
        return
    assert token
    assert lasts >= 0


@pytest.mark.parametrize(
    ("query", "patient"),
    [
        ("Patient/1", "1"),
        ("Patient?_id=1", "1"),
        ("Condition?patient=1", "1"),
        ("Condition?subject=Patient/1", "1"),
        ("Condition?patient:Patient=1", "1"),
        ("Condition?code=x", None),
        ("Condition?patient=1,2", "1,2"),
        ("Condition?patient=1&patient=2", None),
        ("Encounter/1", None),
        ("Patient/1/_history/2", None),
    ],
)
def test_whom_a_query_is_about(query: str, patient: str | None) -> None:
    assert patient_of(query) == patient
