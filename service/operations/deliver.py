"""One attempt at delivering a message, and what is made of how it went.

A message is delivered at least once: the recipient is asked first and the outcome is stored after, so that a
process killed between the two leaves a claim that runs out, and another delivers again under the same id.
What follows from the outcome (a report is submitted, rejected …) is stored with it in one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from service.domain.errors import (
    Forbidden,
    Overtaken,
    PreconditionFailed,
    ServiceError,
    Unauthenticated,
    Unavailable,
)
from service.operations.outbox import Fate, Settlement
from service.operations.ports import Message, Receipt, Write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from service.operations.outbox import Claim, Outbox, Posted
    from service.operations.ports import Clock, Courier

Follow = tuple[Sequence[Write], Sequence[Message]]

Settled = Callable[[Message, Receipt | ServiceError], Follow]
"""What follows from the end of a message: the writes and further messages to store with it.

Given the receipt, or the error: an Unavailable means that it was given up, any other that it was refused. It
reads the records that it needs itself, and is asked again where one of them changed meanwhile.
"""

Chance = Callable[[], float]
"""A random number from 0 up to but not including 1."""

_LATER = (Unavailable, Unauthenticated, Forbidden)
"""What may pass when the house or the recipient puts something right."""

_SETTLING = 5
_LONGEST_REASON = 300


def nothing_follows(_message: Message, _outcome: Receipt | ServiceError) -> Follow:
    """No writes and no messages."""
    return (), ()


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a message is tried before it is given up: whichever limit comes first.

    One that is too old, because nobody worked for days, is tried ``least`` times all the same.

    The time between tries doubles from ``first`` up to ``longest``, less up to a half by chance. Where the
    recipient says Retry-After, that long is waited at least, up to a day.
    """

    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(hours=1)
    tries: int = 100
    age: timedelta = timedelta(days=5)
    least: int = 5

    def delay(self, tries: int, asked: float | None, chance: Chance) -> timedelta:
        """How long to wait after so many tries; ``asked`` are the seconds that the recipient asked for."""
        doubled = min(self.longest, self.first * (1 << min(tries - 1, 30)))
        wait = doubled * (1 - chance() / 2)
        return max(wait, timedelta(seconds=min(asked, 86_400))) if asked and asked > 0 else wait


@dataclass(frozen=True, slots=True)
class Line:
    """One channel: who delivers, what follows, how patiently, and how many messages at once in a process."""

    courier: Courier
    settled: Settled = nothing_follows
    patience: Patience = Patience()
    width: int = 4


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended. ``fate`` None: too late, the claim had been taken up by another.

    ``unsettled`` is what kept the follow-up from being stored with the fate.
    """

    message: str
    channel: str
    fate: Fate | None
    tries: int
    reason: str | None = None
    unsettled: ServiceError | None = None


def deliver(claim: Claim, line: Line, outbox: Outbox, clock: Clock, chance: Chance) -> Attempt:
    """How it went.

    Unavailable (the outbox does not answer) and PreconditionFailed (what follows met a changed record every
    time) leave the claim to run out: the message is then delivered again, under the same id.
    """
    outcome = _ask(claim, line)
    now = clock()
    settlement = judge(claim, outcome, line.patience, now, chance)
    unsettled: ServiceError | None = None
    for left in reversed(range(_SETTLING)):
        follow: Follow = ((), ())
        if settlement.fate is not Fate.WAITING and unsettled is None:
            try:
                follow = line.settled(claim.message, outcome)
            except Unavailable:
                raise
            except ServiceError as fault:  # the message's end is true even where its record is gone
                unsettled = fault
                reason = (
                    f"{settlement.reason or 'delivered'}; what follows could not be stored: {sentence(fault)}"
                )
                settlement = replace(settlement, reason=reason)
        try:
            outbox.settle(claim, settlement, now, *follow)
            break
        except PreconditionFailed:
            if not left:
                raise
        except Overtaken as fault:
            return _told(claim, None, str(fault), None)
    return _told(claim, settlement.fate, settlement.reason, unsettled)


def abandon(outbox: Outbox, lines: Mapping[str, Line], id_: str, now: datetime, reason: str) -> Posted:
    """The message taken out of the line by a person, with what follows from that as if it were given up.

    NotFound; Conflict where it is delivered, or with a worker now.
    """
    posted = outbox.find(id_)
    line = lines.get(posted.channel) if posted else None
    writes: Sequence[Write] = ()
    if posted is not None and line is not None and posted.fate in (Fate.WAITING, Fate.CLAIMED):
        message = Message(id_, posted.channel, posted.subject, posted.media_type, b"", posted.details)
        writes, _ = line.settled(message, Unavailable(f"taken out of the line by a person: {reason}"))
    return outbox.drop(id_, now, reason, writes)


def _ask(claim: Claim, line: Line) -> Receipt | ServiceError:
    if claim.tries > line.patience.tries:
        return Unavailable("workers stopped while they delivered it, again and again")
    try:
        return line.courier.deliver(claim.message)
    except ServiceError as fault:
        return fault


def judge(
    claim: Claim, outcome: Receipt | ServiceError, patience: Patience, now: datetime, chance: Chance
) -> Settlement:
    """What the outcome makes of the message."""
    if isinstance(outcome, Receipt):
        return Settlement(Fate.DELIVERED, reference=outcome.reference)
    reason = sentence(outcome)
    if not isinstance(outcome, _LATER):
        return Settlement(Fate.REFUSED, reason)
    asked = outcome.retry_after if isinstance(outcome, Unavailable) else None
    due = now + patience.delay(claim.tries, asked, chance)
    old = due - claim.queued > patience.age and claim.tries >= patience.least
    if claim.tries >= patience.tries or old:
        return Settlement(Fate.DEAD, f"given up after {claim.tries} tries; the last: {reason}")
    return Settlement(Fate.WAITING, reason, due=due)


_TELLING = re.compile(r"\S*@\S*|\d(?:[\s./-]?\d){5,}|(?<=\?)\S+")


def sentence(fault: ServiceError) -> str:
    """The error's sentence for the outbox, cut short, without long numbers, mail addresses and queries.

    Couriers keep patient data out of their errors; this holds back what would slip through.
    """
    text = " ".join(str(fault).split())
    return _TELLING.sub("…", text)[:_LONGEST_REASON]


def _told(claim: Claim, fate: Fate | None, reason: str | None, unsettled: ServiceError | None) -> Attempt:
    return Attempt(claim.message.id, claim.message.channel, fate, claim.tries, reason, unsettled)
