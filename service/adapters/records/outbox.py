"""The outbox in the records' database: the port ``Outbox`` fulfilled, one code for both databases.

A claim is the row's ``fate`` with the lease's end in ``due``: a worker that dies need not clean up. On SQLite
claims and settlements share the one writer with the records' commits; on PostgreSQL workers pass each other
by with SKIP LOCKED.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, exists, func, or_, select, update

from service.adapters.records import changes, extras
from service.adapters.records.store import answering
from service.adapters.records.tables import outbox
from service.domain.errors import Conflict, NotFound, Overtaken
from service.operations.outbox import Backlog, Claim, Fate, Posted
from service.operations.ports import Message
from service.operations.searching.dates import microseconds, moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Row

    from service.adapters.records.store import Store
    from service.operations.outbox import Settlement
    from service.operations.ports import Version, Write

_OPEN = (Fate.WAITING, Fate.CLAIMED)
_HOLDING = (*_OPEN, Fate.DEAD)
_STUCK = (Fate.REFUSED, Fate.DEAD)
_EMPTIED = (Fate.DELIVERED, Fate.DROPPED)
_SHOWN = [column for column in outbox.c if column.name != "body"]

_earlier = outbox.alias("earlier")
_FREE = ~exists().where(
    _earlier.c.channel == outbox.c.channel,
    _earlier.c.subject == outbox.c.subject,
    _earlier.c.number < outbox.c.number,
    _earlier.c.fate.in_(_HOLDING),
)


class Outbox:
    """The outbox of one store. Safe from any thread."""

    def __init__(self, store: Store) -> None:
        """Takes the store that the messages are committed to."""
        self._store = store

    def wait(self, seconds: float) -> None:
        """Returns when this process has put something in, or after the seconds."""
        if self._store.arrivals.wait(seconds):
            self._store.arrivals.clear()

    def claim(
        self, channels: Sequence[str], now: datetime, lease: timedelta, limit: int
    ) -> tuple[Claim, ...]:
        """Messages due, the longest due first, for this worker alone until the lease ends."""
        due = (outbox.c.fate.in_(_OPEN), outbox.c.channel.in_(channels), _FREE)
        at = microseconds(now)
        with answering(), self._store.engine.connect() as connection:  # so that looking locks nobody out
            if (
                connection.execute(select(outbox.c.number).where(*due, outbox.c.due <= at).limit(1)).first()
                is None
            ):
                return ()
        length = microseconds(now + lease) - at

        def work(connection: Connection, at: int) -> tuple[Claim, ...]:
            rows = connection.execute(
                select(outbox)
                .where(*due, outbox.c.due <= at)
                .order_by(outbox.c.due, outbox.c.number)
                .limit(limit)
                .with_for_update(skip_locked=True, of=outbox)
            ).all()
            connection.execute(
                update(outbox)
                .where(outbox.c.number.in_([row.number for row in rows]))
                .values(
                    fate=Fate.CLAIMED, attempts=outbox.c.attempts + 1, tries=outbox.c.tries + 1,
                    changed=at, due=at + length,
                )
            )  # fmt: skip
            return tuple(_claim(row) for row in rows)

        return self._store.transact(work, now)

    def settle(
        self,
        claim: Claim,
        settlement: Settlement,
        now: datetime,
        writes: Sequence[Write] = (),
        messages: Sequence[Message] = (),
    ) -> tuple[Version, ...]:
        """The versions made, in one transaction with the message's fate; Overtaken, PreconditionFailed."""
        values = changes.search_values(writes)
        changed: dict[str, Any] = {"fate": settlement.fate, "reason": settlement.reason}
        if settlement.reference is not None:
            changed["reference"] = settlement.reference
        if settlement.due is not None:
            changed["due"] = microseconds(settlement.due)
        if settlement.fate in _EMPTIED:
            changed["body"] = b""

        def work(connection: Connection, at: int) -> tuple[Version, ...]:
            own = (
                outbox.c.id == claim.message.id,
                outbox.c.fate == Fate.CLAIMED,
                outbox.c.attempts == claim.attempt,
            )
            if connection.execute(update(outbox).where(*own).values(**changed, changed=at)).rowcount == 0:
                raise Overtaken(
                    f"attempt {claim.attempt} at message {claim.message.id} came to its end too late"
                )
            made = changes.make(connection, writes, values, at)
            extras.put(connection, messages, at)
            return made

        made = self._store.transact(work, now)
        self._store.arrivals.set()  # those behind this one may go now
        return made

    def about(self, subject: str) -> tuple[Posted, ...]:
        """All messages about one record (``Type/id``), in the order they were put in."""
        return self._shown(select(*_SHOWN).where(outbox.c.subject == subject).order_by(outbox.c.number))

    def find(self, id_: str) -> Posted | None:
        """One message, or None."""
        return next(iter(self._shown(select(*_SHOWN).where(outbox.c.id == id_))), None)

    def _shown(self, statement: Any) -> tuple[Posted, ...]:
        with answering(), self._store.engine.connect() as connection:
            return tuple(_posted(row) for row in connection.execute(statement))

    def backlog(self) -> tuple[Backlog, ...]:
        """How much each channel has to do; a channel that has nothing to do is left out."""
        is_open, is_stuck = outbox.c.fate.in_(_OPEN), outbox.c.fate.in_(_STUCK)
        statement = (
            select(
                outbox.c.channel,
                func.sum(case((is_open, 1), else_=0)),
                func.min(case((is_open, outbox.c.queued))),
                func.sum(case((is_stuck, 1), else_=0)),
            )
            .where(or_(is_open, is_stuck))
            .group_by(outbox.c.channel)
            .order_by(outbox.c.channel)
        )
        with answering(), self._store.engine.connect() as connection:
            return tuple(
                Backlog(channel, int(count), None if oldest is None else moment(oldest), int(stuck))
                for channel, count, oldest, stuck in connection.execute(statement)
            )

    def page(
        self, fates: Sequence[Fate] = (), *, channel: str | None = None, count: int = 50, after: int = 0
    ) -> tuple[tuple[Posted, ...], int | None]:
        """Messages in the order they were put in, and what to give as ``after`` for more of them."""
        statement = select(*_SHOWN).where(outbox.c.number > after).order_by(outbox.c.number).limit(count + 1)
        if fates:
            statement = statement.where(outbox.c.fate.in_(fates))
        if channel is not None:
            statement = statement.where(outbox.c.channel == channel)
        with answering(), self._store.engine.connect() as connection:
            rows = connection.execute(statement).all()
        following = rows[count - 1].number if len(rows) > count > 0 else None
        return tuple(_posted(row) for row in rows[:count]), following

    def retry(self, id_: str, now: datetime, writes: Sequence[Write] = ()) -> Posted:
        """A refused or dead message, waiting again from now. NotFound, Conflict."""
        values = changes.search_values(writes)

        def work(connection: Connection, at: int) -> Posted:
            row = _standing(connection, id_)
            if row.fate not in _STUCK:
                raise Conflict(
                    f"message {id_} is {row.fate}; only one that was refused or given up is tried anew"
                )
            gone = (
                outbox.c.channel == row.channel,
                outbox.c.subject == row.subject,
                outbox.c.number > row.number,
                outbox.c.fate.in_((Fate.DELIVERED, Fate.CLAIMED)),
            )
            if connection.execute(select(outbox.c.number).where(*gone).limit(1)).first() is not None:
                raise Conflict(
                    f"a later message than {id_} about the same record went out already; drop this one"
                )
            changes.make(connection, writes, values, at)
            return _change(connection, id_, fate=Fate.WAITING, tries=0, queued=at, due=at, changed=at)

        posted = self._store.transact(work, now)
        self._store.arrivals.set()
        return posted

    def drop(self, id_: str, now: datetime, reason: str, writes: Sequence[Write] = ()) -> Posted:
        """A message taken out of the line for good, its body gone. NotFound, Conflict."""
        values = changes.search_values(writes)

        def work(connection: Connection, at: int) -> Posted:
            row = _standing(connection, id_)
            if row.fate == Fate.DELIVERED or (row.fate == Fate.CLAIMED and row.due > at):
                state = "delivered" if row.fate == Fate.DELIVERED else "being delivered now"
                raise Conflict(f"message {id_} is {state} and cannot be dropped")
            changes.make(connection, writes, values, at)
            return _change(connection, id_, fate=Fate.DROPPED, reason=reason, body=b"", changed=at)

        posted = self._store.transact(work, now)
        self._store.arrivals.set()
        return posted


def _standing(connection: Connection, id_: str) -> Row[Any]:
    row = connection.execute(select(outbox).where(outbox.c.id == id_).with_for_update()).first()
    if row is None:
        raise NotFound(f"there is no message {id_[:200]} in the outbox")
    return row


def _change(connection: Connection, id_: str, **changed: Any) -> Posted:
    connection.execute(update(outbox).where(outbox.c.id == id_).values(**changed))
    return _posted(connection.execute(select(*_SHOWN).where(outbox.c.id == id_)).one())


def _claim(row: Row[Any]) -> Claim:
    details = json.loads(row.details)
    message = Message(row.id, row.channel, row.subject, row.media_type, bytes(row.body), details)
    return Claim(message, row.attempts + 1, row.tries + 1, moment(row.queued))


def _posted(row: Row[Any]) -> Posted:
    return Posted(
        row.id, row.channel, row.subject, row.media_type, json.loads(row.details), row.digest, Fate(row.fate),
        row.attempts, moment(row.created), moment(row.changed), moment(row.due), row.reason, row.reference,
    )  # fmt: skip
