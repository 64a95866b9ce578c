"""A message that was refused or given up, tried anew, and its report submitted again with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from service.domain.errors import Conflict, NotFound, PreconditionFailed
from service.operations.report import cases
from service.operations.report.drafting import require_current
from service.operations.report.steps import require_clear
from service.operations.report.stuck import STUCK, awaits, members_of
from service.operations.report.submitting import CHANNEL
from service.operations.representation import instant
from service.yellow_card.states import Step, move

if TYPE_CHECKING:
    from service.operations.outbox import Outbox, Posted
    from service.operations.ports import Write
    from service.operations.report.desk import Desk

_ATTEMPTS = 5


def retry(desk: Desk, outbox: Outbox, id_: str, who: str) -> Posted:
    """The message waiting again under its old id, and its reports submitted again, in one transaction.

    Conflict where it is not stuck, or one of its reports has gone another way since: what lies in the
    message is not what would be sent of it now, or it was submitted otherwise.
    """
    for attempt in range(_ATTEMPTS):
        posted = outbox.find(id_)
        if posted is None:
            raise NotFound(f"there is no message {id_[:200]} in the outbox")
        writes = _requeued(desk, posted, who) if posted.fate in STUCK else ()
        try:
            return outbox.retry(id_, desk.clock(), writes)
        except PreconditionFailed:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError  # the last attempt returned or raised


def _requeued(desk: Desk, posted: Posted, who: str) -> tuple[Write, ...]:
    now = instant(desk.clock())
    writes = []
    for one in members_of(posted) if posted.channel == CHANNEL else ():
        held = cases.find(desk.records, one)
        if held is None:
            continue
        if not awaits(held, posted):
            raise Conflict(
                f"report {held.id} is {held.report.state} by now, and not for this message to be tried anew; "
                "export and submit it as it stands, or drop the message"
            )
        require_current(desk, held)
        require_clear(desk, held)
        moved = move(held.report, Step.RESEND, who=who, when=now, what="queued for the gateway again")
        sendings = tuple(
            replace(sent, state="queued", when=now, reason=None) if sent.message == posted.id else sent
            for sent in held.sendings
        )
        writes.append(cases.write(replace(held, report=moved, sendings=sendings, due=None, changed=now)))
    return tuple(writes)
