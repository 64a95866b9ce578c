"""One case read, changed and stored, however many others do the same: the frame of every verb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from service.domain.errors import Conflict, PreconditionFailed
from service.operations.report import cases
from service.operations.representation import instant

if TYPE_CHECKING:
    from service.operations.ports import Message, Version, Write
    from service.operations.report.cases import Case
    from service.operations.report.desk import Desk

_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Changed:
    """A case after a verb. ``writes`` and ``messages`` go with it into one transaction.

    ``says`` is what a person is to know of it.
    """

    case: Case
    writes: tuple[Write, ...] = ()
    messages: tuple[Message, ...] = ()
    says: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The case as it is stored now, and what was stored for it; nothing where it stood so already."""

    case: Case
    stored: tuple[Version, ...] = ()
    says: str = field(default="")


Change = Callable[["Case", str], "Changed"]
"""A case and the present (FHIR instant) in, the case changed out; the same case: nothing to do."""


def change(desk: Desk, case: str, do: Change, *, expected: int | None = None) -> Done:
    """What is stored once the case is changed. ``expected`` is the record's version that the caller saw.

    PreconditionFailed where it is another by now; NotFound where there is no such case.
    """
    for attempt in range(_ATTEMPTS):
        held = cases.read(desk.records, case)
        if expected not in (None, held.record):
            raise PreconditionFailed(
                f"the report is at version {held.record}, not {expected}; look at it again"
            )
        now = desk.clock()
        made = do(held, instant(now))
        if made.case == held and not made.writes and not made.messages:
            return Done(held, (), made.says)
        changed = replace(made.case, changed=instant(now))
        try:
            stored = desk.records.commit([cases.write(changed), *made.writes], now, made.messages)
        except PreconditionFailed as fault:
            if expected is not None:
                raise
            if attempt == _ATTEMPTS - 1:
                raise Conflict("others change this report at the same time; try again") from fault
        else:
            return Done(replace(changed, record=stored[0].version), stored, made.says)
    raise AssertionError  # the last attempt returned or raised
