"""Messages that were refused or given up: which reports still await them, and which nobody does any more."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from service.domain.errors import Conflict
from service.operations.outbox import Fate
from service.operations.report import cases
from service.operations.searching.values import reference_parts
from service.yellow_card.states import TRANSITIONS, Step

if TYPE_CHECKING:
    from service.operations.outbox import Posted
    from service.operations.ports import Message
    from service.operations.report.cases import Case
    from service.operations.report.desk import Desk

STUCK = (Fate.REFUSED, Fate.DEAD)


def members_of(message: Message | Posted) -> tuple[str, ...]:
    """The cases that a message holds: those of a batch, else the one that it is about."""
    type_, id_ = reference_parts(message.subject)
    if type_ != cases.TYPE:
        return ()
    return tuple(message.details.get("cases", "").split()) or (id_,)


def awaits(case: Case, posted: Posted) -> bool:
    """Whether the message is the last that was made of the case as it stands, and came to nothing."""
    if not case.sendings or case.report.state not in TRANSITIONS[Step.RESEND]:
        return False
    last = case.sendings[-1]
    return (last.message, last.version, last.state) == (posted.id, case.report.version, "failed")


def settle_stuck(desk: Desk, case: Case, reason: str) -> None:
    """Nothing; the case's messages that were refused or given up, and that no report awaits, are dropped."""
    if desk.outbox is None:
        return
    for id_ in dict.fromkeys(sent.message for sent in case.sendings if sent.state == "failed"):
        posted = desk.outbox.find(id_)
        if posted is None or posted.fate not in STUCK:
            continue
        held = (cases.find(desk.records, one) for one in members_of(posted))
        if not any(one is not None and awaits(one, posted) for one in held):
            with suppress(Conflict):  # a worker has it now: it is not stuck any more
                desk.outbox.drop(posted.id, desk.clock(), reason)
