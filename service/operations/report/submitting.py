"""``submit``, and what the gateway and the recipient answer.

That a report was submitted means that it was given to the gateway's outbox, or that a person says so. Only an
acknowledgement or a reference number says that it arrived.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.domain.errors import Conflict, PreconditionFailed, ServiceError, Unavailable, Unprocessable
from service.domain.safety_report import State
from service.fhir.json_text import decode
from service.operations.ports import Message, Receipt
from service.operations.report import cases
from service.operations.report.cases import Sending
from service.operations.report.changing import Changed, Done, change
from service.operations.report.drafting import require_current
from service.operations.report.exporting import keep, latest
from service.operations.report.steps import require_clear
from service.operations.report.stuck import members_of, settle_stuck
from service.operations.representation import instant
from service.operations.searching.values import reference_parts
from service.yellow_card.rendered import Rendered
from service.yellow_card.states import TRANSITIONS, Step, acknowledged, move, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.operations.ports import Write
    from service.operations.report.cases import Case, Export
    from service.operations.report.desk import Desk

CHANNEL = "gateway"
_MESSAGES = uuid.UUID("61b0f0a4-91d5-5d6c-8a52-1f0d1f3a7c55")
GATEWAY = "the gateway"
_QUEUED = "queued for the gateway; not delivered yet"
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recipient answered about one case. ``said`` are its sentences, each with the element it names.

    ``reference`` is the recipient's own number for the case, ``file`` the name of the file that it answers,
    where that is told.
    """

    accepted: bool
    said: tuple[str, ...] = ()
    reference: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a receipt's body says: an answer by case, and what is to be kept of what belongs to none."""

    answers: Mapping[str, Answer]
    writes: tuple[Write, ...] = ()


Read = Callable[["Message", "Receipt"], "Heard | None"]
"""What a receipt's body says; None where it is no answer."""


def submit(desk: Desk, case: str, who: str, *, by_hand: bool = False, expected: int | None = None) -> Done:
    """The report given to the gateway's outbox, or with ``by_hand`` recorded as submitted by that person.

    A report whose file is a batch takes the others in it along: they are one message, all or none.
    Without a gateway that takes it, it stays prepared, and what is said is that a person submits it. Again:
    it is not given twice. Conflict where it is not prepared, or the form has changed since it was drafted.
    """

    def do(held: Case, now: str) -> Changed:
        report = held.report
        if report.state is State.SUBMITTED:
            return Changed(held, says="it is submitted already")
        if by_hand:
            what = f"submitted by hand, as {who} says"
            moved = move(report, Step.SUBMIT, who=who, when=now, what=what)
            return Changed(replace(held, report=moved, due=None), says=what)
        if report.state is not State.PREPARED:
            move(report, Step.SUBMIT, who=who, when=now, what="")
        made = latest(held, desk.gateway) if desk.gateway else None
        if desk.gateway is None or made is None:
            return Changed(held, says=_unsent(desk, held))
        if made.together:
            raise Conflict("its file is a batch by now; look at it again")
        require_current(desk, held)
        require_clear(desk, held)
        message = _message(desk, held, made)
        return Changed(_queued(held, message, who, now), messages=(message,), says=_QUEUED)

    together = None if by_hand else _together(desk, case, expected)
    if together is not None:
        return _submit_together(desk, case, together, who)
    done = change(desk, case, do, expected=expected)
    if by_hand:
        settle_stuck(desk, done.case, f"its report was submitted by hand, as {who} says")
    return done


def _together(desk: Desk, case: str, expected: int | None) -> Export | None:
    """The file that would be sent of the case, where it is a batch of several."""
    held = cases.read(desk.records, case)
    if desk.gateway is None or held.report.state is not State.PREPARED or expected not in (None, held.record):
        return None
    made = latest(held, desk.gateway)
    return made if made is not None and made.together else None


def _queued(case: Case, message: Message, who: str, now: str) -> Case:
    moved = move(case.report, Step.SUBMIT, who=who, when=now, what=_QUEUED)
    sending = Sending(message.id, "queued", case.report.version, now)
    return replace(case, report=moved, sendings=(*case.sendings, sending), due=None, changed=now)


def _submit_together(desk: Desk, case: str, file: Export, who: str) -> Done:
    """All reports of a batch given to the outbox as the one message that they are; all of them or none."""
    for attempt in range(_ATTEMPTS):
        now = desk.clock()
        held = [cases.read(desk.records, one) for one in file.together]
        for one in held:
            made = latest(one, file.kind)
            if one.report.state is not State.PREPARED or made is None or made.digest != file.digest:
                raise Conflict(
                    f"report {one.id} of the batch {file.file_name} is {one.report.state} by now, or was "
                    "exported anew: prepare those that are to go, alone or as another batch"
                )
            require_current(desk, one)
            require_clear(desk, one)
        message = _message(desk, held[0], file)
        queued = [_queued(one, message, who, instant(now)) for one in held]
        try:
            stored = desk.records.commit([cases.write(one) for one in queued], now, (message,))
        except PreconditionFailed as fault:
            if attempt == _ATTEMPTS - 1:
                raise Conflict("others change these reports at the same time; try again") from fault
        else:
            at = file.together.index(case)
            says = f"{_QUEUED}; its file is a batch, and the {len(held) - 1} others in it went with it"
            return Done(replace(queued[at], record=stored[at].version), stored, says)
    raise AssertionError  # the last attempt returned or raised


def _unsent(desk: Desk, case: Case) -> str:
    if desk.gateway is None:
        return "this site has no gateway; a person submits what is prepared, and says so with by-hand"
    unmade = dict(case.unmade).get(desk.gateway)
    why = f": {unmade}" if unmade else ""
    return (
        f"the gateway takes '{desk.gateway}', which is not prepared of this report{why}; a person submits it"
    )


def _message(desk: Desk, case: Case, made: Export) -> Message:
    held = desk.records.read(*reference_parts(made.binary))
    if held is None or held.deleted:
        raise Unprocessable("the prepared file is not held any more; export the report again")
    body = base64.b64decode(decode(held.body).resource["data"])
    if hashlib.sha256(body).hexdigest() != made.digest:
        raise Conflict("the prepared file is not what was made; export the report again")
    return Message(
        id=str(
            uuid.uuid5(_MESSAGES, f"{' '.join(made.together) or case.id} {case.report.version} {made.digest}")
        ),
        channel=CHANNEL,
        subject=case.reference,
        media_type=made.media_type,
        body=body,
        details={"case": case.id, "file_name": made.file_name, "version": str(case.report.version)}
        | ({"cases": " ".join(made.together)} if made.together else {}),
    )


def settled(
    desk: Desk, read: Read | None = None
) -> Callable[[Message, Receipt | ServiceError], tuple[Sequence[Write], Sequence[Message]]]:
    """What follows for its report once a message was delivered, refused or given up, to be stored with it."""

    def follow(
        message: Message, outcome: Receipt | ServiceError
    ) -> tuple[Sequence[Write], Sequence[Message]]:
        heard = read(message, outcome) if read is not None and isinstance(outcome, Receipt) else None
        now = instant(desk.clock())
        writes: list[Write] = []
        members = members_of(message)
        for id_ in dict.fromkeys((*members, *(heard.answers if heard else ()))):
            held = cases.find(desk.records, id_)
            if held is None:
                continue
            made = held
            more: list[Write] = []
            if id_ in members:
                made = after_delivery(held, message, outcome, now)
            if heard is not None and id_ in heard.answers:
                made, more = _answered(desk, made, heard.answers[id_], GATEWAY, now, _document(outcome))
            if made != held:
                writes += [cases.write(replace(made, changed=now)), *more]
        return (*writes, *(heard.writes if heard else ())), ()

    return follow


def after_delivery(case: Case, message: Message, outcome: Receipt | ServiceError, now: str) -> Case:
    """The case once its message came to an end. A message of an earlier version changes no state."""
    report = case.report
    known = [one for one in case.sendings if one.message == message.id]
    if not known or known[-1].state == "delivered":
        return case
    if known[-1].state == "failed" and not isinstance(outcome, Receipt):
        return case
    current = known[-1].version == report.version
    if isinstance(outcome, Receipt):
        # what was refused or given up may have arrived all the same: a worker before spoke too late
        late = known[-1].state == "failed" and report.state in TRANSITIONS[Step.RESEND]
        state, step = "delivered", Step.RESEND if late else Step.DELIVER
        what = "delivered to the gateway" + (f" as {outcome.reference}" if outcome.reference else "")
        reason = None
    else:
        state, reason = "failed", str(outcome)
        gone = isinstance(outcome, Unavailable)
        step = Step.RETURN if gone else Step.REJECT
        what = "the gateway could not be reached; given up" if gone else "the gateway refused it"
    if current and report.state in TRANSITIONS[step]:
        report = move(report, step, who=GATEWAY, when=now, what=what, reason=reason)
    else:
        report = note(report, who=GATEWAY, when=now, what=what, reason=reason)
    sendings = tuple(
        replace(one, state=state, when=now, reason=reason) if one is known[-1] else one
        for one in case.sendings
    )
    due = None if report.state is State.PREPARED else case.due
    return replace(case, report=report, sendings=sendings, due=due)


def acknowledge(
    desk: Desk,
    case: str,
    answer: Answer,
    who: str,
    *,
    document: Rendered | None = None,
    expected: int | None = None,
) -> Done:
    """The report with the recipient's answer: acknowledged or rejected. ``document`` is it as it came.

    The same answer again changes nothing. One that contradicts an earlier one, or that comes where none is
    awaited, is kept and flagged, and changes no state.
    """

    def do(held: Case, now: str) -> Changed:
        made, writes = _answered(desk, held, answer, who, now, document)
        return Changed(made, tuple(writes))

    return change(desk, case, do, expected=expected)


def _answered(
    desk: Desk, case: Case, answer: Answer, who: str, now: str, document: Rendered | None
) -> tuple[Case, list[Write]]:
    if document is not None:
        digest = hashlib.sha256(document.body).hexdigest()
        if any(one.kind == document.kind and one.digest == digest for one in case.exports):
            return case, []
    report = case.report
    wanted = State.ACKNOWLEDGED if answer.accepted else State.REJECTED
    if document is None and report.state is wanted and (answer.reference in (None, report.yellow_card)):
        return case, []
    said = "; ".join(answer.said) or None
    step = Step.ACKNOWLEDGE if answer.accepted else Step.REJECT
    what = "acknowledged" if answer.accepted else "rejected by the recipient"
    if answer.reference:
        what += f" as {answer.reference}"
    flag = case.flag
    contradicts = not answer.accepted and acknowledged(report)
    if _is_old(case, answer):
        flag = f"an answer came to a message that another has followed: {what}"
        report = note(report, who=who, when=now, what=flag, reason=said)
    elif report.state in TRANSITIONS[step] and not contradicts:
        report = move(report, step, who=who, when=now, what=what, reason=said)
    elif report.state is wanted:
        report = note(report, who=who, when=now, what=f"{what} once more", reason=said)
    else:
        flag = f"an answer came while the report was {report.state}: {what}"
        report = note(report, who=who, when=now, what=flag, reason=said)
    taken = answer.accepted and report.state is not State.REJECTED
    if taken and answer.reference and report.yellow_card is None:
        report = replace(report, yellow_card=answer.reference)
    made = replace(case, report=report, flag=flag)
    if document is None:
        return made, []
    kept, writes = keep(desk, case, document, who, now)
    return replace(made, exports=(*case.exports, kept), documents=(*case.documents, kept.document)), writes


def _is_old(case: Case, answer: Answer) -> bool:
    """Whether it answers a file of the case after which another was made of this version or a later one."""
    made = [one for one in case.exports if one.version <= case.report.version]
    kinds = {one.kind for one in made if one.file_name == answer.file}
    same = [one.file_name for one in made if one.kind in kinds]
    return bool(same) and same[-1] != answer.file


def _document(outcome: Receipt | ServiceError) -> Rendered | None:
    if not isinstance(outcome, Receipt) or not outcome.body:
        return None
    return Rendered(outcome.media_type or "application/octet-stream", "answer", outcome.body, "answer")
