"""``batch``: several ready reports in one E2B(R3) message, which is kept once; all of them or none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.domain.errors import Conflict, PreconditionFailed, Refused, ServiceError, Unprocessable
from service.domain.issues import error
from service.operations.report import cases
from service.operations.report.drafting import require_current
from service.operations.report.exporting import keep, latest
from service.operations.report.steps import require_clear, require_reported
from service.operations.representation import instant
from service.yellow_card.e2b.rendering import KIND
from service.yellow_card.states import Step, move

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.domain.issues import Issue
    from service.operations.ports import Write
    from service.operations.report.cases import Case, Export
    from service.operations.report.desk import Desk
    from service.yellow_card.rendered import Rendered

MOST = 100
"""How many reports one batch holds."""
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Batched:
    """The reports of a batch, in its order, and the file that holds them. ``again``: it was there."""

    cases: tuple[Case, ...]
    file: Export
    again: bool = False


def batch(desk: Desk, ids: Sequence[str], who: str) -> Batched:
    """The reports prepared as one message. The same reports again, unchanged since, give the same file.

    Refused where they are not from 2 to ``MOST`` different ones; NotFound; Conflict where one is not ready;
    Unprocessable where one cannot be sent, with every reason and the case that it is of. Then none moves.
    """
    if not 2 <= len(ids) <= MOST or len(set(ids)) != len(ids):
        raise Refused(f"a batch holds from 2 to {MOST} different reports", expression="cases")
    for attempt in range(_ATTEMPTS):
        held = [cases.read(desk.records, one) for one in ids]
        there = _there(held)
        if there is not None:
            return Batched(tuple(held), there, again=True)
        made, writes = _make(desk, held, who, instant(desk.clock()))
        try:
            stored = desk.records.commit(writes, desk.clock())
        except PreconditionFailed as fault:
            if attempt == _ATTEMPTS - 1:
                raise Conflict("others change these reports at the same time; try again") from fault
        else:
            done = tuple(replace(one, record=stored[at].version) for at, one in enumerate(made))
            return Batched(done, done[0].exports[-1])
    raise AssertionError  # the last attempt returned or raised


def _there(held: Sequence[Case]) -> Export | None:
    """The file that holds just these reports, as they stand."""
    files = [latest(one, KIND) for one in held]
    first = files[0]
    if first is None or set(first.together) != {one.id for one in held}:
        return None
    return first if all(one is not None and one.digest == first.digest for one in files) else None


def _make(desk: Desk, held: Sequence[Case], who: str, now: str) -> tuple[list[Case], list[Write]]:
    what = f"prepared: {KIND}, in a batch of {len(held)}"
    issues: list[Issue] = []
    moved: list[Case] = []
    for one in held:
        try:
            require_reported(one)
            require_current(desk, one)
            require_clear(desk, one)
            report = move(one.report, Step.EXPORT, who=who, when=now, what=what)
        except Unprocessable as fault:
            issues += _of(one, fault)
        except Conflict as fault:
            raise Conflict(f"report {one.id}: {fault}") from fault
        else:
            moved.append(replace(one, report=report, changed=now))
    if issues:
        raise Unprocessable("nothing was prepared: a report cannot go into the batch", issues=issues)
    file = _render(desk, moved)
    moved = [
        replace(one, report=replace(one.report, number=number))
        for one, number in zip(moved, file.numbers, strict=True)
    ]
    ids = tuple(one.id for one in held)
    done: list[Case] = []
    files: list[Write] = []
    binary: str | None = None
    for one in moved:
        kept, more = keep(desk, one, file, who, now, binary=binary)
        binary = kept.binary
        unmade = tuple(pair for pair in one.unmade if pair[0] != KIND)
        done.append(replace(one, exports=(*one.exports, replace(kept, together=ids)), unmade=unmade))
        files += more
    return done, [*(cases.write(one) for one in done), *files]


def _render(desk: Desk, held: Sequence[Case]) -> Rendered:
    """The message. Where it cannot be made, each report is tried alone, to say whose fault it is."""
    if desk.batches is None:
        raise Unprocessable("this site makes no E2B(R3) messages; a person submits each report")
    try:
        return replace(desk.batches([one.report for one in held], desk.site), kind=KIND)
    except ServiceError as fault:
        issues: list[Issue] = []
        for one in held:
            try:
                desk.batches([one.report], desk.site)
            except ServiceError as own:
                issues += _of(one, own)
        raise Unprocessable(
            "nothing was prepared: a report cannot go into the batch", issues=issues or fault.issues
        ) from fault


def _of(case: Case, fault: ServiceError) -> list[Issue]:
    said = [issue.message for issue in fault.issues] or [str(fault)]
    return [error("business-rule", f"report {case.id}: {one}", "cases") for one in said]
