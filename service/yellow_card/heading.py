"""What stands at the head of a report: how far it has come, and what a person is to do now.

Nothing here says that a report reached the MHRA unless an acknowledgement or its reference number says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.domain.safety_report import Branch, State

if TYPE_CHECKING:
    from service.domain.safety_report import SafetyReport

_TITLES = {
    Branch.DEVICE: "Medical device incident: Yellow Card report",
    Branch.MEDICINE: "Suspected adverse reaction to a medicine: Yellow Card report",
    Branch.DEFECTIVE_MEDICINE: "Defective medicine: Yellow Card report",
    Branch.LOCAL: "Adverse event for local incident reporting",
    Branch.UNKNOWN: "Adverse event: not yet known whether it is to be reported",
}
_STATES = {
    State.DRAFT: ("Draft, not submitted", "It is being written. Nobody outside has it."),
    State.READY: ("Prepared, not submitted", "It has to be submitted by a person or a gateway."),
    State.PREPARED: ("Prepared, not submitted", "It has been made into files for a person to submit."),
    State.SUBMITTED: (
        "Submitted, not acknowledged",
        "It was handed over or said to be, and nothing has come back: it is not known to have arrived.",
    ),
    State.ACKNOWLEDGED: ("Acknowledged", "An acknowledgement or a reference number has come back."),
    State.REJECTED: (
        "Rejected: not reported",
        "The recipient refused it. Correct it and submit it again.",
    ),
    State.FOLLOW_UP: (
        "Follow-up, not submitted",
        "There is new information since the last version was submitted. This version has not been.",
    ),
    State.CANCELLED: ("Cancelled, not to be submitted", "A person withdrew it."),
}

_AMENDED = {
    "nullification": "This version takes back the report that was submitted before.",
    "amendment": "This version corrects what was submitted before.",
}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a report is submitted. ``why`` says what decided it; ``contact`` is an address or URL."""

    name: str
    contact: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """Title, how far the report has come in few words and in a sentence, and what to do."""

    title: str
    status: str
    meaning: str
    instructions: tuple[str, ...]
    destination: Destination | None


def head(report: SafetyReport, instructions: tuple[str, ...], destination: Destination | None) -> Heading:
    """The head of a report as it stands. Only what is yet to be submitted says where to."""
    status, meaning = _STATES[report.state]
    if report.branch is Branch.LOCAL and report.state is not State.CANCELLED:
        status, meaning = "Not for the Yellow Card scheme", report.decided_by
    elif report.branch is Branch.UNKNOWN and report.state is not State.CANCELLED:
        status, meaning = "Not decided, not submitted", report.decided_by
    elif report.state is State.ACKNOWLEDGED and report.yellow_card:
        status = f"Acknowledged: Yellow Card reference {report.yellow_card}"
    if report.amendment in _AMENDED:
        meaning = f"{_AMENDED[report.amendment]} {meaning}"
    elif report.version > 1:
        meaning = f"This is a follow-up of version {report.version - 1}. {meaning}"
    return Heading(_TITLES[report.branch], status, meaning, instructions, destination)
