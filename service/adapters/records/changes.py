"""A set of writes made inside one transaction: versions, current records and search values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, tuple_, update

from service.adapters.records.tables import record, value, version
from service.domain.errors import PreconditionFailed
from service.operations.ports import Version
from service.operations.searching.dates import moment
from service.operations.searching.values import entries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection

    from service.operations.ports import Write

_CURRENT = (
    select(record.c.type, record.c.id, record.c.version)
    .where(tuple_(record.c.type, record.c.id).in_(bindparam("keys", expanding=True)))
    .order_by(record.c.type, record.c.id)
    .with_for_update()
)
_INSERT_RECORD = insert(record)
_UPDATE_RECORD = (
    update(record)
    .where(record.c.type == bindparam("of_type"), record.c.id == bindparam("of_id"))
    .values(version=bindparam("to_version"), updated=bindparam("at"), method=bindparam("by"))
)
_INSERT_VERSION = insert(version)
_DELETE_VALUES = delete(value).where(value.c.type == bindparam("of_type"), value.c.id == bindparam("of_id"))
_INSERT_VALUE = insert(value)


def search_values(writes: Sequence[Write]) -> list[dict[str, Any]]:
    """The rows of search values that the writes bring. Taken outside the transaction: it costs time."""
    return [
        {"type": write.type, "id": write.id, "parameter": entry.parameter, "system": entry.system,
         "value": entry.value, "low": entry.low, "high": entry.high}
        for write in writes
        if write.resource is not None
        for entry in entries(write.resource)
    ]  # fmt: skip


def make(
    connection: Connection, writes: Sequence[Write], values: list[dict[str, Any]], now: int
) -> tuple[Version, ...]:
    """The versions made; PreconditionFailed (and the caller rolls back) if another version stands."""
    if not writes:
        return ()
    keys = [(write.type, write.id) for write in writes]
    rows = connection.execute(_CURRENT, {"keys": keys})
    standing = {(row.type, row.id): row.version for row in rows}
    made = []
    for write in writes:
        number = standing.get((write.type, write.id), 0)
        if write.expected not in (None, number):
            raise PreconditionFailed(
                f"{write.type}/{write.id} is at version {number}, not {write.expected}: "
                "read it again and repeat the change on what stands now"
            )
        method = "DELETE" if write.resource is None else "PUT" if number else "POST"
        made.append(Version(write.type, write.id, number + 1, moment(now), method, write.body))
    fresh = [one for one in made if one.version == 1]
    changed = [{"of_type": one.type, "of_id": one.id} for one in made if one.version > 1]
    if fresh:
        connection.execute(_INSERT_RECORD, [_row(one, now) for one in fresh])
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
    connection.execute(_INSERT_VERSION, [_row(one, now) | {"body": one.body} for one in made])
    if values:
        connection.execute(_INSERT_VALUE, values)
    return tuple(made)


def _row(one: Version, now: int) -> dict[str, Any]:
    return {"type": one.type, "id": one.id, "version": one.version, "updated": now, "method": one.method}
