"""The steps that a person takes with a report: ready, back, cancel, nullify, follow-up, reference.

Each is safe to repeat: where the report is there already, nothing changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from service.domain.errors import Conflict, Refused, Unprocessable
from service.domain.issues import error
from service.domain.safety_report import State
from service.operations.report import patients
from service.operations.report.changing import Changed, change
from service.operations.report.clearing import open_hits
from service.operations.report.drafting import refresh, require_current
from service.operations.report.looking import lacking
from service.operations.report.stuck import settle_stuck
from service.yellow_card.reportability import REPORTED
from service.yellow_card.states import Step, acknowledged, move, note

if TYPE_CHECKING:
    from service.operations.report.cases import Case
    from service.operations.report.changing import Done
    from service.operations.report.desk import Desk

_LONGEST = 2000
_LONGEST_REFERENCE = 100
AMENDMENTS = ("amendment", "nullification")


def ready(desk: Desk, case: str, who: str, *, note: str | None = None, expected: int | None = None) -> Done:
    """The report ready to be exported. What it lacks does not hold it back; it is written down with it.

    Unprocessable, naming the places, while something in it may identify the patient, or the branch is none
    that is reported. Conflict where the record says something else by now.
    """

    def do(held: Case, now: str) -> Changed:
        if held.report.state is State.READY:
            return Changed(held)
        require_reported(held)
        require_current(desk, held)
        require_clear(desk, held)
        lacks = [one.label for one in lacking(desk, held) if one.need == "minimum"]
        what = f"ready; it lacks: {', '.join(lacks)}" if lacks else "ready"
        return Changed(
            replace(held, report=move(held.report, Step.READY, who=who, when=now, what=what, reason=note))
        )

    return change(desk, case, do, expected=expected)


def back(desk: Desk, case: str, who: str, reason: str, *, expected: int | None = None) -> Done:
    """The report as a draft again, to be worked on."""
    require_reason(reason)

    def do(held: Case, now: str) -> Changed:
        if held.report.state is State.DRAFT:
            return Changed(held)
        return Changed(
            replace(
                held,
                report=move(held.report, Step.REVISE, who=who, when=now, what="back to draft", reason=reason),
            )
        )

    return change(desk, case, do, expected=expected)


def cancel(desk: Desk, case: str, who: str, reason: str, *, expected: int | None = None) -> Done:
    """The report cancelled; of one that was submitted, only the follow-up that was begun.

    Conflict where it is submitted: such a report is nullified.
    """
    require_reason(reason)

    def do(held: Case, now: str) -> Changed:
        report = held.report
        if report.state is State.CANCELLED:
            return Changed(held)
        if report.state in (State.SUBMITTED, State.ACKNOWLEDGED, State.FOLLOW_UP):
            raise Conflict("this report was submitted; it cannot be cancelled, it can be nullified")
        if report.version > 1:
            left = move(report, Step.ABANDON, who=who, when=now, what="follow-up given up", reason=reason)
            return Changed(replace(held, report=replace(left, version=report.version - 1), due=reason))
        left = move(report, Step.CANCEL, who=who, when=now, what="cancelled", reason=reason)
        return Changed(replace(held, report=left, superseded=False, due=None))

    done = change(desk, case, do, expected=expected)
    settle_stuck(desk, done.case, "its report was cancelled")
    return done


def enter_reference(desk: Desk, case: str, reference: str, who: str, *, expected: int | None = None) -> Done:
    """The report with the reference that the recipient gave: it is acknowledged."""
    text = reference.strip()
    if not text or len(text) > _LONGEST_REFERENCE or not text.isprintable():
        raise Refused(
            f"the reference is a text of one line, {_LONGEST_REFERENCE} characters at most",
            expression="reference",
        )

    def do(held: Case, now: str) -> Changed:
        report = held.report
        if report.yellow_card == text and report.state in (State.ACKNOWLEDGED, State.FOLLOW_UP):
            return Changed(held)
        what = f"reference {text} entered"
        if report.yellow_card and report.yellow_card != text:
            what += f" in place of {report.yellow_card}"
        moved = move(report, Step.REFER, who=who, when=now, what=what)
        return Changed(replace(held, report=replace(moved, yellow_card=text)))

    done = change(desk, case, do, expected=expected)
    settle_stuck(desk, done.case, "a reference was entered for its report")
    return done


def ask_follow_up(desk: Desk, case: str, who: str, reason: str, *, expected: int | None = None) -> Done:
    """The submitted report with a follow-up due."""
    require_reason(reason)

    def do(held: Case, now: str) -> Changed:
        if held.report.state is State.FOLLOW_UP and held.due == reason:
            return Changed(held)
        moved = move(held.report, Step.ASK, who=who, when=now, what="follow-up due", reason=reason)
        return Changed(replace(held, report=moved, due=reason))

    return change(desk, case, do, expected=expected)


def leave_follow_up(desk: Desk, case: str, who: str, reason: str, *, expected: int | None = None) -> Done:
    """The report as it was submitted: no follow-up is needed, for the reason."""
    require_reason(reason)

    def do(held: Case, now: str) -> Changed:
        step = Step.LEAVE if acknowledged(held.report) else Step.RESUME
        moved = move(held.report, step, who=who, when=now, what="no follow-up needed", reason=reason)
        left = replace(moved, amendment=None, amendment_reason=None)
        return Changed(replace(held, report=left, due=None))

    return change(desk, case, do, expected=expected)


def nullify(desk: Desk, case: str, who: str, reason: str, *, expected: int | None = None) -> Done:
    """The submitted report with a nullification due: a version that takes the case back."""
    require_reason(reason)

    def do(held: Case, now: str) -> Changed:
        report = held.report
        if report.amendment == "nullification" and report.state is State.FOLLOW_UP:
            return Changed(held)
        moved = move(report, Step.NULLIFY, who=who, when=now, what="nullification due", reason=reason)
        moved = replace(moved, amendment="nullification", amendment_reason=reason)
        return Changed(replace(held, report=moved, due=reason))

    return change(desk, case, do, expected=expected)


def follow_up(
    desk: Desk,
    case: str,
    who: str,
    *,
    amendment: str | None = None,
    reason: str | None = None,
    expected: int | None = None,
) -> Done:
    """The next version of the case begun, from what is recorded now.

    ``amendment``: this version corrects what was sent (``amendment``) or takes it back (``nullification``,
    which keeps what was sent); both need a reason. Without it there is new information.
    """
    if amendment is not None and amendment not in AMENDMENTS:
        raise Refused(f"'amendment' is {' or '.join(AMENDMENTS)}, or left out", expression="amendment")
    if amendment is not None:
        require_reason(reason or "")

    def do(held: Case, now: str) -> Changed:
        kind = amendment or held.report.amendment
        why = reason or held.report.amendment_reason or held.due
        moved = move(held.report, Step.FOLLOW, who=who, when=now, what="follow-up begun", reason=why)
        begun = replace(
            moved,
            version=held.report.version + 1,
            amendment=kind,
            amendment_reason=why if kind else None,
            updated=now,
        )
        following = replace(held, report=begun, due=None)
        return Changed(following if kind == "nullification" else refresh(desk, following, who, now))

    return change(desk, case, do, expected=expected)


def look_over(desk: Desk, case: str, who: str, reason: str, *, expected: int | None = None) -> Done:
    """The case without its flag: a person has looked into what it said."""
    require_reason(reason)

    def do(held: Case, now: str) -> Changed:
        if held.flag is None:
            return Changed(held)
        said = note(held.report, who=who, when=now, what=f"looked into: {held.flag}", reason=reason)
        return Changed(replace(held, report=said, flag=None))

    return change(desk, case, do, expected=expected)


def require_reported(case: Case) -> None:
    """Nothing, where the branch is one that leaves the house; else Unprocessable."""
    if case.report.branch not in REPORTED:
        raise Unprocessable(
            f"the event is on the branch '{case.report.branch}', of which no report goes out: "
            f"{case.report.decided_by}",
            expression="branch",
        )


def require_clear(desk: Desk, case: Case) -> None:
    """Nothing, where nobody is left to ask whether a text identifies the patient; else Unprocessable."""
    hits = open_hits(case, patients.recall(desk.records, case.subject))
    if hits:
        places = list(dict.fromkeys((one.path, one.kind) for one in hits))
        issues = [
            error(
                "business-rule",
                f"this may identify the patient ({kind}); edit it, or say why it does not",
                path,
            )
            for path, kind in places
        ]
        raise Unprocessable(
            "the report may identify the patient; a person has to deal with that before it goes out",
            issues=issues,
        )


def require_reason(reason: str) -> None:
    """Nothing, where a reason is given; else Refused."""
    if not reason.strip() or len(reason) > _LONGEST:
        raise Refused(f"a reason is needed, {_LONGEST} characters at most", expression="reason")
