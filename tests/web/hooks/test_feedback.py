"""Feedback: what is taken and refused, kept once, traced to its card, and erased with the patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from service.operations.erasure import find_records
from service.operations.feedback import summarise
from tests.web.hooks.asking import SIGN, sign, stored
from tests.web.hooks.conftest import CARD
from tests.web.hooks.test_calling import told

if TYPE_CHECKING:
    from tests.web.conftest import Client

FEEDBACK = f"{SIGN}/feedback"
REASON = {"system": "https://htg117.example/fhir/CodeSystem/r", "code": "patient-choice", "display": "Choice"}


def item(**more: Any) -> dict[str, Any]:
    """One item of feedback; None among ``more`` leaves a member out."""
    given = {"card": CARD["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-08-01T09:00:00Z"} | more
    return {name: value for name, value in given.items() if value is not None}


def give(client: Client, *items: Any) -> Any:
    return client.post(FEEDBACK, json={"feedback": list(items)})


def kept(client: Client) -> list[dict[str, Any]]:
    return stored(client.app.state.services.records, "HookFeedback")


@pytest.mark.requirement(
    "Feedback: a service may take feedback at {baseUrl}/cds-services/{id}/feedback",
    "Feedback: an override may come with a reason, a comment, both, or neither",
)
@pytest.mark.parametrize(
    "override",
    [None, {"reason": REASON}, {"userComment": "seen"}, {"reason": REASON, "userComment": "seen"}],
)
def test_an_override_is_kept_with_what_it_says(client: Client, override: dict[str, Any] | None) -> None:
    client.post(SIGN, json=sign())
    answer = give(client, item(overrideReason=override))
    assert (answer.status_code, answer.content) == (200, b"")
    found = kept(client)[0]
    expected = {
        "resourceType": "HookFeedback",
        "id": found["id"],
        "service": "htg117-order-sign",
        "card": CARD["uuid"],
        "outcome": "overridden",
        "at": "2026-08-01T09:00:00Z",
        "subject": {"reference": "Patient/9990000018"},
    }
    if override and "reason" in override:
        expected["reason"] = REASON
    if override and "userComment" in override:
        expected["comment"] = "seen"
    assert found == expected


@pytest.mark.requirement("Feedback: an accepted card names the suggestions that were accepted")
def test_accepted_suggestions_are_kept(client: Client) -> None:
    answer = give(client, item(outcome="accepted", acceptedSuggestions=[{"id": "s-1"}, {"id": "s-2"}]))
    assert answer.status_code == 200
    assert kept(client)[0]["suggestions"] == ["s-1", "s-2"]


@pytest.mark.requirement("Feedback: the same card may be told of several times, and several cards at once")
def test_the_same_again_changes_nothing_and_a_later_outcome_is_kept_beside_it(client: Client) -> None:
    client.post(SIGN, json=sign())
    later = item(
        outcome="accepted", acceptedSuggestions=[{"id": "s"}], outcomeTimestamp="2026-08-02T09:00:00Z"
    )
    for _ in range(2):
        assert give(client, item(), item(), later).status_code == 200
    assert sorted(one["outcome"] for one in kept(client)) == ["accepted", "overridden"]
    total = summarise(client.app.state.services.records)
    assert [(one.accepted, one.overridden) for one in total] == [(1, 0)]  # a card's last outcome counts


def test_a_card_that_is_on_no_record_is_kept_and_marked_without_its_comment(client: Client) -> None:
    assert give(client, item(overrideReason={"userComment": "Mrs Example"})).status_code == 200
    assert [(one["unknown"], "comment" in one) for one in kept(client)] == [(True, False)]


def test_feedback_is_erased_with_the_patients_records(client: Client) -> None:
    client.post(SIGN, json=sign())
    give(client, item(overrideReason={"userComment": "seen"}))
    found = find_records(client.app.state.services.records, reference="Patient/9990000018")
    assert sorted({one.type for one in found.erased}) == ["AuditEvent", "GuidanceResponse", "HookFeedback"]


@pytest.mark.requirement(
    "Feedback: card, outcome and outcomeTimestamp are required",
    "Feedback: outcome is accepted or overridden",
    "Feedback: outcomeTimestamp is RFC 3339 in UTC",
)
@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("required", "feedback")]),
        ({"feedback": []}, [("required", "feedback")]),
        ({"feedback": {}}, [("required", "feedback")]),
        ({"feedback": [1]}, [("structure", "feedback[0]")]),
        ({"feedback": [item(card="a\x00b")]}, [("value", "feedback[0].card")]),
        (
            {"feedback": [item(overrideReason={"userComment": "a\x00"})]},
            [("value", "feedback[0].overrideReason.userComment")],
        ),
        (
            {"feedback": [{}]},
            [("required", f"feedback[0].{one}") for one in ("card", "outcome", "outcomeTimestamp")],
        ),
        (
            {"feedback": [item(), item(card="", outcome="ignored", outcomeTimestamp="2026-08-01")]},
            [("value", f"feedback[1].{one}") for one in ("card", "outcome", "outcomeTimestamp")],
        ),
        (
            {"feedback": [item(outcomeTimestamp="2026-02-30T09:00:00Z")]},
            [("value", "feedback[0].outcomeTimestamp")],
        ),
        (
            {"feedback": [item(outcomeTimestamp="2026-08-01T09:00:00+01:00")]},
            [("value", "feedback[0].outcomeTimestamp")],
        ),
        ({"feedback": [item(outcome="accepted")]}, [("required", "feedback[0].acceptedSuggestions")]),
        (
            {"feedback": [item(outcome="accepted", acceptedSuggestions=[])]},
            [("value", "feedback[0].acceptedSuggestions")],
        ),
        (
            {"feedback": [item(outcome="accepted", acceptedSuggestions=[{}, "s"])]},
            [("required", "feedback[0].acceptedSuggestions[0].id"),
             ("structure", "feedback[0].acceptedSuggestions[1]")],
        ),
        (
            {"feedback": [item(acceptedSuggestions=[{"id": "s"}])]},
            [("value", "feedback[0].acceptedSuggestions")],
        ),
        ({"feedback": [item(overrideReason={})]}, [("value", "feedback[0].overrideReason")]),
        (
            {"feedback": [item(overrideReason={"reason": {"display": "x"}, "userComment": ""})]},
            [("value", "feedback[0].overrideReason.userComment"),
             ("required", "feedback[0].overrideReason.reason.system"),
             ("required", "feedback[0].overrideReason.reason.code")],
        ),
        (
            {"feedback": [item(outcome="accepted", acceptedSuggestions=[{"id": "s"}],
                               overrideReason={"reason": REASON})]},
            [("value", "feedback[0].overrideReason")],
        ),
        ({"feedback": [item()] * 501}, [("too-long", "feedback")]),
    ],
)  # fmt: skip
def test_every_fault_is_told_with_its_place_and_nothing_is_kept(
    client: Client, body: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    answer = client.post(FEEDBACK, json=body)
    assert (answer.status_code, told(answer)) == (400, faults)
    assert kept(client) == []


def test_feedback_on_an_unknown_service_is_not_found(client: Client) -> None:
    answer = client.post("/cds-services/nobody/feedback", json={"feedback": [item()]})
    assert (answer.status_code, told(answer)) == (404, [("not-found", "")])


def test_feedback_is_audited(client: Client) -> None:
    give(client, item())
    event = stored(client.app.state.services.records, "AuditEvent")[0]
    assert event["outcome"] == "0"
    assert {"type": "action", "valueString": "feedback"} in event["entity"][0]["detail"]
