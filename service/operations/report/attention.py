"""Which reports somebody should look at now, and why.

Undecided, held back, unreported, rejected, unanswered, due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.domain.safety_report import Branch, State
from service.operations.report import patients
from service.operations.report.clearing import open_hits
from service.operations.report.listing import Filters, list_cases
from service.operations.searching.dates import span
from service.operations.searching.query import LARGEST_COUNT
from service.yellow_card.reportability import REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from service.operations.ports import Records
    from service.operations.report.cases import Case
    from service.yellow_card.deidentification import Hit

OPEN = tuple(one for one in State if one not in (State.ACKNOWLEDGED, State.CANCELLED))
"""The states of a report that is not over."""
UNREPORTED = (State.DRAFT, State.READY, State.PREPARED, State.REJECTED)
"""What nobody outside has, or has refused."""
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Needing:
    """One case that needs attention, and each reason in words."""

    case: Case
    reasons: tuple[str, ...]


def needing_attention(records: Records, filters: Filters, now: datetime, days: int) -> tuple[Needing, ...]:
    """Every case that meets the filters and needs attention, the oldest first.

    ``days``: after how many of them an unreported or unanswered report is shown.
    """
    states = tuple(str(one) for one in OPEN if not filters.states or one in filters.states)
    wanted = [replace(filters, states=states)] if states else []
    found: dict[str, Needing] = {}
    for each in (*wanted, replace(filters, flagged=True)):
        for one in _all(records, each, now):
            why = tuple(reasons(one, now, days, held_back(records, one)))
            if why:
                found[one.id] = Needing(one, why)
    return tuple(sorted(found.values(), key=lambda one: (one.case.created, one.case.id)))


def _all(records: Records, filters: Filters, now: datetime) -> Iterator[Case]:
    cursor = None
    while True:
        page = list_cases(records, filters, now, count=LARGEST_COUNT, cursor=cursor)
        yield from page.cases
        cursor = page.cursor
        if cursor is None:
            return


def held_back(records: Records, case: Case) -> tuple[Hit, ...]:
    """What may identify the patient, where it keeps the report from going out; nobody has dealt with it."""
    if case.report.state not in UNREPORTED or case.report.branch not in REPORTED:
        return ()
    return open_hits(case, patients.recall(records, case.subject))


def count_held_back(records: Records, now: datetime) -> int:
    """How many reports are held back by a text that may identify the patient."""
    wanted = Filters(tuple(str(one) for one in UNREPORTED), tuple(str(one) for one in REPORTED))
    return sum(1 for one in _all(records, wanted, now) if held_back(records, one))


def reasons(case: Case, now: datetime, days: int, hits: Sequence[Hit] = ()) -> Iterator[str]:
    """Why the case needs attention, in words; nothing where it needs none.

    ``hits`` are what may identify the patient and nobody has dealt with.
    """
    report = case.report
    if hits and report.state in UNREPORTED and report.branch in REPORTED:
        places = ", ".join(dict.fromkeys(one.path for one in hits))
        yield f"It is held back: what stands at {places} may identify the patient"
    if report.state in OPEN and report.branch is Branch.UNKNOWN:
        yield f"It is not known whether this is to be reported. {report.decided_by}"
    elif report.state in OPEN and report.branch in REPORTED:
        yield from _unreported(case, now, days)
    if case.flag:
        yield f"To be looked into: {case.flag}"
    last = case.sendings[-1] if case.sendings else None
    if last is not None and last.state == "failed" and last.version == report.version:
        yield f"The gateway did not take it: {last.reason or 'no reason was given'}"


def _unreported(case: Case, now: datetime, days: int) -> Iterator[str]:
    state = case.report.state
    age = _days(case.created, now)
    waiting = _days(_since(case), now)
    if state is State.REJECTED:
        yield "The recipient rejected it: it is not reported until it is corrected and submitted again"
    elif state is State.FOLLOW_UP:
        yield f"A follow-up is due: {case.due or 'something has changed since it was submitted'}"
    elif state is State.SUBMITTED and waiting >= days:
        yield f"It was submitted {_said(waiting)} ago, and nothing has come back"
    elif state in (State.DRAFT, State.READY, State.PREPARED) and age >= days:
        yield f"It has gone unreported for {_said(age)}"


def _since(case: Case) -> str:
    """When the report came to the state that it is in."""
    state = case.report.state
    when = case.changed
    for change in reversed(case.report.changes):
        if change.state is not state:
            break
        when = change.when
    return when


def _days(since: str, now: datetime) -> int:
    made = span(since)
    return max(0, int(now.timestamp() * 1_000_000) - made[0]) // _DAY if made else 0


def _said(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
