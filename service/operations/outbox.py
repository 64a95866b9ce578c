"""The outbox as a port: messages on their way out, and what became of them. ``deliver.py`` works on it.

Messages are put in by ``Records.commit`` and by ``Outbox.settle``, in the transaction that changes the state
that they speak of.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from service.operations.ports import Message, Version, Write


class Fate(StrEnum):
    """What became of a message so far.

    ``WAITING`` for its time; ``CLAIMED`` by a worker until its lease ends; ``DELIVERED``; ``REFUSED`` by the
    recipient, who never will take it as it is; ``DEAD``: given up after the limit of tries; ``DROPPED`` by a
    person, or because a later message took its place. Messages of one channel and subject go in order: one
    that is waiting, claimed or dead holds those back that stood behind it.
    """

    WAITING = "waiting"
    CLAIMED = "claimed"
    DELIVERED = "delivered"
    REFUSED = "refused"
    DEAD = "dead"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that one worker may deliver until its lease ends.

    ``attempt`` tells this claim from any other of the message. ``tries`` counts this one too, from when the
    message was ``queued``: put in, or let be tried anew by a person.
    """

    message: Message
    attempt: int
    tries: int
    queued: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt ended. ``due``: when a message that goes back to ``WAITING`` may be taken again.

    ``reason`` is a sentence without patient data, ``reference`` the recipient's own for the message.
    """

    fate: Fate
    reason: str | None = None
    reference: str | None = None
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A message as the outbox shows it: without its body, of which ``digest`` is the SHA-256 in hex.

    ``attempts`` counts the claims. ``digest`` is empty where the message was about an erased patient.
    """

    id: str
    channel: str
    subject: str
    media_type: str
    details: Mapping[str, str]
    digest: str
    fate: Fate
    attempts: int
    created: datetime
    changed: datetime
    due: datetime
    reason: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one channel has to do: ``open`` messages wait or are claimed, since ``oldest`` at the longest.

    ``stuck`` were refused or given up: a person must look at them.
    """

    channel: str
    open: int
    oldest: datetime | None
    stuck: int


class Outbox(Protocol):
    """Messages put in by ``Records.commit``, on their way out. Every method may raise Unavailable."""

    def claim(
        self, channels: Sequence[str], now: datetime, lease: timedelta, limit: int
    ) -> tuple[Claim, ...]:
        """Messages due, the longest due first, for this worker alone until the lease ends."""

    def settle(
        self,
        claim: Claim,
        settlement: Settlement,
        now: datetime,
        writes: Sequence[Write] = (),
        messages: Sequence[Message] = (),
    ) -> tuple[Version, ...]:
        """The versions made: the message's fate, the writes and the further messages in one transaction.

        Overtaken where the claim is no longer this worker's, PreconditionFailed where a record stands at
        another version: nothing is changed then.
        """

    def wait(self, seconds: float) -> None:
        """Returns when something may have become due, after the seconds at the latest."""

    def about(self, subject: str) -> tuple[Posted, ...]:
        """All messages about one record (``Type/id``), in the order they were put in."""

    def find(self, id_: str) -> Posted | None:
        """One message, or None."""

    def backlog(self) -> tuple[Backlog, ...]:
        """How much each channel has to do; a channel that has nothing to do is left out."""

    def page(
        self, fates: Sequence[Fate] = (), *, channel: str | None = None, count: int = 50, after: int = 0
    ) -> tuple[tuple[Posted, ...], int | None]:
        """Messages in the order they were put in, and what to give as ``after`` for more of them."""

    def retry(self, id_: str, now: datetime, writes: Sequence[Write] = ()) -> Posted:
        """A refused or dead message, waiting again from now with its tries counted anew. NotFound, Conflict.

        Conflict too where a later message of the same channel and subject has been delivered already.
        """

    def drop(self, id_: str, now: datetime, reason: str, writes: Sequence[Write] = ()) -> Posted:
        """A message taken out of the line for good, its body gone. NotFound.

        Conflict where it is delivered, or with a worker now.
        """
