"""The table of states: what is possible from where, and the laws that hold on every way through it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import Conflict
from service.domain.safety_report import Branch, Reporter, SafetyReport, State, Subject
from service.yellow_card.states import TRANSITIONS, Step, acknowledged, move, note, possible

START = SafetyReport("c", 1, Branch.DEVICE, State.DRAFT, "why", (), Subject(), Reporter())


def test_what_is_possible_from_each_state() -> None:
    assert {str(state): " ".join(possible(state)) for state in State} == {
        "draft": "entries ready reported-elsewhere abandon-follow-up cancel",
        "ready": "entries export reported-elsewhere abandon-follow-up cancel",
        "prepared": "entries export submit resend reference reported-elsewhere abandon-follow-up cancel",
        "submitted": "deliver return reference acknowledge reject ask-follow-up nullify",
        "acknowledged": "deliver reference ask-follow-up nullify",
        "rejected": "entries resend deliver abandon-follow-up cancel",
        "follow-up": "deliver return reference acknowledge reject ask-follow-up nullify "
        "leave-follow-up resume follow-up",
        "cancelled": "reopen",
    }


def test_every_step_stands_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Step)


@given(st.lists(st.sampled_from(list(Step)), max_size=20))
def test_whatever_is_tried_each_change_is_kept_and_nothing_else_moves(steps: list[Step]) -> None:
    report, taken = START, 0
    for at, step in enumerate(steps):
        before = report
        if report.state in TRANSITIONS[step]:
            report = move(report, step, who="A", when=f"2026-{at:02d}", what=str(step), reason="r")
            taken += 1
            last = report.changes[-1]
            assert (last.who, last.when, last.what, last.state, last.reason) == (
                "A", f"2026-{at:02d}", str(step), TRANSITIONS[step][before.state], "r",
            )  # fmt: skip
        else:
            with pytest.raises(Conflict):
                move(report, step, who="A", when="2026", what=str(step))
    assert len(report.changes) == taken
    if report.changes:
        assert report.changes[-1].state is report.state


@given(st.lists(st.sampled_from(list(Step)), max_size=30))
def test_what_was_submitted_is_never_cancelled_without_an_answer(steps: list[Step]) -> None:
    """The only ways to cancelled go through a rejection, a gateway that gave up, or a follow-up."""
    report = START
    for step in steps:
        if report.state in TRANSITIONS[step]:
            report = move(report, step, who="A", when="", what=str(step))
    told = [change.what for change in report.changes]
    if report.state is State.CANCELLED and "submit" in told:
        after = told[len(told) - 1 - told[::-1].index("submit") :]
        assert {"reject", "return", "follow-up"} & set(after)


def test_a_remark_leaves_the_state() -> None:
    noted = note(START, who="A", when="2026", what="looked at")
    assert (noted.state, noted.changes[-1].state, noted.changes[-1].what) == (
        State.DRAFT,
        State.DRAFT,
        "looked at",
    )


def test_an_acknowledgement_is_of_the_version_submitted_last() -> None:
    def say(report: SafetyReport, *told: str) -> SafetyReport:
        for what in told:
            report = note(report, who="A", when="", what=what)
        return report

    assert not acknowledged(START)
    assert acknowledged(say(START, "submitted by hand, as A says", "acknowledged as 1"))
    assert not acknowledged(say(START, "acknowledged as 1", "queued for the gateway; not delivered yet"))
    assert acknowledged(say(START, "submitted by hand, as A says", "reference 1 entered", "follow-up due"))


def test_a_step_that_cannot_be_taken_is_answered_with_those_that_a_person_can_ask_for() -> None:
    with pytest.raises(Conflict) as refused:
        move(replace(START, state=State.ACKNOWLEDGED), Step.READY, who="A", when="2026-07-01", what="ready")
    assert str(refused.value) == (
        "a report that is acknowledged cannot take the step 'ready'; "
        "possible are: reference, ask-follow-up, nullify"
    )
