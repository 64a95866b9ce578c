"""What goes into a transaction beside the records: messages for the outbox, and what may happen once."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from sqlalchemy import case, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from service.adapters.records import plain
from service.adapters.records.tables import once, outbox
from service.domain.errors import Repeated
from service.operations.searching.dates import microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from service.operations.ports import Message, Once

_ENDED = ("refused", "dead", "dropped")

_RENEWED = (
    f"ON CONFLICT (scope, digest) DO UPDATE SET expires = excluded.expires WHERE {once.name}.expires <= ?"
)

_BATCHED = "SafetyReport"
"""The records of which several may go in one message."""
_PURGED = 500
"""How many expired marks one transaction takes out at most."""


def put(connection: Connection, messages: Sequence[Message], now: int) -> None:
    """Puts the messages at the end of their lines.

    Earlier ones about the same record that were refused or given up leave the line: these take their place.
    One whose id is there already is left as it is; but if it had been refused, given up or dropped, and the
    content is the same, it waits again under its old id.
    """
    if not messages:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    if connection.dialect.name == "postgresql":
        # numbers are drawn in the order of the commits of one subject: who comes second waits here
        for line in sorted({f"{one.channel}\0{one.subject}" for one in messages}):
            number = int.from_bytes(hashlib.sha256(line.encode()).digest()[:8], "big", signed=True)
            connection.execute(select(func.pg_advisory_xact_lock(number)))
    for one in messages:
        digest = hashlib.sha256(one.body).hexdigest()
        row = {
            "id": one.id, "channel": one.channel, "subject": one.subject, "media_type": one.media_type,
            "details": json.dumps(dict(one.details), ensure_ascii=False), "body": one.body,
            "digest": digest, "fate": "waiting", "attempts": 0,
            "tries": 0, "queued": now, "created": now, "changed": now, "due": now,
        }  # fmt: skip
        statement = insert(outbox).values(row).on_conflict_do_nothing(index_elements=[outbox.c.id])
        fresh = connection.execute(statement, execution_options=plain.COUNTED).rowcount
        if not fresh:
            again = {"fate": "waiting", "tries": 0, "body": one.body} | dict.fromkeys(
                ("queued", "changed", "due"), now
            )
            ended = (outbox.c.id == one.id, outbox.c.digest == digest, outbox.c.fate.in_(_ENDED))
            fresh = connection.execute(update(outbox).where(*ended).values(again)).rowcount
        if fresh:
            _replace(connection, one, now)


def _replace(connection: Connection, by: Message, now: int) -> None:
    connection.execute(
        update(outbox)
        .where(
            outbox.c.channel == by.channel, outbox.c.subject == by.subject, outbox.c.id != by.id,
            outbox.c.fate.in_(("refused", "dead")),
        )
        .values(fate="dropped", reason=f"message {by.id} took its place", body=b"", changed=now)
    )  # fmt: skip


def happen(connection: Connection, marks: Sequence[Once], now: int) -> None:
    """Nothing, and each of the marks is set until it expires; Repeated where one was set and still holds."""
    rows = [
        (one.scope[:200], hashlib.sha256(f"{one.scope}\0{one.key}".encode()).hexdigest(), one.expires)
        for one in marks
    ]
    # each once and in one order, so that two transactions cannot interlock
    given = sorted({(scope, digest, microseconds(expires)) for scope, digest, expires in rows})
    distinct = {(scope, digest) for scope, digest, _ in given}
    if len(distinct) < len(rows) or plain.insert(connection, once, given, _RENEWED, now) < len(rows):
        raise Repeated("this may happen only once, and it has happened before")


def purge(connection: Connection, now: int) -> None:
    """Takes out marks that have expired, so many at most that the transaction stays short."""
    old = select(once.c.scope, once.c.digest).where(once.c.expires <= now)
    old = old.order_by(once.c.expires).limit(_PURGED).with_for_update(skip_locked=True)
    connection.execute(delete(once).where(tuple_(once.c.scope, once.c.digest).in_(old)))


def forget(connection: Connection, subjects: Sequence[str], now: int) -> int:
    """How many messages about the subjects (``Type/id``) were emptied; what was on its way is dropped."""
    emptied = 0
    for subject in subjects:
        type_, _, id_ = subject.partition("/")
        whose = outbox.c.subject == subject
        if type_ == _BATCHED:  # a message of several names each of them beside its subject
            whose = or_(whose, outbox.c.details.contains(id_, autoescape=True))
        held = connection.execute(
            update(outbox)
            .where(whose)
            .values(
                body=b"", details="{}", reason=None, reference=None, digest="", changed=now,
                fate=case((outbox.c.fate == "delivered", "delivered"), else_="dropped"),
            )
        )  # fmt: skip
        emptied += held.rowcount
    return emptied
