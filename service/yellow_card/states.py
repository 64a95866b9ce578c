"""How far a report has come, and which step is possible from where. One table; everything else is refused.

draft -> ready -> prepared -> submitted -> acknowledged | rejected
submitted, acknowledged -> follow-up (something changed) -> draft of the next version
draft, ready, prepared, rejected -> cancelled;  a submitted report is nullified, never cancelled
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from service.domain.errors import Conflict
from service.domain.safety_report import Change, SafetyReport, State

if TYPE_CHECKING:
    from collections.abc import Mapping


class Step(StrEnum):
    """What can happen to a report. ``REVISE``: its content changes. ``RETURN``: the gateway gave up on it.

    ``ASK`` says that a follow-up is due, ``LEAVE`` that none is needed after all (``RESUME``, where the
    report was not acknowledged yet), ``FOLLOW`` starts one, and ``ABANDON`` gives up the one begun.
    ``NULLIFY`` asks for a follow-up that takes the whole case back. ``FIND``: the form names the reference of
    a report that was made elsewhere. ``RESEND``: what the gateway did not take is given to it anew.
    """

    REVISE = "entries"
    READY = "ready"
    EXPORT = "export"
    SUBMIT = "submit"
    RESEND = "resend"
    DELIVER = "deliver"
    RETURN = "return"
    REFER = "reference"
    FIND = "reported-elsewhere"
    ACKNOWLEDGE = "acknowledge"
    REJECT = "reject"
    NULLIFY = "nullify"
    ASK = "ask-follow-up"
    LEAVE = "leave-follow-up"
    RESUME = "resume"
    FOLLOW = "follow-up"
    ABANDON = "abandon-follow-up"
    CANCEL = "cancel"
    REOPEN = "reopen"


TRANSITIONS: Mapping[Step, Mapping[State, State]] = {
    Step.REVISE: dict.fromkeys((State.DRAFT, State.READY, State.PREPARED, State.REJECTED), State.DRAFT),
    Step.READY: {State.DRAFT: State.READY},
    Step.EXPORT: {State.READY: State.PREPARED, State.PREPARED: State.PREPARED},
    Step.SUBMIT: {State.PREPARED: State.SUBMITTED},
    Step.RESEND: dict.fromkeys((State.PREPARED, State.REJECTED), State.SUBMITTED),
    Step.DELIVER: {
        one: one for one in (State.SUBMITTED, State.ACKNOWLEDGED, State.REJECTED, State.FOLLOW_UP)
    },
    Step.RETURN: dict.fromkeys((State.SUBMITTED, State.FOLLOW_UP), State.PREPARED),
    Step.REFER: {
        State.PREPARED: State.ACKNOWLEDGED,
        State.SUBMITTED: State.ACKNOWLEDGED,
        State.ACKNOWLEDGED: State.ACKNOWLEDGED,
        State.FOLLOW_UP: State.FOLLOW_UP,
    },
    Step.FIND: dict.fromkeys((State.DRAFT, State.READY, State.PREPARED), State.ACKNOWLEDGED),
    Step.ACKNOWLEDGE: {State.SUBMITTED: State.ACKNOWLEDGED, State.FOLLOW_UP: State.FOLLOW_UP},
    Step.REJECT: dict.fromkeys((State.SUBMITTED, State.FOLLOW_UP), State.REJECTED),
    Step.ASK: dict.fromkeys((State.SUBMITTED, State.ACKNOWLEDGED, State.FOLLOW_UP), State.FOLLOW_UP),
    Step.NULLIFY: dict.fromkeys((State.SUBMITTED, State.ACKNOWLEDGED, State.FOLLOW_UP), State.FOLLOW_UP),
    Step.LEAVE: {State.FOLLOW_UP: State.ACKNOWLEDGED},
    Step.RESUME: {State.FOLLOW_UP: State.SUBMITTED},
    Step.FOLLOW: {State.FOLLOW_UP: State.DRAFT},
    Step.ABANDON: dict.fromkeys((State.DRAFT, State.READY, State.PREPARED, State.REJECTED), State.FOLLOW_UP),
    Step.CANCEL: dict.fromkeys((State.DRAFT, State.READY, State.PREPARED, State.REJECTED), State.CANCELLED),
    Step.REOPEN: {State.CANCELLED: State.DRAFT},
}


_UNASKED = frozenset(
    (
        Step.RESEND,
        Step.DELIVER,
        Step.RETURN,
        Step.FIND,
        Step.ACKNOWLEDGE,
        Step.REJECT,
        Step.RESUME,
        Step.ABANDON,
        Step.REOPEN,
    )
)
"""What nobody asks for by this name: it comes of what arrives, or is part of another step."""


def possible(state: State) -> tuple[Step, ...]:
    """The steps that the table has for a report in this state, in the table's order."""
    return tuple(step for step, ways in TRANSITIONS.items() if state in ways)


def move(
    report: SafetyReport, step: Step, *, who: str, when: str, what: str, reason: str | None = None
) -> SafetyReport:
    """The report after the step, with the change kept. Conflict names the steps that are possible instead."""
    ways = TRANSITIONS[step]
    if report.state not in ways:
        allowed = ", ".join(one for one in possible(report.state) if one not in _UNASKED) or "none"
        raise Conflict(
            f"a report that is {report.state} cannot take the step '{step}'; possible are: {allowed}"
        )
    state = ways[report.state]
    return replace(report, state=state, changes=(*report.changes, Change(who, when, what, state, reason)))


def note(report: SafetyReport, *, who: str, when: str, what: str, reason: str | None = None) -> SafetyReport:
    """The report in the same state, with one more thing kept of it."""
    return replace(report, changes=(*report.changes, Change(who, when, what, report.state, reason)))


def acknowledged(report: SafetyReport) -> bool:
    """Whether the recipient has said that it took the version that was submitted last."""
    for change in reversed(report.changes):
        if change.state is State.ACKNOWLEDGED or change.what.startswith(_TAKEN):
            return True
        if change.what.startswith(_GIVEN):
            return False
    return False


_TAKEN, _GIVEN = ("acknowledged", "reference ", "reported elsewhere"), ("submitted", "queued")
"""How the changes begin that say so."""
