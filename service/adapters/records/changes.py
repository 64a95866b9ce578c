"""A set of writes made inside one transaction: versions, current records and search values."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select, tuple_, update

from service.adapters.records.plain import insert
from service.adapters.records.tables import record, value, version
from service.domain.errors import PreconditionFailed
from service.operations.ports import Version
from service.operations.searching.dates import moment
from service.operations.searching.values import entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from service.operations.ports import Write

_CURRENT = (
    select(record.c.type, record.c.id, record.c.version)
    .where(tuple_(record.c.type, record.c.id).in_(bindparam("keys", expanding=True)))
    .order_by(record.c.type, record.c.id)
    .with_for_update()
)
_VERSIONS = (
    select(version.c.type, version.c.id, func.max(version.c.version).label("number"))
    .where(tuple_(version.c.type, version.c.id).in_(bindparam("keys", expanding=True)))
    .group_by(version.c.type, version.c.id)
)
"""The latest version of each: a record that this transaction has just made has none yet."""
_UPDATE_RECORD = (
    update(record)
    .where(record.c.type == bindparam("of_type"), record.c.id == bindparam("of_id"))
    .values(version=bindparam("to_version"), updated=bindparam("at"), method=bindparam("by"))
)
_DELETE_VALUES = delete(value).where(value.c.type == bindparam("of_type"), value.c.id == bindparam("of_id"))


def search_values(writes: Sequence[Write]) -> list[tuple[str | int, ...]]:
    """The rows of search values that the writes bring. Taken outside the transaction: it costs time."""
    return [
        (write.type, write.id, *entry)
        for write in writes
        if write.resource is not None
        for entry in entries(write.resource)
    ]


def make(
    connection: Connection, writes: Sequence[Write], values: list[tuple[str | int, ...]], now: int
) -> tuple[Version, ...]:
    """The versions made; PreconditionFailed (and the caller rolls back) if another version stands."""
    if not writes:
        return ()
    if all(write.expected == 0 and write.resource is not None for write in writes):
        at = moment(now)
        new = tuple(Version(write.type, write.id, 1, at, "POST", write.body) for write in writes)
        _insert_new(connection, new, now)
        _insert(connection, new, values, now)
        return new
    keys = [(write.type, write.id) for write in writes]
    rows = connection.execute(_CURRENT, {"keys": keys})
    standing = {(row.type, row.id): row.version for row in rows}
    made = []
    for write in writes:
        number = standing.get((write.type, write.id), 0)
        if write.expected not in (None, number):
            raise _standing(write.type, write.id, number, write.expected)
        method = "DELETE" if write.resource is None else "PUT" if number else "POST"
        made.append(Version(write.type, write.id, number + 1, moment(now), method, write.body))
    fresh = [one for one in made if one.version == 1]
    changed = [{"of_type": one.type, "of_id": one.id} for one in made if one.version > 1]
    if fresh:
        insert(connection, record, _rows(fresh, now))
    if changed:
        connection.execute(
            _UPDATE_RECORD,
            [
                {"of_type": one.type, "of_id": one.id, "to_version": one.version, "at": now, "by": one.method}
                for one in made
                if one.version > 1
            ],
        )
        connection.execute(_DELETE_VALUES, changed)
    _insert(connection, made, values, now)
    return tuple(made)


def _insert_new(connection: Connection, made: Sequence[Version], now: int) -> None:
    """Nothing; PreconditionFailed (and the caller rolls back) if one of the records is there already."""
    rows = sorted(_rows(made, now))  # in one order, so that two transactions cannot interlock
    if insert(connection, record, rows, "ON CONFLICT DO NOTHING") == len(rows):
        return
    keys = [(one.type, one.id) for one in made]
    held = {(row.type, row.id): row.number for row in connection.execute(_VERSIONS, {"keys": keys})}
    twice = (key for at, key in enumerate(keys) if key in keys[:at])
    first = next(chain((key for key in keys if key in held), twice, keys))
    raise _standing(*first, held.get(first, 1), 0)


def _standing(type_: str, id_: str, number: int, expected: int | None) -> PreconditionFailed:
    return PreconditionFailed(
        f"{type_}/{id_} is at version {number}, not {expected}: "
        "read it again and repeat the change on what stands now"
    )


def _insert(
    connection: Connection, made: Sequence[Version], values: list[tuple[str | int, ...]], now: int
) -> None:
    bodies = [(one.type, one.id, one.version, now, one.method, one.body) for one in made]
    insert(connection, version, bodies)
    insert(connection, value, values)


def _rows(made: Sequence[Version], now: int) -> list[tuple[str | int, ...]]:
    return [(one.type, one.id, one.version, now, one.method) for one in made]
