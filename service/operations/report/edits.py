"""What people put right on a report: entries, the word that a text identifies nobody, the branch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from service.domain.errors import NotFound, Refused
from service.domain.safety_report import Override, State
from service.operations.report import cases, patients
from service.operations.report.cases import Cleared, Entered
from service.operations.report.changing import Changed, change
from service.operations.report.clearing import word_on
from service.operations.report.drafting import draft
from service.operations.report.entering import get, parse, plain, put
from service.operations.report.entry_values import check
from service.operations.report.steps import require_reason
from service.operations.representation import instant
from service.yellow_card.states import Step, move, note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.domain.safety_report import Branch
    from service.operations.report.cases import Case
    from service.operations.report.changing import Done
    from service.operations.report.desk import Desk
    from service.operations.report.drafting import Drafted

_MOST = 100


def enter(desk: Desk, case: str, values: Mapping[str, Any], who: str, *, expected: int | None = None) -> Done:
    """The report with values put in at their paths (``places`` lists them); so changed it is a draft again.

    An entry holds through refreshes until the record itself says something else at its place. Refused or
    Malformed name the path that cannot be. Conflict where the report has been submitted.
    """
    if not values or len(values) > _MOST:
        raise Refused(f"give from 1 to {_MOST} values, each at its path")
    parsed = {path: check(desk, path, parse(path, value)) for path, value in values.items()}

    def do(held: Case, now: str) -> Changed:
        report, entered = held.report, {one.path: one for one in held.entered}
        for path, value in parsed.items():
            before = get(report, path)
            report = put(report, path, value)
            if value == before:
                continue
            source = get(held.built, path)
            if value == source:
                entered.pop(path, None)
            else:
                entered[path] = Entered(path, plain(value), plain(source), who, now)
        if report == held.report:
            return Changed(held)
        told = ", ".join(path for path in parsed if get(report, path) != get(held.report, path))
        moved = move(replace(report, updated=now), Step.REVISE, who=who, when=now, what=f"entered: {told}")
        return Changed(replace(held, report=moved, entered=tuple(entered.values())))

    return change(desk, case, do, expected=expected)


def clear(desk: Desk, case: str, path: str, who: str, reason: str, *, expected: int | None = None) -> Done:
    """The report with a person's word that the text at the path, as it stands, identifies nobody."""
    require_reason(reason)

    def do(held: Case, now: str) -> Changed:
        seen = word_on(held, patients.recall(desk.records, held.subject), path)
        if seen is None:
            raise NotFound(f"the report has no text at '{path[:60]}'", expression=path[:60])
        word = Cleared(path, seen, who, now, reason)
        if any((one.path, one.digest) == (word.path, word.digest) for one in held.cleared):
            return Changed(held)
        said = note(held.report, who=who, when=now, what=f"identifies nobody: {path}", reason=reason)
        return Changed(replace(held, report=said, cleared=(*held.cleared, word)))

    return change(desk, case, do, expected=expected)


def override(desk: Desk, case: str, branch: Branch, who: str, reason: str) -> Drafted:
    """The event's reports once a person has decided that it belongs on another branch, for the reason."""
    require_reason(reason)
    held = cases.read(desk.records, case)
    decision = Override(branch, who, instant(desk.clock()), reason, held.report.branch)
    return draft(desk, held.event.partition("/")[2], who, decision=decision)


def take_up(desk: Desk, case: str, branch: Branch, who: str, reason: str) -> Drafted:
    """The event's reports once a person has taken up one that is offered beside this one, for the reason."""
    require_reason(reason)
    held = cases.read(desk.records, case)
    standing = cases.of_event(desk.records, held.event)
    there = [
        one for one in standing if one.report.branch is branch and one.report.state is not State.CANCELLED
    ]
    if there:
        return draft(desk, held.event.partition("/")[2], who)
    decision = Override(branch, who, instant(desk.clock()), reason)
    return draft(desk, held.event.partition("/")[2], who, decision=decision)
